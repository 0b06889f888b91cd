"""SageMaker and its neighbours are answered by the server behind SAGEMAKER_LOCAL_URL, unchanged."""

import pytest
from botocore.exceptions import ClientError
from conftest import client_for, start_localstack, stop_localstack


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


def test_a_missing_server_is_named_in_the_error(tmp_path):
    stack = start_localstack(tmp_path / "state", "http://127.0.0.1:9")
    try:
        with pytest.raises(ClientError, match="does not answer at http://127.0.0.1:9") as error:
            client_for(stack, "sagemaker").list_models()
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    finally:
        stop_localstack(stack)
