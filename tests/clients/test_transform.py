"""Transform jobs through boto3."""

import json

import pytest
from botocore.exceptions import ClientError, WaiterError

from support import BUCKET, QUICKLY, eventually


@pytest.fixture
def transform(sagemaker, name, put, make_model):
    """Starts a transform job of a toy model on one file."""

    def transform(content: str, job: str = name, kind: str = "text/csv", model: dict | None = None, **changes) -> str:
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": put(f"{job}/in/part/data", content)[:-9]}}
        request = {
            "TransformJobName": job,
            "ModelName": make_model(job, **(model or {})),
            "TransformInput": {"DataSource": source, "ContentType": kind, "SplitType": "Line"},
            "TransformOutput": {
                "S3OutputPath": f"s3://{BUCKET}/{name}/{job}/out",
                "Accept": kind,
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        sagemaker.create_transform_job(**request | changes)
        return job

    return transform


@pytest.fixture
def transformed(sagemaker, read, name):
    """The output of a transform job that has ended well."""

    def transformed(job: str) -> str:
        waiter = sagemaker.get_waiter("transform_job_completed_or_stopped")
        waiter.wait(TransformJobName=job, WaiterConfig=QUICKLY)
        assert sagemaker.describe_transform_job(TransformJobName=job)["TransformJobStatus"] == "Completed"
        return read(f"s3://{BUCKET}/{name}/{job}/out/part/data.out").decode()

    return transformed


def test_transform_job_completes(sagemaker, name, transform, transformed):
    transform("1,2\n3,4\n", model={"factor": 2})
    assert transformed(name) == "6.0\n14.0\n"
    job = sagemaker.describe_transform_job(TransformJobName=name)
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]


def test_filters_and_join_keep_rows_together(name, transform, transformed):
    rows = '7,"a, b",1,2\n8,c,3,4\n'
    processing = {"InputFilter": "$[2:]", "JoinSource": "Input", "OutputFilter": "$[0,1,-1]"}
    transform(rows, BatchStrategy="SingleRecord", DataProcessing=processing)
    assert transformed(name) == '7,"a, b",3.0\n8,c,7.0\n'


def test_many_requests_at_once_keep_their_order(name, transform, transformed):
    rows = "".join(f"{row}\n" for row in range(200))
    transform(rows, BatchStrategy="SingleRecord", MaxConcurrentTransforms=8, MaxPayloadInMB=1)
    assert transformed(name) == "".join(f"{float(row)}\n" for row in range(200))


def test_model_error_fails_the_job(sagemaker, name, transform):
    transform("status=400\n")
    with pytest.raises(WaiterError):
        sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=name, WaiterConfig=QUICKLY)
    job = sagemaker.describe_transform_job(TransformJobName=name)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: See job logs for more information")


def test_capture_writes_where_input_and_output_are(name, transform, transformed, read, s3):
    config = {"DestinationS3Uri": f"s3://{BUCKET}/{name}/capture", "GenerateInferenceId": True}
    transform("1\n2\n", DataCaptureConfig=config, BatchStrategy="SingleRecord")
    lines = transformed(name).splitlines()
    assert [line.split(",")[0] for line in lines] == ["1.0", "2.0"]
    assert len({line.split(",")[1] for line in lines}) == 2
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/capture/")["Contents"]]
    manifests = {key.split("/")[2]: json.loads(read(f"s3://{BUCKET}/{key}")) for key in keys}
    assert set(manifests) == {"input", "output"}
    assert manifests["output"] == [{"prefix": f"s3://{BUCKET}/{name}/{name}/out/"}, "part/data.out"]


def test_transform_job_stops(sagemaker, name, transform):
    transform("1\n", model={"DELAY_S": "60"})
    eventually(lambda: "TransformStartTime" in sagemaker.describe_transform_job(TransformJobName=name))
    sagemaker.stop_transform_job(TransformJobName=name)
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=name, WaiterConfig=QUICKLY)
    assert sagemaker.describe_transform_job(TransformJobName=name)["TransformJobStatus"] == "Stopped"


def test_transform_jobs_are_listed_and_unique(sagemaker, name, transform, transformed):
    transformed(transform("1\n"))
    [summary] = sagemaker.list_transform_jobs(NameContains=name, StatusEquals="Completed")["TransformJobSummaries"]
    assert summary["TransformJobName"] == name
    sagemaker.delete_model(ModelName=name)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="Transform job names must be unique"):
        transform("1\n")


def test_transform_job_that_is_missing_or_has_no_model(sagemaker, name, transform):
    for operation in (sagemaker.describe_transform_job, sagemaker.stop_transform_job):
        with pytest.raises(ClientError, match="Could not find requested job with name: none") as missing:
            operation(TransformJobName="none")
        assert missing.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match=r'Could not find model ".*model/none"'):
        transform("1\n", ModelName="none")
