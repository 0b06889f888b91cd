"""Makes rows to score of a dropped file: each in the one form that requests have too, bad ones set aside.

    prepare_scoring.py --input DIR --job scoring.json --output DIR

Reads the one CSV of the input folder and writes

    rows/rows-00000000.csv, …  row id, carried columns, raw columns; no header: what transform jobs read
    rejects/rejects.csv     with header: number of the row, reason, the row's fields as they came
    prepared/summary.json   counts and reasons

No file of rows has more rows than the job says: a transform job sends no rows of two files in one request, so that what
the pipeline makes of a request stays below what its containers take, however wide its features are.

A row's id is `<run id>#<number>`; rows are numbered from 0 in the dropped file, those set aside included. A row is set
aside for what a prediction request would be refused for, in the same words. A mistake in the whole file ends with exit
code 1 and one line, `ErrorType: what is wrong`, in the job's exit message. Rows are streamed; none stays in memory.

What the file's fields mean is `features.Column`'s business; `drivetrain-combine` puts answers and rows together again.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, TextIO, Tuple

from cleaning import PROGRESS_ROWS, Document, csv_files, find_columns, read_document
from features import Column
from job import BadInput, as_json, create, run

WRONG_LENGTH = "the row has another number of fields than the header"
UNREADABLE = "the row holds bytes that are no text in UTF-8"

FEWEST_ROWS = 120  # 2,000 numbers of up to 25 bytes each, in 6 MB

_NUL = "\udc00"  # stands for a NUL, which Python's CSV reader does not take
_END = "\udc01,"  # the line after the last: within quotes it is not two fields, but the end of one
_NO_TEXT = re.compile("[\ud800-\udfff]")  # those, and what undecodable bytes are read as
_NEWLINE = re.compile("\r\n?|\n")
_MAX_WORDS = 20  # the most known words that a reason lists
_MAX_KNOWN = 20_000  # fields that are remembered by column
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
    """The whole job; returns what summary.json holds."""
    job = Job(read_document(description))
    files = csv_files(source)
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise BadInput("SeveralInputs", f"a scoring run takes one file; the input holds {names}")
    for folder in ("rows", "rejects", "prepared"):
        (target / folder).mkdir(parents=True, exist_ok=True)
    reasons: Counter[str] = Counter()
    with Parts(target / "rows", job.rows_per_part) as rows, create(target / "rejects" / "rejects.csv") as rejects:
        read, rejected = _deal(files[0], job, rows, rejects, reasons)
    # The most frequent first; of equals the first in the alphabet, so that the same file gives the same bytes.
    counted = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    if read == rejected:
        why = "; ".join(f"{reason} ({count})" for reason, count in counted)
        raise BadInput(
            "NoUsableRows", f"0 of {read} rows of {files[0].name} can be scored" + (f": {why}" if why else "")
        )
    summary = {
        "rows": read,
        "usable": read - rejected,
        "rejected": rejected,
        "reasons": counted,
        "file": files[0].name,
    }
    (target / "prepared" / "summary.json").write_bytes(as_json(summary))
    print(f"done: {read} rows read, {rejected} of them set aside", flush=True)
    return summary


class Job:
    """What this script needs of `scoring.json`."""

    def __init__(self, data: Dict[str, Any]):
        try:
            self.run_id = str(data["run_id"])
            document = Document(data["document"])
            self.names = document.names
            self.carry: List[str] = list((data["document"].get("scoring") or {}).get("carry") or [])
            self.required = {*self.carry, *(name for name, needs in zip(self.names, document.required) if needs)}
            self.added = ["inference_id", *sorted(data["models"]), f"{document.target}_predicted"]
            """What the scored file has beside the dropped file's columns."""
            self.columns = [ScoringColumn(column) for column in data["document"]["schema"]["columns"]]
            # A job written before it was counted: what the widest model takes.
            self.rows_per_part = int(data.get("rows_per_part") or FEWEST_ROWS)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            text = f"the scoring job can't be used: {type(error).__name__} {error}"
            raise BadInput("BadDocument", text) from error


class Parts:
    """The files of rows: `rows-00000.csv` and so on, none with more than `size` rows."""

    def __init__(self, folder: Path, size: int):
        self._folder, self._size = folder, max(size, 1)
        self._rows = 0
        self._file: Optional[TextIO] = None
        self._write: Callable[[List[str]], Any] = self.write

    def write(self, row: List[str]) -> None:
        if self._rows % self._size == 0:
            self._close()
            # Eight digits: a file of 1 GiB has fewer rows, and the order of names is that of the rows.
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


class ScoringColumn:
    """A raw column as a prediction request sees it: a field's one form, or what is wrong with the field."""

    def __init__(self, description: Dict[str, Any]):
        self.name: str = description["name"]
        self._required = bool(description.get("required", False))
        self._minimum, self._maximum = (description.get(bound) for bound in ("minimum", "maximum"))
        self._column = Column({"name": self.name, "type": description["type"]})
        categories = description.get("categories") or {}
        self._words: Optional[List[str]] = None if categories.get("open", True) else list(categories["values"])
        self._known: Dict[str, Tuple[str, Optional[str]]] = {}

    def read(self, field: str) -> Tuple[str, Optional[str]]:
        """The text, empty where the value is missing; and the mistake, None where there is none."""
        known = self._known.get(field)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[field] = self._read(field)
        return known

    def _read(self, field: str) -> Tuple[str, Optional[str]]:
        value = self._column.parse_unbounded(field)
        mistake = self._mistake(value, field)
        return ("", f"`{self.name}` {mistake}") if mistake else (self._column.text(value), None)

    def _mistake(self, value: Any, field: str) -> Optional[str]:
        """As functions/invoke-endpoints says it, but without the field itself: reasons are counted."""
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


