"""Training data that several tests use."""

from __future__ import annotations

from typing import Dict

import pytest
from programs import table


@pytest.fixture(scope="session")
def channels() -> Dict[str, str]:
    return {"train": table(600), "validation": table(200, seed=2)}
