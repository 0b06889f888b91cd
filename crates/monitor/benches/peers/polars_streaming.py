"""polars, streaming: missing values and approximate distinct counts of all columns, moments of numbers, no quantiles.

The analyzer's figures are compared with those that it prints.
"""

import json
import sys

import polars as pl

path = sys.argv[1]
scan = {"csv": pl.scan_csv, "parquet": pl.scan_parquet, "jsonl": pl.scan_ndjson}[path.rsplit(".", 1)[1]]
table = scan(path)
schema = table.collect_schema()
wanted = [pl.len().alias("rows")]
for name, kind in schema.items():
    column = pl.col(name)
    wanted += [column.null_count().alias(f"{name}.missing"), column.approx_n_unique().alias(f"{name}.distinct")]
    if kind.is_numeric():
        wanted += [column.mean().alias(f"{name}.mean"), column.std(ddof=0).alias(f"{name}.std")]
        wanted += [
            column.min().alias(f"{name}.min"),
            column.max().alias(f"{name}.max"),
            column.sum().alias(f"{name}.sum"),
        ]
found = table.select(wanted).collect(engine="streaming").row(0, named=True)
statistics = {
    name: {"missing": found[f"{name}.missing"], "mean": found.get(f"{name}.mean"), "std": found.get(f"{name}.std")}
    for name in schema
}
answer = {"version": pl.__version__, "rows": found["rows"], "columns": len(schema), "statistics": statistics}
print(json.dumps(answer))
