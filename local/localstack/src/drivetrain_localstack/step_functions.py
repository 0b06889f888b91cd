"""Step Functions as on AWS, where LocalStack differs: tasks that wait, aborted executions, status-change events.

The tasks themselves are in ``sagemaker_task`` and ``glue_task``, which are imported with the first state machine,
because they need the whole interpreter of the States Language.
"""

import copy
import json
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any

# Above this size, AWS leaves input and output out of the event.
MAX_EVENT_DATA_BYTES = 248 * 1024
# Time within which a started execution has entered its first state.
BEGIN_LIMIT_S = 10
# Services whose name in an aws-sdk task differs from boto's: the task's name, boto's, and the one in error names.
SDK_SERVICES = [
    ("applicationautoscaling", "application-autoscaling", "ApplicationAutoScaling"),
    ("cloudwatchlogs", "logs", "CloudWatchLogs"),
    ("eventbridge", "events", "EventBridge"),
    ("sagemakerruntime", "sagemaker-runtime", "SageMakerRuntime"),
]
# A JSONPath that may match any number of values: wildcard, slice, filter, union, descent.
INDEFINITE = re.compile(r"\[(\*|\?|[^\]'\"]*[:,])|\.\*|\.\.")
VARIABLE = re.compile(r"\$(?P<name>[^.\[]+)(?P<path>.*)", re.DOTALL)


def apply_patches() -> None:
    from localstack.aws.connect import connect_to
    from localstack.services.stepfunctions.asl.component.common.error_name.custom_error_name import CustomErrorName
    from localstack.services.stepfunctions.asl.component.common.error_name.error_name import ErrorName
    from localstack.services.stepfunctions.asl.component.common.query_language import QueryLanguageMode
    from localstack.services.stepfunctions.asl.component.common.string.string_expression import StringVariableSample
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_task import state_task_factory
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (
        state_task_service,
        state_task_service_aws_sdk,
    )
    from localstack.services.stepfunctions.asl.eval.environment import Environment
    from localstack.services.stepfunctions.asl.eval.program_state import ProgramStopped, ProgramTimedOut
    from localstack.services.stepfunctions.asl.utils import json_path
    from localstack.services.stepfunctions.backend.execution import BaseExecutionWorkerCommunication, Execution
    from localstack.services.stepfunctions.backend.execution_worker import ExecutionWorker
    from localstack.utils.patch import patch

    from drivetrain_localstack.glue_task import GlueTask
    from drivetrain_localstack.sagemaker_task import SageMakerTask

    task_for = state_task_factory.state_task_service_for
    own_tasks = {"glue": GlueTask, "sagemaker": SageMakerTask}
    # Set in the module that uses it, because that has imported the function by name.
    state_task_factory.state_task_service_for = lambda service_name: (
        own_tasks[service_name]() if service_name in own_tasks else task_for(service_name)
    )

    find_json = json_path.extract_json

    def extract_json(path: str, data: Any) -> Any:
        return found_as_list(path, data, json_path.parse) if is_list(path) else find_json(path, data)

    # Set in all modules that use it, because they have imported the function by name.
    for name, module in list(sys.modules.items()):
        if name.startswith("localstack.services.stepfunctions.") and hasattr(module, "extract_json"):
            module.extract_json = extract_json

    @patch(StringVariableSample._eval_body)
    def _eval_body(fn, self, env) -> None:
        # LocalStack evaluates it with JSONata, for which it would download a Java machine.
        if self.query_language_mode == QueryLanguageMode.JSONPath:
            env.stack.append(variable_value(self.expression, env.variable_store.get, extract_json))
        else:
            fn(self, env)

    for task_name, boto_name, error_name in SDK_SERVICES:
        state_task_service.StateTaskService._SERVICE_NAME_SFN_TO_BOTO_OVERRIDES[task_name] = boto_name
        state_task_service_aws_sdk._SERVICE_ERROR_NAMES[task_name] = error_name

    # An error of an iteration or a branch keeps its name when it is passed on, including States.TaskFailed.
    CustomErrorName.__init__ = ErrorName.__init__

    @patch(state_task_service_aws_sdk.StateTaskServiceAwsSdk._normalise_response)
    def _normalise_response(fn, self, response: Any, *args, **kwargs) -> None:
        fn(self, response, *args, **kwargs)
        convert_times(response, iso_time)

    @patch(ExecutionWorker.stop)
    def stop(fn, self, *args, **kwargs) -> None:
        # LocalStack ignores a stop that comes before the first state.
        limit = time.monotonic() + BEGIN_LIMIT_S
        while (self.env is None or self.env.program_state() is None) and time.monotonic() < limit:
            time.sleep(0.01)
        fn(self, *args, **kwargs)

    @patch(Environment.set_error)
    def set_error(fn, self, error) -> None:
        # A task that fails because its execution was stopped must not make that execution FAILED.
        if not isinstance(self.program_state(), ProgramStopped | ProgramTimedOut):
            fn(self, error)

    @patch(BaseExecutionWorkerCommunication._reflect_execution_status)
    def _reflect_execution_status(fn, self) -> None:
        fn(self)
        state = self.execution.exec_worker.env.program_state()
        if isinstance(state, ProgramStopped):
            self.execution.error = state.error
            self.execution.cause = state.cause

    @patch(Execution.publish_execution_status_change_event, pass_target=False)
    def publish_execution_status_change_event(self) -> None:
        entry = {
            "Source": "aws.states",
            "Resources": [self.exec_arn],
            "DetailType": "Step Functions Execution Status Change",
            "Detail": json.dumps(status_change_detail(self)),
        }
        connect_to(aws_access_key_id=self.account_id, region_name=self.region_name).events.put_events(Entries=[entry])


