"""Functions as processes: what a caller gets, what a function sees, and that no process outlives LocalStack."""

import base64
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from conftest import client_for, start_localstack, stop_localstack
from support import package, wait_for


def invoke(aws, name: str, event, **options):
    answer = aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail", **options)
    logs = base64.b64decode(answer.get("LogResult", "")).decode()
    return answer.get("FunctionError"), json.loads(answer["Payload"].read()), logs


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        # A zombie whose parent is gone waits for the process that adopts it.
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().split(")")[1].split()[0] != "Z"
    except OSError:
        return os.path.isdir("/proc/self") is False


def test_the_answer_comes_back(aws, function):
    event = {"text": "Überraschung 🚗", "numbers": [1, 2.5, None]}
    assert invoke(aws, function, event)[:2] == (None, event)


def test_a_chunked_answer_comes_back_whole(aws, function):
    event = {"do": "chunked", "text": "a" * 10_000}
    assert invoke(aws, function, event)[:2] == (None, event)


def test_the_environment_is_lambdas(aws, function):
    _, environment, _ = invoke(aws, function, {"do": "env"})
    expected = {
        "AWS_LAMBDA_FUNCTION_NAME": "echo",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/echo",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "_HANDLER": "bootstrap",
        "COLOUR": "blue",
        "EMPTY": "",
    }
    assert {name: environment.get(name) for name in expected} == expected
    assert environment["LAMBDA_TASK_ROOT"] == environment["CWD"]
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert environment["AWS_ACCESS_KEY_ID"] and environment["AWS_SESSION_TOKEN"]
    # No variable of LocalStack's own environment is passed on.
    assert "DRIVETRAIN_INBOX" not in environment


def test_logging_settings_reach_the_function(aws, make_function):
    name = make_function(
        "structured", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "LogGroup": "/own/group"}
    )
    _, environment, _ = invoke(aws, name, {"do": "env"})
    assert environment["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert environment["AWS_LAMBDA_LOG_LEVEL"] == "WARN"
    assert environment["AWS_LAMBDA_LOG_GROUP_NAME"] == "/own/group"
    wait_for(lambda: aws("logs").describe_log_groups(logGroupNamePrefix="/own/group")["logGroups"])
    wait_for(lambda: aws("logs").describe_log_streams(logGroupName="/own/group")["logStreams"])


def test_one_process_answers_many_events(aws, function):
    pids = {invoke(aws, function, {"do": "env"})[1]["PID"] for _ in range(3)}
    assert len(pids) == 1


def test_parallel_events_get_processes_of_their_own(aws, make_function):
    name = make_function("parallel")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: invoke(aws, name, {"do": "sleep", "seconds": 0.3}), range(8)))
    assert all(error is None for error, _, _ in answers)


def test_logs_are_complete_and_reach_cloudwatch(aws, function):
    error, _, logs = invoke(aws, function, {"do": "print", "text": "first line\nsecond line"})
    assert error is None
    lines = logs.splitlines()
    assert lines[0].startswith("START RequestId: ") and lines[0].endswith("Version: $LATEST")
    assert lines[1:3] == ["first line", "second line"]
    assert lines[3].startswith("END RequestId: ")
    assert "Memory Size: 256 MB" in lines[4]
    assert int(lines[4].split("Max Memory Used: ")[1].split(" MB")[0]) > 0

    wait_for(lambda: aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/echo")["logGroups"])

    def stored():
        events = aws("logs").filter_log_events(logGroupName="/aws/lambda/echo")["events"]
        return "second line\n" in [event["message"] for event in events]

    wait_for(stored)


def test_only_the_first_report_speaks_of_the_start(aws, make_function):
    name = make_function("reporting")
    assert "Init Duration: " in invoke(aws, name, {})[2]
    assert "Init Duration: " not in invoke(aws, name, {})[2]


def test_an_error_of_the_function_keeps_its_type(aws, function):
    error, answer, _ = invoke(aws, function, {"do": "error", "type": "NoChampion"})
    assert (error, answer) == ("Unhandled", {"errorType": "NoChampion", "errorMessage": "it went wrong"})


@pytest.mark.parametrize(("event", "how"), [({"do": "exit"}, "exit status 7"), ({"do": "signal"}, "signal: SIGKILL")])
def test_a_crash_is_an_exit_error_and_the_next_event_a_new_process(aws, function, event, how):
    error, answer, logs = invoke(aws, function, event)
    assert error == "Unhandled"
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].startswith("RequestId: ") and answer["errorMessage"].endswith(how)
    assert "REPORT RequestId: " in logs
    assert invoke(aws, function, {"again": 1})[:2] == (None, {"again": 1})


def test_a_timeout_kills_the_process_and_its_children(aws, make_function):
    name = make_function("slow", Timeout=3)
    _, child, _ = invoke(aws, name, {"do": "spawn"})
    error, answer, logs = invoke(aws, name, {"do": "sleep", "seconds": 30})
    assert error == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Task timed out after 3.00 seconds")
    assert "Task timed out after 3.00 seconds" in logs
    wait_for(lambda: not is_running(child))
    assert invoke(aws, name, {"again": 1})[:2] == (None, {"again": 1})


def test_the_deadline_is_the_time_limit(aws, function):
    _, remaining_ms, _ = invoke(aws, function, {"do": "deadline"})
    assert 0 < remaining_ms <= 5000


