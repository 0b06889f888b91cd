"""Writes the golden files next to it: the documents of a small table, computed as documented for Model Monitor.

It shares no code with the program. Up to 2,050 values are all in the first level of a sketch, in the order of the file,
so that counts are plain counts. Run by hand: python golden.py
"""

import math
import pathlib

HERE = pathlib.Path(__file__).parent

TABLE = """\
price,fuel,year
10.5,gas,2001
20.0,diesel,2002
,gas,2004
30.25,gas,2003
12.125,diesel,2002
"""


def double(value):
    """The number as Java prints it; no value of the table needs an exponent."""
    assert value == 0 or 1e-3 <= abs(value) < 1e7
    return repr(float(value))


def pretty(value, indent=""):
    deeper = indent + "  "
    if isinstance(value, dict):
        members = [f'{deeper}"{key}" : {pretty(member, deeper)}' for key, member in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[ " + ", ".join(pretty(element, indent) for element in value) + " ]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double(value)
    if isinstance(value, int):
        return str(value)
    return f'"{value}"'


def numeric(values):
    n, mean, m2, total = 0, 0.0, 0.0, 0.0
    for value in values:
        total += value
        n += 1
        delta = value - mean
        mean += delta / n
        m2 += delta * (delta - delta / n)
    low, high = min(values), max(values)
    buckets = []
    for i in range(10):
        lower, upper = low + (high - low) * i / 10.0, low + (high - low) * (i + 1) / 10.0
        inside = [v for v in values if lower <= v and (v <= upper if i == 9 else v < upper)]
        buckets.append({"lower_bound": lower, "upper_bound": upper, "count": float(len(inside))})
    sketch = {"parameters": {"c": 0.64, "k": 2048.0}, "data": [[float(v) for v in values]]}
    return {
        "mean": total / n,
        "sum": total,
        "std_dev": math.sqrt(m2 / n),
        "min": low,
        "max": high,
        "distribution": {"kll": {"buckets": buckets, "sketch": sketch}},
    }


def main():
    header, *lines = TABLE.strip("\n").split("\n")
    columns = {name: [line.split(",")[i] for line in lines] for i, name in enumerate(header.split(","))}
    features, constraints = [], []
    for name, texts in columns.items():
        values = [text for text in texts if text]
        common = {"num_present": len(values), "num_missing": len(texts) - len(values)}
        asked = {"name": name, "completeness": len(values) / len(texts)}
        if name in ("price", "year"):
            kind = "Fractional" if name == "price" else "Integral"
            numbers = numeric([float(value) for value in values])
            detail = {"numerical_statistics": {"common": common, **numbers}}
            more = {"num_constraints": {"is_non_negative": numbers["min"] >= 0}}
        else:
            kind = "String"
            counts = sorted({(values.count(v), v) for v in values}, reverse=True)
            buckets = [{"value": value, "count": count} for count, value in counts]
            distribution = {"categorical": {"buckets": buckets}}
            detail = {
                "string_statistics": {
                    "common": common,
                    "distinct_count": float(len(counts)),
                    "distribution": distribution,
                }
            }
            more = {"string_constraints": {"domains": [value for _, value in counts]}}
        features.append({"name": name, "inferred_type": kind, **detail})
        constraints.append({"name": name, "inferred_type": kind, "completeness": asked["completeness"], **more})
    monitoring = {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
        },
    }
    statistics = {"version": 0.0, "dataset": {"item_count": len(lines)}, "features": features}
    (HERE / "table.csv").write_text(TABLE)
    (HERE / "statistics.json").write_text(pretty(statistics))
    asked = {"version": 0.0, "features": constraints, "monitoring_config": monitoring}
    (HERE / "constraints.json").write_text(pretty(asked))


main()
