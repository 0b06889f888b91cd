"""Consolidates the captures of a window that are too many for the function `consolidate-captures`.

    consolidate_captures.py --sources_uri s3://.../sources.json --folder_uri s3://.../monitoring/<model>/<run>

A job of AWS Glue 5.0 (Spark 3.5, Python 3.11). It reads the files that `sources.json` lists, no others, and writes
below the window's folder

    input/data/part-00000.csv          with header: the champion's raw columns, `prediction`
    input/records/part-00000.jsonl.gz  a JSON line a record: who answered what, when, for which row
    input/consolidated.json            counts, what was skipped and why, the scoring runs; last, when all is well

What counts as a record is said in docs/consolidation.md; the function's rules are the same, and the same golden files
hold both to them. Files are dealt out to parts in their order, each part is read and written by one task, and a part's
names and bytes depend on the list alone: a task or job that is tried again writes the same over it. So there is nothing
to shuffle, to commit or to clean up.

Not here: ground truth and the window's documents, which the function makes of this (its step `adopt`), and
`job.init`/`job.commit`: Glue's bookmark would move on before the analysis has succeeded, ours does not.
"""

from __future__ import annotations

import argparse
import base64
import csv
import gzip
import io
import json
import os
import re
import shutil
import tempfile
from datetime import datetime, timezone
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union
from urllib.parse import unquote, urlsplit

NOT_A_RECORD = "the line is no captured record"
ONE_SIDED = "the line lacks its input or its output"
NOT_CSV = "input or output is no CSV"
OTHER_COUNT = "there are not as many answers as rows"
OTHER_LENGTH = "the row has another number of fields than the champion has columns"
NO_NUMBER = "the answer is no number"
OTHER_COLUMNS = "the file has other columns than the champion"
NO_TEXT = "the row is no text in UTF-8"

PART_BYTES = 64 * 1024 * 1024  # of captures: a task's work; a file is never divided
_READ_BYTES = 8 * 1024 * 1024
_WRITE_BYTES = 256 * 1024
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_PART = re.compile(r"(.+)\+([1-9][0-9]{0,2})", re.DOTALL)
_RUN = re.compile(r"[0-9]{8}t[0-9]{6}z-[0-9a-f]{8}(-r[0-9]+)?")

# Captured payloads are at most 25 MB, and a field is no longer than its payload.
csv.field_size_limit(2**31 - 1)


def main(arguments: Optional[Sequence[str]] = None) -> None:
    from pyspark.sql import SparkSession

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--sources_uri", required=True, help="the list of capture files")
    parser.add_argument("--folder_uri", required=True, help="the window's folder")
    parser.add_argument("--part_bytes", type=int, default=PART_BYTES, help="about so many bytes of captures a task")
    # Glue passes arguments of its own too.
    options, _ = parser.parse_known_args(arguments)
    session = SparkSession.builder.appName("consolidate-captures").getOrCreate()
    summary = consolidate(session.sparkContext, options.sources_uri, options.folder_uri, options.part_bytes)
    print(json.dumps(summary))


def consolidate(context: Any, sources_uri: str, folder_uri: str, part_bytes: int = PART_BYTES) -> Dict[str, Any]:
    """The whole job on a Spark context; returns what consolidated.json holds."""
    sources = Sources.read(read(sources_uri))
    parts = list(enumerate(deal(sources.files, part_bytes)))
    # Tasks need to know of their own files only.
    of_all = sources._replace(files=[])
    done: List[Part] = []
    if parts:
        tasks = context.parallelize(parts, len(parts))
        done = tasks.map(lambda part: write_part(of_all, part[0], part[1], folder_uri)).collect()
    summary = summarise(done)
    write(f"{folder_uri}/input/consolidated.json", json.dumps(summary).encode())
    return summary


# ---------------------------------------------------------------- what is read


class File(NamedTuple):
    """A capture file. `number` is its place in the list."""

    number: int
    uri: str
    bytes: int
    last_modified: str

    @property
    def scoring_run(self) -> Optional[str]:
        """The scoring run whose answers it holds; none where an endpoint wrote it."""
        name, dot, end = self.uri.rsplit("/", 1)[-1].rpartition(".")
        return name if dot and end == "csv" else None