def test_an_answer_beyond_lambdas_limit_is_refused(aws, function):
    error, answer, _ = invoke(aws, function, {"do": "size", "bytes": 7_000_000})
    assert (error, answer["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
    error, answer, _ = invoke(aws, function, {"do": "size", "bytes": 6_000_000})
    assert (error, len(answer)) == (None, 6_000_000)


def test_an_error_at_the_start_is_the_functions_own(aws, make_function):
    name = make_function("init-error", Environment={"Variables": {"INIT": "error"}})
    error, answer, _ = invoke(aws, name, {})
    assert (error, answer) == ("Unhandled", {"errorType": "NoConfig", "errorMessage": "no"})


def test_an_exit_at_the_start_leaves_its_output_in_the_logs(aws, make_function):
    name = make_function("init-exit", Environment={"Variables": {"INIT": "exit"}})
    error, answer, _ = invoke(aws, name, {})
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert answer["errorMessage"].endswith("exit status 3")

    wait_for(lambda: aws("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/init-exit")["logGroups"])

    def stored():
        events = aws("logs").filter_log_events(logGroupName="/aws/lambda/init-exit")["events"]
        return any("cannot start like this" in event["message"] for event in events)

    wait_for(stored)


@pytest.mark.parametrize("bootstrap", ["\x7fELF of another processor", ""])
def test_a_package_that_cannot_run_here_says_so(aws, role, bootstrap):
    name = f"foreign-{len(bootstrap)}"
    aws("lambda").create_function(
        FunctionName=name, Runtime="provided.al2023", Handler="b", Role=role, Code={"ZipFile": package(bootstrap)}
    )
    aws("lambda").get_waiter("function_active_v2").wait(FunctionName=name)
    error, answer, _ = invoke(aws, name, {})
    assert (error, answer["errorType"]) == ("Unhandled", "Runtime.InvalidEntrypoint")
    assert "built for another processor" in answer["errorMessage"]


def test_new_code_and_settings_replace_the_process(aws, make_function):
    name = make_function("changing", Environment={"Variables": {"COLOUR": "red"}})
    assert invoke(aws, name, {"do": "env"})[1]["COLOUR"] == "red"
    aws("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"COLOUR": "green"}})
    aws("lambda").get_waiter("function_updated_v2").wait(FunctionName=name)
    assert invoke(aws, name, {"do": "env"})[1]["COLOUR"] == "green"


def test_a_failed_asynchronous_event_is_retried_and_then_sent_to_its_destination(aws, make_function):
    queue = aws("sqs").create_queue(QueueName="failures")["QueueUrl"]
    name = make_function("asynchronous")
    aws("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:failures"}},
    )
    event = {"do": "error", "type": "Broken"}
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
    messages = wait_for(
        lambda: aws("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"), limit_s=20
    )
    record = json.loads(messages[0]["Body"])
    assert record["requestPayload"] == event
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responsePayload"]["errorType"] == "Broken"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_localstack(sagemaker, tmp_path, how):
    stack = start_localstack(tmp_path / "state", sagemaker.url)
    try:
        lambda_client = client_for(stack, "lambda")
        lambda_client.create_function(
            FunctionName="lasting",
            Runtime="provided.al2023",
            Handler="b",
            Role="arn:aws:iam::000000000000:role/r",
            Timeout=60,
            Code={"ZipFile": package()},
        )
        lambda_client.get_waiter("function_active_v2").wait(FunctionName="lasting")

        def ask(event):
            return json.loads(lambda_client.invoke(FunctionName="lasting", Payload=json.dumps(event))["Payload"].read())

        pid, child = int(ask({"do": "env"})["PID"]), ask({"do": "spawn"})
        assert is_running(pid) and is_running(child)
        # In the middle of an event, so that it doesn't learn of the end from its Runtime API.
        lambda_client.invoke(
            FunctionName="lasting", InvocationType="Event", Payload=json.dumps({"do": "sleep", "seconds": 600})
        )
        stack.process.send_signal(how)
        stack.process.wait(120)
        wait_for(lambda: not is_running(pid) and not is_running(child))
    finally:
        stop_localstack(stack)


def test_a_taken_port_is_an_error(stack, tmp_path):
    with pytest.raises(RuntimeError, match=f"cannot listen on 127.0.0.1:{stack.port}"):
        other = start_localstack(tmp_path / "state", "http://127.0.0.1:9", port=stack.port)
        # The health check may have been answered by the process that holds the port.
        assert other.process.wait(120) == 1
        raise RuntimeError(other.log.read_text())


def test_only_the_given_address_is_listened_on(stack):
    addresses = set()
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{stack.process.pid}/net/{table}") as lines:
                rows = [line.split() for line in lines][1:]
        except OSError:
            pytest.skip("this system does not tell")
        sockets = set()
        for descriptor in os.listdir(f"/proc/{stack.process.pid}/fd"):
            try:
                sockets.add(os.readlink(f"/proc/{stack.process.pid}/fd/{descriptor}"))
            except OSError:
                continue
        addresses |= {row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}
    assert addresses == {"0100007F"}


def test_an_unknown_function_is_lambdas_own_error(aws):
    with pytest.raises(ClientError) as error:
        aws("lambda").invoke(FunctionName="nobody", Payload=b"{}")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
