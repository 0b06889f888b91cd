"""Lambda's execution environments as processes on this machine (``LAMBDA_RUNTIME_EXECUTOR=process``).

Supports time limits, START/END/REPORT lines, the environment variables that Lambda sets, and a new process after a
crash or a timeout. There is no isolation: a function sees this machine's files and may exceed its memory size.
"""

import logging
import math
import os
import time

from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from drivetrain_localstack.function_process import FunctionProcess
from drivetrain_localstack.runtime_api import InitError, Invocation, Outcome, error_document

LOG = logging.getLogger(__name__)


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        return ProcessRuntimeExecutor


class ProcessRuntimeExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self._environment: dict[str, str] = {}
        self._process: FunctionProcess | None = None
        self._report_init = True

    def start(self, env_vars: dict[str, str]) -> None:
        self._environment = self._complete(env_vars)
        self._start_process()

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        request_id = payload["invoke-id"]
        try:
            if not self._process.alive:
                self._start_process()
        except StatusErrorException as error:
            return InvocationResult(request_id, error.payload, is_error=True, logs="")

        process = self._process
        timeout_s = self.function_version.config.timeout
        invocation = Invocation(
            request_id=request_id,
            function_arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
            deadline_ms=int((time.time() + timeout_s) * 1000),
            payload=payload["payload"].encode(),
        )
        began = time.perf_counter()
        outcome = process.invoke(invocation, timeout_s)
        duration_ms = (time.perf_counter() - began) * 1000
        lines = process.take_output()
        if lines and not lines.endswith("\n"):
            lines += "\n"
        if outcome is None:
            message = f"Task timed out after {timeout_s:.2f} seconds"
            lines += f"{_now()} {request_id} {message}\n"
            outcome = Outcome(
                error_document("Sandbox.Timedout", f"RequestId: {request_id} Error: {message}"), is_error=True
            )
        elif outcome.is_error and not process.alive:
            outcome = Outcome(
                outcome.payload.replace(b'"Error: ', f'"RequestId: {request_id} Error: '.encode(), 1), is_error=True
            )
        logs = (
            f"START RequestId: {request_id} Version: {self.function_version.id.qualifier}\n"
            f"{lines}END RequestId: {request_id}\n{self._report(request_id, duration_ms)}\n"
        )
        return InvocationResult(request_id, outcome.payload, is_error=outcome.is_error, logs=logs)

    def get_logs(self) -> str:
        return self._process.take_output() if self._process else ""

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return "http://127.0.0.1"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        # The package is removed together with the code; the processes are stopped one by one.
        pass

    def _start_process(self) -> None:
        task_root = self.function_version.config.code.get_unzipped_code_location()
        self._process = FunctionProcess(task_root, self._environment | {"LAMBDA_TASK_ROOT": str(task_root)})
        self._report_init = True
        try:
            self._process.wait_until_ready()
        except InitError as error:
            self._process.stop()
            output = self._process.take_output()
            LOG.warning("%s did not start: %s\n%s", self.function_version.id.function_name, error, output)
            self._store_logs(f"{output.rstrip()}\nINIT_REPORT Phase: init\tStatus: error\t{error}\n")
            raise StatusErrorException("The function did not start", payload=error.payload) from error

    def _complete(self, env_vars: dict[str, str]) -> dict[str, str]:
        config = self.function_version.config
        # The system's PATH and no other variable of LocalStack's environment: a function gets what Lambda gives it.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "en_US.UTF-8"}
        environment |= {name: str(value) for name, value in env_vars.items()}
        logging_config = config.logging_config or {}
        if logging_config.get("LogFormat"):
            environment["AWS_LAMBDA_LOG_FORMAT"] = logging_config["LogFormat"]
        if logging_config.get("ApplicationLogLevel"):
            environment["AWS_LAMBDA_LOG_LEVEL"] = logging_config["ApplicationLogLevel"]
        return environment

    def _report(self, request_id: str, duration_ms: float) -> str:
        init_ms = self._process.init_duration_ms if self._report_init else 0.0
        self._report_init = False
        fields = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {math.ceil(duration_ms + init_ms)} ms",
            f"Memory Size: {self.function_version.config.memory_size} MB",
            f"Max Memory Used: {self._process.peak_memory_mb} MB",
        ]
        if init_ms:
            fields.append(f"Init Duration: {init_ms:.2f} ms")
        return "\t".join(fields)

    def _store_logs(self, logs: str) -> None:
        """Stores the output of a start that failed, because LocalStack stores logs of invocations only."""
        from localstack.aws.connect import connect_to
        from localstack.utils.cloudwatch.cloudwatch_util import store_cloudwatch_logs

        try:
            store_cloudwatch_logs(
                connect_to(
                    aws_access_key_id=self.function_version.id.account, region_name=self.function_version.id.region
                ).logs,
                self._environment["AWS_LAMBDA_LOG_GROUP_NAME"],
                self._environment["AWS_LAMBDA_LOG_STREAM_NAME"],
                logs,
            )
        except Exception as error:
            LOG.warning("Could not store the logs of %s: %s", self.function_version.id.function_name, error)


def apply_patches() -> None:
    from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
    from localstack.utils.patch import patch

    @patch(ExecutionEnvironment.get_log_group_name)
    def get_log_group_name(fn, self) -> str:
        return (self.function_version.config.logging_config or {}).get("LogGroup") or fn(self)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() * 1000) % 1000:03d}Z"
