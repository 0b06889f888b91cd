"""One LocalStack with the plugin for the whole session, and a stub in place of sagemaker-local."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config

from support import SageMakerStub, package, wait_for

START_LIMIT_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_localstack(state: Path, sagemaker_url: str, port: int | None = None, **extra) -> SimpleNamespace:
    port = port or free_port()
    (state / "tmp").mkdir(parents=True)
    inbox = state / "inbox.jsonl"
    environment = os.environ | {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LAMBDA_RETRY_BASE_DELAY": "1",
        "SAGEMAKER_LOCAL_URL": sagemaker_url,
        "DRIVETRAIN_INBOX": str(inbox),
        "LOCALSTACK_VOLUME_DIR": str(state / "volume"),
        "TMPDIR": str(state / "tmp"),
        "XDG_CACHE_HOME": str(state / "cache"),
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
    }
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        environment.pop(name, None)
    log = (state / "localstack.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "localstack.runtime.main"],
        env=environment | extra,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    stack = SimpleNamespace(process=process, port=port, url=url, state=state, inbox=inbox, log=state / "localstack.log")
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_localstack/health", timeout=2).close()
            return stack
        except OSError:
            time.sleep(0.1)
    stop_localstack(stack)
    raise RuntimeError(f"LocalStack did not start:\n{stack.log.read_text()}")


def stop_localstack(stack: SimpleNamespace) -> None:
    if stack.process.poll() is None:
        stack.process.terminate()
        try:
            stack.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(stack.process.pid, signal.SIGKILL)
            stack.process.wait()


def client_for(stack: SimpleNamespace, service: str):
    return boto3.client(
        service,
        endpoint_url=stack.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
    )


@pytest.fixture(scope="session")
def sagemaker():
    stub = SageMakerStub()
    yield stub
    stub.close()


@pytest.fixture(scope="session")
def stack(sagemaker, tmp_path_factory):
    # Scripts of Glue jobs are plain Python here; tests/glue runs the real one on Spark.
    stack = start_localstack(tmp_path_factory.mktemp("localstack"), sagemaker.url, SPARK_PYTHON=sys.executable)
    yield stack
    stop_localstack(stack)
    shutil.rmtree(stack.state, ignore_errors=True)


@pytest.fixture(scope="session")
def aws(stack):
    """``aws("s3")``: a client for one service, created once."""
    clients = {}

    def client(service: str):
        if service not in clients:
            clients[service] = client_for(stack, service)
        return clients[service]

    return client


@pytest.fixture(scope="session")
def glue_job(aws):
    """``glue_job("name", "print(1)")``: creates a Glue job with a script and returns its name."""

    def make(name: str, script: str, **default_arguments: str) -> str:
        aws("s3").create_bucket(Bucket="scripts")
        aws("s3").put_object(Bucket="scripts", Key=f"{name}.py", Body=script.encode())
        aws("glue").create_job(
            Name=name,
            Role="arn:aws:iam::000000000000:role/any",
            Command={"Name": "glueetl", "ScriptLocation": f"s3://scripts/{name}.py"},
            DefaultArguments={f"--{option}": value for option, value in default_arguments.items()},
        )
        return name

    return make


@pytest.fixture(scope="session")
def role(aws) -> str:
    return aws("iam").create_role(RoleName="anything", AssumeRolePolicyDocument="{}")["Role"]["Arn"]


@pytest.fixture(scope="session")
def make_function(aws, role):
    def make(name: str, **options) -> str:
        options.setdefault("Timeout", 5)
        aws("lambda").create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Code={"ZipFile": package()},
            **options,
        )
        aws("lambda").get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    return make


@pytest.fixture(scope="session")
def function(make_function) -> str:
    return make_function("echo", MemorySize=256, Environment={"Variables": {"COLOUR": "blue", "EMPTY": ""}})


@pytest.fixture(scope="session")
def deploy(aws):
    """Deploys like `sam deploy`, with change sets; returns the stack's resources by their logical ids."""
    client = aws("cloudformation")

    def deploy(name: str, document: dict, kind: str = "UPDATE") -> dict:
        change_set = client.create_change_set(
            StackName=name,
            ChangeSetName=f"set-{kind}",
            ChangeSetType=kind,
            TemplateBody=json.dumps(document),
            Capabilities=["CAPABILITY_IAM"],
        )["Id"]
        client.get_waiter("change_set_create_complete").wait(
            ChangeSetName=change_set, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
        client.execute_change_set(ChangeSetName=change_set)

        def ended():
            status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            return None if status.endswith("IN_PROGRESS") else status

        status = wait_for(ended, limit_s=120)
        assert status == f"{kind}_COMPLETE", status
        resources = client.describe_stack_resources(StackName=name)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}

    return deploy
