"""SageMaker's XGBoost 3.0-5 in algorithm mode: trains the real xgboost on CSV channels `train` and `validation`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

# Threads that spin while they wait slow down a machine that runs several jobs at the same time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))

import numpy as np
import xgboost

import hyperparameters
from contract import MODEL_DIR, ClientError, run
from table import read_channel


def train(given: Dict[str, str]) -> None:
    settings = hyperparameters.parse(given)
    rows, validation = read_channel("train"), read_channel("validation")
    if not len(rows):
        raise ClientError("No data in channel train: it needs CSV files, label first")
    if len(validation) and validation.shape[1] != rows.shape[1]:
        raise ClientError(f"train has {rows.shape[1]} columns, validation {validation.shape[1]}")
    matrix = _matrix(rows, settings.csv_weights)
    print(f"Train matrix has {matrix.num_row()} rows and {matrix.num_col()} columns", flush=True)
    watched: List[Tuple[xgboost.DMatrix, str]] = [(matrix, "train")]
    if len(validation):
        watched.append((_matrix(validation, settings.csv_weights), "validation"))
        print(f"Validation matrix has {len(validation)} rows", flush=True)

    # The algorithm's metric definitions read the lines `[0]\ttrain-rmse:…\tvalidation-rmse:…`.
    callbacks: List[xgboost.callback.TrainingCallback] = [
        xgboost.callback.EvaluationMonitor(logger=lambda line: print(line.rstrip("\n"), flush=True))
    ]
    if settings.early_stopping_rounds:
        callbacks.append(xgboost.callback.EarlyStopping(rounds=settings.early_stopping_rounds, save_best=True))
    try:
        booster = xgboost.train(
            settings.booster,
            matrix,
            num_boost_round=settings.num_round,
            evals=watched,
            callbacks=[InOrder(callbacks)],
            verbose_eval=False,
        )
    except xgboost.core.XGBoostError as error:
        # xgboost refuses labels and combinations of hyperparameters. Only the first line: its C++ stack follows.
        raise ClientError(f"XGBoost refused the training: {str(error).splitlines()[0]}") from error
    MODEL_DIR.mkdir(parents=True, exist_ok=True)
    (MODEL_DIR / "xgboost-model").write_bytes(booster.save_raw("ubj"))


class InOrder(xgboost.callback.TrainingCallback):
    """Calls several callbacks in every round. xgboost keeps callbacks in a set and stops calling them once one says
    stop, so that the last round's line would be missing in every other job."""

    def __init__(self, callbacks: List[xgboost.callback.TrainingCallback]):
        self.callbacks = callbacks

    def before_training(self, model: Any) -> Any:
        for callback in self.callbacks:
            model = callback.before_training(model)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        stops = [callback.after_iteration(model, epoch, evals_log) for callback in self.callbacks]
        return any(stops)

    def after_training(self, model: Any) -> Any:
        for callback in self.callbacks:
            model = callback.after_training(model)
        return model


def _matrix(rows: np.ndarray, weighted: bool) -> xgboost.DMatrix:
    if np.isnan(rows[:, 0]).any():
        raise ClientError("a row has no label: rows are `label,feature,…`")
    if weighted:
        return xgboost.DMatrix(rows[:, 2:], label=rows[:, 0], weight=rows[:, 1])
    return xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])


if __name__ == "__main__":
    run(train)
