"""Serves a model of SageMaker's XGBoost: accepts CSV, answers CSV (one number on each line) or JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))

import numpy as np
import xgboost

from contract import MODEL_DIR
from http_server import Request, Response, accepted, mimetype, serve, text
from table import parse_rows

# In algorithm mode, AWS's container sets no limit for the variable; its other modes limit it to 20 MiB, as this one
# does.
MAX_CONTENT_BYTES = min(int(os.environ.get("MAX_CONTENT_LENGTH", 6 * 1024**2)), 20 * 1024**2)
IN_BATCH = os.environ.get("SAGEMAKER_BATCH", "").lower() == "true"


class Model:
    """A loaded booster."""

    def __init__(self, path: Path):
        self.booster = xgboost.Booster({"nthread": 1})
        self.booster.load_model(path)
        self.width = self.booster.num_features()

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Predictions, shape (rows,) or (rows, classes). Raises ValueError for rows of another width.

        A row that is one column short is accepted, with its last feature missing, because AWS's container accepts it as
        well.
        """
        missing = self.width - rows.shape[1]
        if missing not in (0, 1):
            raise ValueError(f"the rows have {rows.shape[1]} features, the trained model has {self.width}")
        if missing:
            rows = np.pad(rows, ((0, 0), (0, 1)), constant_values=np.nan)
        return self.booster.inplace_predict(rows, validate_features=False)


def invoke(model: Model, request: Request) -> Response:
    if not request.body.strip():
        return Response(b"", "text/csv; charset=utf-8", 204)
    sent = mimetype(request.content_type) or "text/csv"
    if sent != "text/csv":
        known = sent in ("text/libsvm", "text/x-libsvm", "application/x-recordio-protobuf")
        reason = "this local container reads text/csv only" if known else "use text/csv"
        return text(f"Content type {sent} is not supported: {reason}", status=415)
    accept = accepted(request, "text/csv")
    if accept not in ("text/csv", "application/json", "application/jsonlines"):
        return text(f"Accept type {accept} is not supported: use text/csv or application/json", status=406)
    try:
        rows = parse_rows(request.body.decode("utf-8"))
    except ValueError as error:
        return text(f"Loading csv data failed: {error}", status=415)
    try:
        predictions = model.predict(rows).tolist()
    except ValueError as error:
        return text(f"Unable to evaluate payload provided: {error}", status=400)
    if accept == "text/csv":
        return text("\n".join(map(str, predictions)) + ("\n" if IN_BATCH else ""), "text/csv")
    scores = [{"score": prediction} for prediction in predictions]
    if accept == "application/json":
        return text(json.dumps({"predictions": scores}), accept)
    return text("".join(json.dumps(score) + "\n" for score in scores), accept)


if __name__ == "__main__":
    loaded = Model(MODEL_DIR / "xgboost-model")
    serve(
        lambda request: invoke(loaded, request),
        max_body_bytes=MAX_CONTENT_BYTES,
        execution_parameters={
            "MaxConcurrentTransforms": os.cpu_count(),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": MAX_CONTENT_BYTES // 1024**2,
        },
    )
