"""Servers for the whole session, clients that point at them, and small resources that tests share."""

import itertools
import json
import os
import tarfile
import urllib.request
from io import BytesIO
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config

import servers
from conformity import check_answers
from support import BUCKET, CREDENTIALS, QUICKLY, ROLE, TOY

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def addresses(tmp_path_factory):
    """The addresses of S3 and SageMaker. None of the user's own configuration is read, and nothing else is called."""
    state = tmp_path_factory.mktemp("clients")
    saved = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with servers.localstack(state / "s3") as s3, servers.sagemaker_local(state / "sagemaker", s3) as sagemaker:
        os.environ |= {
            # A call of any other service must fail at once, on this machine.
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_ENDPOINT_URL_S3": s3,
            "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker,
            "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": sagemaker,
            "AWS_CONFIG_FILE": str(state / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(state / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        yield SimpleNamespace(s3=s3, sagemaker=sagemaker)
    os.environ.clear()
    os.environ |= saved


@pytest.fixture(scope="session")
def client(addresses):
    """`client("sagemaker")`: a client without retries whose answers are checked against AWS's model."""

    def make(service: str, **options):
        config = Config(retries={"total_max_attempts": 1}).merge(Config(**options))
        made = boto3.client(service, **CREDENTIALS, config=config)
        if service != "s3":
            check_answers(made)
        return made

    return make


@pytest.fixture(scope="session")
def sagemaker(client):
    return client("sagemaker")


@pytest.fixture(scope="session")
def unchecked(client):
    """SageMaker without botocore's own checks: invalid requests must be refused by the server."""
    return client("sagemaker", parameter_validation=False)


@pytest.fixture(scope="session")
def runtime(client):
    return client("sagemaker-runtime")


@pytest.fixture(scope="session")
def autoscaling(client):
    return client("application-autoscaling")


@pytest.fixture(scope="session")
def s3(client):
    made = client("s3", s3={"addressing_style": "path"})
    made.create_bucket(Bucket=BUCKET)
    return made


@pytest.fixture
def name(request):
    """Makes names that no other test uses; `name("x")` is such a name."""

    class Name(str):
        def __call__(self, suffix: str) -> str:
            return f"{self}-{suffix}"

    words = request.node.originalname.removeprefix("test_").replace("_", "-")[:40].strip("-")
    return Name(f"{words}-{next(_numbers)}")


@pytest.fixture
def put(s3, name):
    """`put("a.csv", "1,2")` puts an object below the test's own prefix and returns its URI."""

    def put(key: str, content: str | bytes) -> str:
        s3.put_object(Bucket=BUCKET, Key=f"{name}/{key}", Body=content)
        return f"s3://{BUCKET}/{name}/{key}"

    return put


@pytest.fixture(scope="session")
def read(s3):
    """Returns the content of an object, by its URI."""

    def read(uri: str) -> bytes:
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    return read


@pytest.fixture(scope="session")
def unpacked(read):
    """Returns the files of an archive, by its URI."""

    def unpacked(uri: str, text: bool = True) -> dict[str, str | bytes]:
        with tarfile.open(fileobj=BytesIO(read(uri))) as archive:
            files = [member for member in archive if member.isfile()]
            contents = {os.path.normpath(file.name): archive.extractfile(file).read() for file in files}
        return {name: content.decode() if text else content for name, content in contents.items()}

    return unpacked


@pytest.fixture
def make_model(sagemaker, name):
    """Creates a model of the toy image; its factor makes its answers recognisable."""

    def make(model: str = name, factor: float = 1, **environment: str) -> str:
        container = {"Image": TOY, "Environment": {"FACTOR": str(factor), **environment}}
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        return model

    return make


@pytest.fixture
def make_config(sagemaker, name, make_model):
    """Creates an endpoint configuration, with a new toy model unless models are given as `variant=model`."""

    def make(config: str = name, capture: dict | None = None, factor: float = 1, **variants: str) -> str:
        if not variants:
            variants = {"AllTraffic": make_model(config, factor)}
        production_variants = [
            {"VariantName": variant, "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
            for variant, model in variants.items()
        ]
        more = {"DataCaptureConfig": capture} if capture else {}
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=production_variants, **more)
        return config

    return make


@pytest.fixture
def make_endpoint(sagemaker, name, make_config):
    """Creates an endpoint and waits until it is in service; it is deleted when the test has ended."""
    made = []

    def make(endpoint: str = name, config: str | None = None, **options) -> str:
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config or make_config(endpoint, **options))
        made.append(endpoint)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint, WaiterConfig=QUICKLY)
        return endpoint

    yield make
    for endpoint in made:
        if sagemaker.list_endpoints(NameContains=endpoint, StatusEquals="InService")["Endpoints"]:
            sagemaker.delete_endpoint(EndpointName=endpoint)


@pytest.fixture(scope="session")
def ask(runtime):
    """Sends CSV to an endpoint and returns the answer as text."""

    def ask(endpoint: str, body: str = "1,2", **options) -> str:
        options = {"ContentType": "text/csv", **options}
        answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **options)
        return answer["Body"].read().decode()

    return ask


@pytest.fixture
def fault(addresses):
    """`fault(kind="throttle", operation="CreateModel")` injects a fault; none is left when the test has ended."""
    url = f"{addresses.sagemaker}/_local/faults"

    def call(method: str, body: dict | None = None):
        data = json.dumps(body).encode() if body else None
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=10) as answer:
            return json.loads(answer.read() or "null")

    def add(**fault):
        return call("POST", fault)

    add.waiting = lambda: call("GET")
    add.clear = lambda: call("DELETE")
    yield add
    add.clear()
