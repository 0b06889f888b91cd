"""Reporting files as Athena would see them: read through the tables of template.yaml, with translated queries.

`DRIVETRAIN_REPORTING=<folder>` uses other files than those in data/: a downloaded `<use-case>/reporting` folder.
"""

import gzip
import json
import os
import re
from pathlib import Path

import duckdb
import pytest
import sqlglot
import yaml
from sqlglot import ErrorLevel

ROOT = Path(__file__).resolve().parents[2]
VIEWS = sorted((ROOT / "infra/reporting/views").glob("*.sql"))
SAMPLE = Path(__file__).parent / "data/used-car-price/reporting"
FOLDER = Path(os.environ.get("DRIVETRAIN_REPORTING") or SAMPLE).resolve()
TABLES = ("drift", "predictions", "ground_truth", "runs")
USE_CASE = "used-car-price"
OTHER = "another-use-case"

sample_only = pytest.mark.skipif(FOLDER != SAMPLE, reason="says what the sample holds")


def template():
    class Loader(yaml.SafeLoader):
        """Reads CloudFormation's short functions as their arguments."""

    Loader.add_multi_constructor("!", lambda loader, _, node: getattr(loader, f"construct_{node.id}")(node))
    return yaml.load((ROOT / "template.yaml").read_text("utf-8"), Loader)


def resources(kind):
    found = template()["Resources"].values()
    return [resource["Properties"] for resource in found if resource["Type"] == kind]


def columns_of(table):
    """The Hive type of each column, from the template."""
    inputs = {
        properties["TableInput"]["Name"]: properties["TableInput"] for properties in resources("AWS::Glue::Table")
    }
    return {column["Name"]: column["Type"] for column in inputs[table]["StorageDescriptor"]["Columns"]}


def files_of(table):
    return sorted((FOLDER / table).rglob("*.jsonl*"))


def rows_of(table):
    """All rows, with the name of their file under `$name`."""
    rows = []
    for path in files_of(table):
        content = path.read_bytes()
        lines = (gzip.decompress(content) if path.suffix == ".gz" else content).decode().splitlines()
        rows += [{**json.loads(line), "$name": path.name} for line in lines]
    return rows


@pytest.fixture(scope="session")
def athena():
    """A stand-in for Athena: the tables, and another use case with the same rows, which no query may see."""
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    for table in TABLES:
        columns = columns_of(table)
        types = {name: duck_type(hive) for name, hive in columns.items()}
        listed = ", ".join(f'"{name}" {type}' for name, type in types.items())
        database.execute(f'CREATE TABLE "{table}" ({listed}, "$path" VARCHAR, use_case VARCHAR, day VARCHAR)')
        files = [str(path) for path in files_of(table)]
        if not files:
            # There may not be any ground truth.
            assert table == "ground_truth", f"there is no file of {table} under {FOLDER}: is that a reporting folder?"
            continue
        names = ", ".join(f'"{name}"' for name in columns)
        for use_case in (USE_CASE, OTHER):
            database.execute(
                f"INSERT INTO \"{table}\" SELECT {names}, filename, ?, regexp_extract(filename, '/day=([^/]+)/', 1) "
                "FROM read_json(?, format = 'newline_delimited', columns = ?, filename = true, "
                "hive_partitioning = false)",
                [use_case, files, types],
            )
    return database


def duck_type(hive):
    return sqlglot.exp.DataType.build(hive, dialect="hive").sql(dialect="duckdb")


def ask(database, view):
    """The rows of a view, as dictionaries."""
    options = {"identify": True, "comments": False, "unsupported_level": ErrorLevel.RAISE}
    [query] = sqlglot.transpile(text_of(view), read="athena", write="duckdb", **options)
    answer = database.execute(query, [USE_CASE] * query.count("?"))
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row)) for row in answer.fetchall()]


def text_of(view):
    return (ROOT / "infra/reporting/views" / f"{view}.sql").read_text("utf-8")


def statement_of(view):
    """The statement of a view, without comments."""
    return re.sub(r"--.*", "", text_of(view))
