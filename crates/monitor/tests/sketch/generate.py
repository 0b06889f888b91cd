"""Writes hll.json and moments.json with a real Spark: `pip install 'pyspark==3.5.*'`, Java 17, then run this here.

The reference's own distinct counts (`deequ` in hll.json) and all of kll.json were computed once on Scala 2.12 by a
program that follows deequ's order of operations step by step; they are not generated again.
"""

import json
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

HERE = Path(__file__).parent
MASK = (1 << 64) - 1
SIZES = [0, 1, 2, 10, 100, *range(119, 126), 300, *range(390, 411), 500, 750, 1000, 1300, 1500, 2000, 2500, 3000, 5000]
SIZES += [10_000, 100_000]
ALPHABETS = {"ascii": "abcdefghijklmnopqrstuvwxyz0123456789", "mixed": 'aé€😀 ,"ß中0'}


def mix(i):
    """A fixed random number of 64 bits for every i."""
    z = i * 0x9E3779B97F4A7C15 & MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def unit(i):
    return (mix(i) >> 11) / (1 << 53)


SERIES = {
    "unit": ("unit(i) = (mix(i) >> 11) / 2^53", unit),
    "wide": ("(unit(i) - 0.5) * 2000000.0 + 18463239.0", lambda i: (unit(i) - 0.5) * 2000000.0 + 18463239.0),
    "money": ("(mix(i) % 100000) / 100.0", lambda i: mix(i) % 100000 / 100.0),
    "cancelling": ("1000000000.0 + unit(i)", lambda i: 1000000000.0 + unit(i)),
    "whole": ("mix(i) % 7 - 3", lambda i: float(mix(i) % 7 - 3)),
}


def text(name, length):
    """`length` characters: the i-th is at position mix(length * 1000 + i) % len of the alphabet."""
    alphabet = ALPHABETS[name]
    return "".join(alphabet[mix(length * 1000 + i) % len(alphabet)] for i in range(length))


def column(spark, values, kind):
    rows = spark.sparkContext.parallelize([(v,) for v in values], 1)
    return spark.createDataFrame(rows, StructType([StructField("v", kind)]))


def write(name, head, lists):
    """Writes one item of a list on each line."""
    parts = [f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in head.items()]
    for key, items in lists.items():
        lines = ",\n".join("    " + json.dumps(item, ensure_ascii=False) for item in items)
        parts.append(f"  {json.dumps(key)}: [\n{lines}\n  ]")
    (HERE / name).write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def main():
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    hll = HERE / "hll.json"
    kept = json.loads(hll.read_text(encoding="utf-8"))["counts"] if hll.exists() else []
    deequ = {case["size"]: case["deequ"] for case in kept}

    texts = [(name, length, text(name, length)) for name in ALPHABETS for length in range(101)]
    hashed = column(spark, [t for _, _, t in texts], StringType()).select(F.xxhash64("v")).collect()
    hashes = [
        {"alphabet": name, "length": length, "text": t, "hash": f"{row[0] & MASK:016x}"}
        for (name, length, t), row in zip(texts, hashed)
    ]
    counts = []
    for size in SIZES:
        values = spark.range(0, size, 1, 1).select(F.concat(F.lit("v"), F.col("id").cast("string")).alias("v"))
        count = values.agg(F.approx_count_distinct("v", 0.05)).collect()[0][0]
        counts.append({"size": size, "spark": count, "deequ": deequ.get(size)})
    head = {"source": f"Spark {spark.version}", "values": "the texts v0, v1, ... below the size", "rsd": 0.05}
    write("hll.json", head, {"counts": counts, "hashes": hashes})

    series = []
    for name, (rule, value) in SERIES.items():
        for count in (1, 2, 1000):
            values = column(spark, [value(i) for i in range(1, count + 1)], DoubleType())
            row = values.agg(F.stddev_pop("v"), F.avg("v"), F.sum("v")).collect()[0]
            first = [value(i) for i in range(1, min(count, 3) + 1)]
            moments = {"stddev_pop": row[0], "avg": row[1], "sum": row[2]}
            series.append({"name": name, "rule": rule, "count": count, "first": first, **moments})
    head = {
        "source": f"Spark {spark.version}, one partition",
        "values": "rule for i = 1, 2, ... up to the count, in this order",
        "mix": [
            "of 64 bits, wrapping:",
            "z = i * 0x9E3779B97F4A7C15",
            "z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9",
            "z = (z ^ (z >> 27)) * 0x94D049BB133111EB",
            "mix(i) = z ^ (z >> 31)",
        ],
    }
    write("moments.json", head, {"series": series})


if __name__ == "__main__":
    main()
