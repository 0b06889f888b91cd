"""Makes training data from dropped files: cleans, splits, fits the features to the training rows, encodes.

    preprocess.py --input DIR --config use-case.json --output DIR

Reads every file of the input folder and writes

    train/train.csv, validation/validation.csv   label, features; no header: the input of algorithms
    raw/train.csv                                raw columns with header: the input of baselines
    holdout/holdout.csv                          row id, label, raw columns; no header: what models are judged on
    features/transformer.tar.gz                  model archive of a pipeline's first container
    features/normaliser.tar.gz                   model archive of its last, if the algorithm answers JSON only
    summary/summary.json                         counts, unreadable values, feature names, labels, naive baseline

A mistake in the data ends the job with exit code 1 and one line, `ErrorType: what is wrong`, in its exit message. Rows
are streamed; memory holds one digest for each row and the values of the training rows.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import statistics
import sys
import tarfile
from array import array
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

import fitting
from cleaning import Counts, Document, Row, clean_rows, read_document, side_of
from features import Transformer, Value, number_text
from files import input_files
from job import BadInput, as_json, create, run

SERVING = ["inference.py", "features.py"]
MAX_FEATURES = 2000


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, required=True, help="folder of dropped files")
    parser.add_argument("--config", type=Path, required=True, help="the use-case document, as JSON")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    options = parser.parse_args(arguments)
    return run(lambda: preprocess(options.input, options.config, options.output))


def preprocess(source: Path, config: Path, target: Path) -> Dict[str, Any]:
    """Runs the whole job; returns the content of summary.json."""
    document = Document(read_document(config))
    files = input_files(source)
    for folder in ("train", "validation", "raw", "holdout", "features", "summary"):
        (target / folder).mkdir(parents=True, exist_ok=True)

    counts = Counts()
    raw_validation = target / "validation" / "raw.csv.part"
    with _Sides(document, target, raw_validation) as sides:
        for row in clean_rows(files, document, counts):
            sides.write(row)
    if not any(sides.rows.values()):
        raise BadInput("NoUsableRows", counts.explain(files))
    counts.refuse_narrow(document.max_dropped)
    for side, rows in sides.rows.items():
        if not rows:
            raise BadInput("TooFewRows", f"no row is left for {side}; {counts.explain(files)}")
    print(f"split: {sides.rows}", flush=True)

    data = fitting.fit(document.column_data, sides.train_values, document.rare_below, document.max_categories)
    transformer = Transformer(data)
    print(f"fitted {len(transformer.feature_names)} features on {sides.rows['train']} rows", flush=True)
    refuse_too_many(transformer)
    with create(target / "train" / "train.csv") as file:
        for label, values in zip(sides.train_labels, zip(*sides.train_values)):
            file.write(f"{number_text(label)},{transformer.encode(values)}\n")
    with create(target / "validation" / "validation.csv") as file:
        with open(raw_validation, newline="", encoding="utf-8") as raw:
            for label, *fields in csv.reader(raw):
                file.write(f"{label},{transformer.encode_fields(fields)}\n")
    raw_validation.unlink()

    here = Path(__file__).resolve().parent
    code = {f"code/{name}": (here / name).read_bytes() for name in SERVING}
    write_archive(target / "features" / "transformer.tar.gz", {"transformer.json": as_json(data), **code})
    write_archive(target / "features" / "normaliser.tar.gz", {"normaliser.json": as_json({"format": 1}), **code})

    summary = summarise(document, counts, sides, transformer, target)
    (target / "summary" / "summary.json").write_bytes(as_json(summary))
    print(f"done: {json.dumps({key: summary[key] for key in ('rows', 'feature_count', 'baseline')})}", flush=True)
    return summary


def refuse_too_many(transformer: Transformer) -> None:
    """Refuses documents with too many features: such rows would be larger than the containers of a pipeline accept,
    which would otherwise fail an hour later."""
    total = len(transformer.feature_names)
    if total <= MAX_FEATURES:
        return
    widths = sorted(
        ((width, column) for width, column in zip(transformer.widths, transformer.columns)), key=lambda it: -it[0]
    )
    widest = ", ".join(f"`{column.name}` ({width})" for width, column in widths[:5])
    text = f"the columns make {total} features, and a model takes at most {MAX_FEATURES}. Most come from {widest}"
    categories = [width for width, column in widths if column.type == "category"]
    room = MAX_FEATURES - (total - sum(categories))
    fitting_limits = [
        limit for limit in range(2, max(categories, default=0)) if sum(min(it, limit) for it in categories) <= room
    ]
    if fitting_limits:
        raise BadInput("TooManyFeatures", f"{text}. Set `features.max_categories` to {fitting_limits[-1]} or less")
    raise BadInput("TooManyFeatures", f"{text}. Leave columns out of the schema")


class _Sides:
    """Writes rows to training, validation and holdout. Raw rows are written to disk; training values are kept for
    fitting."""

    def __init__(self, document: Document, target: Path, raw_validation: Path):
        self.document = document
        self.rows = {"train": 0, "validation": 0, "holdout": 0}
        self.train_labels = array("d")
        self.train_values: List[List[Value]] = [[] for _ in document.columns]
        self.holdout_labels = array("d")
        self.holdout_groups: List[Tuple[Value, ...]] = []
        self._words: Dict[Value, Value] = {}
        self._raw_train = create(target / "raw" / "train.csv")
        self._holdout = create(target / "holdout" / "holdout.csv")
        self._raw_validation = create(raw_validation)
        self._files = (self._raw_train, self._holdout, self._raw_validation)
        csv.writer(self._raw_train, lineterminator="\n").writerow(document.names)
        self._write = [csv.writer(file, lineterminator="\n").writerow for file in self._files]

    def write(self, row: Row) -> None:
        document = self.document
        side = side_of(row.place, document.validation, document.holdout)
        self.rows[side] += 1
        raw = [column.text(value) for column, value in zip(document.columns, row.values)]
        write_train, write_holdout, write_validation = self._write
        if side == "train":
            write_train(raw)
            self.train_labels.append(row.label)
            for column, value in zip(self.train_values, row.values):
                column.append(self._words.setdefault(value, value))  # one object for equal values: a million rows fit
        elif side == "validation":
            write_validation([number_text(row.label), *raw])
        else:
            write_holdout([row.id, number_text(row.label), *raw])
            self.holdout_labels.append(row.label)
            self.holdout_groups.append(tuple(row.values[document.names.index(name)] for name in document.group_by))

    def __enter__(self) -> _Sides:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()


def summarise(
    document: Document, counts: Counts, sides: _Sides, transformer: Transformer, target: Path
) -> Dict[str, Any]:
    labels = np.asarray(sides.train_labels)
    raw_bytes = (target / "raw" / "train.csv").stat().st_size
    encoded_bytes = (target / "train" / "train.csv").stat().st_size
    return {
        "rows": {"read": counts.read, "duplicates": counts.duplicates, **sides.rows},
        "dropped": dict(counts.dropped.most_common()),
        "values_made_missing": dict(counts.made_missing.most_common()),
        "absent_columns": counts.absent_columns,
        # Most first. These values count as missing; a file with too many of them is refused.
        "unreadable": sorted(counts.unreadable.values(), key=lambda one: (-one["unreadable"], one["column"])),
        "feature_count": len(transformer.feature_names),
        "feature_names": transformer.feature_names,
        # How much larger a row becomes in the pipeline: containers limit what they accept, and no row exceeds this
        # maximum.
        "bytes_per_row": {
            "raw": raw_bytes / sides.rows["train"],
            "encoded": encoded_bytes / sides.rows["train"],
            "encoded_max": transformer.max_row_bytes,
        },
        "label": {
            "min": float(labels.min()),
            "max": float(labels.max()),
            "mean": float(labels.mean()),
            "median": float(np.median(labels)),
            "std": float(labels.std()),
        },
        "baseline": naive_baseline(document, sides),
    }


def naive_baseline(document: Document, sides: _Sides) -> Dict[str, Any]:
    """RMSE on the holdout of predicting the median label of the training rows in the same group. For an unknown group,
    or without groups, it is the median of all rows."""
    groups: Dict[Tuple[Value, ...], array] = defaultdict(lambda: array("d"))
    columns = [sides.train_values[document.names.index(name)] for name in document.group_by]
    for label, key in zip(sides.train_labels, zip(*columns)):
        groups[key].append(label)
    medians = {key: statistics.median(labels) for key, labels in groups.items()}
    overall = statistics.median(sides.train_labels)
    predictions = [medians.get(key, overall) for key in sides.holdout_groups]
    return {
        "group_by": document.group_by,
        "median": overall,
        "rmse": _rmse(predictions, sides.holdout_labels),
        "rmse_of_median": _rmse([overall] * len(predictions), sides.holdout_labels),
    }


def _rmse(predictions: Sequence[float], labels: Sequence[float]) -> float:
    return float(np.sqrt(np.mean((np.asarray(predictions) - np.asarray(labels)) ** 2)))


def write_archive(path: Path, files: Dict[str, bytes]) -> None:
    """Writes a model archive; the same files give the same bytes."""
    with open(path, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o644
                archive.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    sys.exit(main())
