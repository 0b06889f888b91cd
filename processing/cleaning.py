"""Turns the text of dropped files into usable rows: columns, values, rows, and the side of the split for each row.

`features.Column` decides what a field means, and `preprocess` what happens to the rows.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any, Container, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import unreadable
from dropped import Drops, Reason, has
from features import MISSING, Column, Value, number_text, squeeze
from files import Dialect, Table, header_hint, open_table
from job import BadInput

PROGRESS_ROWS = 100_000
_NAMES_SHOWN = 12
_MISFIT = "another number of fields than the header"
LABELLED = "labelled"
"""The folder of a job's input with files that the platform itself has written: rows with their ground truth."""


class Document:
    """The parts of the use-case document that this job needs. Defaults are the same as everywhere."""

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
            # If rows with the same identity are all kept, only rows that are equal in all columns are copies, and ids
            # show that.
            whole = self.drop_duplicates or identity is None
            self.named_by = self.identity if whole else [*self.names, self.target]
            self.validation = float(split.get("validation", 0.15))
            self.holdout = float(split.get("holdout", 0.15))
            self.salt = str(split.get("salt", "v1"))
            self.rare_below = int(features.get("rare_below", 10))
            self.max_categories = int(features.get("max_categories", 100))
            self.max_unreadable = float(cleaning.get("max_unreadable", 0.05))
            self.max_dropped = float(cleaning.get("max_dropped", 0.2))
            self.dialect = Dialect(data.get("input"), (data.get("drops") or {}).get("max_bytes"))
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


def _otherwise(rule: Dict[str, Any], target: str) -> str:
    return "drop" if rule["column"] == target else "missing"


