"""The meaning of a raw row, and the features that a model gets from it.

A `Column` turns the text of a field into a value, the same way in training, in real time and in batch. A `Transformer`
turns a row of such values into the line of numbers that an algorithm reads. It is pure data (the content of
`transformer.json`) and part of the model archive, so that a model always serves with the features that it was trained
with.

Only the standard library is used here: this file is copied into every model archive and must start fast. `fitting.py`
learns the numbers from training rows; the callers read files and requests.
"""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

Value = Union[float, str, None]

FORMAT = 1
"""Version of `transformer.json`; any other version is refused."""

csv.field_size_limit(1 << 27)  # a description of more than 128 KiB must not make all rows of a request fail

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MISSING = frozenset({"", "na", "n/a", "nan", "null"})
"""What a field may contain to mean a missing value, compared without case."""

_NUMBER_BYTES = len("-2.2250738585072014e-308")  # no number has a longer shortest text

_SPACES = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0xFEFF], " ")
"""Control characters and the byte-order mark, which count as white space between words."""

_TRUTH = {"true": 1.0, "t": 1.0, "yes": 1.0, "y": 1.0, "false": 0.0, "f": 0.0, "no": 0.0, "n": 0.0}


class BadRows(ValueError):
    """Rows that are not CSV of the raw columns; the text says which row is wrong, and why."""


class Transformer:
    """Turns raw rows into feature lines, with the numbers in `data` (the content of `transformer.json`)."""

    def __init__(self, data: Dict[str, Any]):
        if data.get("format") != FORMAT:
            raise ValueError(f"transformer.json has format {data.get('format')!r}; this code reads format {FORMAT}")
        self.columns: List[Column] = [Column(column) for column in data["columns"]]
        self.feature_names: List[str] = []
        self.widths: List[int] = []
        """Number of features of each column."""
        self.max_row_bytes = 0
        """Maximum size of a row's feature line in bytes, whatever the row contains, including its newline."""
        self._encoders = []
        for column, plan in zip(self.columns, data["features"]):
            encoder = _ENCODERS[plan["encoding"]](column, plan)
            self._encoders.append(encoder)
            self.feature_names.extend(encoder.names)
            self.widths.append(len(encoder.names))
            self.max_row_bytes += encoder.max_bytes + 1

    def encode(self, values: Sequence[Value]) -> str:
        """The feature line of one row of values, in the columns' order: numbers joined by commas, no newline."""
        return ",".join([encoder.encode(value) for encoder, value in zip(self._encoders, values)])

    def encode_fields(self, fields: Sequence[str]) -> str:
        """The feature line of one raw row, with one field for each column."""
        return self.encode([column.parse(field) for column, field in zip(self.columns, fields)])

    def encode_csv(self, text: str) -> str:
        """Converts raw rows, CSV without a header, to feature rows, CSV without a header: one line for each row, with a
        newline.

        Raises `BadRows` when a row's number of fields differs from the number of the model's columns.
        """
        lines = [self.encode_fields(row) for row in read_rows(text, [column.name for column in self.columns])]
        return "".join(line + "\n" for line in lines)


class Column:
    """A raw column: its name and type, the bounds outside of which a number counts as missing, and its words."""

    def __init__(self, description: Dict[str, Any]):
        self.name: str = description["name"]
        self.type: str = description["type"]
        self.minimum: float = _or(description.get("min"), -math.inf)
        self.maximum: float = _or(description.get("max"), math.inf)
        words = description.get("words")
        self.words = None if words is None else frozenset(words)
        """The known words of a closed category; any other word counts as missing."""
        if self.type not in _PARSERS:
            raise ValueError(f"column {self.name!r} has type {self.type!r}; known are {', '.join(sorted(_PARSERS))}")
        self._parse = _PARSERS[self.type]

    def parse(self, field: str) -> Value:
        """The value of a field; None if it is missing, malformed or out of bounds."""
        value = self.parse_unbounded(field)
        if isinstance(value, float):
            return value if self.minimum <= value <= self.maximum else None
        return None if self.words is not None and value not in self.words else value

    def parse_unbounded(self, field: str) -> Value:
        """Like `parse`, but without checking bounds and words."""
        return self._parse(squeeze(field))

    def text(self, value: Value) -> str:
        """The canonical text of a value, here and in requests to endpoints; `parse` reads it back."""
        if value is None:
            return ""
        if self.type == "boolean":
            return "true" if value else "false"
        return number_text(value) if isinstance(value, float) else value


