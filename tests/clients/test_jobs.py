"""Training and processing jobs through boto3."""

import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, WaiterError

from support import BUCKET, QUICKLY, ROLE, TOY, XGBOOST, eventually


@pytest.fixture
def train(sagemaker, name, put):
    """Starts a training job of the toy image on three rows."""

    def train(job: str = name, behaviour: str = "succeed", **changes) -> str:
        source = {"S3DataType": "S3Prefix", "S3Uri": put(f"{job}/data.csv", "1,2\n3,4\n5,6\n")}
        request = {
            "TrainingJobName": job,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {
                "TrainingImage": TOY,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
            },
            "HyperParameters": {"behaviour": behaviour},
            "InputDataConfig": [
                {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
            ],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/{name}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        sagemaker.create_training_job(**request | changes)
        return job

    return train


@pytest.fixture
def trained(sagemaker):
    """The description of a training job that has ended."""

    def trained(job: str) -> dict:
        waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
        waiter.wait(TrainingJobName=job, WaiterConfig=QUICKLY)
        return sagemaker.describe_training_job(TrainingJobName=job)

    return trained


@pytest.fixture
def process(sagemaker, name, put):
    """Starts a processing job of the toy image on one file."""

    def process(job: str = name, *behaviour: str, **changes) -> str:
        def source(name: str, uri: str) -> dict:
            location = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{name}", "S3DataType": "S3Prefix"}
            return {"InputName": name, "S3Input": location | {"S3InputMode": "File"}}

        with open(f"{__file__.rsplit('/', 1)[0]}/images/process.py") as script:
            code = put(f"{job}/code/process.py", script.read())
        target = {
            "S3Uri": f"s3://{BUCKET}/{name}/out",
            "LocalPath": "/opt/ml/processing/out",
            "S3UploadMode": "EndOfJob",
        }
        request = {
            "ProcessingJobName": job,
            "RoleArn": ROLE,
            "AppSpecification": {
                "ImageUri": TOY,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/process.py"],
                "ContainerArguments": ["/opt/ml/processing/in", "/opt/ml/processing/out", *behaviour],
            },
            "Environment": {"GREETING": "hello "},
            "ProcessingInputs": [source("code", code), source("in", put(f"{job}/in/a.txt", "words"))],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": target}]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
        }
        sagemaker.create_processing_job(**request | changes)
        return job

    return process


@pytest.fixture
def processed(sagemaker):
    """The description of a processing job that has ended."""

    def processed(job: str) -> dict:
        waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
        waiter.wait(ProcessingJobName=job, WaiterConfig=QUICKLY)
        return sagemaker.describe_processing_job(ProcessingJobName=job)

    return processed


def test_training_job_completes(name, train, trained, unpacked):
    job = trained(train(Tags=[{"Key": "team", "Value": "a"}]))

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    transitions = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert transitions == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    [metric] = job["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("loss", 1.25)
    artifacts = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifacts == f"s3://{BUCKET}/{name}/out/{name}/output/model.tar.gz"
    assert unpacked(artifacts) == {"rows": "3"}
    output = unpacked(artifacts.replace("model.tar.gz", "output.tar.gz"))
    assert json.loads(output["files.json"]) == ["data.csv"]


def test_training_job_that_fails_says_why(sagemaker, train, name):
    reasons = {}
    for behaviour in ("fail", "client-error"):
        job = train(name(behaviour), behaviour)
        with pytest.raises(WaiterError):
            sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job, WaiterConfig=QUICKLY)
        answer = sagemaker.describe_training_job(TrainingJobName=job)
        assert answer["TrainingJobStatus"] == "Failed"
        assert "ModelArtifacts" not in answer
        reasons[behaviour] = answer["FailureReason"]
    assert reasons == {
        "fail": "AlgorithmError: the toy was told to fail, exit code: 3",
        "client-error": "ClientError: the toy was told to fail, exit code: 3",
    }


def test_training_job_without_data_fails(sagemaker, train, name):
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/nothing-here/"}
    job = train(InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}])
    with pytest.raises(WaiterError):
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job, WaiterConfig=QUICKLY)
    reason = sagemaker.describe_training_job(TrainingJobName=job)["FailureReason"]
    assert reason.startswith("ClientError: Data download failed")