def _column_data(column: Dict[str, Any], rules: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """A column in the form in which the transformer stores it. Bounds apply in serving too, where a row can't be
    dropped: a value outside counts as missing, because the model has never seen one like it."""
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
    """A usable row: its id, its place in [0, 1) for the split, its label, and its values in the schema's order."""

    id: str
    place: float
    label: float
    values: List[Value]


class Counts:
    """Counts of the rows read. Rows that are not used are added when a file ends: see `end_file`."""

    def __init__(self) -> None:
        self.read = 0
        self.duplicates = 0
        self.misfits = 0
        self.drops = Drops()
        self.made_missing: Counter[str] = Counter()
        self.absent_columns: List[str] = []
        self.unreadable: Dict[str, Dict[str, Any]] = {}
        self._files: List[Tuple[str, int, Drops]] = []
        """For each dropped file: its name, its number of readable rows, and those of them that are dropped."""

    @property
    def dropped(self) -> Counter[str]:
        """Number of unused rows by reason; copies are counted separately."""
        return self.drops.counts + Counter({_MISFIT: self.misfits})

    def end_file(self, file: _File, labelled: bool) -> None:
        """Adds the counts of a file. Only files that people drop can lose too many rows: those that the platform has
        written were judged before."""
        self.misfits += file.misfits
        self.drops.merge(file.drops)
        unreadable.merge(self.unreadable, file.values, file.rows)
        if not labelled:
            self._files.append((file.table.name, file.rows, file.drops))

    def refuse_narrow(self, share: float) -> None:
        """Ends the job if more than `share` of a file's readable rows are dropped. Called after all rows are read,
        because a job without any usable row reports that instead."""
        for name, rows, drops in self._files:
            drops.refuse(name, rows, share)

    def explain(self, files: Sequence[Path]) -> str:
        where = files[0].name if len(files) == 1 else f"{len(files)} files"
        usable = self.read - self.duplicates - sum(self.dropped.values())
        reasons = [has(count, reason) for reason, count in self.dropped.most_common()]
        if self.duplicates:
            reasons.append(f"{self.duplicates} repeat others")
        told = f"{usable} of {self.read} rows of {where} are usable" + (": " + ", ".join(reasons) if reasons else "")
        return told + (self.drops.grouping(self.read) or self.drops.remedy(self.read))


def clean_rows(files: Sequence[Path], document: Document, counts: Counts) -> Iterator[Row]:
    """The usable rows of all files; the reasons for leaving out the others are counted."""
    seen = set()
    repeats: Counter[str] = Counter()
    for path in files:
        for row in _file_rows(path, document, counts):
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
        dropped = sum(counts.dropped.values())
        print(f"read {path.name}: {counts.read} rows so far, {dropped} dropped, {counts.duplicates} repeat", flush=True)


def _file_rows(path: Path, document: Document, counts: Counts) -> Iterator[Row]:
    """The usable rows of one file. If too much of it can't be read, the job ends after the file has been read."""
    labelled = path.parent.name == LABELLED
    dialect = Dialect() if labelled else document.dialect
    file = _File(open_table(path, dialect), dialect, document, counts, labelled)
    for record in file.table.rows:
        counts.read += 1
        if counts.read % PROGRESS_ROWS == 0:
            print(f"read {counts.read} rows", flush=True)
        if not record.readable:
            # In Parquet, columns are independent; in CSV, a byte that is no text makes all columns of the row doubtful.
            broken = file.table.no_text(record, file.positions if file.table.parquet else None)
            if broken:
                raise BadInput("UnreadableInput", f"{path.name}: {broken}")
        row = clean_row(file, record.fields, document, counts)
        if row is not None:
            yield row
    file.refuse(document.max_unreadable)
    counts.end_file(file, labelled)


class _File:
    """A file that is being cleaned: the positions of its columns, and their unreadable values. The target comes
    first."""

    def __init__(self, table: Table, dialect: Dialect, document: Document, counts: Counts, labelled: bool):
        self.table = table
        self.positions = _positions(table, dialect, document, counts, labelled)
        self.columns = [document.target_column, *document.columns]
        self.readers = [
            dialect.reader(column.type, at in table.typed) for column, at in zip(self.columns, self.positions)
        ]
        self.translated = any(self.readers)
        undeclared = dialect.decimal == "." and dialect.thousands is None
        self.may_be_grouped = [undeclared and at not in table.typed for at in self.positions]
        """Whether the points in a column's values may be meant to group digits."""
        self.values = [
            unreadable.Values(column.name, column.type, sorted(column.words or ())) for column in self.columns
        ]
        self.rows = 0
        self.misfits = 0
        self.drops = Drops()

    def fields(self, record: Sequence[str]) -> Optional[Tuple[List[str], List[str]]]:
        """Label and raw fields, as they came and as columns read them; None if the row doesn't fit the header."""
        if len(record) != len(self.table.names):
            self.misfits += 1
            return None
        self.rows += 1
        raw = ["" if at is None else record[at] for at in self.positions]
        if not self.translated:
            return raw, raw
        return raw, [field if read is None else read(field) for read, field in zip(self.readers, raw)]

    def refuse(self, share: float) -> None:
        name, read = self.table.name, self.rows + self.misfits
        unreadable.refuse(name, self.values, self.rows, share)
        if self.misfits > share * read:
            text = (
                f"{name}: {self.misfits} of {read} rows have another number of fields than the header: put fields that "
                "hold the delimiter in quotes, or name another `delimiter` in the document's `input`"
            )
            raise BadInput(
                "UnreadableValues", f"{text}. `cleaning.max_unreadable` allows {share * 100:g} % of the rows"
            )


def _positions(
    table: Table, dialect: Dialect, document: Document, counts: Counts, labelled: bool
) -> List[Optional[int]]:
    needed = [document.target, *document.names]
    required = needed
    if labelled:  # rows from before an optional column was declared
        required = [document.target, *(name for name, needs in zip(document.names, document.required) if needs)]
    positions = find_columns(table, dialect, needed, required)
    for column, at in zip(needed, positions):
        if at is None and column not in counts.absent_columns:
            counts.absent_columns.append(column)
    return positions


def find_columns(
    table: Table, dialect: Dialect, needed: Sequence[str], required: Container[str]
) -> List[Optional[int]]:
    """Positions of the needed columns in a file; None for an optional column that is absent."""
    name, header = table.name, table.names
    missing = [column for column in needed if column not in header]
    lacking = [f"`{column}`" for column in missing if column in required]
    if lacking:
        more = f" and {len(lacking) - _NAMES_SHOWN} more" if len(lacking) > _NAMES_SHOWN else ""
        text = f"{name} lacks the column{'s' if len(lacking) > 1 else ''} {', '.join(lacking[:_NAMES_SHOWN])}{more}"
        hint = header_hint(header, needed, dialect)
        if hint:
            raise BadInput("MissingColumns", f"{text}: {hint}")
        told = ", ".join(header[:40])[:300]
        raise BadInput("MissingColumns", f"{text}; its header is: {told or 'empty'}")
    twice = [column for column in needed if header.count(column) > 1]
    if twice:
        raise BadInput("AmbiguousColumns", f"{name} names `{twice[0]}` twice in its header: rename or remove one")
    if missing:
        print(f"{name} lacks {', '.join(missing)}: all values count as missing", flush=True)
    return [header.index(column) if column in header else None for column in needed]


def clean_row(file: _File, record: Sequence[str], document: Document, counts: Counts) -> Optional[Row]:
    """The row, or None if it can't be used, in which case the reason is counted."""
    both = file.fields(record)
    if both is None:
        return None
    raw, fields = both
    values = [column.parse(field) for column, field in zip(file.columns, fields)]
    missing = []
    for at, value in enumerate(values):
        if value is None:
            column = file.columns[at]
            if squeeze(fields[at]).lower() in MISSING:
                file.values[at].missing += 1
            else:
                missing.append(column.name)
                if not isinstance(column.parse_unbounded(fields[at]), float):
                    file.values[at].add(raw[at])
    label, *values = values
    reason = _unusable(label, values, fields, document)
    if reason:
        at = 0 if reason.column == document.target else 1 + document.names.index(reason.column)
        file.drops.add(reason, raw[at], file.may_be_grouped[at])
        return None
    counts.made_missing.update(missing)
    texts = {column.name: column.text(value) for column, value in zip(document.columns, values)}
    texts[document.target] = number_text(label)
    digest = row_digest(document.salt, [texts[name] for name in document.identity])
    place = int.from_bytes(digest[12:20], "big") / 2.0**64
    if document.named_by is not document.identity:
        digest = row_digest(document.salt, [texts[name] for name in document.named_by])
    return Row(digest.hex()[:24], place, label, values)


def row_digest(salt: str, texts: Sequence[str]) -> bytes:
    """SHA-256 of the values that identify a row. It gives the row its id and assigns it to a side, the same in every
    run."""
    return hashlib.sha256(json.dumps([salt, *texts], ensure_ascii=False).encode("utf-8")).digest()


def side_of(place: float, validation: float, holdout: float) -> str:
    """Holdout comes first, so that changing the share of validation moves no row between holdout and training."""
    if place < holdout:
        return "holdout"
    return "validation" if place < holdout + validation else "train"


def _unusable(label: Value, values: List[Value], fields: List[str], document: Document) -> Optional[Reason]:
    """Why a row can't be used; None if it can."""
    if label is None:
        text = f"a {document.target} that is no number" if fields[0].strip() else f"no {document.target}"
        return Reason(text, document.target)
    for rule in document.drop_rules:
        name = rule["column"]
        if name == document.target:
            value = label
        else:
            at = document.names.index(name)
            value = document.columns[at].parse_unbounded(fields[1 + at])
        if isinstance(value, float):
            if rule.get("min") is not None and value < rule["min"]:
                limit = float(rule["min"])
                return Reason(f"a {name} below {number_text(limit)}", name, "min", limit)
            if rule.get("max") is not None and value > rule["max"]:
                limit = float(rule["max"])
                return Reason(f"a {name} above {number_text(limit)}", name, "max", limit)
    for name, needed, value in zip(document.names, document.required, values):
        if needed and value is None:
            return Reason(f"no usable {name}", name, required=True)
    return None
