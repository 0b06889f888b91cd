"""Reads dropped files as records of text: detects the kind of file, decodes its fields, and refuses other files.

`input` of the use-case document says how files are written; compression and Parquet are recognised by their first
bytes. A file that is written differently is refused, if possible with the line to add to the document.
`features.Column` decides what fields mean. start-run checks the first bytes of a drop by the same rules (crates/files).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set

from features import MISSING, number_text, squeeze
from job import BadInput
from unreadable import shown

csv.field_size_limit(1 << 27)  # descriptions outgrow the default of 128 KiB

_HEAD_BYTES = 1 << 16
_BATCH_ROWS = 10_000
_NUL = "\udc00"  # stands for a NUL, which Python's CSV reader does not take
_END = "\udc01"  # the line after the last: within quotes it is not two fields, but the end of one
NO_TEXT = re.compile("[\ud800-\udfff]")
"""Those, and the characters that undecodable bytes are read as."""
_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
_FOREIGN = [
    (b"PK\x03\x04", "a zip archive (an Excel workbook is one)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"%PDF-", "a PDF"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1\0\0", "an Arrow file"),
    (b"SQLite format 3\0", "an SQLite database"),
]


_UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_DECLARED_OTHERWISE = "is text in UTF-8, and the document's `input` names {}: save it so, or remove `encoding`"


class Dialect:
    """How the fields of a file are written: `input` of the use-case document, with its defaults."""

    def __init__(self, data: Optional[Dict[str, Any]] = None, max_bytes: Optional[int] = None):
        data = data or {}
        self.format: str = data.get("format") or "auto"
        self.delimiter: str = data.get("delimiter") or ","
        self.decimal: str = data.get("decimal") or "."
        self.thousands: Optional[str] = data.get("thousands")
        self.encoding: str = data.get("encoding") or "utf-8"
        self.missing = frozenset(squeeze(word).lower() for word in data.get("missing") or [])
        self.max_bytes = max_bytes
        """Maximum number of bytes of text in a compressed file."""
        self._number = _number_pattern(self.decimal, self.thousands)

    def reader(self, type: str, typed: bool = False) -> Optional[Callable[[str], str]]:
        """A function that turns a field into the text that `features.Column` reads; None if they are the same.

        `typed`: the file distinguishes numbers from text, as Parquet does, so that there are no marks to interpret.
        """
        marks = self._number is not None and not typed and type in ("integer", "number")
        if not marks and not self.missing:
            return None
        return lambda field: self._read(field, marks)

    def _read(self, field: str, marks: bool) -> str:
        text = squeeze(field)
        if text.lower() in self.missing:
            return ""
        if not marks or self._number is None or text.lower() in MISSING:
            return field
        found = self._number.fullmatch(text)
        if not found or not (found["whole"] or found["part"]):
            return "unreadable"  # as a number; and it is none of the words for a missing value
        whole = re.sub(r"\D", "", found["whole"])
        return f"{found['sign']}{whole}.{found['part'] or '0'}{found['exponent']}"


def _number_pattern(decimal: str, thousands: Optional[str]) -> Optional[re.Pattern[str]]:
    """Numbers with other marks than a point; None if there are none."""
    if decimal == "." and thousands is None:
        return None
    grouped = ""
    if thousands is not None:
        mark = "['\u2019]" if thousands == "'" else re.escape(thousands)
        grouped = rf"\d{{1,3}}(?:{mark}\d{{3}})+|"
    return re.compile(
        rf"(?P<sign>[+-]?)(?P<whole>{grouped}\d*)(?:{re.escape(decimal)}(?P<part>\d*))?(?P<exponent>(?:[eE][+-]?\d+)?)",
        re.ASCII,
    )


class Record(NamedTuple):
    """A row's fields, whether all of it was text, and its place: the first line in CSV, the row number in Parquet."""

    fields: List[str]
    readable: bool
    place: int


