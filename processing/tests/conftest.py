"""The job for data/cars, and endpoints for its output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Dict

import pytest
from jobs import HERE, Endpoint, Job, run_program, serving


@pytest.fixture(scope="session")
def document() -> Dict[str, Any]:
    return json.loads((HERE / "data" / "use-case.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def cars(tmp_path_factory: pytest.TempPathFactory, document: Dict[str, Any]) -> Job:
    """The job for data/cars."""
    job = run_program(tmp_path_factory.mktemp("cars"), HERE / "data" / "cars", document)
    assert job.exit_code == 0, job.message
    return job


@pytest.fixture(scope="session")
def transformer(tmp_path_factory: pytest.TempPathFactory, cars: Job) -> Iterator[Endpoint]:
    with serving(tmp_path_factory.mktemp("transformer"), cars.output / "features" / "transformer.tar.gz") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def normaliser(tmp_path_factory: pytest.TempPathFactory, cars: Job) -> Iterator[Endpoint]:
    with serving(tmp_path_factory.mktemp("normaliser"), cars.output / "features" / "normaliser.tar.gz") as endpoint:
        yield endpoint
