"""Serving script of the SKLearn image: passes on the columns that its model names."""

import json
from pathlib import Path


def model_fn(model_dir):
    return json.loads((Path(model_dir) / "columns.json").read_text())


def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return [line.split(",") for line in text.splitlines() if line]


def predict_fn(rows, columns):
    return [[row[column] for column in columns] for row in rows]


def output_fn(rows, accept):
    return "".join(",".join(row) + "\n" for row in rows), "text/csv"
