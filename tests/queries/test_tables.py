"""The tables of template.yaml are those of the rows."""

import re

import pytest
import sqlglot

from conftest import FOLDER, TABLES, columns_of, files_of, resources, rows_of

NUMBERS = {"bigint": int, "double": (int, float)}


@pytest.mark.parametrize("table", TABLES)
def test_every_row_fits_the_columns(table):
    columns = columns_of(table)
    for row in rows_of(table):
        place = row.pop("$name")
        assert list(row) == list(columns), place
        for name, value in row.items():
            check(value, sqlglot.exp.DataType.build(columns[name], dialect="hive"), f"{place}: {name}")


def check(value, type, place):
    """Checks that a value is null or has a Hive type; a struct must not have keys that the type lacks."""
    if value is None:
        return
    kind = type.this.name
    if kind in ("ARRAY", "LIST"):
        for one in value:
            check(one, type.expressions[0], place)
    elif kind == "MAP":
        for one in value.values():
            check(one, type.expressions[1], place)
    elif kind == "STRUCT":
        known = {field.name: field.args["kind"] for field in type.expressions}
        for name, one in value.items():
            assert name in known, f"{place}.{name}"
            check(one, known[name], f"{place}.{name}")
    else:
        expected = {"BIGINT": int, "DOUBLE": (int, float), "TEXT": str, "VARCHAR": str}[kind]
        assert isinstance(value, expected) and not isinstance(value, bool), f"{place}: {value!r} is no {kind}"


@pytest.mark.parametrize("table", TABLES)
def test_files_lie_where_the_table_looks(table):
    [place] = [
        properties["TableInput"]["Parameters"]["storage.location.template"]
        for properties in resources("AWS::Glue::Table")
        if properties["TableInput"]["Name"] == table
    ]
    assert place.endswith(f"/${{!use_case}}/reporting/{table}/day=${{!day}}/")
    for path in files_of(table):
        [day, model, _] = path.relative_to(FOLDER / table).parts
        assert re.fullmatch(r"day=\d{4}-\d{2}-\d{2}", day)
        assert {f"model={row['model']}" for row in rows_of(table) if row["$name"] == path.name} >= {model}