def status_change_detail(execution) -> dict:
    """The ``detail`` of the event that AWS emits when an execution starts or ends; times are in ms since 1970."""
    input_text = json.dumps(execution.input_data, separators=(",", ":"))
    output_text = None if execution.output is None else json.dumps(execution.output, separators=(",", ":"))
    included = len(input_text.encode()) + len((output_text or "").encode()) <= MAX_EVENT_DATA_BYTES
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "stateMachineVersionArn": execution.state_machine_version_arn,
        "stateMachineAliasArn": execution.state_machine_alias_arn,
        "name": execution.name,
        "status": execution.exec_status,
        "startDate": epoch_ms(execution.start_date),
        "stopDate": execution.stop_date and epoch_ms(execution.stop_date),
        "input": input_text if included else None,
        "inputDetails": {"included": included},
        "output": output_text if included else None,
        "outputDetails": None if output_text is None else {"included": included},
        "error": execution.error,
        "cause": execution.cause,
        "redriveCount": 0,
        "redriveDate": None,
    }


def is_list(path: str) -> bool:
    """Whether AWS returns a list for this JSONPath. If it ends in a literal index, it returns a single value."""
    return bool(INDEFINITE.search(path)) and not re.search(r"\[\d+\]$", path)


def found_as_list(path: str, data: Any, parse) -> list:
    """All values that such a path matches. LocalStack returns a single match as it is, and fails if there is none."""
    return [match.value for match in parse(path).find(data)]


def variable_value(expression: str, variable, extract_json) -> Any:
    """The value of ``$name`` or ``$name.path[0]``; ``variable`` returns a variable's value by its name."""
    match = VARIABLE.fullmatch(expression)
    if not match:
        raise ValueError(f"{expression} is no variable with a path")
    value = copy.deepcopy(variable(match["name"]))
    return extract_json(f"${match['path']}", value) if match["path"] else value


def convert_times(value: Any, convert) -> Any:
    """Replaces every time in a response, in place: a state's data is JSON."""
    if isinstance(value, dict):
        for key in value:
            value[key] = convert_times(value[key], convert)
    elif isinstance(value, list):
        value[:] = [convert_times(item, convert) for item in value]
    elif isinstance(value, datetime):
        return convert(value)
    return value


def epoch_ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def iso_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
