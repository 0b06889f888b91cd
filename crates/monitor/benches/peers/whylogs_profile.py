"""whylogs: a profile with its default metrics, in pieces of 200,000 rows, so that memory stays bounded."""

import importlib.metadata
import json
import sys

import pandas as pd
import pyarrow.parquet as pq
from whylogs.core import DatasetProfile

PIECE = 200_000

path = sys.argv[1]
if path.endswith(".csv"):
    pieces = pd.read_csv(path, chunksize=PIECE)
elif path.endswith(".parquet"):
    pieces = (batch.to_pandas() for batch in pq.ParquetFile(path).iter_batches(PIECE))
else:
    pieces = pd.read_json(path, lines=True, convert_dates=False, chunksize=PIECE)
profile = DatasetProfile()
rows = 0
for piece in pieces:
    profile.track(pandas=piece)
    rows += len(piece)
view = profile.view()
columns = view.to_pandas()
assert columns["counts/n"].iloc[0] == rows
version = importlib.metadata.version("whylogs")
print(json.dumps({"version": version, "rows": rows, "columns": len(columns)}))