class Table:
    """An open file: its header, its rows, and the properties of its columns."""

    def __init__(
        self, name: str, header: Record, rows: Iterator[Record], plain: bool, typed: Optional[Set[int]], encoding: str
    ):
        self.name = name
        self.header = header
        self.names = [field.strip() for field in header.fields]
        self.rows = rows
        self.plain = plain
        """Whether the file is uncompressed CSV in UTF-8, separated by commas."""
        self.parquet = typed is not None
        self.typed: Set[int] = typed or set()
        """Positions of the columns that the file itself declares as numbers."""
        self._encoding = encoding

    def no_text(self, record: Record, columns: Optional[Sequence[Optional[int]]] = None) -> Optional[str]:
        """Which field of a record is no text, and what to do about it; None if those of `columns` are all text."""
        broken = (at for at, field in enumerate(record.fields) if NO_TEXT.search(field))
        at = next((at for at in broken if columns is None or at in columns), None)
        if at is None:
            return None
        named = at < len(self.names) and self.names[at]
        column = f"column `{shown(self.names[at])}`" if named else f"column {at + 1}"
        where = f"row {record.place}, counted from 0" if self.parquet else f"line {record.place}"
        if _NUL in record.fields[at]:
            return f"{where}, {column}, is binary, not text: it holds NUL bytes. Write the file again without them"
        if self.parquet:
            return f"{where}, {column}, is no text in UTF-8: store the column as text, or leave it out"
        written = "".join(record.fields).replace(_NUL, "").encode("utf-8", "surrogateescape")
        remedy = _saved_otherwise(written, self._encoding)
        return f"{where}, {column}, is no text in {self._encoding.upper()}: {remedy}"


def input_files(folder: Path) -> List[Path]:
    """The files of a job's input, in the order of their names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise BadInput("NoInput", "the job's input holds no file")
    return files


def open_table(path: Path, dialect: Dialect) -> Table:
    """Opens the file at `path`. Messages use its name."""
    name = path.name
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(b"PAR1"):
        if dialect.format == "csv":
            raise _unreadable(name, "is a Parquet file, and the document takes CSV alone: remove `format` of `input`")
        return _parquet(path)
    if dialect.format == "parquet":
        raise _unreadable(name, "is no Parquet file, and the document takes no other: remove `format` of `input`")
    binary, compressed = _decompressed(path, head, dialect)
    head = binary.peek(_HEAD_BYTES)[:_HEAD_BYTES] if compressed else head
    _refuse_foreign(name, head, dialect, compressed)
    rows = _records(_text(binary, head, dialect), name, dialect)
    header = next(rows, Record([], True, 1))
    if not header.readable:
        remedy = _saved_otherwise(head, dialect.encoding)
        raise _unreadable(name, f"has a header that is no text in {dialect.encoding.upper()}: {remedy}")
    plain = (
        not compressed and dialect.encoding == "utf-8" and dialect.delimiter == "," and name.lower().endswith(".csv")
    )
    return Table(name, header, rows, plain, None, dialect.encoding)


def plain_name(name: str) -> str:
    """The name of the same rows as a plain CSV file: `stock.csv` for `stock.csv.gz` and `stock.parquet`."""
    return (re.sub(r"(?i)(\.(csv|tsv|txt|parquet|gz|gzip|zst|zstd))+$", "", name) or "data") + ".csv"


def _unreadable(name: str, text: str) -> BadInput:
    return BadInput("UnreadableInput", f"{name} {text}")


def _decompressed(path: Path, head: bytes, dialect: Dialect) -> Any:
    """The bytes of the text, which can be read once, and whether they were compressed."""
    if head.startswith(b"\x1f\x8b"):
        stream: Any = gzip.open(path, "rb")
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        stream = _arrow(path.name).input_stream(str(path), compression="zstd")
    else:
        return open(path, "rb"), False
    return io.BufferedReader(_Bounded(stream, path.name, dialect.max_bytes), 1 << 17), True


class _Bounded(io.RawIOBase):
    """A decompressed stream. Data that can't be decompressed, or that is too large, ends the job with a message."""

    def __init__(self, stream: Any, name: str, max_bytes: Optional[int]):
        self._stream, self._name, self._left = stream, name, max_bytes
        self._max_bytes = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise _unreadable(self._name, f"can't be decompressed: {error}; drop it again") from error
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                allowed = f"the use case allows {self._max_bytes}: drop fewer rows, or raise `drops.max_bytes`"
                raise BadInput("InputTooLarge", f"{self._name} is larger than that once decompressed; {allowed}")
        buffer[: len(data)] = data
        return len(data)


def _arrow(name: str) -> Any:
    try:
        import pyarrow  # part of the SKLearn image
    except ImportError as error:
        text = "needs pyarrow, which this image has not: drop plain CSV, or CSV compressed with gzip"
        raise _unreadable(name, text) from error
    return pyarrow


