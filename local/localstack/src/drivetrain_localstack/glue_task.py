"""The task state ``arn:aws:states:::glue:startJobRun.sync``. LocalStack's own can't wait without a task token.

Its result is the ended run, with times in milliseconds since 1970; a run that failed makes the task fail with
``States.TaskFailed`` and the run as the cause.
"""

from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (
    state_task_service_glue,
)

from drivetrain_localstack.step_functions import convert_times, epoch_ms


class GlueTask(state_task_service_glue.StateTaskServiceGlue):
    def _eval_integration_pattern(self, env, resource_runtime_part, normalised_parameters, state_credentials) -> None:
        ended = self._build_sync_resolver(env, resource_runtime_part, normalised_parameters, state_credentials)
        run = self._eval_sync(
            env=env, sync_resolver=ended, timeout_seconds=None, callback_endpoint=None, heartbeat_endpoint=None
        )
        env.stack.append(convert_times(run, epoch_ms))