def test_training_job_stops(sagemaker, train, trained):
    job = train(behaviour="sleep")
    describe = sagemaker.describe_training_job
    eventually(lambda: describe(TrainingJobName=job)["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName=job)

    answer = trained(job)
    assert answer["TrainingJobStatus"] == answer["SecondaryStatus"] == "Stopped"
    assert "Stopping" in [transition["Status"] for transition in answer["SecondaryStatusTransitions"]]
    with pytest.raises(ClientError, match="status Stopped") as refused:
        sagemaker.stop_training_job(TrainingJobName=job)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_training_job_runs_no_longer_than_allowed(train, trained):
    answer = trained(train(behaviour="sleep", StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert (answer["TrainingJobStatus"], answer["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_names_of_training_jobs_are_unique_for_ever(sagemaker, train, trained, name):
    trained(train())
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="Training job names must be unique") as refused:
        train()
    assert f"training-job/{name}" in refused.value.response["Error"]["Message"]


def test_training_jobs_are_listed(sagemaker, train, trained, name):
    jobs = [train(name(suffix)) for suffix in "abc"]
    for job in jobs:
        trained(job)

    def listed(**options) -> list[str]:
        pages = sagemaker.get_paginator("list_training_jobs").paginate(NameContains=name, **options)
        return [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]

    assert listed(SortBy="Name") == jobs
    assert listed(SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2}) == jobs[::-1]
    assert listed(StatusEquals="Completed", MaxResults=1) == jobs
    assert listed(StatusEquals="Failed") == []
    in_an_hour = sagemaker.describe_training_job(TrainingJobName=jobs[0])["CreationTime"] + timedelta(hours=1)
    assert listed(CreationTimeBefore=in_an_hour, LastModifiedTimeAfter=0) == jobs
    assert listed(CreationTimeAfter=in_an_hour) == []


def test_training_job_that_is_missing(sagemaker):
    for operation in (sagemaker.describe_training_job, sagemaker.stop_training_job):
        with pytest.raises(ClientError, match=r"Requested resource not found\.") as missing:
            operation(TrainingJobName="none")
        assert missing.value.response["Error"]["Code"] == "ValidationException"


def test_xgboost_trains(train, trained, put, unpacked):
    rows = "".join(f"{year * 2 + km},{year},{km}\n" for year in range(20) for km in range(10))
    channels = [
        {
            "ChannelName": channel,
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": put(f"{channel}/rows.csv", rows)}},
        }
        for channel in ("train", "validation")
    ]
    parameters = {"objective": "reg:squarederror", "num_round": "20", "max_depth": "4"}
    job = trained(
        train(
            AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            HyperParameters=parameters,
            InputDataConfig=channels,
        )
    )
    assert job["HyperParameters"] == parameters
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert set(metrics) == {"train:rmse", "validation:rmse"}
    assert 0 < metrics["validation:rmse"] < 3
    assert "xgboost-model" in unpacked(job["ModelArtifacts"]["S3ModelArtifacts"], text=False)


def test_processing_job_completes(name, process, processed, read):
    job = processed(process())
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"] == "all copied"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert job["Environment"] == {"GREETING": "hello "}
    assert read(f"s3://{BUCKET}/{name}/out/a.txt") == b"hello WORDS"


def test_processing_job_that_fails_says_why(sagemaker, process, name):
    job = process(name, "fail")
    with pytest.raises(WaiterError):
        sagemaker.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName=job, WaiterConfig=QUICKLY)
    answer = sagemaker.describe_processing_job(ProcessingJobName=job)
    assert answer["ProcessingJobStatus"] == "Failed"
    assert answer["ExitMessage"] == "told to fail"
    assert answer["FailureReason"] == "AlgorithmError: told to fail, exit code: 2"


def test_processing_job_stops(sagemaker, process, processed, name):
    job = process(name, "sleep")
    eventually(lambda: "ProcessingStartTime" in sagemaker.describe_processing_job(ProcessingJobName=job))
    sagemaker.stop_processing_job(ProcessingJobName=job)
    assert processed(job)["ProcessingJobStatus"] == "Stopped"


def test_processing_jobs_are_listed_and_unique(sagemaker, process, processed, name):
    processed(process())
    [summary] = sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Completed")["ProcessingJobSummaries"]
    assert (summary["ProcessingJobName"], summary["ExitMessage"]) == (name, "all copied")
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="name already exists"):
        process()


def test_processing_job_that_is_missing(sagemaker):
    for operation in (sagemaker.describe_processing_job, sagemaker.stop_processing_job):
        with pytest.raises(ClientError, match="Could not find requested job with name: none") as missing:
            operation(ProcessingJobName="none")
        assert missing.value.response["Error"]["Code"] == "ValidationException"