class Sources(NamedTuple):
    """`sources.json`."""

    model: str
    champion: str
    endpoint_config: str
    columns: List[str]
    files: List[File]

    @classmethod
    def read(cls, document: bytes) -> Sources:
        content = json.loads(document)
        if content["format"] != 1:
            raise ValueError(f"the list of capture files is of format {content['format']}; this job reads 1")
        files = [
            File(number, file["uri"], file["bytes"], file["last_modified"])
            for number, file in enumerate(content["files"])
        ]
        return cls(content["model"], content["champion"], content["endpoint_config"], content["columns"], files)


class Record(NamedTuple):
    """A predicted row. `answer` is the text of `prediction`, as it came."""

    id: str
    time: str
    request: str
    fields: List[str]
    answer: str
    prediction: float


class Skipped(NamedTuple):
    """Rows that could not be read. `place` orders them: number of the file, line."""

    reason: str
    rows: int
    place: Tuple[int, int]
    first: str


Read = Iterator[Union[Record, Skipped]]


def deal(files: Iterable[File], part_bytes: int) -> Iterator[List[File]]:
    """Files in their order, in parts of about so many bytes."""
    part: List[File] = []
    size = 0
    for file in files:
        if part and size + file.bytes > part_bytes:
            yield part
            part, size = [], 0
        part.append(file)
        size += file.bytes
    if part:
        yield part


def records(sources: Sources, file: File, lines: Iterable[bytes]) -> Read:
    """What a capture file holds."""
    if file.scoring_run is None:
        return of_endpoint(sources, file, lines)
    return of_scoring_run(sources, file, file.scoring_run, lines)


def of_endpoint(sources: Sources, file: File, lines: Iterable[bytes]) -> Read:
    """Lines of data capture, a request each."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = _Place(file, number)
        try:
            yield from _of_request(sources, _Request.parse(line), place)
        except _Unreadable as unreadable:
            yield place.skipped(unreadable.reason, unreadable.rows)


def of_scoring_run(sources: Sources, file: File, run: str, lines: Iterable[bytes]) -> Read:
    """What one model answered in a scoring run: a CSV with header. It counts as asked when the file was written."""
    reader = csv.reader(line.decode("utf-8", "surrogateescape") + "\n" for line in lines)
    expected = ["id", *sources.columns, "prediction"]
    header: Optional[List[str]] = None
    before = 0
    for row in reader:
        place, before = _Place(file, before + 1), reader.line_num
        if not row:
            continue
        if header is None:
            header = [name.lstrip("\ufeff") for name in row]
        elif header != expected or not _RUN.fullmatch(run):
            yield place.skipped(OTHER_COLUMNS)
        elif not _is_text("".join(row)):
            yield place.skipped(NO_TEXT)
        elif len(row) != len(expected):
            yield place.skipped(OTHER_LENGTH)
        else:
            yield _record(row[0], file.last_modified, run, row[1:-1], row[-1].strip(), place)


class _Unreadable(Exception):
    def __init__(self, reason: str, rows: int = 1) -> None:
        super().__init__(reason)
        self.reason, self.rows = reason, rows


class _Place(NamedTuple):
    file: File
    line: int

    def skipped(self, reason: str, rows: int = 1) -> Skipped:
        return Skipped(reason, rows, (self.file.number, self.line), f"{self.file.uri}:{self.line}")


class _Request(NamedTuple):
    id: str
    time: str
    input: str
    output: str

    @classmethod
    def parse(cls, line: bytes) -> _Request:
        try:
            content = json.loads(line.decode())
            metadata = content["eventMetadata"]
            inference_id = metadata.get("inferenceId")
            id = _text(metadata["eventId"] if inference_id in (None, "") else inference_id)
            time = utc(_text(metadata["inferenceTime"]))
            data = content["captureData"]
            sides = [data.get(name) for name in ("endpointInput", "endpointOutput")]
            texts = [None if side is None else (_text(side["data"]), _text(side["encoding"])) for side in sides]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise _Unreadable(NOT_A_RECORD) from None
        if None in texts:
            raise _Unreadable(ONE_SIDED)
        return cls(id, time, *(_csv_text(*text) for text in texts))


def _of_request(sources: Sources, request: _Request, place: _Place) -> Read:
    single = len(sources.columns) == 1
    read = csv.reader(io.StringIO(request.input, newline=""))
    # A line of blanks is nothing; a missing value that is the whole row is written `""`.
    rows = [row for row in read if len(row) > 1 or (row and (single or row[0].strip()))]
    answers = [answer for line in request.output.split("\n") if (answer := line.strip())]
    if len(rows) != len(answers):
        raise _Unreadable(OTHER_COUNT, max(len(rows), 1))
    # A request that is too wide for one call: invoke-endpoints says where the rows of a further one begin.
    part = _PART.fullmatch(request.id)
    id, first = (part[1], int(part[2])) if part else (request.id, 0)
    for number, (row, answer) in enumerate(zip(rows, answers), first):
        if len(row) == len(sources.columns):
            yield _record(f"{id}#{number}", request.time, id, row, answer, place)
        else:
            yield place.skipped(OTHER_LENGTH)


def _record(id: str, time: str, request: str, fields: List[str], answer: str, place: _Place) -> Union[Record, Skipped]:
    # Python reads more as a number than others do: `1_000`, say.
    prediction = float(answer) if _NUMBER.fullmatch(answer) else float("inf")
    if abs(prediction) == float("inf"):
        return place.skipped(NO_NUMBER)
    return Record(id, time, request, fields, answer, prediction)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not _is_text(value):
        raise TypeError("not a text")
    return value


def _is_text(value: str) -> bool:
    """Whether it can be written: JSON can hold half a character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _csv_text(data: str, encoding: str) -> str:
    if encoding == "CSV":
        return data
    try:
        if encoding == "BASE64":
            return base64.b64decode(data, validate=True).decode()
    except ValueError:
        pass
    raise _Unreadable(NOT_CSV)


