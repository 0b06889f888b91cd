"""Reads the metric definitions in images.yaml, as far as these tests need them, without a YAML library."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict

_IMAGE = re.compile(r'  - image: "(.+)"')
_METRIC = re.compile(r"      - \{name: \"(.+)\", regex: '(.+)'\}")


def metrics(path: Path) -> Dict[str, Dict[str, str]]:
    """Name and pattern of each metric, by image."""
    found: Dict[str, Dict[str, str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if image := _IMAGE.fullmatch(line):
            found[image[1]] = {}
        elif metric := _METRIC.fullmatch(line):
            found[list(found)[-1]][metric[1]] = metric[2]
    return found


def last_metrics(path: Path, image: str, log: str) -> Dict[str, float]:
    """The last value of each metric in the log."""
    values = {name: re.findall(pattern, log) for name, pattern in metrics(path)[image].items()}
    return {name: float(found[-1]) for name, found in values.items() if found}
