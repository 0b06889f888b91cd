"""Makes rows to score from a dropped file: in the same canonical form as requests, with bad rows set aside.

    prepare_scoring.py --input DIR --job scoring.json --output DIR

Reads the one file of the input folder and writes

    rows/rows-00000000.csv, …  row id, carried columns, raw columns; no header: the input of transform jobs
    rejects/rejects.csv     with header: number of the row, reason, the row's fields as they came
    prepared/<file>.csv     the whole file as plain CSV, unless it is that already: the scored file is made from it
    prepared/summary.json   counts, reasons and unreadable values

Each file of rows has at most as many rows as the job says. A transform job never sends rows of two files in one
request, so that the features that a pipeline makes of a request stay below the limit of its containers, however wide
they are.

A row's id is `<run id>#<number>`; rows are numbered from 0 in the dropped file, including those set aside. A row is set
aside for the same mistakes, and with the same messages, for which a prediction request would be refused. A mistake in
the whole file ends the job with exit code 1 and one line, `ErrorType: what is wrong`, in its exit message; so does a
column with too many unreadable values. Rows are streamed; none stays in memory.

`features.Column` decides what the file's fields mean; `drivetrain-combine` merges answers and rows.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import Counter
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, TextIO, Tuple

import unreadable
from cleaning import PROGRESS_ROWS, Document, find_columns, read_document
from features import Column
from files import NO_TEXT, Table, input_files, open_table, plain_name
from job import BadInput, as_json, create, run

WRONG_LENGTH = "the row has another number of fields than the header"
UNREADABLE = "the row holds bytes that are no text"

# A transform job sends requests of at most 1 MiB, and a row is never split. Quotes in it are doubled.
MAX_ROW_BYTES = 500_000  # of the schema's columns, the same as in functions/invoke-endpoints
MAX_CARRIED_BYTES = 20_000
_SURELY_SHORT = 5_000  # this number of characters has fewer bytes than either limit

FEWEST_ROWS = 120  # 2,000 numbers of up to 25 bytes each, in 6 MB

_NEWLINE = re.compile("\r\n?|\n")
_MAX_WORDS = 20  # maximum number of known words that a reason lists
_MAX_KNOWN = 20_000  # number of fields that are cached for each column
_MAX_REMEMBERED = 200  # maximum length of such a field: longer ones seldom recur
_WANTED = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "category": "text"}
_ANY_TEXT = Column({"name": "", "type": "category"})


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, required=True, help="folder of one CSV file with header")
    parser.add_argument("--job", type=Path, required=True, help="the scoring job with the use-case document, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    options = parser.parse_args(arguments)
    return run(lambda: prepare(options.input, options.job, options.output))


def prepare(source: Path, description: Path, target: Path) -> Dict[str, Any]:
    """Runs the whole job; returns the content of summary.json."""
    job = Job(read_document(description))
    files = input_files(source)
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise BadInput("SeveralInputs", f"a scoring run takes one file; the input holds {names}")
    table = open_table(files[0], job.dialect)
    file = table.name if table.plain else plain_name(table.name)
    for folder in ("rows", "rejects", "prepared"):
        (target / folder).mkdir(parents=True, exist_ok=True)
    reasons: Counter[str] = Counter()
    with ExitStack() as outputs:
        rows = outputs.enter_context(Parts(target / "rows", job.rows_per_part))
        rejects = outputs.enter_context(create(target / "rejects" / "rejects.csv"))
        plain = None if table.plain else outputs.enter_context(create(target / "prepared" / file))
        dealing = _Dealing(table, job, rows, rejects, plain)
        read, rejected = dealing.deal(reasons)
    unreadable.refuse(table.name, dealing.values, dealing.rows, job.max_unreadable)
    # The most frequent first, then in alphabetical order, so that the same file gives the same bytes.
    counted = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    if read == rejected:
        why = "; ".join(f"{reason} ({count})" for reason, count in counted)
        raise BadInput("NoUsableRows", f"0 of {read} rows of {table.name} can be scored" + (f": {why}" if why else ""))
    told: Dict[str, Dict[str, Any]] = {}
    unreadable.merge(told, dealing.values, dealing.rows)
    summary = {
        "rows": read,
        "usable": read - rejected,
        "rejected": rejected,
        "reasons": counted,
        "file": file,
        "plain": table.plain,
        "unreadable": sorted(told.values(), key=lambda one: (-one["unreadable"], one["column"])),
    }
    (target / "prepared" / "summary.json").write_bytes(as_json(summary))
    print(f"done: {read} rows read, {rejected} of them set aside", flush=True)
    return summary


class Job:
    """The parts of `scoring.json` that this script needs."""

    def __init__(self, data: Dict[str, Any]):
        try:
            self.run_id = str(data["run_id"])
            document = Document(data["document"])
            self.names = document.names
            self.dialect = document.dialect
            self.max_unreadable = document.max_unreadable
            self.carry: List[str] = list((data["document"].get("scoring") or {}).get("carry") or [])
            self.required = {*self.carry, *(name for name, needs in zip(self.names, document.required) if needs)}
            self.added = ["inference_id", *sorted(data["models"]), f"{document.target}_predicted"]
            """The columns that the scored file has in addition to those of the dropped file."""
            self.columns = [ScoringColumn(column) for column in data["document"]["schema"]["columns"]]
            # A job written before the number was counted: use that of the widest possible model.
            self.rows_per_part = int(data.get("rows_per_part") or FEWEST_ROWS)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            text = f"the scoring job can't be used: {type(error).__name__} {error}"
            raise BadInput("BadDocument", text) from error


class Parts:
    """The files of rows: `rows-00000000.csv` and so on, each with at most `size` rows."""

    def __init__(self, folder: Path, size: int):
        self._folder, self._size = folder, max(size, 1)
        self._rows = 0
        self._file: Optional[TextIO] = None
        self._write: Callable[[List[str]], Any] = self.write

    def write(self, row: List[str]) -> None:
        if self._rows % self._size == 0:
            self._close()
            # Eight digits: a file of 1 GiB has fewer rows, and sorting by name keeps the order of the rows.
            self._file = create(self._folder / f"rows-{self._rows // self._size:08}.csv")
            self._write = csv.writer(self._file, lineterminator="\n").writerow
        self._write(row)
        self._rows += 1

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


class Cell(NamedTuple):
    """A field: its canonical text (empty if there is none), what is wrong with it, and whether it holds a value at
    all."""

    text: str
    mistake: Optional[str]
    missing: bool
    readable: bool


class ScoringColumn:
    """A raw column by the rules for prediction requests: gives a field's canonical text, or says what is wrong with
    it."""

    def __init__(self, description: Dict[str, Any]):
        self.name: str = description["name"]
        self._required = bool(description.get("required", False))
        self._minimum, self._maximum = (description.get(bound) for bound in ("minimum", "maximum"))
        self.type: str = description["type"]
        self._column = Column({"name": self.name, "type": self.type})
        categories = description.get("categories") or {}
        self._words: Optional[List[str]] = None if categories.get("open", True) else list(categories["values"])
        self.reader: Optional[Callable[[str], str]] = None
        """A function that turns a field into the text that requests use."""
        self._known: Dict[str, Cell] = {}

    def values(self) -> unreadable.Values:
        """A count of the column's values."""
        return unreadable.Values(self.name, self._column.type, self._words)

    def read(self, field: str) -> Cell:
        """Reads a field."""
        known = self._known.get(field)
        if known is None:
            known = self._read(field if self.reader is None else self.reader(field))
            if len(field) > _MAX_REMEMBERED:
                return known
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[field] = known
        return known

    def _read(self, field: str) -> Cell:
        value = self._column.parse_unbounded(field)
        mistake = self._mistake(value, field)
        missing = _ANY_TEXT.parse_unbounded(field) is None
        readable = missing or not (value is None or (self._words is not None and value not in self._words))
        if mistake:
            return Cell("", f"`{self.name}` {mistake}", missing, readable)
        return Cell(self._column.text(value), None, missing, readable)

    def _mistake(self, value: Any, field: str) -> Optional[str]:
        """The same message as in functions/invoke-endpoints, but without the field itself, because reasons are
        counted."""
        if value is None:
            if _ANY_TEXT.parse_unbounded(field) is None:
                return "is required" if self._required else None
            return f"must be {_WANTED[self._column.type]}"
        if self._column.type in ("integer", "number"):
            if self._minimum is not None and value < self._minimum:
                return f"must be at least {_plain(self._minimum)}"
            if self._maximum is not None and value > self._maximum:
                return f"must be at most {_plain(self._maximum)}"
        if self._words is not None and value not in self._words:
            more = len(self._words) - _MAX_WORDS
            return f"is none of: {', '.join(self._words[:_MAX_WORDS])}" + (f" and {more} more" if more > 0 else "")
        return None