def utc(time: str) -> str:
    """A time with its offset, as all our documents write it: in UTC, fractions only where there are any."""
    read = datetime.fromisoformat(time)
    if read.tzinfo is None:
        raise ValueError(f"`{time}` has no offset")
    text = read.astimezone(timezone.utc).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


# ---------------------------------------------------------------- what is written


class Part(NamedTuple):
    """What became of a part's files."""

    records: int
    batch_records: int
    skipped: List[Skipped]
    scoring_runs: List[str]


def write_part(sources: Sources, number: int, files: Sequence[File], folder_uri: str) -> Part:
    """A task: reads the files of a part and writes its two files, unless it has no records."""
    count = batch = 0
    skipped: Dict[str, Skipped] = {}
    runs: List[str] = []
    with tempfile.TemporaryFile() as data_file, tempfile.TemporaryFile() as records_file:
        text = io.TextIOWrapper(data_file, encoding="utf-8", newline="")
        rows = csv.writer(_Lines(text), lineterminator="\r\n")
        rows.writerow([*sources.columns, "prediction"])
        # Without name and time in its header, so that the same records are the same bytes.
        zipped = gzip.GzipFile("", "wb", compresslevel=1, fileobj=records_file, mtime=0)
        packed = io.BufferedWriter(zipped, _WRITE_BYTES)
        for file in files:
            before, line_of = count, record_writer(sources, file)
            with open_file(file.uri) as stream:
                for found in records(sources, file, split_lines(stream)):
                    if isinstance(found, Skipped):
                        add(skipped, found)
                        continue
                    rows.writerow([*found.fields, found.answer])
                    packed.write(line_of(found))
                    count += 1
            if file.scoring_run is not None and count > before:
                batch += count - before
                runs.append(file.scoring_run)
        text.detach()  # flushes, and leaves the file open
        packed.close()
        if count:
            upload(f"{folder_uri}/input/data/part-{number:05}.csv", data_file)
            upload(f"{folder_uri}/input/records/part-{number:05}.jsonl.gz", records_file)
    return Part(count, batch, list(skipped.values()), runs)


