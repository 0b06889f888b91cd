"""The documented /opt/ml contract for the programs of this folder: paths, and how a program reports a failure.

The base directory is SAGEMAKER_BASE_DIR (the training toolkit's own variable) if it is set, otherwise /opt/ml.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Callable, Dict, List

BASE_DIR = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
MODEL_DIR = BASE_DIR / "model"


class ClientError(Exception):
    """A mistake of the person who started the job: a hyperparameter, a channel, the data."""


def run(train: Callable[[Dict[str, str]], None]) -> None:
    """Runs a training program on its hyperparameters and ends the process as SageMaker expects.

    A failure leaves `ClientError: …` or `AlgorithmError: …` in output/failure and exit code 1.
    """
    try:
        train(hyperparameters())
    except ClientError as error:
        _fail(f"ClientError: {error}")
    except Exception as error:  # whatever it is, the job must say why it ended
        traceback.print_exc()
        _fail(f"AlgorithmError: {type(error).__name__}: {error}")


def hyperparameters() -> Dict[str, str]:
    """The hyperparameters. All values are strings, as in CreateTrainingJob."""
    path = BASE_DIR / "input" / "config" / "hyperparameters.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def channel_files(channel: str) -> List[Path]:
    """The files of a channel, sorted by name; none if the job has no such channel."""
    folder = BASE_DIR / "input" / "data" / channel
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def content_type(channel: str) -> str:
    """The content type that the job gives for the channel, without parameters; empty if it gives none."""
    path = BASE_DIR / "input" / "config" / "inputdataconfig.json"
    channels = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return str(channels.get(channel, {}).get("ContentType") or "").split(";")[0].strip().lower()


def _fail(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
    output = BASE_DIR / "output"
    output.mkdir(parents=True, exist_ok=True)
    (output / "failure").write_text(text, encoding="utf-8")
    sys.exit(1)