def read_rows(text: str, names: Sequence[str]) -> Iterable[List[str]]:
    """The rows of a CSV text without a header; quoted fields may contain commas, quotes and newlines.

    Raises `BadRows` if a row doesn't have `len(names)` fields.
    """
    reader = csv.reader(io.StringIO(text.rstrip("\r\n") + "\n", newline=""), strict=True)
    rows = []
    try:
        for position, row in enumerate(reader, start=1):
            if not row and len(names) == 1:
                row = [""]
            if len(row) != len(names):
                raise BadRows(
                    f"row {position} has {len(row)} fields; the model takes {len(names)}: {', '.join(names)}. "
                    "Send raw values as CSV without header, in this order"
                )
            rows.append(row)
    except csv.Error as error:
        raise BadRows(f"row {len(rows) + 1} is no CSV: {error}") from error
    return rows


def squeeze(field: str) -> str:
    """A field without control characters and with single spaces between its words."""
    if not field.isprintable():
        field = field.translate(_SPACES)
    return " ".join(field.split())


def number_text(number: float) -> str:
    """The shortest text that parses to the same number; minus zero becomes zero."""
    text = repr(number + 0.0)
    return text[:-2] if text.endswith(".0") else text


class _Scaled:
    """(value - mean) / scale; a missing value is filled and, where training saw any missing, flagged."""

    def __init__(self, column: Column, plan: Dict[str, Any]):
        self._mean, self._scale = float(plan["mean"]), float(plan["scale"])
        self._flagged = bool(plan["flag_missing"])
        self.names = [column.name] + ([f"{column.name} is missing"] if self._flagged else [])
        self._missing = self._number(float(plan["fill"])) + (",1" if self._flagged else "")
        number_bytes = (
            max(len(self._number(truth)) for truth in (0.0, 1.0)) if column.type == "boolean" else _NUMBER_BYTES
        )
        self.max_bytes = max(number_bytes + 2 * self._flagged, len(self._missing))

    def encode(self, value: Value) -> str:
        if value is None:
            return self._missing
        text = self._number(float(value))
        return text + ",0" if self._flagged else text

    def _number(self, value: float) -> str:
        scaled = (value - self._mean) / self._scale
        # A request may contain a number so large that scaling overflows; it must not reach an algorithm as `inf`.
        return number_text(scaled) if math.isfinite(scaled) else number_text(math.copysign(1e30, scaled))


class _OneHot:
    """A feature for each frequent category, and one for all others if training saw rare ones. Missing is a category."""

    def __init__(self, column: Column, plan: Dict[str, Any]):
        categories, has_other = list(plan["categories"]), bool(plan["other"])
        width = len(categories) + has_other
        self.names = [
            f"{column.name} = {category}" if category else f"{column.name} is missing" for category in categories
        ]
        if has_other:
            self.names.append(f"{column.name} is other")
        # Lines are looked up rather than built, because this is most of the work of a request.
        self._lines = {category: _unit(width, position) for position, category in enumerate(categories)}
        self._unknown = _unit(width, width - 1 if has_other else None)
        self.max_bytes = len(self._unknown)

    def encode(self, value: Value) -> str:
        return self._lines.get(value or "", self._unknown)


class _Constant:
    """Always zero: training saw no value of this column, so nothing can be said about one."""

    def __init__(self, column: Column, plan: Dict[str, Any]):
        self.names = [column.name]
        self.max_bytes = 1

    def encode(self, value: Value) -> str:
        return "0"


_ENCODERS = {"scaled": _Scaled, "one-hot": _OneHot, "constant": _Constant}


def _unit(width: int, position: Optional[int]) -> str:
    return ",".join("1" if index == position else "0" for index in range(width))


def _parse_number(text: str) -> Value:
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _parse_integer(text: str) -> Value:
    number = _parse_number(text)
    return number if number is None or number.is_integer() else None


def _parse_boolean(text: str) -> Value:
    number = _parse_number(text)
    return _TRUTH.get(text.lower()) if number is None else {0.0: 0.0, 1.0: 1.0}.get(number)


def _parse_category(text: str) -> Value:
    return None if text.lower() in MISSING else text


_PARSERS = {
    "number": _parse_number,
    "integer": _parse_integer,
    "boolean": _parse_boolean,
    "category": _parse_category,
}


def _or(value: Optional[float], default: float) -> float:
    return default if value is None else float(value)