def _refuse_foreign(name: str, head: bytes, dialect: Dialect, compressed: bool) -> None:
    """Refuses files that are not CSV, and text in another encoding than the document's, as far as the first bytes
    tell."""
    kind = next((kind for magic, kind in _FOREIGN if head.startswith(magic)), None)
    if compressed and head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        kind = "compressed twice"
    elif compressed and head.startswith(b"PAR1"):
        kind = "a compressed Parquet file: drop it as it is"
    elif head[257:262] == b"ustar":
        kind = "a tar archive"
    if kind:
        raise _unreadable(name, f"is {kind}, and not CSV: drop CSV, CSV in gzip or zstd, or Parquet")
    if head.startswith(_UTF_32):
        raise _unreadable(name, "is text in UTF-32, which is not read: save it in UTF-8")
    if dialect.encoding == "utf-16":
        if head and b"\0" not in head and not utf_16(head):  # every ASCII character, each line end, would hold one
            if _decodes(head):
                raise _unreadable(name, _DECLARED_OTHERWISE.format(dialect.encoding))
            raise _unreadable(name, f"is no text in UTF-16: {encoding_hint(head)}")
    else:
        if utf_16(head):
            raise _unreadable(name, "is text in UTF-16: add `input: { encoding: utf-16 }` to the document")
        if b"\0" in head.split(b"\n", 1)[0]:
            raise _unreadable(name, "is binary, not text: it holds NUL bytes. Drop CSV, or Parquet")
    if dialect.encoding != "utf-8" and is_utf_8(head):
        raise _unreadable(name, _DECLARED_OTHERWISE.format(dialect.encoding))


def utf_16(head: bytes) -> Optional[str]:
    """The codec of UTF-16 text, detected by its byte order mark or by the NULs of its ASCII letters."""
    if head.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if head.startswith(b"\xfe\xff"):
        return "utf-16-be"
    start = head[:64]
    nuls = [sum(byte == 0 for byte in start[at::2]) for at in (0, 1)]
    pairs = len(start) // 2
    if pairs >= 2 and nuls[1] * 2 > pairs and not nuls[0]:
        return "utf-16-le"
    if pairs >= 2 and nuls[0] * 2 > pairs and not nuls[1]:
        return "utf-16-be"
    return None


def is_utf_8(head: bytes) -> bool:
    """Whether bytes are certainly UTF-8 text: valid, and with other characters than those that all encodings share."""
    return _decodes(head) and not head.isascii()


def _decodes(head: bytes) -> bool:
    """Whether bytes may be text in UTF-8."""
    for cut in range(4):  # the head may end within a character
        try:
            head[: len(head) - cut].decode("utf-8")
            return True
        except UnicodeDecodeError:
            continue
    return False


def _saved_otherwise(text: bytes, encoding: str) -> str:
    """What to do with bytes that are no text in that encoding."""
    return encoding_hint(text) if encoding == "utf-8" else f"save it in {encoding.upper()}"


def encoding_hint(text: bytes) -> str:
    """What to do with bytes that are not UTF-8: names their most likely encoding."""
    line = f"`input: {{ encoding: {likely_encoding(text)} }}`"
    return f"add {line} to the document if that is how it was saved, or save it in UTF-8"


