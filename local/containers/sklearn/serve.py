"""The serving half of SageMaker's SKLearn container: a server for the user's own script.

The script (SAGEMAKER_PROGRAM in SAGEMAKER_SUBMIT_DIRECTORY) defines `model_fn` and may define `input_fn`, `predict_fn`
and `output_fn`, or one `transform_fn` in place of all three. Missing functions are replaced by those of the container.
Processing needs no program: Python itself runs the job's entry point.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Mapping

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))

import numpy as np

from contract import MODEL_DIR
from http_server import Request, Response, accepted, serve, text

# Only these types reach a script as text; anything else, even with a charset, arrives as bytes.
TEXT_TYPES = ("text/csv", "application/json")


class CurrentRequest(threading.local):
    """Takes the place of `flask.request`, from which scripts may read the headers of the current request."""

    headers: Mapping[str, str] = {}


flask = ModuleType("flask")
flask.request = CurrentRequest()
sys.modules["flask"] = flask


class UnsupportedFormat(Exception):
    """A content type that the container's own functions can't read or write."""


def handler(module: ModuleType, model: Any) -> Callable[[Request], Response]:
    """A function that answers invocations with the script's functions, or the container's if the script has none."""
    if hasattr(module, "transform_fn"):
        if any(hasattr(module, name) for name in ("input_fn", "predict_fn", "output_fn")):
            raise TypeError("a script with transform_fn must not have input_fn, predict_fn or output_fn")
        transform = module.transform_fn
    else:
        read = getattr(module, "input_fn", default_input_fn)
        predict = getattr(module, "predict_fn", default_predict_fn)
        write = getattr(module, "output_fn", default_output_fn)

        def transform(model: Any, body: Any, content_type: str, accept: str) -> Any:
            return write(predict(read(body, content_type), model), accept)

    def invoke(request: Request) -> Response:
        flask.request.headers = request.headers
        content_type = request.content_type or "application/json"
        body = request.body.decode("utf-8") if content_type in TEXT_TYPES else request.body
        try:
            return as_response(transform(model, body, content_type, accepted(request, "application/json")))
        except UnsupportedFormat as error:
            return text(str(error), status=415)

    return invoke


def as_response(result: Any) -> Response:
    """The response for a response object (Flask's or werkzeug's), a pair of body and type, or a plain body, which is
    served as HTML, as in the container."""
    if isinstance(result, tuple):
        body, kind = result
        return text(body, kind) if isinstance(body, str) else Response(bytes(body), kind)
    if isinstance(result, str):
        return text(result, "text/html")
    if isinstance(result, (bytes, bytearray)):
        return Response(bytes(result), "text/html; charset=utf-8")
    return Response(
        result.get_data(), result.headers.get("Content-Type", "text/html; charset=utf-8"), result.status_code
    )


def default_input_fn(body: Any, content_type: str) -> np.ndarray:
    kind = content_type.split(";")[0].strip()
    if kind == "application/x-npy":
        return np.load(io.BytesIO(body), allow_pickle=False)
    content = body.decode("utf-8") if isinstance(body, bytes) else body
    if kind == "application/json":
        return np.array(json.loads(content), dtype=np.float32)
    if kind == "text/csv":
        return np.genfromtxt(io.StringIO(content), delimiter=",", dtype=np.float32)
    raise UnsupportedFormat(f"content type {content_type} is not supported: use text/csv, application/json or x-npy")


def default_predict_fn(data: Any, model: Any) -> Any:
    return model.predict(data)


def default_output_fn(prediction: Any, accept: str) -> Any:
    values = np.atleast_1d(np.asarray(prediction))
    if accept == "application/json":
        return json.dumps(values.tolist()), accept
    if accept == "text/csv":
        rows = values.reshape(len(values), -1).tolist()
        return "".join(",".join(map(str, row)) + "\n" for row in rows), accept
    if accept == "application/x-npy":
        buffer = io.BytesIO()
        np.save(buffer, values)
        return buffer.getvalue(), accept
    raise UnsupportedFormat(f"accept type {accept} is not supported: use text/csv, application/json or x-npy")


if __name__ == "__main__":
    folder = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", str(MODEL_DIR / "code"))
    sys.path.insert(0, folder)
    script = importlib.import_module(Path(os.environ.get("SAGEMAKER_PROGRAM", "inference.py")).stem)
    if not hasattr(script, "model_fn"):
        sys.exit(f"{script.__file__} has no model_fn(model_dir): the container needs it to load a model")
    serve(handler(script, script.model_fn(str(MODEL_DIR))))
