"""Faults on demand, as boto3 sees them."""

import time
from urllib.error import HTTPError

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from support import CREDENTIALS, QUICKLY, ROLE, TOY, eventually


def test_throttled_call_is_tried_again_by_the_client(sagemaker, name, make_model, fault):
    make_model()
    fault(kind="throttle", operation="DescribeModel", match=name, times=3)
    with pytest.raises(ClientError) as throttled:
        sagemaker.describe_model(ModelName=name)
    assert throttled.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}

    patient = boto3.client("sagemaker", **CREDENTIALS, config=Config(retries={"mode": "standard"}))
    answer = patient.describe_model(ModelName=name)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert fault.waiting() == []


def test_error_of_choice(sagemaker, name, fault):
    fault(kind="error", operation="CreateModel", match=name, code="ResourceLimitExceeded", message="no more models")
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match="no more models"):
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": TOY})
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": TOY})


def test_only_the_named_are_struck(sagemaker, name, make_model, fault):
    make_model()
    fault(kind="throttle", match="another-name")
    fault(kind="throttle", operation="DeleteModel", match=name)
    sagemaker.describe_model(ModelName=name)
    assert [waiting["kind"] for waiting in fault.waiting()] == ["throttle", "throttle"]
    fault.clear()
    assert fault.waiting() == []
    sagemaker.delete_model(ModelName=name)


def test_fault_that_is_misspelt_is_refused(fault):
    with pytest.raises(HTTPError) as refused:
        fault(kind="trottle")
    assert refused.value.code == 400


def test_answer_comes_late(sagemaker, name, make_model, fault):
    make_model()
    fault(kind="delay", operation="DescribeModel", match=name, delay_ms=300)
    started = time.monotonic()
    sagemaker.describe_model(ModelName=name)
    assert time.monotonic() - started >= 0.3


def test_training_job_fails_or_writes_nothing(sagemaker, name, fault, put, read, s3):
    def train(job: str) -> dict:
        source = {"S3DataType": "S3Prefix", "S3Uri": put(f"{job}.csv", "1\n")}
        sagemaker.create_training_job(
            TrainingJobName=job,
            RoleArn=ROLE,
            AlgorithmSpecification={"TrainingImage": TOY, "TrainingInputMode": "File"},
            InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            OutputDataConfig={"S3OutputPath": source["S3Uri"].rsplit("/", 1)[0] + "/out"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )
        describe = sagemaker.describe_training_job
        eventually(lambda: describe(TrainingJobName=job)["TrainingJobStatus"] in ("Completed", "Failed"))
        return describe(TrainingJobName=job)

    fault(kind="fail-job", operation="CreateTrainingJob", match=name, reason="InternalServerError: on demand")
    job = train(name("fails"))
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", "InternalServerError: on demand")
    fault(kind="missing-output", operation="CreateTrainingJob", match=name)
    job = train(name("empty"))
    assert job["TrainingJobStatus"] == "Completed"
    with pytest.raises(s3.exceptions.NoSuchKey):
        read(job["ModelArtifacts"]["S3ModelArtifacts"])


def test_endpoint_fails_to_be_created(sagemaker, name, make_config, fault):
    fault(kind="fail-create-endpoint", match=name, reason="no capacity")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=make_config())
    with pytest.raises(WaiterError):
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICKLY)
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    assert (endpoint["EndpointStatus"], endpoint["FailureReason"]) == ("Failed", "no capacity")
    sagemaker.delete_endpoint(EndpointName=name)


def test_update_is_rolled_back(sagemaker, name, make_endpoint, make_config, fault, ask):
    make_endpoint(factor=1)
    fault(kind="rollback-update", match=name, reason="an alarm went off")
    new = make_config(name("new"), factor=9)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=new)
    describe = sagemaker.describe_endpoint
    eventually(lambda: describe(EndpointName=name)["EndpointStatus"] == "RollingBack")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICKLY)
    endpoint = describe(EndpointName=name)
    assert (endpoint["EndpointConfigName"], endpoint["FailureReason"]) == (name, "an alarm went off")
    assert ask(name, "1") == "1.0\n"


def test_killed_container_comes_back(name, make_endpoint, runtime, fault, ask):
    make_endpoint()
    fault(kind="kill-serving", match=name)
    with pytest.raises(ClientError) as failed:
        ask(name, "1")
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] in (424, 503)

    def answer() -> str | None:
        try:
            return ask(name, "1")
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (424, 503)
            return None

    assert eventually(answer) == "1.0\n"


def test_slow_container(name, make_endpoint, fault, ask):
    make_endpoint()
    fault(kind="slow-serving", match=name, delay_ms=300)
    started = time.monotonic()
    assert ask(name, "1") == "1.0\n"
    assert time.monotonic() - started >= 0.3