def likely_encoding(text: bytes) -> str:
    """The most likely encoding, by bytes that are letters of Central European languages in cp1250, but signs that don't
    occur in words in cp1252."""
    central = b"\xb9\xb3\xbf\x9c\x9f\xa5\xa3\x8c\x8f\xaf\x9e\x9a\xec\xf8\xf9"
    found = re.findall(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*", text)
    words = [word for word in found if len(word) > 1]
    hits = sum(any(byte in central for byte in word) for word in words)
    return "cp1250" if hits * 3 > len(words) else "cp1252"


def _text(binary: BinaryIO, head: bytes, dialect: Dialect) -> io.TextIOWrapper:
    encoding = {"utf-8": "utf-8-sig", "latin-1": "iso-8859-1", "latin-2": "iso-8859-2"}.get(
        dialect.encoding, dialect.encoding
    )
    if encoding == "utf-16" and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = utf_16(head) or "utf-16-le"
    return io.TextIOWrapper(binary, encoding=encoding, errors="surrogateescape", newline="")


def _records(file: Iterable[str], name: str, dialect: Dialect) -> Iterator[Record]:
    """The file's records, the header first; blank lines are skipped."""
    end = _END + dialect.delimiter
    lines = _Lines(file, end)
    taken, line = 0, 1
    reader = csv.reader(lines, delimiter=dialect.delimiter)
    try:
        for fields in reader:
            begins, line = line, reader.line_num + 1
            if not fields:
                continue
            if fields == [_END, ""]:
                return
            if fields[-1].endswith(end):
                # The file ends within quotes, so that all rows since the opening quote are one field.
                where = f"row {taken - 1}" if taken else "the header"
                opening = NO_TEXT.sub("", ",".join(fields)[:80])
                text = f"ends within quotes: {where}, counted from 0, opens some that nothing closes: {opening}"
                raise _unreadable(name, text)
            taken += 1
            yield Record(fields, lines.taken_readable(), begins)
    except csv.Error as error:
        raise _unreadable(name, f"is no CSV after {max(taken - 1, 0)} rows: {error}") from error
    except UnicodeError as error:
        raise _unreadable(name, f"is no text in {dialect.encoding} after {max(taken - 1, 0)} rows: {error}") from error


class _Lines:
    """Lines for a CSV reader, which accepts no NUL and doesn't say whether a file ends within quotes. Markers replace
    both."""

    def __init__(self, file: Iterable[str], end: str):
        self._lines = iter(file)
        self._end = end
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
            return self._end
        if "\0" in line:
            self._readable = False
            return line.replace("\0", _NUL)
        if not line.isascii() and NO_TEXT.search(line):
            self._readable = False
        return line


def _parquet(path: Path) -> Table:
    """The rows of a Parquet file, as the text that they would have in CSV."""
    _arrow(path.name)
    import pyarrow as arrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(str(path))
        fields = list(file.schema_arrow)
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path.name, f"can't be read as Parquet: {error}; write it again") from error
    typed = {at for at, field in enumerate(fields) if not _is_text(field.type, arrow)}
    header = Record([field.name for field in fields], True, 0)
    return Table(path.name, header, _parquet_rows(file, path.name, typed), False, typed, "utf-8")


def _is_text(type: Any, arrow: Any) -> bool:
    """Bytes count as text, because older programs write text so."""
    if arrow.types.is_dictionary(type):
        type = type.value_type
    kinds = ("string", "large_string", "binary", "large_binary", "fixed_size_binary")
    return any(getattr(arrow.types, f"is_{kind}")(type) for kind in kinds)


def _parquet_rows(file: Any, name: str, typed: Set[int]) -> Iterator[Record]:
    import pyarrow as arrow

    taken = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            columns = [[cell_text(value) for value in column.to_pylist()] for column in batch.columns]
            broken = set().union(*(_no_text(column) for at, column in enumerate(columns) if at not in typed))
            for at, fields in enumerate(zip(*columns)):
                yield Record(list(fields), at not in broken, taken + at)
            taken += batch.num_rows
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _unreadable(name, f"can't be read as Parquet after {taken} rows: {error}; write it again") from error


def _no_text(column: List[str]) -> Set[int]:
    """The rows whose field is no text; NULs are replaced by a marker in place."""
    whole = "".join(column)
    if "\0" not in whole and (whole.isascii() or not NO_TEXT.search(whole)):
        return set()
    column[:] = [field.replace("\0", _NUL) for field in column]
    return {at for at, field in enumerate(column) if NO_TEXT.search(field)}


def cell_text(value: Any) -> str:
    """The text that a value of a typed file would have in CSV; nulls and NaN are empty."""
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def header_hint(header: Sequence[str], needed: Sequence[str], dialect: Dialect) -> Optional[str]:
    """What a header that lacks columns seems to be instead, and what to do."""
    if header and header[0].lstrip()[:1] in ("{", "["):
        return "it is JSON, not CSV: write a header and a row a line, or Parquet"
    line = dialect.delimiter.join(header)
    for delimiter, spoken in _DELIMITERS.items():
        names = {name.strip().strip('"') for name in line.split(delimiter)}
        if delimiter != dialect.delimiter and len(names) > 1 and names.intersection(needed):
            told = json.dumps(delimiter)
            return f"its fields are separated by {spoken}: add `input: {{ delimiter: {told} }}` to the document"
    if not set(header).intersection(needed) and any(_is_number(name) for name in header):
        return "it has no header: its first line is a row. Put a line with the columns' names above it"
    return None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d[\d.,]*", text.strip(), re.ASCII) is not None
