"""Glue jobs run as programs, and their result is reported."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from localstack.aws.api import CommonServiceException

from drivetrain_localstack.glue_jobs import GlueJobs
from support import wait_for

WRITES = """
import json, sys, boto3
boto3.client("s3").put_object(Bucket="scripts", Key="written.json", Body=json.dumps(sys.argv[1:]).encode())
"""


def ended(glue, job: str, run: str) -> dict:
    def look():
        found = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
        return found if found["JobRunState"] != "RUNNING" else None

    return wait_for(look, limit_s=30)


def test_a_script_runs_with_the_arguments_of_job_and_run(aws, glue_job):
    glue = aws("glue")
    job = glue_job("writes", WRITES, kept="a", changed="b")
    run = glue.start_job_run(JobName=job, Arguments={"--changed": "c", "--new": "d"})["JobRunId"]
    assert ended(glue, job, run)["JobRunState"] == "SUCCEEDED"
    written = json.load(aws("s3").get_object(Bucket="scripts", Key="written.json")["Body"])
    assert written == ["--JOB_NAME", job, "--kept", "a", "--changed", "c", "--new", "d"]


def test_a_script_that_fails_says_why(aws, glue_job):
    glue = aws("glue")
    job = glue_job("fails", "raise ValueError('no such list')")
    run = glue.start_job_run(JobName=job)["JobRunId"]
    failed = ended(glue, job, run)
    assert failed["JobRunState"] == "FAILED"
    assert failed["ErrorMessage"].endswith("ValueError: no such list")
    assert failed["CompletedOn"] >= failed["StartedOn"]


def test_a_script_that_is_not_there_fails_its_run(aws, glue_job):
    glue = aws("glue")
    job = glue_job("gone", "")
    aws("s3").delete_object(Bucket="scripts", Key="gone.py")
    run = glue.start_job_run(JobName=job)["JobRunId"]
    assert "404" in ended(glue, job, run)["ErrorMessage"]


@pytest.mark.parametrize(
    ("call", "request_"),
    [("start_job_run", {"JobName": "none"}), ("get_job_run", {"JobName": "none", "RunId": "jr_1"})],
)
def test_what_there_is_not_is_not_found(aws, call, request_):
    with pytest.raises(ClientError) as error:
        getattr(aws("glue"), call)(**request_)
    assert error.value.response["Error"]["Code"] == "EntityNotFoundException"


def test_without_spark_a_run_is_refused(monkeypatch):
    monkeypatch.delenv("SPARK_PYTHON", raising=False)
    context = SimpleNamespace(operation=SimpleNamespace(name="StartJobRun"))
    with pytest.raises(CommonServiceException, match="cargo xtask test glue"):
        GlueJobs().start(context, {"JobName": "any"})
