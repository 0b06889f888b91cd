"""The task states ``arn:aws:states:::sagemaker:*``: request-response, and ``.sync`` for training, processing and
transform jobs.

They behave like AWS's optimised integration: the result of a ``.sync`` task is the description of the finished job with
times in milliseconds since 1970; a job that fails or is stopped makes the task fail with ``States.TaskFailed`` and the
description as the cause; a task that is given up (time limit, aborted execution) stops its job.

Errors of a call have the names of AWS's Java client: those that SageMaker's model declares are
``SageMaker.<Code>Exception`` (``SageMaker.ResourceLimitExceededException``); all others, including throttling and
validation, are ``SageMaker.AmazonSageMakerException``.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack.aws.api.stepfunctions import (
    HistoryEventExecutionDataDetails,
    HistoryEventType,
    TaskFailedEventDetails,
    TaskSubmittedEventDetails,
    TaskSucceededEventDetails,
)
from localstack.aws.spec import load_service
from localstack.services.stepfunctions.asl.component.common.catch.catch_outcome import CatchOutcome
from localstack.services.stepfunctions.asl.component.common.error_name.custom_error_name import CustomErrorName
from localstack.services.stepfunctions.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name import StatesErrorName
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from localstack.services.stepfunctions.asl.component.common.retry.retry_outcome import RetryOutcome
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import state_task_service
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service.resource import (
    ResourceCondition,
)
from localstack.services.stepfunctions.asl.eval.event.event_detail import EventDetails
from localstack.services.stepfunctions.asl.utils.boto_client import boto_client_for
from localstack.services.stepfunctions.asl.utils.encoding import to_json_str

from drivetrain_localstack.step_functions import convert_times, epoch_ms

LOG = logging.getLogger(__name__)

POLL_INTERVAL_S = 0.2
UNDECLARED_ERROR = "SageMaker.AmazonSageMakerException"
# The actions that an optimised task supports (AWS refuses a machine with any other).
REQUEST_RESPONSE_ACTIONS = {
    "createEndpoint",
    "createEndpointConfig",
    "createHyperParameterTuningJob",
    "createLabelingJob",
    "createModel",
    "createProcessingJob",
    "createTrainingJob",
    "createTransformJob",
    "updateEndpoint",
}


@dataclass(frozen=True)
class JobKind:
    """One kind of job: how to describe and stop it, and the field of the description that holds its status."""

    name_field: str
    status_field: str
    describe: str
    stop: str


JOB_KINDS = {
    f"create{kind}Job": JobKind(
        name_field=f"{kind}JobName",
        status_field=f"{kind}JobStatus",
        describe=f"describe_{kind.lower()}_job",
        stop=f"stop_{kind.lower()}_job",
    )
    for kind in ("Training", "Processing", "Transform")
}


class SageMakerTask(state_task_service.StateTaskService):
    def _get_supported_parameters(self) -> set[str] | None:
        # The service validates the parameters; here it is only known whether the task exists.
        action, condition = self.resource.api_action, self.resource.condition
        if condition is None:
            return set() if action in REQUEST_RESPONSE_ACTIONS else None
        return set() if condition == ResourceCondition.Sync and action in JOB_KINDS else None

    def _get_sfn_resource(self) -> str:
        condition = self.resource.condition
        return self.resource.api_action + (f".{condition}" if condition else "")

    def _eval_service_task(self, env, resource_runtime_part, normalised_parameters, state_credentials) -> None:
        client = self._client(resource_runtime_part, state_credentials)
        response = getattr(client, self._get_boto_service_action())(**normalised_parameters)
        response.pop("ResponseMetadata", None)
        env.stack.append(response)

    def _normalise_response(self, response: Any, *args, **kwargs) -> None:
        convert_times(response, epoch_ms)

    def _after_eval_execution(self, env, resource_runtime_part, normalised_parameters, state_credentials) -> None:
        if self.resource.condition is None:
            super()._after_eval_execution(env, resource_runtime_part, normalised_parameters, state_credentials)
            return
        self._add_event(env, HistoryEventType.TaskSubmitted, "taskSubmittedEventDetails", TaskSubmittedEventDetails)
        env.stack.pop()
        kind = JOB_KINDS[self.resource.api_action]
        name = normalised_parameters[kind.name_field]
        client = self._client(resource_runtime_part, state_credentials)
        description = _wait_for_end(env, client, kind, name)
        if description is None:
            _stop_job(client, kind, name)
            raise _GivenUp(name)
        convert_times(description, epoch_ms)
        self._verify_size_quota(env=env, value=description)
        if description[kind.status_field] != "Completed":
            raise FailureEventException(
                self._failure(env, StatesErrorNameType.StatesTaskFailed.to_name(), to_json_str(description))
            )
        env.stack.append(description)
        self._add_event(env, HistoryEventType.TaskSucceeded, "taskSucceededEventDetails", TaskSucceededEventDetails)

    def _add_event(self, env, event_type, field: str, details) -> None:
        env.event_manager.add_event(
            context=env.event_history_context,
            event_type=event_type,
            event_details=EventDetails(
                **{
                    field: details(
                        resource=self._get_sfn_resource(),
                        resourceType=self._get_sfn_resource_type(),
                        output=to_json_str(env.stack[-1]),
                        outputDetails=HistoryEventExecutionDataDetails(truncated=False),
                    )
                }
            ),
        )

    def _from_error(self, env, ex: Exception) -> FailureEvent:
        if isinstance(ex, ClientError):
            return self._failure(env, error_name(ex), _error_cause(ex))
        if isinstance(ex, BotoCoreError):
            return self._failure(env, "SageMaker.SdkClientException", str(ex))
        return super()._from_error(env=env, ex=ex)

    def _handle_retry(self, env, failure_event) -> RetryOutcome:
        # Neither retried nor caught: the execution has ended already, only this task has not.
        return super()._handle_retry(env, failure_event) if env.is_running() else RetryOutcome.CannotRetry

    def _handle_catch(self, env, failure_event) -> None:
        if env.is_running():
            super()._handle_catch(env, failure_event)
        else:
            env.stack.append(CatchOutcome.NotCaught)

    def _failure(self, env, error: str, cause: str) -> FailureEvent:
        is_states_error = error == StatesErrorNameType.StatesTaskFailed.to_name()
        return FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
            if is_states_error
            else CustomErrorName(error_name=error),
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(
                taskFailedEventDetails=TaskFailedEventDetails(
                    resource=self._get_sfn_resource(),
                    resourceType=self._get_sfn_resource_type(),
                    error=error,
                    cause=cause,
                )
            ),
        )

    @staticmethod
    def _client(resource_runtime_part, state_credentials):
        return boto_client_for(
            service="sagemaker", region=resource_runtime_part.region, state_credentials=state_credentials
        )


class _GivenUp(Exception):
    def __init__(self, job_name: str) -> None:
        super().__init__(f"The task was given up before its job {job_name} ended; the job has been stopped.")


def error_name(error: ClientError) -> str:
    """The name under which a state catches this error of a SageMaker call."""
    code = error.response["Error"]["Code"]
    declared = {shape.name for shape in load_service("sagemaker").error_shapes}
    if code not in declared:
        return UNDECLARED_ERROR
    return f"SageMaker.{code}" + ("" if code.endswith("Exception") else "Exception")


def _error_cause(error: ClientError) -> str:
    message, code = error.response["Error"]["Message"], error.response["Error"]["Code"]
    metadata = error.response["ResponseMetadata"]
    return (
        f"{message} (Service: AmazonSageMaker; Status Code: {metadata['HTTPStatusCode']}; Error Code: {code}; "
        f"Request ID: {metadata.get('RequestId')}; Proxy: null)"
    )


def _wait_for_end(env, client, kind: JobKind, name: str) -> dict | None:
    """The description of the ended job; None if the task is given up first."""
    while env.is_running():
        try:
            description = getattr(client, kind.describe)(**{kind.name_field: name})
        except (ClientError, BotoCoreError) as error:
            # Step Functions learns of the end by events and doesn't fail if a request for the job's status is refused.
            if not _is_passing(error):
                raise
            LOG.info("%s of %s will be repeated: %s", kind.describe, name, error)
        else:
            if description[kind.status_field] in ("Completed", "Failed", "Stopped"):
                description.pop("ResponseMetadata", None)
                return description
        time.sleep(POLL_INTERVAL_S)
    return None


def _is_passing(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return True
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= 500 or status == 429 or "Throttl" in error.response["Error"]["Code"]


def _stop_job(client, kind: JobKind, name: str) -> None:
    try:
        getattr(client, kind.stop)(**{kind.name_field: name})
    except (ClientError, BotoCoreError) as error:
        LOG.warning("%s of %s failed: %s", kind.stop, name, error)
