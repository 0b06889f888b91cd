"""The Linear Learner stand-in: its hyperparameters, metrics and wire formats, and that it really learns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Iterator

import image_map
import numpy as np
import pytest
from programs import CONTAINERS, Endpoint, Training, serving, table, train

HYPERPARAMETERS = {"predictor_type": "regressor", "mini_batch_size": "50", "epochs": "40"}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, channels: Dict[str, str]) -> Training:
    job = train(
        tmp_path_factory.mktemp("linear"), "linear-learner", HYPERPARAMETERS, {**channels, "test": table(100, seed=5)}
    )
    assert job.exit_code == 0, job.log
    return job


@pytest.fixture(scope="module")
def endpoint(job: Training) -> Iterator[Endpoint]:
    with serving(job.base, "linear-learner") as endpoint:
        yield endpoint


def scores(body: bytes) -> list[float]:
    return [prediction["score"] for prediction in json.loads(body)["predictions"]]


def test_it_finds_the_line(job: Training, endpoint: Endpoint) -> None:
    _, _, body = endpoint.invoke(b"0,0,0\n1,0,0\n0,1,0\n0,0,1")
    origin, one, two, three = scores(body)
    assert origin == pytest.approx(100, abs=0.2)
    assert [one - origin, two - origin, three - origin] == pytest.approx([3, -2, 0], abs=0.05)


def test_the_image_map_reads_the_metrics_from_the_log(
    job: Training, endpoint: Endpoint, channels: Dict[str, str]
) -> None:
    found = image_map.last_metrics(CONTAINERS / "images.yaml", "*/linear-learner:1*", job.log)
    assert set(found) == {
        f"{side}:{name}"
        for side in ("train", "validation", "test")
        for name in ("mse", "absolute_loss", "objective_loss")
    }
    rows = np.array([[float(x) for x in line.split(",")] for line in channels["validation"].splitlines()])
    _, _, body = endpoint.invoke("\n".join(",".join(map(repr, row[1:])) for row in rows.tolist()).encode())
    error = np.array(scores(body)) - rows[:, 0]
    assert found["validation:mse"] == pytest.approx(np.mean(error**2), rel=1e-4)
    assert found["validation:objective_loss"] == found["validation:mse"] < 0.02
    assert found["validation:absolute_loss"] == pytest.approx(np.mean(np.abs(error)), rel=1e-4)


def test_absolute_loss_is_not_led_astray_by_outliers(tmp_path: Path) -> None:
    # The label of every fifth row is an outlier, always upwards.
    lines = [line.split(",") for line in table(600).splitlines()]
    rows = "".join(
        ",".join([str(float(line[0]) + (500 if at % 5 == 0 else 0)), *line[1:]]) + "\n" for at, line in enumerate(lines)
    )
    origins = {}
    for loss in ("absolute_loss", "squared_loss"):
        job = train(tmp_path / loss, "linear-learner", {**HYPERPARAMETERS, "loss": loss}, {"train": rows})
        assert job.exit_code == 0, job.log
        with serving(job.base, "linear-learner") as endpoint:
            origins[loss] = scores(endpoint.invoke(b"0,0,0")[2])[0]
    assert origins["absolute_loss"] == pytest.approx(100, abs=10)
    assert origins["squared_loss"] > 150


def test_without_bias_the_line_goes_through_the_origin(tmp_path: Path, channels: Dict[str, str]) -> None:
    job = train(tmp_path, "linear-learner", {**HYPERPARAMETERS, "use_bias": "false"}, channels)
    with serving(job.base, "linear-learner") as endpoint:
        assert scores(endpoint.invoke(b"0,0,0")[2]) == [0.0]


def test_the_same_job_gives_the_same_model(job: Training, tmp_path: Path, channels: Dict[str, str]) -> None:
    again = train(tmp_path, "linear-learner", HYPERPARAMETERS, channels)
    assert (again.base / "model" / "model_algo-1").read_bytes() == (job.base / "model" / "model_algo-1").read_bytes()


def test_it_answers_json_and_never_csv(endpoint: Endpoint) -> None:
    status, kind, body = endpoint.invoke(b"1,2,3", accept="*/*")
    assert (status, kind) == (200, "application/json")
    assert list(json.loads(body)) == ["predictions"]
    lines = endpoint.invoke(b"1,2,3\n1,2,3", accept="application/jsonlines")[2].decode().splitlines()
    assert [json.loads(line)["score"] for line in lines] == scores(body) * 2
    status, _, text = endpoint.invoke(b"1,2,3", accept="text/csv")
    assert status == 406 and b"Accept type text/csv is not supported" in text


def test_a_pipeline_default_of_csv_fails_as_well(job: Training) -> None:
    with serving(job.base, "linear-learner", SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv") as endpoint:
        assert endpoint.invoke(b"1,2,3")[0] == 406


def test_json_requests(endpoint: Endpoint) -> None:
    expected = endpoint.invoke(b"1,2,3\n4,5,6", content_type="text/csv; charset=utf-8")[2]
    plain = b'{"instances": [{"features": [1, 2, 3]}, {"data": {"features": {"values": [4, 5, 6]}}}]}'
    assert endpoint.invoke(plain, content_type="application/json")[2] == expected
    lines = b'{"features": [1, 2, 3]}\n{"features": [4, 5, 6]}\n'
    assert endpoint.invoke(lines, content_type="application/jsonlines")[2] == expected


@pytest.mark.parametrize(
    "body, kind, status",
    [
        (b"1,2", "text/csv", 400),
        (b"1,2,red", "text/csv", 400),
        (b"1,2,", "text/csv", 400),
        (b"", "text/csv", 400),
        (b"{}", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"x", "application/x-recordio-protobuf", 415),
    ],
)
def test_what_it_can_not_read_is_refused(endpoint: Endpoint, body: bytes, kind: str, status: int) -> None:
    assert endpoint.invoke(body, content_type=kind)[0] == status


@pytest.mark.parametrize(
    "change, failure",
    [
        ({"predictor_type": None}, "ClientError: Missing required hyperparameter: predictor_type"),
        (
            {"predictor_type": "binary_classifier"},
            "ClientError: predictor_type binary_classifier: this local stand-in does",
        ),
        ({"seed": "1"}, "ClientError: Additional hyperparameters are not allowed ('seed' was unexpected)"),
        ({"epochs": "0"}, "ClientError: hyperparameter epochs: '0' is no whole number of at least 1"),
        ({"loss": "huber_loss"}, "ClientError: hyperparameter loss: 'huber_loss': this local stand-in does"),
        ({"feature_dim": "7"}, "ClientError: channel train has 3 features, feature_dim is 7"),
        ({"mini_batch_size": "601"}, "ClientError: channel train has 600 rows, fewer than mini_batch_size 601"),
        (
            {"learning_rate": "1e300", "use_lr_scheduler": "false"},
            "AlgorithmError: FloatingPointError: every model diverged",
        ),
    ],
)
def test_hyperparameters_are_checked(
    tmp_path: Path, channels: Dict[str, str], change: Dict[str, str], failure: str
) -> None:
    given = {name: text for name, text in {**HYPERPARAMETERS, **change}.items() if text is not None}
    job = train(tmp_path, "linear-learner", given, channels)
    assert job.exit_code == 1, job.log
    assert job.failure.startswith(failure)


def test_missing_values_are_refused(tmp_path: Path) -> None:
    job = train(tmp_path, "linear-learner", HYPERPARAMETERS, {"train": table(60) + "1,,2,3\n"})
    assert job.failure.startswith("ClientError: channel train holds empty or infinite values")


def test_a_request_over_the_limit_is_refused_whatever_the_environment_says(job: Training) -> None:
    with serving(job.base, "linear-learner", MAX_CONTENT_LENGTH=str(20 * 1024**2)) as endpoint:
        assert endpoint.invoke(b"1" * 6_291_456)[0] == 400
        assert endpoint.invoke(b"1" * 6_291_457)[0] == 413
        assert endpoint.invoke(b"0,0,0")[0] == 200