class _Record(NamedTuple):
    fields: List[str]
    readable: bool


def _deal(path: Path, job: Job, rows: Parts, rejects: Any, reasons: Counter[str]) -> Tuple[int, int]:
    """Writes each row to one of the two files; how many there were, and how many of them were set aside."""
    # In quotes all of it: of itself Python would leave a carriage return without.
    write_reject = csv.writer(rejects, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerow
    read = rejected = 0
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            records = _records(file, path.name)
            header = next(records, _Record([], True))
            if not header.readable:
                raise BadInput(
                    "UnreadableInput", f"the header of {path.name} is no text in UTF-8: save it as CSV in UTF-8"
                )
            carried, columns = _positions(path.name, [name.strip() for name in header.fields], job)
            write_reject(["row", "reason", *header.fields])
            for record in records:
                if len(record.fields) == len(header.fields) and record.readable:
                    cells, mistakes = _cells(record.fields, columns)
                else:
                    cells, mistakes = [], [WRONG_LENGTH if record.readable else UNREADABLE]
                if mistakes:
                    rejected += 1
                    reasons.update(mistakes)
                    fields = record.fields if record.readable else [_NO_TEXT.sub("\ufffd", it) for it in record.fields]
                    write_reject([read, "; ".join(mistakes), *fields])
                else:
                    rows.write([f"{job.run_id}#{read}", *(_one_line(record.fields[at]) for at in carried), *cells])
                read += 1
                if read % PROGRESS_ROWS == 0:
                    print(f"read {read} rows, {rejected} of them set aside", flush=True)
    except csv.Error as error:
        raise BadInput("UnreadableInput", f"{path.name} is no CSV after {read} rows: {error}") from error
    return read, rejected


def _positions(name: str, header: List[str], job: Job) -> Tuple[List[int], List[Tuple[ScoringColumn, Optional[int]]]]:
    """Where the carried columns stand, and the schema's."""
    positions = find_columns(name, header, [*job.carry, *job.names], job.required)
    taken = [column for column in job.added if column in header]
    if taken:
        text = f"{name} has a column `{taken[0]}`, which the scored file gets anew: rename or remove it"
        raise BadInput("AmbiguousColumns", text)
    carried = [at for at in positions[: len(job.carry)] if at is not None]  # all are there: they are required
    return carried, list(zip(job.columns, positions[len(job.carry) :]))


def _cells(fields: List[str], columns: Sequence[Tuple[ScoringColumn, Optional[int]]]) -> Tuple[List[str], List[str]]:
    """The raw columns' texts, and what is wrong with them."""
    cells, mistakes = [], []
    for column, at in columns:
        text, mistake = column.read("" if at is None else fields[at])
        cells.append(text)
        if mistake:
            mistakes.append(mistake)
    return cells, mistakes


def _records(file: Iterable[str], name: str) -> Iterator[_Record]:
    """The file's records, the header first; blank lines are none."""
    lines = _Lines(file)
    taken = 0
    for fields in csv.reader(lines):
        if not fields:
            continue
        if fields == _END.split(","):
            return
        if fields[-1].endswith(_END):
            # At the end of the file, and still within quotes: every row since they were opened is one field.
            where = f"row {taken - 1}" if taken else "the header"
            begins = _NO_TEXT.sub("", ",".join(fields)[:80])
            text = f"{name} ends within quotes: {where}, counted from 0, opens some that nothing closes: {begins}"
            raise BadInput("UnreadableInput", text)
        taken += 1
        yield _Record(fields, lines.taken_readable())


class _Lines:
    """Lines for a CSV reader. It takes no NUL, and doesn't say whether a file ends within quotes: marks tell both."""

    def __init__(self, file: Iterable[str]):
        self._lines = iter(file)
        self._readable = True
        self._ended = False

    def taken_readable(self) -> bool:
        """Whether all lines since the last call were text."""
        readable, self._readable = self._readable, True
        return readable

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            if self._ended:
                raise StopIteration
            self._ended = True
            return _END
        if "\0" in line:
            self._readable = False
            return line.replace("\0", _NUL)
        if not line.isascii() and _NO_TEXT.search(line):
            self._readable = False
        return line


def _one_line(field: str) -> str:
    """Transform jobs split by line, and know no quotes."""
    return _NEWLINE.sub(" ", field) if "\n" in field or "\r" in field else field


def _plain(number: float) -> str:
    """As Rust writes a number in a message: without exponent."""
    text = format(Decimal(repr(float(number))), "f")
    return text[:-2] if text.endswith(".0") else text


if __name__ == "__main__":
    sys.exit(main())
