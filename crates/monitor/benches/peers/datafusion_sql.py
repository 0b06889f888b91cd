"""DataFusion: one query for missing values, approximate distinct counts, moments and nine approximate deciles.

`approx_distinct` does not take floating-point numbers, so their distinct values are not counted.
"""

import json
import sys

import datafusion
import pyarrow as pa

path = sys.argv[1]
context = datafusion.SessionContext()
if path.endswith(".csv"):
    context.register_csv("data", path)
elif path.endswith(".parquet"):
    context.register_parquet("data", path)
else:
    context.register_json("data", path, file_extension=".jsonl")
schema = context.table("data").schema()
wanted = ["count(*) AS rows"]
for field in schema:
    column = f'"{field.name}"'
    wanted.append(f"count({column})")
    if not pa.types.is_floating(field.type):
        wanted.append(f"approx_distinct({column})")
    if pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
        wanted += [f"{function}({column})" for function in ("avg", "stddev_pop", "min", "max", "sum")]
        wanted += [f"approx_percentile_cont({column}, {part / 10})" for part in range(1, 10)]
query = ", ".join(f"{expression} AS a{number}" for number, expression in enumerate(wanted[1:]))
found = context.sql(f"SELECT {wanted[0]}, {query} FROM data").collect()[0]
rows = found.column(0)[0].as_py()
print(json.dumps({"version": datafusion.__version__, "rows": rows, "columns": len(schema)}))