class _Lines(NamedTuple):
    """Ends lines with a newline alone. Python's writer quotes a carriage return only where it is part of the end."""

    text: io.TextIOBase

    def write(self, line: str) -> None:
        self.text.write(line[:-2] + "\n")


def record_writer(sources: Sources, file: File) -> Callable[[Record], bytes]:
    """What makes a line of a file's records, as reporting has it (`PredictionRow`); missing values are left out.

    Written by hand, since most of a line is the same in all, and this is what a task spends most of its time on.
    """
    text = encode_basestring
    source = "endpoint" if file.scoring_run is None else "batch"
    model = f'{{"model":{text(sources.model)},"id":'
    of_file = (
        f',"source":"{source}","file":{text(file.uri)},"champion":{text(sources.champion)},'
        f'"endpoint_config":{text(sources.endpoint_config)},"prediction":'
    )
    names = [f"{text(name)}:" for name in sources.columns]

    def write(record: Record) -> bytes:
        features = ",".join([name + text(value) for name, value in zip(names, record.fields) if value])
        asked = f'{text(record.id)},"time":{text(record.time)},"request":{text(record.request)}'
        return f'{model}{asked}{of_file}{record.prediction!r},"features":{{{features}}}}}\n'.encode()

    return write


def add(skipped: Dict[str, Skipped], new: Skipped) -> None:
    """Counts rows under their reason, of which the first place is kept."""
    old = skipped.get(new.reason)
    if old is not None:
        first = min(old, new, key=lambda one: one.place)
        new = first._replace(rows=old.rows + new.rows)
    skipped[new.reason] = new


def summarise(parts: Iterable[Part]) -> Dict[str, Any]:
    """`consolidated.json`. Reasons stand in the order of their rows, the most frequent first."""
    skipped: Dict[str, Skipped] = {}
    count = batch = 0
    runs: Dict[str, None] = {}
    for part in parts:
        count, batch = count + part.records, batch + part.batch_records
        runs.update(dict.fromkeys(part.scoring_runs))
        for one in part.skipped:
            add(skipped, one)
    ordered = sorted(skipped.values(), key=lambda one: (-one.rows, one.reason))
    return {
        "records": count,
        "batch_records": batch,
        "skipped": [{"reason": one.reason, "rows": one.rows, "first": one.first} for one in ordered],
        "scoring_runs": sorted(runs),
    }


# ---------------------------------------------------------------- where it lies: s3:// on AWS, file:// elsewhere


def split_lines(stream: Any, size: int = _READ_BYTES) -> Iterator[bytes]:
    """The lines of a file, without their ends."""
    rest = b""
    while chunk := stream.read(size):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest


def open_file(uri: str) -> Any:
    """A file to be read; the caller closes it."""
    return _by_scheme(uri, lambda path: path.open("rb"), lambda s3, at: s3.get_object(**at)["Body"])


def read(uri: str) -> bytes:
    with open_file(uri) as stream:
        return stream.read()


def write(uri: str, content: bytes) -> None:
    upload(uri, io.BytesIO(content))


def upload(uri: str, content: BinaryIO) -> None:
    """Writes a file from its beginning; it is there whole or not at all."""
    content.seek(0)
    _by_scheme(
        uri,
        lambda path: _replace(path, content),
        lambda s3, at: s3.upload_fileobj(content, at["Bucket"], at["Key"]),
    )


def _by_scheme(uri: str, local: Callable[[Path], Any], remote: Callable[[Any, Dict[str, str]], Any]) -> Any:
    scheme, _, rest = uri.partition("://")
    if scheme == "file":
        return local(Path(unquote(urlsplit(uri).path)))
    if scheme != "s3":
        raise ValueError(f"`{uri}` is neither s3:// nor file://")
    import boto3

    bucket, _, key = rest.partition("/")
    return remote(boto3.client("s3"), {"Bucket": bucket, "Key": key})


def _replace(path: Path, content: BinaryIO) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        shutil.copyfileobj(content, file)
    os.replace(file.name, path)


if __name__ == "__main__":
    main()
