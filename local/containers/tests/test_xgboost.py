"""The XGBoost container: SageMaker's hyperparameters, log lines and wire formats around the real library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, Iterator

import image_map
import numpy as np
import pytest
import xgboost
from programs import CONTAINERS, Endpoint, Training, serving, table, train

HYPERPARAMETERS = {
    "num_round": "200",
    "eta": "0.3",
    "max_depth": "3",
    "objective": "reg:squarederror",
    "eval_metric": "rmse,mae",
    "early_stopping_rounds": "5",
    "seed": "7",
}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, channels: Dict[str, str]) -> Training:
    job = train(tmp_path_factory.mktemp("xgboost"), "xgboost", HYPERPARAMETERS, channels)
    assert job.exit_code == 0, job.log
    return job


@pytest.fixture(scope="module")
def endpoint(job: Training) -> Iterator[Endpoint]:
    with serving(job.base, "xgboost") as endpoint:
        yield endpoint


def test_the_log_has_a_line_of_metrics_a_round_and_stops_early(job: Training) -> None:
    lines = [line for line in job.log.splitlines() if line.startswith("[")]
    assert lines[0].startswith("[0]\ttrain-rmse:")
    assert re.fullmatch(r"\[\d+\]\ttrain-rmse:\S+\ttrain-mae:\S+\tvalidation-rmse:\S+\tvalidation-mae:\S+", lines[-1])
    assert 10 < len(lines) < 200
    # The model that is kept is the best one, not the last: it has as many trees as there were rounds until then.
    booster = xgboost.Booster(model_file=job.base / "model" / "xgboost-model")
    best = int(booster.attr("best_iteration"))
    assert booster.num_boosted_rounds() == best + 1 == len(lines) - 5


def test_the_image_map_reads_the_metrics_from_the_log(job: Training) -> None:
    found = image_map.last_metrics(CONTAINERS / "images.yaml", "*/sagemaker-xgboost:3.0-5*", job.log)
    last = [line for line in job.log.splitlines() if line.startswith("[")][-1]
    expected = {
        name.replace("-", ":"): float(value) for name, value in (pair.split(":") for pair in last.split("\t")[1:])
    }
    assert found == expected
    assert set(found) == {"train:rmse", "train:mae", "validation:rmse", "validation:mae"}


def test_the_same_job_gives_the_same_model(job: Training, tmp_path: Path, channels: Dict[str, str]) -> None:
    again = train(tmp_path, "xgboost", HYPERPARAMETERS, channels)
    assert (again.base / "model" / "xgboost-model").read_bytes() == (job.base / "model" / "xgboost-model").read_bytes()


def test_predictions_are_those_of_the_library(job: Training, endpoint: Endpoint) -> None:
    rows = [line.split(",", 1)[1] for line in table(50, seed=3).splitlines()]
    status, kind, body = endpoint.invoke("\n".join(rows).encode())
    assert (status, kind) == (200, "text/csv; charset=utf-8")
    booster = xgboost.Booster(model_file=job.base / "model" / "xgboost-model")
    matrix = xgboost.DMatrix(np.array([[float(x) for x in row.split(",")] for row in rows]))
    assert [float(line) for line in body.decode().split("\n")] == booster.predict(matrix).tolist()
    assert [endpoint.invoke(row.encode())[2].decode() for row in rows] == body.decode().split("\n")


def test_json_answers(endpoint: Endpoint) -> None:
    _, _, csv = endpoint.invoke(b"1,2,3\n4,5,6")
    one, two = (float(line) for line in csv.split())
    status, kind, body = endpoint.invoke(b"1,2,3\n4,5,6", accept="application/json")
    assert (status, kind) == (200, "application/json")
    assert json.loads(body) == {"predictions": [{"score": one}, {"score": two}]}
    assert endpoint.invoke(b"1,2,3", accept="application/jsonlines")[2].decode() == json.dumps({"score": one}) + "\n"
    assert endpoint.invoke(b"1,2,3", accept="image/png")[0] == 406


def test_batch_transform_gets_a_newline_after_every_row(job: Training) -> None:
    with serving(job.base, "xgboost", SAGEMAKER_BATCH="true") as endpoint:
        assert endpoint.invoke(b"1,2,3\n4,5,6")[2].count(b"\n") == 2


def test_a_row_one_column_short_is_taken_silently_and_another_width_is_not(endpoint: Endpoint) -> None:
    assert endpoint.invoke(b"1,2")[2] == endpoint.invoke(b"1,2,")[2]
    for body in (b"1", b"1,2,3,4"):
        status, _, text = endpoint.invoke(body)
        assert status == 400 and b"the trained model has 3" in text


def test_what_is_not_numeric_csv_is_refused(endpoint: Endpoint) -> None:
    assert endpoint.invoke(b"1,2,red") == (
        415,
        "text/plain; charset=utf-8",
        b"Loading csv data failed: could not convert string to float: 'red'",
    )
    assert endpoint.invoke(b"1,2,3\n1,2")[0] == 415
    assert endpoint.invoke(b"0 1:2", content_type="text/libsvm")[0] == 415
    assert endpoint.invoke(b"")[0] == 204


def test_the_connection_survives_refusals_and_the_rest_of_the_contract(endpoint: Endpoint) -> None:
    assert endpoint.get("/ping") == (200, b"")
    assert endpoint.invoke(b"1", content_type="text/plain")[0] == 415
    assert json.loads(endpoint.get("/execution-parameters")[1])["MaxPayloadInMB"] == 6
    assert endpoint.get("/nowhere")[0] == 404


def test_a_request_over_the_limit_is_refused(job: Training) -> None:
    with serving(job.base, "xgboost", MAX_CONTENT_LENGTH="10") as endpoint:
        assert endpoint.invoke(b"1,2,3")[0] == 200
        assert endpoint.invoke(b"1,2,3\n" * 10)[0] == 413
        assert endpoint.invoke(b"1,2,3")[0] == 200


@pytest.mark.parametrize(
    "environment, limit", [({}, 6_291_456), ({"MAX_CONTENT_LENGTH": str(100 * 1024**2)}, 20 * 1024**2)]
)
def test_the_limit_is_that_of_the_environment_up_to_20_mib(
    job: Training, environment: Dict[str, str], limit: int
) -> None:
    with serving(job.base, "xgboost", **environment) as endpoint:
        assert endpoint.invoke(b"1" * limit)[0] != 413
        assert endpoint.invoke(b"1" * (limit + 1))[0] == 413


@pytest.mark.parametrize(
    "change, failure",
    [
        ({"num_rounds": "5"}, "ClientError: Extraneous hyperparameter found: num_rounds"),
        ({"num_round": None}, "ClientError: Missing required hyperparameter: num_round"),
        ({"eta": "fast"}, "ClientError: Hyperparameter eta: could not parse value 'fast'"),
        ({"eta": "2"}, "ClientError: Hyperparameter eta: 2.0 is not from 0 to 1"),
        ({"subsample": "0"}, "ClientError: Hyperparameter subsample: 0.0 must be above 0"),
        ({"eval_metric": "rsme"}, "ClientError: Hyperparameter eval_metric: metric rsme is not in"),
        ({"_kfold": "5"}, "ClientError: Hyperparameter _kfold: this local container does not do it"),
        ({"objective": "binary:logistic"}, "ClientError: XGBoost refused the training: "),
    ],
)
def test_hyperparameters_are_checked(
    tmp_path: Path, channels: Dict[str, str], change: Dict[str, str], failure: str
) -> None:
    given = {name: text for name, text in {**HYPERPARAMETERS, **change}.items() if text is not None}
    job = train(tmp_path, "xgboost", given, channels)
    assert job.exit_code == 1
    assert job.failure.startswith(failure)
    assert job.failure in job.log


@pytest.mark.parametrize(
    "broken, failure",
    [
        ({"train": ""}, "ClientError: channel train holds only empty files"),
        ({"train": "price,year\n1,2\n"}, "ClientError: part.csv is no CSV of numbers"),
        ({"train": "1\n2\n"}, "ClientError: part.csv has one column"),
        ({"validation": "1,2\n"}, "ClientError: train has 4 columns, validation 2"),
        ({"train": ",1,2,3\n"}, "ClientError: a row has no label"),
    ],
)
def test_channels_are_checked(tmp_path: Path, channels: Dict[str, str], broken: Dict[str, str], failure: str) -> None:
    job = train(tmp_path, "xgboost", HYPERPARAMETERS, {**channels, **broken})
    assert job.exit_code == 1
    assert job.failure.startswith(failure)


def test_weights_may_follow_the_label(tmp_path: Path) -> None:
    rows = "10,1,0\n20,0.0001,0\n" * 50
    job = train(tmp_path, "xgboost", {"num_round": "50", "csv_weights": "1"}, {"train": rows})
    assert job.exit_code == 0, job.log
    with serving(job.base, "xgboost") as endpoint:
        assert float(endpoint.invoke(b"0")[2]) == pytest.approx(10, abs=0.2)
