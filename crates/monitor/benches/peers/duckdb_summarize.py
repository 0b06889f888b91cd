"""DuckDB: `SUMMARIZE`: types, missing values, extremes, approximate distinct counts, moments, approximate quartiles."""

import json
import sys

import duckdb

path = sys.argv[1]
summary = duckdb.sql(f"SUMMARIZE FROM '{path}'").fetchall()
# The last two: rows (including missing values) and the share of missing values.
print(json.dumps({"version": duckdb.__version__, "rows": summary[0][-2], "columns": len(summary)}))
