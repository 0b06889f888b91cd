"""A stand-in for SageMaker's Linear Learner, with its hyperparameters, channels and metrics: a regressor in numpy."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Dict

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))

import numpy as np

import hyperparameters
from contract import MODEL_DIR, ClientError, run
from regression import Linear, fit, objective
from table import read_channel

OBJECTIVES = {"squared_loss": "mse_objective", "absolute_loss": "absolute_loss_objective"}


def train(given: Dict[str, str]) -> None:
    settings = hyperparameters.parse(given)
    sides = {side: read_channel(side) for side in ("train", "validation", "test")}
    width = _check(sides, settings)
    rows = sides["train"]
    print(f"training on {len(rows)} rows of {width} features", flush=True)
    objective_name = OBJECTIVES[settings.loss]
    model = fit(
        rows[:, 1:],
        rows[:, 0],
        (sides["validation"][:, 1:], sides["validation"][:, 0]) if len(sides["validation"]) else None,
        settings,
        report=lambda epoch, side, loss: _metric(f"epoch={epoch}, {side} {objective_name}", loss),
    )
    for side, rows in sides.items():
        if len(rows):
            error = model.predict(rows[:, 1:]) - rows[:, 0]
            _metric(f"{side} {objective_name}", float(objective(error, settings.loss).mean()))
            _metric(f"{side} mse", float(np.mean(error**2)))
            _metric(f"{side} absolute_loss", float(np.mean(np.abs(error))))
    save(model)


def save(model: Linear) -> None:
    MODEL_DIR.mkdir(parents=True, exist_ok=True)
    data = {"weights": model.weights.tolist(), "bias": model.bias}
    (MODEL_DIR / "model_algo-1").write_text(json.dumps(data), encoding="utf-8")


def _check(sides: Dict[str, np.ndarray], settings: hyperparameters.Settings) -> int:
    rows = sides["train"]
    if len(rows) < settings.mini_batch_size:
        raise ClientError(f"channel train has {len(rows)} rows, fewer than mini_batch_size {settings.mini_batch_size}")
    width = settings.feature_dim or rows.shape[1] - 1
    for side, table in sides.items():
        if len(table) and table.shape[1] - 1 != width:
            raise ClientError(f"channel {side} has {table.shape[1] - 1} features, feature_dim is {width}")
        if not np.isfinite(table).all():
            raise ClientError(f"channel {side} holds empty or infinite values; Linear Learner can't impute")
    return width


def _metric(what: str, loss: float) -> None:
    stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
    print(f"[{stamp} INFO {os.getpid()}] #quality_metric: host=algo-1, {what} <loss>={loss!r}", flush=True)


if __name__ == "__main__":
    run(train)
