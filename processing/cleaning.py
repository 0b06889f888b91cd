"""From the text of dropped files to usable rows: which columns, which values, which rows, which side.

What a field means is `features.Column`'s business; what becomes of the rows is `preprocess`'s.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any, Container, Dict, Iterator, List, NamedTuple, Optional, Sequence

from features import MISSING, Column, Value, number_text
from job import BadInput

PROGRESS_ROWS = 100_000
csv.field_size_limit(1 << 27)  # descriptions outgrow the default of 128 KiB


class Document:
    """What this job needs of the use-case document; what is left out has the same defaults as everywhere."""

    def __init__(self, data: Dict[str, Any]):
        try:
            cleaning, split, features = (data.get(key) or {} for key in ("cleaning", "split", "features"))
            rules = cleaning.get("rules") or []
            self.target: str = data["target"]["name"]
            self.required = [bool(column.get("required", False)) for column in data["schema"]["columns"]]
            self.column_data = [_column_data(column, rules) for column in data["schema"]["columns"]]
            self.columns = [Column(column) for column in self.column_data]
            self.target_column = Column({"name": self.target, "type": "number"})
            self.drop_rules = [
                rule for rule in rules if (rule.get("otherwise") or _otherwise(rule, self.target)) == "drop"
            ]
            self.names = [column.name for column in self.columns]
            self.drop_duplicates = bool(cleaning.get("drop_duplicates", True))
            identity = cleaning.get("duplicate_columns")
            self.identity = [*self.names, self.target] if identity is None else list(identity)
            self.validation = float(split.get("validation", 0.15))
            self.holdout = float(split.get("holdout", 0.15))
            self.salt = str(split.get("salt", "v1"))
            self.rare_below = int(features.get("rare_below", 10))
            self.max_categories = int(features.get("max_categories", 100))
            self.group_by: List[str] = (data.get("naive_baseline") or {}).get("group_by") or []
            known = {*self.names, self.target}
            for name in [*self.identity, *self.group_by, *(rule["column"] for rule in rules)]:
                if name not in known:
                    raise BadInput("BadDocument", f"`{name}` is neither a column of the schema nor the target")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(
                "BadDocument", f"the use-case document can't be used: {type(error).__name__} {error}"
            ) from error


def read_document(path: Path) -> Dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput("BadDocument", f"{path.name} is no JSON document: {error}") from error


def csv_files(folder: Path) -> List[Path]:
    """The dropped files of a job's input."""
    there = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [path for path in there if path.suffix.lower() == ".csv"]
    if not files:
        others = ", ".join(sorted(path.name for path in there))
        raise BadInput("NoInput", f"the input holds no .csv file, only: {others or 'nothing'}")
    return files


def _otherwise(rule: Dict[str, Any], target: str) -> str:
    return "drop" if rule["column"] == target else "missing"


