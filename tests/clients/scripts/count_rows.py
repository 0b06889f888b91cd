"""Processing script of the SKLearn image: writes how many rows its input has, with scikit-learn's version."""

import argparse
from pathlib import Path

import sklearn

arguments = argparse.ArgumentParser()
arguments.add_argument("--input", type=Path, required=True)
arguments.add_argument("--output", type=Path, required=True)
given = arguments.parse_args()
rows = sum(len(path.read_text().splitlines()) for path in given.input.iterdir())
(given.output / "rows.txt").write_text(f"{rows} rows, scikit-learn {sklearn.__version__}")
