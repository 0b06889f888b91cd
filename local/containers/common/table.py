"""Reads numeric CSV without a header, label first: the format for training and requests of the built-in algorithms."""

from __future__ import annotations

from pathlib import Path
from typing import List

import numpy as np

from contract import ClientError, channel_files, content_type


def read_channel(channel: str) -> np.ndarray:
    """All rows of a channel, shape (rows, columns); (0, 0) if the job has no such channel. Empty fields are NaN."""
    files = channel_files(channel)
    declared = content_type(channel)
    if files and declared not in ("", "text/csv", "csv"):
        raise ClientError(f"channel {channel} has content type {declared}; this local container reads text/csv only")
    parts = [_read(path) for path in files if path.stat().st_size]
    if not parts:
        if files:
            raise ClientError(f"channel {channel} holds only empty files")
        return np.empty((0, 0))
    widths = sorted({part.shape[1] for part in parts})
    if len(widths) > 1:
        raise ClientError(f"the files of channel {channel} have different numbers of columns: {widths}")
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _read(path: Path) -> np.ndarray:
    import pandas  # slow to import, and not needed to serve

    try:
        frame = pandas.read_csv(path, header=None, dtype=np.float64)
    except (ValueError, UnicodeDecodeError) as error:  # pandas' parser errors are ValueErrors
        raise ClientError(
            f"{path.name} is no CSV of numbers ({error}); rows are `label,feature,…` without a header"
        ) from error
    if frame.shape[1] < 2:
        raise ClientError(f"{path.name} has one column; rows are `label,feature,…` without a header")
    return frame.to_numpy()


def parse_rows(text: str) -> np.ndarray:
    """A request's rows, shape (rows, columns), 32-bit; empty fields are NaN. Raises ValueError if they aren't
    numbers."""
    rows: List[List[str]] = [line.split(",") for line in text.splitlines() if line.strip()]
    if len({len(row) for row in rows}) != 1:
        raise ValueError("the rows have different numbers of fields")
    return np.array([[float(field) if field.strip() else np.nan for field in row] for row in rows], dtype=np.float32)