class _Dealing:
    """Writes each row of a file to one of two places: rows to score, or rejects."""

    def __init__(self, table: Table, job: Job, rows: Parts, rejects: Any, plain: Any):
        self._table, self._job = table, job
        self._write_row = rows.write
        # Quotes everything, because Python would leave a carriage return unquoted.
        self._write_reject = csv.writer(rejects, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerow
        self._write_plain = None if plain is None else _plain_writer(plain)
        self._carried, self._columns = _positions(table, job)
        for column, at in self._columns:
            column.reader = job.dialect.reader(column.type, at in table.typed)
        self._names = [column.name for column, _ in self._columns]
        self.values = [column.values() for column, _ in self._columns]
        self.rows = 0
        """Number of rows that fit the header and are text, whose values are counted."""
        self._broken = 0
        self._first_broken: Optional[str] = None

    def deal(self, reasons: Counter[str]) -> Tuple[int, int]:
        """Processes all rows; returns their number, and how many of them were set aside."""
        header = self._table.header.fields
        self._write_reject(["row", "reason", *header])
        if self._write_plain:
            self._write_plain(header)
        read = rejected = 0
        for record in self._table.rows:
            fields = record.fields
            carried: List[str] = []
            if len(fields) == len(header) and record.readable:
                cells, mistakes = self._cells(fields)
                carried = [_one_line(fields[at]) for at in self._carried]
                mistakes += _too_long(self._names, cells, MAX_ROW_BYTES, "values")
                mistakes += _too_long(self._job.carry, carried, MAX_CARRIED_BYTES, "carried values")
            else:
                cells, mistakes = [], [WRONG_LENGTH if record.readable else UNREADABLE]
            if not record.readable:
                self._broken += 1
                self._first_broken = self._first_broken or self._table.no_text(record)
                fields = [NO_TEXT.sub("\ufffd", field) for field in fields]
            if mistakes:
                rejected += 1
                reasons.update(mistakes)
                self._write_reject([read, "; ".join(mistakes), *fields])
            else:
                self._write_row([f"{self._job.run_id}#{read}", *carried, *cells])
            if self._write_plain:
                self._write_plain(fields)
            read += 1
            if read % PROGRESS_ROWS == 0:
                print(f"read {read} rows, {rejected} of them set aside", flush=True)
        share = self._job.max_unreadable
        if self._broken > share * read:
            text = (
                f"{self._broken} of {read} rows hold bytes that are no text, more than `cleaning.max_unreadable` allows"
            )
            raise BadInput("UnreadableInput", f"{self._table.name}: {text}; the first: {self._first_broken}")
        return read, rejected

    def _cells(self, fields: List[str]) -> Tuple[List[str], List[str]]:
        """The texts of the raw columns, and what is wrong with them."""
        self.rows += 1
        cells, mistakes = [], []
        for (column, at), values in zip(self._columns, self.values):
            field = "" if at is None else fields[at]
            cell = column.read(field)
            cells.append(cell.text)
            if cell.missing:
                values.missing += 1
            elif not cell.readable:
                values.add(field)
            if cell.mistake:
                mistakes.append(cell.mistake)
        return cells, mistakes


def _positions(table: Table, job: Job) -> Tuple[List[int], List[Tuple[ScoringColumn, Optional[int]]]]:
    """Positions of the carried columns, and those of the schema's columns."""
    positions = find_columns(table, job.dialect, [*job.carry, *job.names], job.required)
    taken = [column for column in job.added if column in table.names]
    if taken:
        text = f"{table.name} has a column `{taken[0]}`, which the scored file gets anew: rename or remove it"
        raise BadInput("AmbiguousColumns", text)
    carried = [at for at in positions[: len(job.carry)] if at is not None]  # all are there: they are required
    return carried, list(zip(job.columns, positions[len(job.carry) :]))


def _plain_writer(file: TextIO) -> Callable[[List[str]], Any]:
    """Writes rows with the fewest possible quotes, but quotes a carriage return, which Python would not do."""
    bare = csv.writer(file, lineterminator="\n").writerow
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerow
    return lambda row: quoted(row) if any("\r" in field for field in row) else bare(row)


def _too_long(names: List[str], texts: List[str], most: int, what: str) -> List[str]:
    """The mistake if texts have more bytes together than a request may have: names the longest of them."""
    if sum(map(len, texts)) <= _SURELY_SHORT:
        return []
    sizes = [len(text.encode("utf-8")) for text in texts]
    if sum(sizes) <= most:
        return []
    return [f"`{names[sizes.index(max(sizes))]}` is too long: a row's {what} have at most {most} bytes together"]


def _one_line(field: str) -> str:
    """Replaces newlines, because transform jobs split by line and don't know quotes."""
    return _NEWLINE.sub(" ", field) if "\n" in field or "\r" in field else field


def _plain(number: float) -> str:
    """The number as Rust formats it in messages: without an exponent."""
    text = format(Decimal(repr(float(number))), "f")
    return text[:-2] if text.endswith(".0") else text


if __name__ == "__main__":
    sys.exit(main())
