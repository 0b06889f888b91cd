"""Requests that AWS refuses are refused with AWS's messages; botocore's own checks are switched off."""

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from support import ROLE, TOY


def refused(operation, **request) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        operation(**request)
    answer = error.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ResponseMetadata"]["RequestId"]
    return answer["Error"]["Code"], answer["Error"]["Message"]


def test_botocore_itself_refuses_what_is_missing(sagemaker):
    with pytest.raises(ParamValidationError):
        sagemaker.create_model()


def test_required_members(unchecked):
    code, message = refused(unchecked.create_endpoint)
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: ")
    for member in ("endpointName", "endpointConfigName"):
        assert f"Value null at '{member}' failed to satisfy constraint: Member must not be null" in message


def test_pattern_and_length_of_names(unchecked):
    container = {"Image": TOY}
    code, message = refused(unchecked.create_model, ModelName="a_b", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'a_b' at 'modelName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: "
    )
    long = "x" * 64
    _, message = refused(unchecked.create_model, ModelName=long, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    assert f"Value '{long}' at 'modelName' failed to satisfy constraint: Member must have length less than" in message
    _, message = refused(
        unchecked.create_model, ModelName="ab", ExecutionRoleArn="any role", PrimaryContainer=container
    )
    assert "'executionRoleArn' failed to satisfy constraint" in message


def test_values_of_enums_and_ranges(unchecked):
    variant = {
        "VariantName": "all",
        "ModelName": "any",
        "InitialInstanceCount": 0,
        "InstanceType": "ml.enormous",
        "InitialVariantWeight": -1,
    }
    code, message = refused(unchecked.create_endpoint_config, EndpointConfigName="any", ProductionVariants=[variant])
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: ")
    place = "productionVariants.1.member"
    assert (
        f"Value '0' at '{place}.initialInstanceCount' failed to satisfy constraint: Member must have value" in message
    )
    assert f"Value 'ml.enormous' at '{place}.instanceType' failed to satisfy constraint: Member must satisfy enum" in (
        message
    )
    assert f"at '{place}.initialVariantWeight' failed" in message
    _, message = refused(unchecked.list_models, MaxResults=101)
    assert message == (
        "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 100"
    )


def test_sizes_of_lists(unchecked):
    _, message = refused(unchecked.create_endpoint_config, EndpointConfigName="any", ProductionVariants=[])
    assert "'productionVariants' failed to satisfy constraint: Member must have length greater than" in message


def test_wrong_type(unchecked):
    code, message = refused(unchecked.describe_model, ModelName=7)
    assert code == "SerializationException"
    assert "NUMBER_VALUE can not be converted to a String" in message


def test_runtime_and_autoscaling_are_checked_too(client):
    autoscaling = client("application-autoscaling", parameter_validation=False)
    code, message = refused(autoscaling.describe_scalable_targets)
    assert code == "ValidationException"
    assert "'serviceNamespace' failed to satisfy constraint: Member must not be null" in message


def test_what_is_not_done_says_so(sagemaker, name, put):
    with pytest.raises(ClientError) as error:
        sagemaker.list_feature_groups()
    answer = error.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert answer["Error"]["Code"] == "UnsupportedOperation"
    assert "sagemaker-local does not do the operation ListFeatureGroups" in answer["Error"]["Message"]

    code, message = refused(
        sagemaker.create_model,
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": TOY, "Mode": "MultiModel"},
    )
    assert code == "ValidationException"
    assert "sagemaker-local does not do" in message and "PrimaryContainer.Mode" in message
