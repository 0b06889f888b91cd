"""Models, endpoint configurations and tags through boto3."""

import pytest
from botocore.exceptions import ClientError

from support import BUCKET, ROLE, TOY


def refusal(error) -> tuple[str, str]:
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_model_of_one_container(sagemaker, name, make_model):
    model = sagemaker.describe_model(ModelName=make_model(factor=2))
    assert model["ModelArn"] == f"arn:aws:sagemaker:us-east-1:000000000000:model/{name}"
    assert model["PrimaryContainer"] == {"Image": TOY, "Environment": {"FACTOR": "2"}}
    assert model["EnableNetworkIsolation"] is False
    with pytest.raises(ClientError) as refused:
        make_model()
    assert refusal(refused) == (
        "ValidationException",
        f'Cannot create already existing model "{model["ModelArn"]}".',
    )


def test_model_of_a_pipeline(sagemaker, name):
    containers = [{"Image": TOY, "Environment": {"FACTOR": factor}} for factor in ("2", "3")]
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=containers)
    answer = sagemaker.describe_model(ModelName=name)
    assert answer["Containers"] == containers
    assert "PrimaryContainer" not in answer


def test_model_needs_its_data_and_a_known_image(sagemaker, name):
    def create(**container) -> str:
        with pytest.raises(ClientError) as refused:
            sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        code, message = refusal(refused)
        assert code == "ValidationException"
        return message

    url = f"s3://{BUCKET}/{name}/model.tar.gz"
    assert create(Image=TOY, ModelDataUrl=url) == f"Could not find model data at {url}."
    assert "000000000000.dkr.ecr.us-east-1.amazonaws.com/unknown:1" in create(
        Image="000000000000.dkr.ecr.us-east-1.amazonaws.com/unknown:1"
    )


def test_models_are_listed_and_deleted(sagemaker, name, make_model):
    models = [make_model(name(suffix)) for suffix in "ab"]
    listed = sagemaker.list_models(NameContains=name, SortBy="Name", SortOrder="Ascending")["Models"]
    assert [model["ModelName"] for model in listed] == models
    sagemaker.delete_model(ModelName=models[0])
    for operation in (sagemaker.describe_model, sagemaker.delete_model):
        with pytest.raises(ClientError) as missing:
            operation(ModelName=models[0])
        assert refusal(missing) == ("ValidationException", f'Could not find model "{listed[0]["ModelArn"]}".')


def test_endpoint_config(sagemaker, name, make_config, make_model):
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 50,
        "DestinationS3Uri": f"s3://{BUCKET}/{name}",
        "CaptureOptions": [{"CaptureMode": "Input"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    make_config(capture=capture, one=make_model(name("one")), two=make_model(name("two")))
    config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert config["DataCaptureConfig"] == capture
    weights = {variant["VariantName"]: variant["InitialVariantWeight"] for variant in config["ProductionVariants"]}
    assert weights == {"one": 1.0, "two": 1.0}
    with pytest.raises(ClientError) as refused:
        make_config(one=name("one"))
    assert refusal(refused) == (
        "ValidationException",
        f'Cannot create already existing endpoint configuration "{config["EndpointConfigArn"]}".',
    )


def test_endpoint_config_needs_its_models(make_config):
    with pytest.raises(ClientError, match=r'Could not find model "arn:aws:sagemaker:us-east-1:.*:model/none"'):
        make_config(one="none")


def test_endpoint_configs_are_listed_and_deleted(sagemaker, name, make_config):
    make_config()
    [listed] = sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
    assert listed["EndpointConfigName"] == name
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    for operation in (sagemaker.describe_endpoint_config, sagemaker.delete_endpoint_config):
        with pytest.raises(ClientError) as missing:
            operation(EndpointConfigName=name)
        assert refusal(missing) == (
            "ValidationException",
            f'Could not find endpoint configuration "{listed["EndpointConfigArn"]}".',
        )


def test_tags_come_with_a_resource_and_go_with_it(sagemaker, name):
    tags = [{"Key": "run", "Value": "r1"}, {"Key": "team", "Value": ""}]
    arn = sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": TOY}, Tags=tags)[
        "ModelArn"
    ]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags

    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "run", "Value": "r2"}, {"Key": "more", "Value": "x"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "never-there"])
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]} == {"run": "r2", "more": "x"}

    sagemaker.delete_model(ModelName=name)
    with pytest.raises(ClientError, match="Could not find"):
        sagemaker.list_tags(ResourceArn=arn)
