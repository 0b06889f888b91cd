"""Files as people have them: each is read as declared, or refused with advice, in training and scoring alike."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pyarrow
import pyarrow.parquet
import pytest
from jobs import HERE, run_job
from test_prepare_scoring import run as run_scoring

from features import Column
from files import Dialect, cell_text, likely_encoding, plain_name
from unreadable import Values, shown

HEADER = ["year", "model", "km", "warranty", "drive", "price"]
PLAIN = {"delimiter": ",", "decimal": ".", "thousands": None, "encoding": "utf-8"}


def rows(count: int = 300) -> List[Tuple[int, str, float, str, str, float]]:
    dice = random.Random(5)
    return [
        (
            dice.randint(1990, 2022),
            dice.choice(["Škoda", "Škoda, łuk", "c"]),
            dice.randint(1, 30_000_000) / 100,
            dice.choice(["yes", "no"]),
            "rwd",
            dice.randint(1000, 90000) + 0.5,
        )
        for _ in range(count)
    ]


def number(value: float, decimal: str, thousands: str) -> str:
    text = f"{value:,.2f}" if isinstance(value, float) else str(value)
    return text.replace(",", "T").replace(".", decimal).replace("T", thousands)


def content(input: Dict[str, Any], table: List[Tuple[Any, ...]], header: List[str] = HEADER) -> bytes:
    """The table as a file in that dialect."""
    text = io.StringIO(newline="")
    write = csv.writer(text, delimiter=input.get("delimiter", ",")).writerow
    write(header)
    for row in table:
        decimal, thousands = input.get("decimal", "."), input.get("thousands") or ""
        write([number(it, decimal, thousands) if isinstance(it, (int, float)) else it for it in row])
    return text.getvalue().encode(input.get("encoding", "utf-8"))


def train(folder: Path, document: Dict[str, Any], data: bytes, name: str = "cars.csv", **more: Any) -> Any:
    (folder / "in").mkdir(parents=True)
    (folder / "in" / name).write_bytes(data)
    return run_job(folder / "job", folder / "in", {**document, **more})


def parquet(table: List[Tuple[Any, ...]]) -> bytes:
    columns = [list(column) for column in zip(*table)]
    columns[3] = [truth == "yes" for truth in columns[3]]
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(dict(zip(HEADER, columns))), out, compression="zstd")
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


POLISH = {"delimiter": ";", "decimal": ",", "thousands": " ", "encoding": "cp1250"}


@pytest.mark.parametrize(
    ("name", "input", "packed"),
    [
        ("cars.csv", POLISH, bytes),
        ("cars.csv.gz", POLISH, gzip.compress),
        ("cars.tsv", {"delimiter": "\t", "encoding": "utf-16"}, bytes),
        ("cars.csv", {"encoding": "utf-16-be", "declared": "utf-16"}, bytes),
        ("cars.csv", {"encoding": "utf-8-sig", "declared": "utf-8"}, bytes),
        ("cars.csv", {"decimal": ",", "thousands": "."}, bytes),
        ("cars.csv", {"thousands": "'", "delimiter": "|"}, bytes),
        ("cars.csv.zst", {}, zstd),
        ("cars.gz", {}, gzip.compress),
        ("cars.parquet", {}, None),
        ("cars.parquet", POLISH, None),
    ],
)
def test_what_is_declared_is_read_in_training_and_in_scoring(
    tmp_path: Path, document: Dict[str, Any], name: str, input: Dict[str, Any], packed: Any
) -> None:
    """The same rows give the same bytes, however they are written."""
    table = rows()
    declared = {**{key: value for key, value in input.items() if key != "declared"}}
    declared["encoding"] = input.get("declared", input.get("encoding", "utf-8"))
    data = parquet(table) if packed is None else packed(content(input, table))
    plain = train(tmp_path / "plain", document, content({}, table))
    other = train(tmp_path / "other", document, data, name, input=declared)
    assert (plain.exit_code, other.exit_code) == (0, 0), other.message
    for part in ("train/train.csv", "validation/validation.csv", "holdout/holdout.csv", "raw/train.csv"):
        assert other.text(part) == plain.text(part), part
    assert other.summary() == plain.summary()

    scored = [run_scoring(tmp_path / "s0", content({}, table), document)]
    scored.append(run_scoring(tmp_path / "s1", data, {**document, "input": declared}, name=name))
    assert scored[1].exit_code == 0, scored[1].message
    assert scored[1].text("rows/rows-00000000.csv") == scored[0].text("rows/rows-00000000.csv")


def test_a_scored_file_is_made_of_a_plain_copy(tmp_path: Path, document: Dict[str, Any]) -> None:
    data = gzip.compress(content(POLISH, rows(20)))
    job = run_scoring(tmp_path, data, {**document, "input": POLISH}, name="stock.csv.gz")
    summary = json.loads(job.text("prepared/summary.json"))
    assert (summary["file"], summary["plain"]) == ("stock.csv", False)
    with open(job.output / "prepared" / "stock.csv", newline="", encoding="utf-8") as file:
        copied = list(csv.reader(file))
    assert copied[0] == HEADER and len(copied) == 21
    assert copied[1][2] == number(rows(1)[0][2], ",", " "), "fields stay as they came"


@pytest.mark.parametrize(
    ("input", "written", "told"),
    [
        (
            {},
            POLISH | {"encoding": "utf-8"},
            ["MissingColumns", 'separated by a semicolon: add `input: { delimiter: ";" }`'],
        ),
        ({}, {"delimiter": "\t"}, ["MissingColumns", 'a tab: add `input: { delimiter: "\\t" }`']),
        ({"delimiter": ";"}, {}, ["MissingColumns", 'separated by a comma: add `input: { delimiter: "," }`']),
        ({}, {"decimal": ","}, ["UnreadableValues", "300 of 300 values of `km`", '`input: { decimal: "," }`']),
        ({}, {"thousands": ","}, ["UnreadableValues", '`input: { thousands: "," }`', "`price`"]),
        ({}, {"decimal": ",", "thousands": "."}, ["UnreadableValues", '`input: { decimal: ",", thousands: "." }`']),
        ({}, {"thousands": " "}, ["UnreadableValues", '`input: { thousands: " " }`']),
        ({}, {"thousands": "'"}, ["UnreadableValues", '`input: { thousands: "\'" }`']),
        ({"decimal": ","}, {}, ["UnreadableValues", "with the marks that the document's `input` names"]),
        ({}, {"encoding": "cp1250"}, ["UnreadableInput", "`input: { encoding: cp1250 }`"]),
        ({}, {"encoding": "utf-16"}, ["UnreadableInput", "`input: { encoding: utf-16 }`"]),
        ({}, {"encoding": "utf-16-le"}, ["UnreadableInput", "`input: { encoding: utf-16 }`"]),
        ({"encoding": "cp1250"}, {}, ["UnreadableInput", "is text in UTF-8"]),
        ({"format": "parquet"}, {}, ["UnreadableInput", "is no Parquet file"]),
        ({"encoding": "utf-16"}, {}, ["UnreadableInput", "is text in UTF-8, and the document's `input` names utf-16"]),
        ({"encoding": "utf-16"}, {"encoding": "cp1250"}, ["UnreadableInput", "is no text in UTF-16: add", "cp1250"]),
        ({}, {"encoding": "utf-32"}, ["UnreadableInput", "is text in UTF-32, which is not read: save it in UTF-8"]),
        ({"encoding": "utf-16"}, {"encoding": "utf-32"}, ["UnreadableInput", "is text in UTF-32"]),
    ],
)
def test_what_is_not_declared_is_refused_with_the_line_to_add(
    tmp_path: Path, document: Dict[str, Any], input: Dict[str, Any], written: Dict[str, Any], told: List[str]
) -> None:
    job = train(tmp_path, document, content(written, rows()), input=input)
    assert job.exit_code == 1
    assert job.message.startswith(f"{told[0]}: cars.csv")
    for text in told[1:]:
        assert text in job.message


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"year": 2015, "price": 1}\n', "it is JSON, not CSV"),
        (b'[{"year": 2015}]', "it is JSON, not CSV"),
        (b"2015,c,1.5,yes,rwd,9000\n2016,c,1.5,yes,rwd,9000\n", "it has no header: its first line is a row"),
        (b"PK\x03\x04rest", "is a zip archive (an Excel workbook is one)"),
        (b"BZh91AY", "is compressed with bzip2"),
        (gzip.compress(gzip.compress(b"a")), "is compressed twice"),
        (gzip.compress(b"year,model\n" * 9000)[:90], "can't be decompressed"),
        (zstd(b"year,model\n" * 9000)[:12], "can't be decompressed"),
        (b"PAR1 and no end", "can't be read as Parquet"),
        (b"[" + b'{"year": 2015, "price": 1},' * 4000 + b"{}]", "it is JSON, not CSV"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(
    tmp_path: Path, document: Dict[str, Any], data: bytes, told: str
) -> None:
    job = train(tmp_path, document, data)
    assert job.exit_code == 1 and told in job.message, job.message


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_nul_far_into_a_file_is_told_with_its_place(tmp_path: Path, document: Dict[str, Any], packed: Any) -> None:
    plain = content({}, rows(4000))
    lines = plain.split(b"\r\n")
    lines[3900] = lines[3900].replace(b",", b"\0,", 1)
    for data, place in [
        (b"\r\n".join(lines), "line 3901, column `year`"),
        (plain + b"\0" * 512, "line 4002, column `year`"),
    ]:
        job = train(tmp_path / place, document, packed(data))
        told = "is binary, not text: it holds NUL bytes. Write the file again without them"
        assert job.message == f"UnreadableInput: cars.csv: {place}, {told}"
        scored = run_scoring(tmp_path / place / "scored", packed(data), document)
        assert scored.exit_code == 0, scored.message
        assert json.loads(scored.text("prepared/summary.json"))["reasons"] == [
            ["the row holds bytes that are no text", 1]
        ]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_any_other_character_is_text(tmp_path: Path, document: Dict[str, Any], codec: str) -> None:
    """Control characters, non-characters and characters beyond 16 bits are text; undecodable ones are reported."""
    odd = [
        chr(code) for code in (*range(1, 0x20), *range(0x7F, 0xA1), 0x2028, 0xFDD0, 0xFEFF, 0xFFFE, 0xFFFF, 0x10FFFF)
    ]
    table = [(year, f"a{it}b", *rest) for (year, _, *rest), it in zip(rows(300), odd * 5)]
    job = train(tmp_path, document, content({"encoding": codec}, table), input={"encoding": codec})
    assert job.exit_code == 0, job.message
    assert job.summary()["rows"]["read"] == 300


@pytest.mark.parametrize("broken", [b"\x41\xdc", b"\x41\xd8", b"\x81\xdc"])
def test_half_of_a_pair_in_utf_16_is_told(tmp_path: Path, document: Dict[str, Any], broken: bytes) -> None:
    data = content({"encoding": "utf-16-le"}, [(2015, "QQ", 1.5, "yes", "rwd", 9000)] * 20)
    data = data.replace("QQ".encode("utf-16-le"), broken + b"Q\0", 1)
    job = train(tmp_path, document, data, input={"encoding": "utf-16"})
    assert job.message.startswith("UnreadableInput: cars.csv") and "is no text in" in job.message, job.message


def columns_of(table: List[Tuple[Any, ...]]) -> Dict[str, List[Any]]:
    return dict(zip(HEADER, ([*column] for column in zip(*table))))


def as_parquet(columns: Dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def test_a_parquet_file_that_lacks_an_optional_column_is_refused_in_training(
    tmp_path: Path, document: Dict[str, Any]
) -> None:
    columns = {name: values for name, values in columns_of(rows()).items() if name != "km"}
    job = train(tmp_path, document, as_parquet(columns), "cars.parquet")
    assert job.message.startswith("MissingColumns: cars.parquet lacks the column `km`; its header is: year, model")
    scored = run_scoring(tmp_path / "scored", as_parquet(columns), document, name="cars.parquet")
    assert scored.exit_code == 0, "as the same CSV"


def test_parquet_columns_of_bytes_are_text_in_utf_8_or_refused(tmp_path: Path, document: Dict[str, Any]) -> None:
    columns = columns_of(rows())
    columns["model"] = [word.encode("utf-8") for word in columns["model"]]
    job = train(tmp_path / "text", document, as_parquet(columns), "cars.parquet")
    assert job.exit_code == 0 and "model = Škoda" in job.summary()["feature_names"], job.message
    for bad, told in [
        (b"\xff\xfe", "is no text in UTF-8: store the column as text, or leave it out"),
        (b"a\0", "is binary, not text: it holds NUL bytes. Write the file again without them"),
    ]:
        columns["model"][7] = bad
        job = train(tmp_path / told, document, as_parquet(columns), "cars.parquet")
        assert job.message == f"UnreadableInput: cars.parquet: row 7, counted from 0, column `model`, {told}"
        scored = run_scoring(tmp_path / told / "scored", as_parquet(columns), document, name="cars.parquet")
        assert json.loads(scored.text("prepared/summary.json"))["reasons"] == [
            ["the row holds bytes that are no text", 1]
        ]
    columns["model"][7] = b"a"
    columns["photo"] = [b"\x89PNG\0"] * 300
    job = train(tmp_path / "photo", document, as_parquet(columns), "cars.parquet")
    assert job.exit_code == 0, "a column that the document doesn't name does no harm"


def test_a_plain_copy_keeps_a_carriage_return_within_its_field(tmp_path: Path, document: Dict[str, Any]) -> None:
    data = content({"delimiter": ";"}, [(2015, "a\rb", 1.5, "yes", "rwd", 9000), (2016, "c", 1, "no", "rwd", 1)])
    job = run_scoring(tmp_path, data, {**document, "input": {"delimiter": ";"}})
    with open(job.output / "prepared" / "cars.csv", newline="", encoding="utf-8") as file:
        assert [row[:2] for row in csv.reader(file)] == [HEADER[:2], ["2015", "a\rb"], ["2016", "c"]]


def test_a_small_file_that_grows_is_bounded(tmp_path: Path, document: Dict[str, Any]) -> None:
    job = train(tmp_path, document, gzip.compress(content({}, rows())), "a.csv.gz", drops={"max_bytes": 1000})
    assert job.message.startswith(
        "InputTooLarge: a.csv.gz is larger than that once decompressed; the use case allows 1000"
    )


def test_few_unreadable_values_are_told_and_many_refuse_the_file(tmp_path: Path, document: Dict[str, Any]) -> None:
    def written(bad: int) -> bytes:
        table = [list(row) for row in rows(200)]
        for row in table[:bad]:
            row[2], row[3], row[4] = "a\x07`b" + "x" * 50, "Tak", "RWD"
        for row in table[100:]:
            row[2] = ""
        return content({}, [tuple(row) for row in table])

    few = train(tmp_path / "few", document, written(5))
    assert few.exit_code == 0, few.message
    assert few.summary()["unreadable"] == [
        {"column": "drive", "values": 200, "unreadable": 5, "examples": ["RWD"]},
        {"column": "km", "values": 100, "unreadable": 5, "examples": ["a\\x07'b" + "x" * 32 + "\u2026"]},
        {"column": "warranty", "values": 200, "unreadable": 5, "examples": ["Tak"]},
    ]
    many = train(tmp_path / "many", document, written(6))
    assert many.message.startswith("UnreadableValues: cars.csv: 6 of 100 values of `km` don't read"), (
        "of 100 that are there"
    )
    assert "`drive`" not in many.message and "allows 5 % of a column" in many.message
    assert train(tmp_path / "told", document, written(6), cleaning={"max_unreadable": 0.06}).exit_code == 0
    scored = run_scoring(tmp_path / "scored", written(6), document)
    assert scored.message.startswith("UnreadableValues: cars.csv: 6 of 100 values of `km`")
    scored = run_scoring(tmp_path / "set-aside", written(5), document)
    assert json.loads(scored.text("prepared/summary.json"))["unreadable"][0]["examples"] == ["RWD"]


def test_values_out_of_bounds_and_missing_ones_are_not_unreadable(tmp_path: Path, document: Dict[str, Any]) -> None:
    table = [(year, model, 10e9, "", "-", price) for year, model, _, _, _, price in rows()]
    job = train(tmp_path, document, content({}, table), input={"missing": ["-"]})
    assert job.exit_code == 0, job.message
    assert job.summary()["unreadable"] == []
    assert job.summary()["values_made_missing"] == {"km": 300}


def test_rows_that_do_not_fit_the_header_are_few(tmp_path: Path, document: Dict[str, Any]) -> None:
    """Decimal commas without quotes."""
    data = content({}, rows()).replace(b".50\r", b",50\r")
    job = train(tmp_path, document, data)
    assert job.message.startswith("UnreadableValues: cars.csv: 300 of 300 rows have another number of fields")


def test_what_the_platform_has_written_is_read_as_it_writes(tmp_path: Path, document: Dict[str, Any]) -> None:
    """Labelled rows are stored next to dropped files of any dialect."""
    table = rows()
    (tmp_path / "in" / "labelled").mkdir(parents=True)
    (tmp_path / "in" / "000-cars.csv").write_bytes(content(POLISH, table[:200]))
    (tmp_path / "in" / "labelled" / "001-rows.csv").write_bytes(content({}, table[200:]))
    job = run_job(tmp_path / "job", tmp_path / "in", {**document, "input": POLISH})
    assert job.exit_code == 0, job.message
    assert job.summary()["rows"]["read"] == 300 and job.summary()["unreadable"] == []


def test_marks_are_read_strictly() -> None:
    """The tests of contracts read the same file, because labels are read by the same rule."""
    with open(HERE / "data" / "marks" / "numbers.csv", newline="", encoding="utf-8") as file:
        for case in csv.DictReader(file):
            dialect = Dialect(
                {"decimal": case["decimal"], "thousands": case["thousands"] or None, "missing": ["brak", "-"]}
            )
            read = dialect.reader("number")
            column = Column({"name": "", "type": "number"})
            value = column.parse(case["text"] if read is None else read(case["text"]))
            assert column.text(value) == case["number"], case


def test_advice_goes_by_what_most_values_look_like() -> None:
    for texts, advice in [
        (["15,735", "12,500"], 'or `input: { decimal: "," }` if the comma begins the fraction'),
        (["15,735", "12,5"], 'add `input: { decimal: "," }`'),
        (["15,735", "1,200,500"], 'add `input: { thousands: "," }`'),
        (["$15735", "12 km"], "without units"),
        (["soon"], "correct them"),
    ]:
        values = Values("km", "number")
        for text in texts:
            values.add(text)
        assert advice in values.advice(), texts
    values = Values("box", "category", ["automatic"])
    values.add("Automatic")
    assert values.advice().startswith("write its words as the document does (`automatic`)")


def test_examples_hold_no_control_characters_and_are_short() -> None:
    assert shown("a\nb\u202e`") == "a\\nb\\u202e'"
    assert len(shown("x" * 500)) == 40


def test_encodings_are_guessed_by_their_letters() -> None:
    assert likely_encoding("Łódź, Kraków, żółty, płatność".encode("cp1250")) == "cp1250"
    assert likely_encoding("Citroën, Müller, Señor, Garçon".encode("cp1252")) == "cp1252"


def test_values_of_typed_files_become_their_one_text() -> None:
    given = [None, float("nan"), True, 3, 2.0, "a", b"b", [1, "x"], {"k": None}]
    assert [cell_text(it) for it in given] == ["", "", "true", "3", "2", "a", "b", '[1, "x"]', '{"k": null}']


def test_plain_names() -> None:
    for name in ("stock.csv.gz", "stock.parquet", "stock.TSV", "stock", "stock.csv"):
        assert plain_name(name) == "stock.csv"
    assert plain_name(".csv") == "data.csv"
