"""What `drivetrain init` writes for a table trains on it: Preprocess over data/init, by the documents made of it.

The documents are recorded by the tests of crates/drivetrain (`three_tables_give_the_documents_…`).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jobs import HERE, run_job

TABLES = HERE / "data" / "init"


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
    # Few rows are lost to cleaning, and the gate has as many as it asks for.
    assert rows["train"] + rows["validation"] + rows["holdout"] > 0.95 * rows["read"]
    assert rows["holdout"] >= document["gate"]["min_holdout_rows"]
    batch = next(model for model in document["models"] if model["name"] == "linear-learner")
    assert rows["train"] >= batch["hyperparameters"]["mini_batch_size"]
    assert summary["feature_count"] <= 2000
    # The thresholds are for these rows: about as far from the median as Preprocess finds them.
    for model in document["models"]:
        assert model["threshold_rmse"] == pytest.approx(1.2 * summary["baseline"]["rmse_of_median"], rel=0.25)
