"""A row has the same meaning and gives the same features wherever it is read."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import tarfile
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest
from jobs import Endpoint, Job, serving
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fitting
from features import BadRows, Column, Transformer, read_rows

SCALED = {"encoding": "scaled", "fill": 1.0, "mean": 0.0, "scale": 1.0, "flag_missing": True}


def line(row: List[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(row)
    return out.getvalue()


def transformer_data(job: Job) -> Dict[str, Any]:
    with tarfile.open(job.output / "features" / "transformer.tar.gz") as archive:
        return json.load(archive.extractfile("transformer.json"))


def test_training_real_time_and_batch_see_equal_features(cars: Job, transformer: Endpoint) -> None:
    raw = list(csv.reader(io.StringIO(cars.text("raw/train.csv"))))[1:]
    trained = [row.split(",", 1)[1] for row in cars.lines("train/train.csv")]
    assert len(raw) == len(trained) > 30

    real_time = [transformer.invoke(line(row)) for row in raw]
    assert [(status, kind) for status, kind, _ in real_time] == [(200, "text/csv; charset=utf-8")] * len(raw)
    assert [body for _, _, body in real_time] == [features + "\n" for features in trained]

    _, _, batch = transformer.invoke("".join(map(line, raw)))
    assert batch.splitlines() == trained


def test_a_model_answers_for_its_own_run_alone(tmp_path: Path, cars: Job, transformer: Endpoint) -> None:
    row = '2015,"gl, long",90000,true,rwd\n'
    expected = transformer.invoke(row)
    archive = cars.output / "features" / "transformer.tar.gz"
    with serving(tmp_path, archive, DRIVETRAIN_RUN="20261122t183000z-ab12cd34") as endpoint:
        for attributes in ("", "run=20261122t183000z-ab12cd34", "trace=1"):
            assert endpoint.invoke(row, attributes=attributes) == expected, attributes
        status, _, body = endpoint.invoke(row, attributes="run=20261123t090000z-cd34ef56")
        assert (status, body) == (409, "run=20261122t183000z-ab12cd34")
    # A model from before models knew their run answers, whatever run is named.
    assert transformer.invoke(row, attributes="run=20261123t090000z-cd34ef56") == expected


def test_raw_spellings_of_a_value_give_equal_features(transformer: Endpoint) -> None:
    status, _, expected = transformer.invoke('2015,"gl, long",90000,true,rwd\n')
    assert status == 200
    for spelling in [
        '2015.0, "gl, long",90000.0,true,rwd'.replace(', "', ',"'),
        ' 2015 ,"gl,\n  long", 9e4 ,YES, rwd ',
        '"2015","gl, long","90000","1.0","rwd"',
        '+2015,"gl, long",90000.,t,rwd\r\n',
    ]:
        assert transformer.invoke(spelling)[2] == expected, spelling


@pytest.mark.parametrize("km", ["", "n/a", "NaN", "inf", "12 thousand", "1_000", "-5", "500001", "1e999", "０"])
def test_what_is_no_usable_number_is_missing(transformer: Endpoint, km: str) -> None:
    missing = transformer.invoke("2015,c-class,,true,rwd\n")
    assert missing[0] == 200
    assert transformer.invoke(f"2015,c-class,{km},true,rwd\n") == missing


def test_unknown_and_rare_categories_are_other_and_unknown_closed_ones_missing(transformer: Endpoint) -> None:
    _, _, unknown = transformer.invoke("2015,spaceship,90000,true,rwd\n")
    assert transformer.invoke('2015,"one ""of"" a kind",90000,true,rwd\n')[2] == unknown  # seen once in training data
    assert transformer.invoke("2015,c-class,90000,true,rwd\n")[2] != unknown
    assert transformer.invoke("2015,c-class,90000,true,hovercraft\n") == transformer.invoke(
        "2015,c-class,90000,true,\n"
    )


def test_an_unknown_category_has_no_feature_where_training_saw_no_rare_one() -> None:
    transformer = Transformer(fitting.fit([{"name": "a", "type": "category"}], [["x", "y", "x", "y"]], 2, 10))
    assert [transformer.encode_fields([word]) for word in ("x", "y", "z", "")] == ["1,0", "0,1", "0,0", "0,0"]


def test_a_column_without_any_training_value_says_nothing() -> None:
    data = fitting.fit(
        [{"name": "a", "type": "number"}, {"name": "b", "type": "integer"}], [[None, None], [1.0, 3.0]], 1, 9
    )
    transformer = Transformer(data)
    assert transformer.encode_fields(["", "1"]) == transformer.encode_fields(["77", "1"]) == "0,-1"


def test_features_are_those_of_scikit_learn(cars: Job) -> None:
    columns = [Column(description) for description in transformer_data(cars)["columns"]]
    raw = list(csv.reader(io.StringIO(cars.text("raw/train.csv"))))[1:]
    rows = [[column.parse(field) for column, field in zip(columns, row)] for row in raw]
    numbers = [position for position, column in enumerate(columns) if column.type in ("integer", "number")]
    table = np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=object)
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=3, max_categories=10)
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value=""), one_hot)
    expected = ColumnTransformer(
        [(f"n{at}", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), [at]) for at in numbers]
        + [("w", words, [at for at, column in enumerate(columns) if column.type == "category"])],
        sparse_threshold=0,
    ).fit_transform(table)

    data = transformer_data(cars)
    names = Transformer(data).feature_names
    ours = np.array([[float(x) for x in row.split(",")[1:]] for row in cars.lines("train/train.csv")])
    numeric = [at for at, name in enumerate(names) if name in {columns[position].name for position in numbers}]
    of_words = [at for at, name in enumerate(names) if name.startswith(("model ", "drive "))]
    assert np.array_equal(ours[:, numeric + of_words], expected.astype(float))


def test_no_feature_is_ever_infinite() -> None:
    data = {"format": 1, "columns": [{"name": "a", "type": "number"}], "features": [{**SCALED, "scale": 1e-9}]}
    encoded = Transformer(data).encode_fields(["1e308"])
    assert all(math.isfinite(float(feature)) for feature in encoded.split(","))


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2"):
        Transformer({"format": 2, "columns": [], "features": []})


def test_values_read_back_as_written() -> None:
    """Whatever a field contains, reading never fails, and writing and reading again changes nothing."""
    dice = random.Random(1)
    alphabet = "0123456789+-.eE_ \t\nntrufalsyNaNé,\"'/"
    for _ in range(5000):
        field = "".join(dice.choices(alphabet, k=dice.randint(0, 6)))
        for kind in ("number", "integer", "boolean", "category"):
            column = Column({"name": "a", "type": kind})
            value = column.parse(field)
            assert column.parse(column.text(value)) == value, (field, kind)
            assert "\n" not in column.text(value)


@pytest.mark.parametrize(
    "body, reason",
    [
        ("2015,c-class,90000,true\n", "row 1 has 4 fields; the model takes 5: year, model, km, warranty, drive"),
        ("2015,c-class,9,true,rwd\n\n2015,c-class,9,true,rwd\n", "row 2 has 0 fields"),
        ("2015,c-class,9,true,rwd\n2015,a,b,c,d,e\n", "row 2 has 6 fields"),
        ('2015,"c-class,9,true,rwd\n', "row 1 is no CSV"),
        ("", "the request is empty"),
    ],
)
def test_rows_that_are_no_rows_are_refused_with_a_reason(transformer: Endpoint, body: str, reason: str) -> None:
    status, kind, text = transformer.invoke(body)
    assert (status, kind) == (400, "text/plain; charset=utf-8")
    assert reason in text


def test_a_field_of_any_length_is_read(transformer: Endpoint) -> None:
    long = "x" * 500_000  # above the 131,072 characters that Python reads of its own accord
    expected = transformer.invoke("2015,unknown to training,90000,true,rwd\n")
    assert expected[0] == 200
    assert transformer.invoke(f"2015,{long},90000,true,rwd\n") == expected


def test_a_single_empty_field_is_a_row() -> None:
    assert list(read_rows('1\n""\n\n2\n', ["a"])) == [["1"], [""], [""], ["2"]]
    with pytest.raises(BadRows):
        read_rows("1,2\n", ["a"])


def test_the_normaliser_turns_json_into_one_number_a_line(normaliser: Endpoint) -> None:
    many = '{"predictions": [{"score": 12345.678}, {"score": -1}, {"score": 1e-7, "label": 3}]}'
    assert normaliser.invoke(many, "application/json") == (200, "text/csv; charset=utf-8", "12345.678\n-1.0\n1e-07\n")
    lines = '{"score": 1.5}\n{"score": 2.5}\n'
    assert normaliser.invoke(lines, "application/jsonlines")[2] == "1.5\n2.5\n"
    assert normaliser.invoke('{"score": 1.5}\n', "application/jsonlines; charset=utf-8")[2] == "1.5\n"


@pytest.mark.parametrize(
    "body", ["", "12.5", "[]x", '{"predictions": [{"value": 1}]}', '{"predictions": [{"score": NaN}]}']
)
def test_the_normaliser_refuses_what_is_no_answer(normaliser: Endpoint, body: str) -> None:
    assert normaliser.invoke(body, "application/json")[0] == 400


def test_no_row_has_more_bytes_than_said() -> None:
    """Requests are split by it, so that a container never gets more than it accepts."""
    draw = random.Random(7)
    kinds = ["number", "integer", "boolean", "category"]
    for _ in range(50):
        columns = [{"name": f"c{at}", "type": draw.choice(kinds)} for at in range(draw.randint(1, 12))]
        readers = [Column(column) for column in columns]
        trained = [[reader.parse(_field(reader.type, draw)) for _ in range(60)] for reader in readers]
        transformer = Transformer(fitting.fit(columns, trained, draw.choice([1, 3, 20]), draw.choice([2, 5, 100])))
        assert sum(transformer.widths) == len(transformer.feature_names)
        for _ in range(100):
            row = transformer.encode_fields([_field(reader.type, draw) for reader in readers])
            assert row.count(",") + 1 == len(transformer.feature_names)
            assert len((row + "\n").encode("utf-8")) <= transformer.max_row_bytes


def _field(kind: str, draw: random.Random) -> str:
    if draw.random() < 0.2:
        return ""
    if kind == "category":
        return f"word {draw.randint(0, 40)}"
    if kind == "boolean":
        return draw.choice(["true", "false"])
    if kind == "integer":
        return str(draw.randint(-(10**9), 10**9))
    return repr(draw.choice([-1, 1]) * draw.random() * 10.0 ** draw.randint(-300, 100))
