"""Runs the real programs of the containers, each in its own base directory."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

import numpy as np

CONTAINERS = Path(__file__).resolve().parents[1]


class Training(NamedTuple):
    """A finished training job."""

    exit_code: int
    log: str
    base: Path

    @property
    def failure(self) -> str:
        return (self.base / "output" / "failure").read_text(encoding="utf-8")


def train(base: Path, program: str, hyperparameters: Dict[str, str], channels: Dict[str, str]) -> Training:
    """Runs `<program>/train.py`; a channel is given as the text of its single file."""
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters), encoding="utf-8")
    inputs = {channel: {"ContentType": "text/csv", "TrainingInputMode": "File"} for channel in channels}
    (config / "inputdataconfig.json").write_text(json.dumps(inputs), encoding="utf-8")
    for channel, text in channels.items():
        folder = base / "input" / "data" / channel
        folder.mkdir(parents=True)
        (folder / "part.csv").write_text(text, encoding="utf-8")
    command = [sys.executable, str(CONTAINERS / program / "train.py")]
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return Training(done.returncode, done.stdout, base)


class Endpoint:
    """A serving container, with one connection that is kept alive."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def get(self, path: str) -> Tuple[int, bytes]:
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def invoke(
        self, body: bytes, content_type: str = "text/csv", accept: Optional[str] = None
    ) -> Tuple[int, str, bytes]:
        """Status, content type and body of the answer."""
        headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
        self.connection.request("POST", "/invocations", body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()


@contextmanager
def serving(base: Path, program: str, **environment: str) -> Iterator[Endpoint]:
    """Serves the model in `base`/model with `<program>/serve.py`, on a free port."""
    command = [sys.executable, str(CONTAINERS / program / "serve.py")]
    everything = {**os.environ, "SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": "0", **environment}
    server = subprocess.Popen(command, env=everything, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        assert line.startswith("serving on port"), line
        yield Endpoint(int(line.split()[-1]))
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0


def table(rows: int, seed: int = 1, noise: float = 0.1) -> str:
    """CSV of `label, x0, x1, x2`: label = 100 + 3 x0 - 2 x1 + noise; x2 has no influence."""
    dice = np.random.default_rng(seed)
    features = dice.normal(size=(rows, 3)) * [1.0, 5.0, 100.0]
    label = 100 + 3 * features[:, 0] - 2 * features[:, 1] + noise * dice.normal(size=rows)
    return "".join(",".join(map(repr, row)) + "\n" for row in np.column_stack([label, features]).tolist())
