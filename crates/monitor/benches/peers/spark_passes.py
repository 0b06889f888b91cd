"""Spark: the same work that AWS's own container asks of it, in the same number of passes.

1. All columns, as text: rows, missing values, approximate distinct counts, and the type that each value looks like.
2. Columns that look like numbers: mean, standard deviation, extremes, sum, approximate deciles.
3. Text columns of at most 120 different values: how often each occurs.

A local master on all cores, 4 GB of heap, Spark's defaults otherwise. Parquet and JSON lines have types, so that the
first pass doesn't determine them.
"""

import json
import os
import sys

os.environ["PYSPARK_SUBMIT_ARGS"] = "--driver-memory 4g --conf spark.ui.enabled=false pyspark-shell"
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ["PYSPARK_PYTHON"] = sys.executable

import pyspark
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

INTEGRAL = r"^(-|\+)? ?\d+$"
FRACTIONAL = r"^(-|\+)? ?\d+((\.\d+)|((?:\.\d+)?[Ee][-+]?\d+))$"
DECILES = [part / 10 for part in range(1, 10)]

path = sys.argv[1]
spark = SparkSession.builder.master("local[*]").appName("profile").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
if path.endswith(".csv"):
    table = spark.read.option("header", True).csv(path)
elif path.endswith(".parquet"):
    table = spark.read.parquet(path)
else:
    table = spark.read.json(path)
names = table.columns
typed = {field.name for field in table.schema.fields if isinstance(field.dataType, NumericType)}

wanted = [F.count(F.lit(1)).alias("rows")]
for name in names:
    column = F.col(name)
    wanted += [
        F.count(column).alias(f"{name} present"),
        F.approx_count_distinct(column, 0.05).alias(f"{name} distinct"),
    ]
    if path.endswith(".csv"):
        number = column.rlike(INTEGRAL) | column.rlike(FRACTIONAL)
        wanted.append(F.count_if(column.rlike(INTEGRAL)).alias(f"{name} integral"))
        wanted.append(F.count_if(number).alias(f"{name} number"))
generic = table.agg(*wanted).first()
if path.endswith(".csv"):
    typed = {name for name in names if 0 < generic[f"{name} present"] == generic[f"{name} number"]}

wanted = []
for name in names:
    if name in typed:
        column = F.col(name).cast("double")
        wanted += [F.mean(column), F.stddev_pop(column), F.min(column), F.max(column), F.sum(column)]
        wanted.append(F.percentile_approx(column, DECILES, 10_000))
if wanted:
    table.agg(*wanted).collect()

few = [name for name in names if name not in typed and generic[f"{name} distinct"] <= 120]
if few:
    pairs = F.array(*[F.struct(F.lit(name).alias("name"), F.col(name).alias("value")) for name in few])
    counts = table.select(F.explode(pairs).alias("pair")).groupBy("pair.name", "pair.value").count().collect()
    assert {row["name"] for row in counts} == set(few)

print(json.dumps({"version": pyspark.__version__, "rows": generic["rows"], "columns": len(names)}))
spark.stop()
