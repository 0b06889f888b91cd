"""SageMaker and its related services are answered by the server at SAGEMAKER_LOCAL_URL, unchanged."""

import pytest
from botocore.exceptions import ClientError
from localstack.aws.api import CommonServiceException
from localstack.aws.forwarder import create_aws_request_context

from drivetrain_localstack.forward import _forwarded


def test_a_call_goes_through_with_its_parameters(aws, sagemaker):
    aws("sagemaker").create_model(ModelName="forwarded", ExecutionRoleArn="arn:aws:iam::000000000000:role/role-of-it")
    assert sagemaker.named("CreateModel")[-1]["ExecutionRoleArn"] == "arn:aws:iam::000000000000:role/role-of-it"


def test_an_answer_has_a_request_id(aws):
    metadata = aws("sagemaker").create_model(
        ModelName="answered", ExecutionRoleArn="arn:aws:iam::000000000000:role/role-of-it"
    )["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 200
    assert metadata["RequestId"]


@pytest.mark.parametrize(
    ("name", "code"), [("a-throttled-model", "ThrottlingException"), ("a-limited-model", "ResourceLimitExceeded")]
)
def test_an_error_keeps_its_code(aws, name, code):
    with pytest.raises(ClientError) as error:
        aws("sagemaker").create_model(ModelName=name, ExecutionRoleArn="arn:aws:iam::000000000000:role/role-of-it")
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_bodies_of_invocations_are_bytes(aws):
    body = bytes(range(256)) * 3000
    answer = aws("sagemaker-runtime").invoke_endpoint(
        EndpointName="any", Body=body, ContentType="application/x-npy", InferenceId="one"
    )
    assert answer["Body"].read() == body[::-1]
    assert answer["ContentType"] == "application/x-npy"
    assert answer["InvokedProductionVariant"] == "all"


def test_scaling_targets_are_registered(aws, sagemaker):
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/any/variant/all",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    aws("application-autoscaling").register_scalable_target(MinCapacity=1, MaxCapacity=2, **target)
    assert sagemaker.named("RegisterScalableTarget")[-1] == target | {"MinCapacity": 1, "MaxCapacity": 2}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:9", r"does not answer at http://127\.0\.0\.1:9"),
        ("", "start LocalStack with SAGEMAKER_LOCAL_URL"),
    ],
)
def test_a_missing_server_is_named_in_the_error(monkeypatch, url, message):
    monkeypatch.setenv("SAGEMAKER_LOCAL_URL", url)
    forward = _forwarded("sagemaker").skeleton.dispatch_table["ListModels"]
    request = create_aws_request_context("sagemaker", "ListModels", region="us-east-1")
    with pytest.raises(CommonServiceException, match=message) as error:
        forward(request, {})
    assert (error.value.code, error.value.status_code) == ("ServiceUnavailable", 503)
