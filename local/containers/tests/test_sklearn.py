"""The SKLearn container's server: the user's functions, the container's own, and the types they speak."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
from programs import CONTAINERS, Endpoint, serving

DOUBLE = """
class Model:
    def predict(self, data):
        return data.sum(axis=-1) * 2

def model_fn(model_dir):
    return Model()
"""


def container(folder: Path, script: str, program: str = "inference.py", **environment: str) -> Iterator[Endpoint]:
    code = folder / "model" / "code"
    code.mkdir(parents=True)
    (code / program).write_text(script, encoding="utf-8")
    return serving(folder, "sklearn", SAGEMAKER_PROGRAM=program, SAGEMAKER_SUBMIT_DIRECTORY=str(code), **environment)


def test_a_script_with_only_model_fn_gets_the_containers_functions(tmp_path: Path) -> None:
    with container(tmp_path, DOUBLE) as endpoint:
        assert endpoint.invoke(b"[[1, 2], [3, 4]]", "application/json") == (200, "application/json", b"[6.0, 14.0]")
        assert endpoint.invoke(b"1,2\n3,4\n", accept="text/csv") == (200, "text/csv; charset=utf-8", b"6.0\n14.0\n")
        array = io.BytesIO()
        np.save(array, np.array([[1.0, 2.0]]))
        status, kind, body = endpoint.invoke(array.getvalue(), "application/x-npy", "application/x-npy")
        assert (status, kind) == (200, "application/x-npy")
        assert np.load(io.BytesIO(body)).tolist() == [6.0]
        assert endpoint.invoke(b"x", "image/png")[0] == 415
        assert endpoint.invoke(b"[[1]]", "application/json", "image/png")[0] == 415


def test_the_environment_sets_the_default_of_accept(tmp_path: Path) -> None:
    with container(tmp_path, DOUBLE, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv") as endpoint:
        assert endpoint.invoke(b"1,2\n", accept="*/*") == (200, "text/csv; charset=utf-8", b"6.0\n")
        assert endpoint.invoke(b"1,2\n", accept="*/*")[1] == "text/csv; charset=utf-8"
        assert endpoint.invoke(b"1,2\n", accept="application/json")[1] == "application/json"


@pytest.mark.parametrize(
    "answer, expected",
    [
        ('"1,2"', (200, "text/html; charset=utf-8", b"1,2")),
        ('("1,2", "text/csv")', (200, "text/csv; charset=utf-8", b"1,2")),
        ('Response("1,2", status=400, mimetype="text/csv")', (400, "text/csv; charset=utf-8", b"1,2")),
    ],
)
def test_what_a_script_may_answer_with(tmp_path: Path, answer: str, expected: tuple) -> None:
    functions = "def input_fn(body, kind): return body\ndef predict_fn(data, model): return data\n"
    functions += f"def output_fn(prediction, accept): return {answer}\n"
    script = f"from werkzeug.wrappers import Response\n{DOUBLE}{functions}"
    with container(tmp_path, script) as endpoint:
        assert endpoint.invoke(b"1,2") == expected


def test_text_and_bytes_reach_a_script_as_in_the_container(tmp_path: Path) -> None:
    script = (
        DOUBLE
        + "def transform_fn(model, body, kind, accept): return f'{type(body).__name__} {kind} {accept}', 'text/plain'\n"
    )
    with container(tmp_path, script, program="serve_it.py") as endpoint:
        assert endpoint.invoke(b"1", "text/csv")[2] == b"str text/csv application/json"
        assert endpoint.invoke(b"1", "text/csv; charset=utf-8")[2] == b"bytes text/csv; charset=utf-8 application/json"


def test_a_script_may_read_the_headers_of_its_request(tmp_path: Path) -> None:
    script = (
        "from flask import request\n"
        + DOUBLE
        + "def transform_fn(model, body, kind, accept): return request.headers.get('X-Note', 'none'), 'text/plain'\n"
    )
    with container(tmp_path, script) as endpoint:
        assert endpoint.invoke(b"1", "text/csv")[2] == b"none"
        endpoint.connection.request("POST", "/invocations", b"1", {"Content-Type": "text/csv", "X-Note": "mine"})
        assert endpoint.connection.getresponse().read() == b"mine"


def test_an_error_of_the_script_is_a_500_and_the_server_lives(tmp_path: Path) -> None:
    with container(tmp_path, DOUBLE + "def predict_fn(data, model): return 1 // int(data.sum())\n") as endpoint:
        assert endpoint.invoke(b"[0]", "application/json")[0] == 500
        assert endpoint.invoke(b"[1]", "application/json")[0] == 200
        assert endpoint.get("/ping")[0] == 200


@pytest.mark.parametrize(
    "script, reason",
    [
        ("x = 1\n", "has no model_fn(model_dir)"),
        ("def model_fn(model_dir): raise OSError('no model')\n", "no model"),
        (DOUBLE + "def transform_fn(*_): pass\ndef input_fn(*_): pass\n", "must not have input_fn"),
    ],
)
def test_a_script_that_can_not_serve_ends_the_container(tmp_path: Path, script: str, reason: str) -> None:
    (tmp_path / "inference.py").write_text(script, encoding="utf-8")
    environment = {"SAGEMAKER_BASE_DIR": str(tmp_path), "SAGEMAKER_SUBMIT_DIRECTORY": str(tmp_path)}
    command = [sys.executable, str(CONTAINERS / "sklearn" / "serve.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert reason in done.stderr
