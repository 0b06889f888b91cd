"""Serves the first and the last container of an inference pipeline, in the SKLearn image.

The content of the model archive decides which of the two it is: with `transformer.json` it turns raw CSV rows into
feature rows; with `normaliser.json` it turns the JSON answer of an algorithm that can't write CSV into one number on
each line.

It follows the contract of the SKLearn serving container: model_fn, input_fn, predict_fn, output_fn.
"""

from __future__ import annotations

import json
import math
import os
import sys
from typing import Any, Callable, NamedTuple, Optional, Union


class Answer(NamedTuple):
    """The answer: CSV, or the text of a refusal with its status."""

    body: str
    status: int = 200


def model_fn(model_dir: str) -> Callable[[str], str]:
    """The function that turns a request's text into the answer's CSV, depending on the content of the archive."""
    transformer = os.path.join(model_dir, "transformer.json")
    if os.path.exists(transformer):
        # The container may have installed this script elsewhere; the features.py of the archive is the right one.
        sys.path.insert(0, os.path.join(model_dir, "code"))
        from features import Transformer

        with open(transformer, encoding="utf-8") as file:
            return Transformer(json.load(file)).encode_csv
    if os.path.exists(os.path.join(model_dir, "normaliser.json")):
        return normalise
    raise FileNotFoundError(
        f"{model_dir} holds neither transformer.json nor normaliser.json: not an archive of preprocess"
    )


def input_fn(body: Union[bytes, str], content_type: str) -> str:
    """The request as text. The container passes text for CSV and JSON, and bytes for anything else."""
    return body.decode("utf-8-sig") if isinstance(body, bytes) else body


def predict_fn(text: str, answer: Callable[[str], str]) -> Answer:
    """A request that can't be answered is the caller's mistake: it is refused with 400 and a reason, and never a
    crash."""
    run = os.environ.get("DRIVETRAIN_RUN")
    if run and asked_run() not in (None, run):
        return Answer(f"run={run}", 409)
    try:
        return Answer(answer(text)) if text.strip() else Answer("the request is empty: send at least one row", 400)
    except ValueError as error:
        return Answer(str(error), 400)


def asked_run() -> Optional[str]:
    """The run whose model the request is for, from the custom attributes `run=<run>`; None in batch transform.

    While an endpoint is being updated, it answers with one model or the other, and answers don't say with which. A
    caller who needs to know names the run that trained the model; any other model refuses the request with the name of
    its own run.
    """
    try:
        from flask import request  # part of the container, which answers within a request of Flask's
    except ImportError:
        return None
    attributes = request.headers.get("X-Amzn-SageMaker-Custom-Attributes", "")
    return attributes[len("run=") :] if attributes.startswith("run=") else None


def output_fn(answer: Answer, accept: str) -> Any:
    """A response of type text/csv, whatever type was requested, because the next container of the pipeline reads it."""
    from werkzeug.wrappers import Response  # part of the container; a plain string would be served as text/html

    mimetype = "text/csv" if answer.status == 200 else "text/plain"
    return Response(answer.body, status=answer.status, mimetype=mimetype)


def normalise(text: str) -> str:
    """Converts `{"predictions": [{"score": x}, …]}` or JSON lines of `{"score": x}` to one number on each line."""
    try:
        document = json.loads(text)
        predictions = document["predictions"] if "predictions" in document else [document]
    except json.JSONDecodeError:
        predictions = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (KeyError, TypeError):
        predictions = None
    try:
        scores = [float(prediction["score"]) for prediction in predictions]
    except (KeyError, TypeError, ValueError):
        expected = '{"predictions": [{"score": number}, …]} or JSON lines of {"score": number}'
        raise ValueError(f"the algorithm's answer is not {expected}") from None
    if not all(math.isfinite(score) for score in scores):
        raise ValueError("the algorithm answered a score that is no finite number")
    return "".join(f"{score!r}\n" for score in scores)
