"""The documents that `drivetrain init` writes for tables can be trained on: Preprocess runs on data/init with them.

The documents are recorded by the tests of crates/drivetrain (`three_tables_give_the_documents_…`).
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import xgboost
from jobs import HERE, PROCESSING, Job, run_job

from features import Transformer

TABLES = HERE / "data" / "init"
CONTAINERS = PROCESSING.parent / "local" / "containers"


@pytest.mark.parametrize("table", ["cars", "houses", "demand"])
def test_a_table_trains_by_the_document_that_was_made_of_it(tmp_path: Path, table: str) -> None:
    document = json.loads((TABLES / f"{table}.json").read_text(encoding="utf-8"))
    source = tmp_path / "input"
    source.mkdir()
    shutil.copy(TABLES / f"{table}.csv", source)
    job = run_job(tmp_path / "job", source, document)
    assert (job.exit_code, job.message) == (0, "")
    summary = job.summary()
    rows = summary["rows"]
    assert summary["unreadable"] == [] and summary["absent_columns"] == []
    # Few rows are lost in cleaning, and enough remain for the gate.
    assert rows["train"] + rows["validation"] + rows["holdout"] > 0.95 * rows["read"]
    assert rows["holdout"] >= document["gate"]["min_holdout_rows"]
    batch = next(model for model in document["models"] if model["name"] == "linear-learner")
    assert rows["train"] >= batch["hyperparameters"]["mini_batch_size"]
    assert summary["feature_count"] <= 2000
    # The thresholds match these rows: they are about as far from the median as Preprocess finds.
    for model in document["models"]:
        assert model["threshold_rmse"] == pytest.approx(1.2 * summary["baseline"]["rmse_of_median"], rel=0.25)

    # The gate's conditions for first candidates: a metric below the threshold, and better than naive on the holdout.
    xgb, linear = document["models"]
    assert metric(trained(tmp_path, job, xgb), r"validation-rmse:(\S+)") < xgb["threshold_rmse"]
    squared = metric(trained(tmp_path, job, linear), r"#quality_metric: .*validation mse \S*=(\S+)")
    assert math.sqrt(squared) < linear["threshold_rmse"]
    assert holdout_rmse(tmp_path, job) < min(summary["baseline"]["rmse"], summary["baseline"]["rmse_of_median"])


def trained(folder: Path, job: Job, model: Dict[str, Any]) -> str:
    """Trains a model of the document in its local container; returns the log."""
    base = folder / model["name"]
    config = base / "input" / "config"
    config.mkdir(parents=True)
    hyperparameters = {name: str(value) for name, value in model["hyperparameters"].items()}
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters), encoding="utf-8")
    channel = {"ContentType": "text/csv", "TrainingInputMode": "File"}
    (config / "inputdataconfig.json").write_text(
        json.dumps({"train": channel, "validation": channel}), encoding="utf-8"
    )
    for name in ("train", "validation"):
        shutil.copytree(job.output / name, base / "input" / "data" / name)
    command = [sys.executable, str(CONTAINERS / model["algorithm"] / "train.py")]
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def metric(log: str, pattern: str) -> float:
    """The best of a metric's values in a log."""
    found = [float(value) for value in re.findall(pattern, log)]
    assert found, log[-2000:]
    return min(found)


def holdout_rmse(folder: Path, job: Job) -> float:
    """RMSE of the trained XGBoost on the holdout, with the features that it would serve with."""
    with tarfile.open(job.output / "features" / "transformer.tar.gz") as archive:
        transformer = Transformer(json.load(archive.extractfile("transformer.json")))
    rows = list(csv.reader(io.StringIO(job.text("holdout/holdout.csv"))))
    labels = np.array([float(label) for _, label, *_ in rows])
    lines = [transformer.encode_fields(fields) for _, _, *fields in rows]
    features = np.array([[float(field) for field in line.split(",")] for line in lines])
    booster = xgboost.Booster(model_file=folder / "xgboost" / "model" / "xgboost-model")
    predictions = booster.predict(xgboost.DMatrix(features), validate_features=False)
    return float(np.sqrt(np.mean((predictions - labels) ** 2)))
