"""Files to score: the canonical form of rows, the reasons for setting rows aside, and the messages of failed jobs."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List
from unittest import mock

import pytest
from jobs import HERE, PROCESSING, Job

CELLS, REFUSED = HERE / "data" / "cells", HERE / "data" / "refused"
RUN = "20261122t183000z-0123abcd"


def document(name: Path, **more: Any) -> Dict[str, Any]:
    return {**json.loads((name / "use-case.json").read_text(encoding="utf-8")), **more}


CARS = document(REFUSED, scoring={"carry": ["key"]}, cleaning={"max_unreadable": 1})
HEADER = "key,model,year,note"


def run(
    folder: Path, content: Any, document: Dict[str, Any], name: str = "cars.csv", program: bool = False, **more: Any
) -> Job:
    """Runs prepare_scoring.py on a file with that content; writes below `folder`."""
    import prepare_scoring

    (folder / "in").mkdir(parents=True, exist_ok=True)
    (folder / "in" / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    job = {"run_id": RUN, "document": document, "models": {"xgboost": {}}, **more}
    (folder / "scoring.json").write_text(json.dumps(job), encoding="utf-8")
    arguments = ["--input", str(folder / "in"), "--job", str(folder / "scoring.json"), "--output", str(folder / "out")]
    if program:
        command = [sys.executable, str(PROCESSING / "prepare_scoring.py"), *arguments]
        environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(folder)}
        exit_code = subprocess.run(command, env=environment, check=False).returncode
    else:
        with mock.patch.dict(os.environ, SAGEMAKER_BASE_DIR=str(folder)):
            exit_code = prepare_scoring.main(arguments)
    message = folder / "output" / "message"
    return Job(exit_code, message.read_text(encoding="utf-8") if message.exists() else "", folder / "out")


def table(job: Job, name: str) -> List[List[str]]:
    with open(job.output / name, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def summary(job: Job) -> Dict[str, Any]:
    return json.loads(job.text("prepared/summary.json"))


def test_cells_are_written_as_in_training_and_in_real_time(tmp_path: Path) -> None:
    """Byte for byte; the tests of invoke-endpoints and test_preprocess.py read the same files."""
    job = run(tmp_path, (CELLS / "sent.csv").read_bytes(), document(CELLS), program=True)
    assert job.exit_code == 0, job.message
    written = (CELLS / "written.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert job.lines("rows/rows-00000000.csv") == [f"{RUN}#{number},{row}" for number, row in enumerate(written)]
    assert table(job, "rejects/rejects.csv") == [["row", "reason", "whole", "number", "truth", "word", "price"]]


def test_a_row_is_set_aside_for_what_a_request_is_refused_for(tmp_path: Path) -> None:
    """With the same messages, but without the field's own text; the tests of invoke-endpoints read the same files."""
    job = run(tmp_path, (REFUSED / "sent.csv").read_bytes(), document(REFUSED))
    assert job.exit_code == 0, job.message
    recorded = REFUSED / "reasons.csv"
    reasons = [row[:2] for row in table(job, "rejects/rejects.csv")]
    if os.environ.get("UPDATE_GOLDEN"):
        with open(recorded, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(reasons)
    with open(recorded, newline="", encoding="utf-8") as file:
        assert reasons == list(csv.reader(file))


def test_ids_number_the_rows_of_the_file(tmp_path: Path) -> None:
    job = run(tmp_path, f"{HEADER}\na,c,2015,x\nb,,2015,x\n\nc,c,2016,x\nd,c\ne,c,2017,x\n", CARS)
    assert [row[:4] for row in table(job, "rows/rows-00000000.csv")] == [
        [f"{RUN}#0", "a", "c", "2015"],
        [f"{RUN}#2", "c", "c", "2016"],
        [f"{RUN}#4", "e", "c", "2017"],
    ]
    assert table(job, "rejects/rejects.csv")[1:] == [
        ["1", "`model` is required", "b", "", "2015", "x"],
        ["3", "the row has another number of fields than the header", "d", "c"],
    ]
    assert summary(job) == {
        "rows": 5,
        "usable": 3,
        "rejected": 2,
        "reasons": [["`model` is required", 1], ["the row has another number of fields than the header", 1]],
        "file": "cars.csv",
        "plain": True,
        "unreadable": [],
    }


def test_every_mistake_of_a_row_counts(tmp_path: Path) -> None:
    job = run(tmp_path, f"{HEADER}\n1,,2015,\n2,,soon,\n3,c,2015,\n", CARS)
    assert table(job, "rejects/rejects.csv")[2][1] == "`model` is required; `year` must be a whole number"
    assert summary(job)["reasons"] == [["`model` is required", 2], ["`year` must be a whole number", 1]]
    assert summary(job)["rejected"] == 2


def test_columns_may_come_in_any_order_and_optional_ones_may_lack(tmp_path: Path) -> None:
    job = run(tmp_path, "\ufeffprice, year ,key,model,note,note\r\n1,2015,a,c,,\r\n", CARS)
    assert table(job, "rows/rows-00000000.csv") == [[f"{RUN}#0", "a", "c", "2015", "", "", "", "", ""]]


def test_carried_columns_stay_as_they_are_but_on_one_line(tmp_path: Path) -> None:
    job = run(tmp_path, f'{HEADER}\n"  A ""1"",\nb\r\nc\rd ",c,2015,\n', CARS)
    assert table(job, "rows/rows-00000000.csv")[0][1] == '  A "1", b c d '
    assert len(job.lines("rows/rows-00000000.csv")) == 1


def test_bytes_that_are_no_text_set_aside_their_row_alone(tmp_path: Path) -> None:
    content = f"{HEADER}\n1,c,2015,\n2,caf\u00e9,2015,\n".encode("latin-1") + b'3,c,2015,"a\x00\n\xff\rb"\n4,c,2015,\n'
    job = run(tmp_path, content, CARS)
    assert [row[1] for row in table(job, "rows/rows-00000000.csv")] == ["1", "4"]
    reason = "the row holds bytes that are no text"
    assert table(job, "rejects/rejects.csv")[1:] == [
        ["1", reason, "2", "caf\ufffd", "2015", ""],
        ["2", reason, "3", "c", "2015", "a\ufffd\n\ufffd\rb"],
    ]


def test_too_many_rows_that_are_no_text_refuse_the_file(tmp_path: Path) -> None:
    content = f"{HEADER}\n1,c,2015,\n".encode() + b"2,c,20\x0015,\n3,c,2015,\xb9\n"
    job = run(tmp_path, content, {**CARS, "cleaning": {"max_unreadable": 0.1}})
    assert job.message == (
        "UnreadableInput: cars.csv: 2 of 3 rows hold bytes that are no text, more than `cleaning.max_unreadable` "
        "allows; the first: line 3, column `year`, is binary, not text: it holds NUL bytes. "
        "Write the file again without them"
    )


def test_a_file_may_end_without_newline_or_within_a_row(tmp_path: Path) -> None:
    job = run(tmp_path, f'{HEADER}\n1,c,2015,\n2,c,2015,"x"', CARS)
    assert [row[1] for row in table(job, "rows/rows-00000000.csv")] == ["1", "2"]
    job = run(tmp_path, f"{HEADER}\n1,c,2015,\n2,c,20", CARS)
    assert summary(job)["rejected"] == 1


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    content = (REFUSED / "sent.csv").read_bytes()
    first, second = (run(tmp_path / it, content, document(REFUSED)) for it in "ab")
    for name in ("rows/rows-00000000.csv", "rejects/rejects.csv", "prepared/summary.json"):
        assert first.text(name) == second.text(name)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{HEADER}\n1,,2015,\n2,c,,\n3,,2015,\n", "NoUsableRows: 0 of 3 rows of cars.csv can be scored: `model` is "),
        (f"{HEADER}\n", "NoUsableRows: 0 of 0 rows of cars.csv can be scored"),
        ("", "MissingColumns: cars.csv lacks the columns `key`, `model`, `year`; its header is: empty"),
        ("model,year\nc,2015\n", "MissingColumns: cars.csv lacks the column `key`; its header is: model, year"),
        (f"{HEADER},year\n1,c,2015,,\n", "AmbiguousColumns: cars.csv names `year` twice"),
        (f"{HEADER},xgboost\n1,c,2015,,\n", "AmbiguousColumns: cars.csv has a column `xgboost`, which the scored file"),
        (f"{HEADER},price_predicted\n", "AmbiguousColumns: cars.csv has a column `price_predicted`"),
        (f'{HEADER}\n1,c,2015,\n2,c,2015,"open\n3,c,2015,\n', "UnreadableInput: cars.csv ends within quotes: row 1,"),
        (f'{HEADER}\n1,c,2015,\n"', "UnreadableInput: cars.csv ends within quotes: row 1,"),
        (f'"{HEADER}\n1,c,2015,\n', "UnreadableInput: cars.csv ends within quotes: the header,"),
        (
            f"{HEADER}\n".encode("utf-16"),
            "UnreadableInput: cars.csv is text in UTF-16: add `input: { encoding: utf-16 }`",
        ),
        (b"\xff\xe9\n", "UnreadableInput: cars.csv has a header that is no text in UTF-8: add `input: { encoding: "),
        (b"\x1f\x8b\x08\x00\xff\xfe", "UnreadableInput: cars.csv can't be decompressed"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: Any, expected: str) -> None:
    job = run(tmp_path, content, CARS)
    assert job.exit_code == 1
    assert job.message.startswith(expected)
    assert not (job.output / "prepared" / "summary.json").exists()


def test_a_field_may_be_no_longer_than_the_reader_takes(tmp_path: Path) -> None:
    previous = csv.field_size_limit()
    try:
        csv.field_size_limit(100)
        job = run(tmp_path, f"{HEADER}\n1,c,2015,\n2,c,2015,{'x' * 200}\n", CARS)
    finally:
        csv.field_size_limit(previous)
    assert job.message.startswith("UnreadableInput: cars.csv is no CSV after 1 rows: field larger than")


def test_a_row_that_is_too_long_for_a_request_is_set_aside_alone(tmp_path: Path) -> None:
    """With the messages and the limit of invoke-endpoints' tests."""
    # 250,000 letters of two bytes each; `year` has four more.
    fits, too_long = "\u00e9" * 249_998, "\u00e9" * 249_999
    key = "k" * 20_001
    content = f"{HEADER}\n1,{fits},2015,\n2,{too_long},2015,\n{key},c,2015,\n4,c,2015,{too_long}\n"
    job = run(tmp_path, content, CARS)
    assert job.exit_code == 0, job.message
    assert [row[:2] for row in table(job, "rows/rows-00000000.csv")] == [
        [f"{RUN}#0", "1"],
        [f"{RUN}#3", "4"],
    ]
    assert [row[:2] for row in table(job, "rejects/rejects.csv")[1:]] == [
        ["1", "`model` is too long: a row's values have at most 500000 bytes together"],
        ["2", "`key` is too long: a row's carried values have at most 20000 bytes together"],
    ]


def test_the_input_is_one_file(tmp_path: Path) -> None:
    run(tmp_path, f"{HEADER}\n1,c,2015,\n", CARS, name="a.csv")
    job = run(tmp_path, f"{HEADER}\n1,c,2015,\n", CARS, name="b.csv")
    assert job.message.startswith("SeveralInputs: a scoring run takes one file; the input holds a.csv, b.csv")


@pytest.mark.parametrize("broken", [{"models": 5}, {"document": {}}, {"document": None}])
def test_a_job_that_cannot_be_used_says_why(tmp_path: Path, broken: Dict[str, Any]) -> None:
    import prepare_scoring

    job = {"run_id": RUN, "document": CARS, "models": {}, **broken}
    (tmp_path / "scoring.json").write_text(json.dumps(job), encoding="utf-8")
    with mock.patch.dict(os.environ, SAGEMAKER_BASE_DIR=str(tmp_path)):
        code = prepare_scoring.main(["--input", ".", "--job", str(tmp_path / "scoring.json"), "--output", "unused"])
    assert code == 1
    assert (tmp_path / "output" / "message").read_text(encoding="utf-8").startswith("BadDocument: ")


@pytest.mark.parametrize(("size", "parts"), [(2, [2, 2, 1]), (5, [5]), (1, [1] * 5), (1_000_000, [5])])
def test_no_file_of_rows_has_more_than_the_job_says(tmp_path: Path, size: int, parts: List[int]) -> None:
    content = f"{HEADER}\n" + "".join(f"k{number},c,2015,\n" for number in range(5))
    job = run(tmp_path, content, CARS, rows_per_part=size)
    names = sorted(path.name for path in (job.output / "rows").iterdir())
    assert [len(table(job, f"rows/{name}")) for name in names] == parts
    assert [row[1] for name in names for row in table(job, f"rows/{name}")] == [f"k{number}" for number in range(5)]


def test_a_job_that_does_not_say_has_as_few_rows_a_file_as_the_widest_model_takes(tmp_path: Path) -> None:
    job = run(tmp_path, f"{HEADER}\n" + "1,c,2015,\n" * 250, CARS)
    assert [len(job.lines(f"rows/rows-0000000{part}.csv")) for part in range(3)] == [120, 120, 10]
