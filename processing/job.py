"""The end of a job of this folder: exit code 0, or 1 and one line in the job's exit message that says why."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, Callable, TextIO

EXIT_MESSAGE_LIMIT = 1024  # characters that SageMaker keeps of an exit message


class BadInput(Exception):
    """The data or the document can't be used. The text begins with a stable type: `MissingColumns: …`."""

    def __init__(self, type: str, text: str):
        super().__init__(f"{type}: {text}")


def run(work: Callable[[], Any]) -> int:
    """Does the work and returns the exit code."""
    try:
        work()
    except Exception as error:  # whatever it is, the job must say why it ended
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            error = BadInput("VolumeFull", "the job's disk is full: raise `preprocessing.volume_gb` in the document")
        if not isinstance(error, BadInput):
            traceback.print_exc()
        text = str(error) if isinstance(error, BadInput) else f"InternalError: {type(error).__name__}: {error}"
        _leave_message(" ".join(text.split()))
        return 1
    return 0


def create(path: Path) -> TextIO:
    """A text file for writing, in which newlines are not translated."""
    return open(path, "w", encoding="utf-8", newline="")


def as_json(data: Any) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _leave_message(text: str) -> None:
    """Writes the message where SageMaker finds a processing job's ExitMessage."""
    print(text, file=sys.stderr, flush=True)
    folder = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "output"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "message").write_text(text[:EXIT_MESSAGE_LIMIT], encoding="utf-8")
    except OSError as error:
        print(f"the exit message could not be written: {error}", file=sys.stderr)
