"""Serves a Linear Learner regressor: accepts CSV or JSON, answers JSON or JSON lines, but never CSV, like AWS's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))

import numpy as np

from contract import MODEL_DIR
from http_server import Request, Response, accepted, mimetype, serve, text
from table import parse_rows

MAX_CONTENT_BYTES = 6 * 1024**2  # AWS's container has no setting for it


class Model:
    """Weights and bias, in the data's own units."""

    def __init__(self, path: Path):
        data = json.loads(path.read_text(encoding="utf-8"))
        self.weights, self.bias = np.array(data["weights"]), float(data["bias"])

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Scores, shape (rows,). Raises ValueError for rows of another width or with missing values."""
        if rows.ndim != 2 or rows.shape[1] != len(self.weights):
            raise ValueError(f"the rows have {rows.shape[-1]} features, the trained model has {len(self.weights)}")
        if not np.isfinite(rows).all():
            raise ValueError("the rows hold empty or infinite values")
        # In 64 bits: features are 32-bit only because of the algorithm's wire format.
        return rows.astype(np.float64) @ self.weights + self.bias


def invoke(model: Model, request: Request) -> Response:
    accept = accepted(request, "application/json")
    if accept not in ("application/json", "application/jsonlines"):
        return text(
            f"Accept type {accept} is not supported: Linear Learner answers application/json or application/jsonlines "
            "(this local stand-in does no RecordIO)",
            status=406,
        )
    sent = mimetype(request.content_type) or "text/csv"
    try:
        if sent == "text/csv":
            rows = parse_rows(request.body.decode("utf-8"))
        elif sent in ("application/json", "application/jsonlines"):
            rows = _json_rows(request.body.decode("utf-8"), lines=sent != "application/json")
        else:
            return text(f"Content type {sent} is not supported: use text/csv or application/json", status=415)
        scores = [{"score": score} for score in model.predict(rows).tolist()]
    except (ValueError, KeyError, TypeError) as error:
        return text(f"unable to evaluate payload provided: {error}", status=400)
    if accept == "application/json":
        return text(json.dumps({"predictions": scores}), accept)
    return text("".join(json.dumps(score) + "\n" for score in scores), accept)


def _json_rows(body: str, lines: bool) -> np.ndarray:
    instances = (
        [json.loads(line) for line in body.splitlines() if line.strip()] if lines else json.loads(body)["instances"]
    )
    return np.array([_features(instance) for instance in instances], dtype=np.float32)


def _features(instance: Any) -> Any:
    """`{"features": [x, …]}` or `{"data": {"features": {"values": [x, …]}}}`."""
    return instance["features"] if "features" in instance else instance["data"]["features"]["values"]


if __name__ == "__main__":
    loaded = Model(MODEL_DIR / "model_algo-1")
    serve(lambda request: invoke(loaded, request), max_body_bytes=MAX_CONTENT_BYTES)