def _column_data(column: Dict[str, Any], rules: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """A column as the transformer keeps it. Bounds hold in serving too, where a row can't be dropped: such a value
    counts as missing, since the model has never seen one like it."""
    own = [rule for rule in rules if rule["column"] == column["name"]]
    lows = [float(rule["min"]) for rule in own if rule.get("min") is not None]
    highs = [float(rule["max"]) for rule in own if rule.get("max") is not None]
    data: Dict[str, Any] = {"name": column["name"], "type": column["type"]}
    if lows:
        data["min"] = max(lows)
    if highs:
        data["max"] = min(highs)
    categories = column.get("categories") or {}
    if not categories.get("open", True):
        data["words"] = [" ".join(str(word).split()) for word in categories["values"]]
    return data


class Row(NamedTuple):
    """A usable row: its id, where it falls in [0, 1), its label, its values in the schema's order."""

    id: str
    place: float
    label: float
    values: List[Value]


class Counts:
    """What became of the rows read."""

    def __init__(self) -> None:
        self.read = 0
        self.duplicates = 0
        self.dropped: Counter[str] = Counter()
        self.made_missing: Counter[str] = Counter()
        self.absent_columns: List[str] = []

    def explain(self, files: Sequence[Path]) -> str:
        where = files[0].name if len(files) == 1 else f"{len(files)} files"
        usable = self.read - self.duplicates - sum(self.dropped.values())
        reasons = [
            f"{count} {'has' if count == 1 else 'have'} {reason}" for reason, count in self.dropped.most_common()
        ]
        if self.duplicates:
            reasons.append(f"{self.duplicates} repeat others")
        return f"{usable} of {self.read} rows of {where} are usable" + (": " + ", ".join(reasons) if reasons else "")


def clean_rows(files: Sequence[Path], document: Document, counts: Counts) -> Iterator[Row]:
    """The usable rows of all files; why others are not is counted."""
    seen = set()
    repeats: Counter[str] = Counter()
    for path in files:
        for fields in read_file(path, document, counts):
            counts.read += 1
            if counts.read % PROGRESS_ROWS == 0:
                print(f"read {counts.read} rows", flush=True)
            row = clean_row(fields, document, counts)
            if row is None:
                continue
            if document.drop_duplicates:
                if row.id in seen:
                    counts.duplicates += 1
                    continue
                seen.add(row.id)
            else:
                repeats[row.id] += 1
                if repeats[row.id] > 1:
                    row = row._replace(id=f"{row.id}-{repeats[row.id]}")
            yield row
        print(f"read {path.name}: {counts.read} rows so far, {sum(counts.dropped.values())} dropped", flush=True)


def read_file(path: Path, document: Document, counts: Counts) -> Iterator[Optional[List[str]]]:
    """Each row's label and raw fields in the schema's order; None for a row that doesn't fit the header."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            positions = _positions(path.name, header, document, counts)
            for row in reader:
                if row:
                    fits = len(row) == len(header)
                    yield ["" if at is None else row[at] for at in positions] if fits else None
    except UnicodeDecodeError as error:
        raise BadInput("UnreadableInput", f"{path.name} is not UTF-8 text: {error}; save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise BadInput("UnreadableInput", f"{path.name} is no CSV after {counts.read} rows: {error}") from error


def _positions(name: str, header: List[str], document: Document, counts: Counts) -> List[Optional[int]]:
    needed = [document.target, *document.names]
    required = {document.target, *(column for column, needs in zip(document.names, document.required) if needs)}
    positions = find_columns(name, header, needed, required)
    for column, at in zip(needed, positions):
        if at is None and column not in counts.absent_columns:
            counts.absent_columns.append(column)
    return positions


def find_columns(
    name: str, header: Sequence[str], needed: Sequence[str], required: Container[str]
) -> List[Optional[int]]:
    """Where the needed columns of the file called `name` stand; None for one that may lack and does."""
    missing = [column for column in needed if column not in header]
    lacking = ", ".join(f"`{column}`" for column in missing if column in required)
    if lacking:
        shown = ", ".join(header[:40])[:300]
        raise BadInput("MissingColumns", f"{name} has no column {lacking}; its header is: {shown or 'empty'}")
    twice = [column for column in needed if header.count(column) > 1]
    if twice:
        raise BadInput("AmbiguousColumns", f"{name} names `{twice[0]}` twice in its header: rename or remove one")
    if missing:
        print(f"{name} has no column {', '.join(missing)}: all values count as missing", flush=True)
    return [header.index(column) if column in header else None for column in needed]


def clean_row(fields: Optional[List[str]], document: Document, counts: Counts) -> Optional[Row]:
    """The row, or None when it can't be used, with the reason counted."""
    if fields is None:
        counts.dropped["another number of fields than the header"] += 1
        return None
    label = document.target_column.parse(fields[0])
    values = [column.parse(field) for column, field in zip(document.columns, fields[1:])]
    reason = _unusable(label, values, fields, document)
    if reason:
        counts.dropped[reason] += 1
        return None
    for column, value, field in zip(document.columns, values, fields[1:]):
        if value is None and field.strip().lower() not in MISSING:
            counts.made_missing[column.name] += 1
    texts = {column.name: column.text(value) for column, value in zip(document.columns, values)}
    texts[document.target] = number_text(label)
    digest = row_digest(document.salt, [texts[name] for name in document.identity])
    return Row(digest.hex()[:24], int.from_bytes(digest[12:20], "big") / 2.0**64, label, values)


def row_digest(salt: str, texts: Sequence[str]) -> bytes:
    """SHA-256 of what makes a row this row. It names the row and deals it to a side, the same in every run."""
    return hashlib.sha256(json.dumps([salt, *texts], ensure_ascii=False).encode("utf-8")).digest()


def side_of(place: float, validation: float, holdout: float) -> str:
    """Holdout comes first: changing the share of validation must not move rows between holdout and training."""
    if place < holdout:
        return "holdout"
    return "validation" if place < holdout + validation else "train"


def _unusable(label: Value, values: List[Value], fields: List[str], document: Document) -> Optional[str]:
    if label is None:
        return f"a {document.target} that is no number" if fields[0].strip() else f"no {document.target}"
    for rule in document.drop_rules:
        if rule["column"] == document.target:
            value: Value = label
        else:
            at = document.names.index(rule["column"])
            value = document.columns[at].parse_unbounded(fields[1 + at])
        if isinstance(value, float):
            if rule.get("min") is not None and value < rule["min"]:
                return f"a {rule['column']} below {number_text(float(rule['min']))}"
            if rule.get("max") is not None and value > rule["max"]:
                return f"a {rule['column']} above {number_text(float(rule['max']))}"
    for name, needed, value in zip(document.names, document.required, values):
        if needed and value is None:
            return f"no usable {name}"
    return None
