"""Runs the job and the serving script as SageMaker would: as programs."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Tuple
from unittest import mock

HERE = Path(__file__).resolve().parent
PROCESSING = HERE.parent
SKLEARN_SERVER = PROCESSING.parent / "local" / "containers" / "sklearn" / "serve.py"
sys.path.insert(0, str(PROCESSING))


class Job(NamedTuple):
    """A finished processing job."""

    exit_code: int
    message: str
    output: Path

    def text(self, name: str) -> str:
        return (self.output / name).read_text(encoding="utf-8")

    def lines(self, name: str) -> list[str]:
        return self.text(name).splitlines()

    def summary(self) -> Dict[str, Any]:
        return json.loads(self.text("summary/summary.json"))


def run_job(folder: Path, source: Path, document: Dict[str, Any]) -> Job:
    """Runs preprocess.py on the CSV files of `source`, in this process; writes below `folder`."""
    import preprocess

    with mock.patch.dict(os.environ, SAGEMAKER_BASE_DIR=str(folder)):
        return _finished(folder, preprocess.main(_arguments(folder, source, document)))


def run_program(folder: Path, source: Path, document: Dict[str, Any]) -> Job:
    """Like `run_job`, but as a program, as SageMaker runs it."""
    command = [sys.executable, str(PROCESSING / "preprocess.py"), *_arguments(folder, source, document)]
    done = subprocess.run(command, env={**os.environ, "SAGEMAKER_BASE_DIR": str(folder)}, check=False)
    return _finished(folder, done.returncode)


def _arguments(folder: Path, source: Path, document: Dict[str, Any]) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "use-case.json"
    config.write_text(json.dumps(document), encoding="utf-8")
    return ["--input", str(source), "--config", str(config), "--output", str(folder / "out")]


def _finished(folder: Path, exit_code: int) -> Job:
    message = folder / "output" / "message"
    return Job(exit_code, message.read_text(encoding="utf-8") if message.exists() else "", folder / "out")


@contextmanager
def serving(folder: Path, archive: Path, **environment: str) -> Iterator[Endpoint]:
    """Serves a model archive with the SKLearn container's server."""
    model = folder / "model"
    with tarfile.open(archive) as packed:
        packed.extractall(model)
    environment = {
        **os.environ,
        "SAGEMAKER_BASE_DIR": str(folder),
        "SAGEMAKER_BIND_TO_PORT": "0",
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": str(model / "code"),
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
        **environment,
    }
    server = subprocess.Popen([sys.executable, str(SKLEARN_SERVER)], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        assert line.startswith("serving on port"), line
        yield Endpoint(int(line.split()[-1]))
    finally:
        server.terminate()
        server.wait()


class Endpoint:
    """A serving container, with one connection that is kept alive."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def invoke(self, body: str, content_type: str = "text/csv", attributes: str = "") -> Tuple[int, str, str]:
        """Status, content type and body of the answer."""
        headers = {"Content-Type": content_type}
        if attributes:
            headers["X-Amzn-SageMaker-Custom-Attributes"] = attributes
        self.connection.request("POST", "/invocations", body.encode("utf-8"), headers)
        answer = self.connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode("utf-8")
