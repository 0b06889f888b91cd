"""Makes data/: reporting files as the pipelines write them, for three days of a small use case. Always the same.

    python tests/queries/sample.py

What is in it is said at `WINDOWS` and `RUNS`; crates/contracts/tests/reporting.rs holds its rows to the contract.
"""

import gzip
import json
import random
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).parent / "data/used-car-price/reporting"
BUCKET = "s3://drivetrain-dev/used-car-price"
FIRST, SECOND = "20261122t180000z-ab12cd34", "20261124t090000z-0f1e2d3c"
SCORED = "20261123t101500z-0d0c0b0a"
FUELS = ["gas", "diesel", "hybrid"]

# The windows of each model: champion, when the window was made, what drifted, and its data: a share of missing
# odometers and the request that has none at all, a fuel of the scoring run that was in it, how far predictions are off.
# `few` means that the fuel could not be judged.
WINDOWS = {
    "xgboost": [
        (FIRST, "2026-11-22T20:00:09Z", [], {}),
        (FIRST, "2026-11-22T23:30:09Z", ["fuel"], {}),
        (FIRST, "2026-11-23T02:00:09Z", [], {}),
        (FIRST, "2026-11-23T08:00:09Z", ["odometer_mi"], {"missing": 0.5}),
        (FIRST, "2026-11-23T11:00:09Z", ["odometer_mi", "fuel", "prediction", "rmse"],
         {"missing": 0.6, "fuel": "hydrogen", "off": 4000}),
        (FIRST, "2026-11-23T15:00:09Z", ["odometer_mi", "rmse"],
         {"missing": 0.4, "none_in_request": 2, "few": True, "off": 6000}),
        (None, "2026-11-23T16:00:09Z", "error", {}),
    ],
    "linear": [
        (FIRST, "2026-11-22T20:00:09Z", ["year"], {}),
        (FIRST, "2026-11-23T11:00:09Z", ["year", "fuel"], {"fuel": "hydrogen"}),
        (SECOND, "2026-11-24T12:00:09Z", ["fuel"], {}),
    ],
}  # fmt: skip

# Model, run, kind, what started it, source, decision, reason, metric, candidate's and champion's errors, rows.
RUNS = [
    ("xgboost", FIRST, "training", "drop", "training/incoming/a.csv", "exported",
     "no champion yet", 3900.5, 4000.0, None),
    ("linear", FIRST, "training", "drop", "training/incoming/a.csv", "exported",
     "no champion yet", 4800.0, 4900.0, None),
    ("xgboost", "20261123t030000z-11112222", "training", "drop", "training/incoming/b.csv", "rejected-threshold",
     "rmse 6200 is not under 6000", 6200.0, None, None),
    ("all", SCORED, "scoring", "drop", "scoring/incoming/c.csv", None, None, None, None, None),
    ("all", "20261123t104500z-33334444", "scoring", "drop", "scoring/incoming/d.csv", None,
     "no row can be scored", None, None, None),
    ("xgboost", SECOND, "training", "drift", "20261123t110000z-xgboost", "rejected-champion",
     "the champion is better", 3800.0, 4100.0, 4000.0),
    ("linear", SECOND, "training", "drift", "20261123t110000z-xgboost", "exported",
     "the candidate is better", 4200.0, 4410.0, 4900.0),
]  # fmt: skip


def main():
    chance = random.Random(7)
    for model, windows in WINDOWS.items():
        opened = "2026-11-22T18:20:00Z"
        for number, (champion, made, drifted, data) in enumerate(windows):
            window = Window(model, number, opened, made, champion, drifted, data)
            records = [] if drifted == "error" else window.records(chance)
            labels = window.labels(records, chance)
            window.write(records, labels)
            opened = made
    for row in RUNS:
        write_run(*row)


class Window:
    def __init__(self, model, number, opened, made, champion, drifted, data):
        self.model, self.number, self.opened, self.made = model, number, opened, made
        self.champion, self.drifted, self.data = champion, drifted, data
        self.run_id = monitoring_run(made, model)
        self.config = f"dev-used-car-price-{model}-{champion[-8:]}-conf-0" if champion else ""
        self.folder = f"{BUCKET}/monitoring/{model}/{self.run_id}"
        self.scoring_runs = [SCORED] if data.get("fuel") else []

    def records(self, chance):
        begin, end = read_time(self.opened), read_time(self.made)
        rows = []
        for request in range(4):
            asked = begin + (end - begin) * (request + 1) / 6
            file = f"dev-used-car-price-{self.model}-5c4e3a/AllTraffic/{asked:%Y/%m/%d/%H/%M-%S}-000-{request:04}.jsonl"
            id = f"{self.number:02}{request:02}-{self.model}"
            rows += [self.record(chance, f"{id}#{row}", id, asked, "endpoint", file) for row in range(6)]
        for run in self.scoring_runs:
            asked = read_time("2026-11-23T10:16:40Z")
            rows += [self.record(chance, f"{run}#{row}", run, asked, "batch", f"batch/{run}.csv") for row in range(12)]
        return rows

    def record(self, chance, id, request, asked, source, file):
        year = chance.randint(2005, 2021)
        odometer = chance.randint(0, 180_000)
        features = {"year": str(year), "odometer_mi": str(odometer), "fuel": chance.choice(FUELS)}
        if source == "batch" and chance.random() < 0.75:
            features["fuel"] = self.data["fuel"]
        none = request.startswith(f"{self.number:02}{self.data.get('none_in_request', 99):02}-")
        if chance.random() < (1 if none else self.data.get("missing", 0.05)):
            del features["odometer_mi"]
        prediction = 1000.0 + (year - 2004) * 1500 + max(0, 150_000 - odometer) / 20
        return {
            "model": self.model,
            "id": id,
            "time": text(asked),
            "request": request,
            "source": source,
            "file": f"{BUCKET}/capture/{self.config}/{file}",
            "champion": self.champion,
            "endpoint_config": self.config,
            "prediction": prediction,
            "features": features,
        }

    def labels(self, records, chance):
        rows = []
        for record in records[::3]:
            rows.append(
                {
                    "model": self.model,
                    "id": record["id"],
                    "time": record["time"],
                    "champion": record["champion"],
                    "prediction": record["prediction"],
                    "label": record["prediction"] + self.data.get("off", 0) + round(chance.gauss(0, 2000), 2),
                    "window": self.number,
                }
            )
        return rows

    def write(self, records, labels):
        name = f"window-{self.number:06}"
        write("drift", self.model, self.opened, f"{name}.jsonl", self.drift(records, labels))
        if records:
            write("predictions", self.model, self.opened, f"{name}-part-00000.jsonl.gz", records)
        if labels:
            write("ground_truth", self.model, self.opened, f"{name}.jsonl.gz", labels)

    def drift(self, records, labels):
        common = {
            "model": self.model,
            "window": self.number,
            "window_from": self.opened,
            "window_to": self.made,
            "run_id": self.run_id,
            "champion": self.champion,
            "endpoint_config": self.config,
        }
        if self.drifted == "error":
            return [self.row(common, "window", "error", "the analyzer's result can't be read", records, labels)]
        rows = []
        for feature in ("year", "odometer_mi", "fuel", "prediction"):
            drifts = feature in self.drifted
            few = feature == "fuel" and self.data.get("few")
            metric = {"fuel": "new_categories", "odometer_mi": "missing"}.get(feature, "psi")
            severity = round(1.5 + 0.25 * self.number if drifts else 0.3, 3)
            threshold = {"fuel": 0.05, "odometer_mi": 0.05}.get(feature, 0.2)
            distance = round(severity * threshold, 6)
            row = self.row(common, "data", self.outcome("data"), self.reason("data"), records, labels)
            row |= {
                "feature": feature,
                "role": "prediction" if feature == "prediction" else "feature",
                "status": "insufficient-data" if few else "drifted" if drifts else "clean",
                "metric": None if few else metric,
                "distance": None if few else distance,
                "threshold": None if few else threshold,
                "severity": 0.0 if few else severity,
                "q_value": None if few else (0.0001 if drifts else 0.4),
                "distances": [] if few else [{"metric": metric, "value": distance, "threshold": threshold}],
                "baseline": BASELINE[feature],
                "current": summary(feature, records),
                "baseline_rows": 5000,
            }
            rows.append(row)
        for metric, value, threshold in (
            ("rmse", 4500.0 if "rmse" in self.drifted else 2100.0, 2600.0),
            ("mse", 1.0, None),
        ):
            row = self.row(common, "quality", self.outcome("quality"), self.reason("quality"), records, labels)
            row |= {
                "status": "drifted" if metric in self.drifted else "clean",
                "metric": metric,
                "distance": value,
                "threshold": threshold,
                "severity": value / threshold if threshold else None,
                "baseline_rows": 700,
                "current_rows": len(labels),
            }
            rows.append(row)
        return rows

    def outcome(self, analysis):
        return "drifted" if any((name == "rmse") == (analysis == "quality") for name in self.drifted) else "clean"

    def reason(self, analysis):
        return f"{self.drifted[0]} drifted most" if self.outcome(analysis) == "drifted" else "nothing drifted"

    def row(self, common, analysis, outcome, reason, records, labels):
        of = "quality" if analysis == "quality" else "data"
        return common | {
            "analysis": analysis,
            "outcome": outcome,
            "reason": reason,
            **dict.fromkeys(
                ("feature", "role", "status", "metric", "distance", "threshold", "severity", "q_value"),
            ),
            "distances": [],
            "baseline": None,
            "current": None,
            "baseline_rows": 0,
            "current_rows": len(records),
            "skipped_rows": 0,
            "predictions": len(records),
            "labels_joined": len(labels),
            "data_uri": f"{self.folder}/input/{of}",
            "sources_uri": f"{self.folder}/sources.json",
            "scoring_runs": self.scoring_runs,
            "report_uri": "" if analysis == "window" else f"{self.folder}/{of}/report.html",
        }


def summary(feature, records):
    values = [
        record["prediction"] if feature == "prediction" else record["features"].get(feature) for record in records
    ]
    present = [value for value in values if value is not None]
    counts = {"present": len(present), "missing": len(values) - len(present)}
    if feature == "fuel":
        categories = sorted(set(present), key=lambda value: (-present.count(value), value))
        listed = [
            {"value": value, "rows": present.count(value), "share": present.count(value) / len(present)}
            for value in categories
        ]
        return {"inferred_type": "String", **counts, "categories": listed, "distinct": len(categories)}
    numbers = sorted(map(float, present))
    mean = sum(numbers) / len(numbers)
    deviation = (sum((number - mean) ** 2 for number in numbers) / len(numbers)) ** 0.5
    quantiles = [
        {"share": share, "value": numbers[int(share * (len(numbers) - 1))]} for share in (0.05, 0.25, 0.5, 0.75, 0.95)
    ]
    return {
        "inferred_type": "Integral",
        **counts,
        "numbers": {
            "mean": mean,
            "std_dev": deviation,
            "min": numbers[0],
            "max": numbers[-1],
            "quantiles": quantiles,
            "histogram": {"edges": [numbers[0], numbers[-1]], "shares": [1.0]},
        },
    }


def write_run(model, run_id, kind, started_by, source, decision, reason, metric, candidate, champion):
    began = datetime.strptime(run_id[:16], "%Y%m%dt%H%M%Sz")
    failed = reason == "no row can be scored"
    if started_by == "drift":
        made = next(made for _, made, drifted, _ in WINDOWS["xgboost"] if "rmse" in drifted)
        source = monitoring_run(made, "xgboost")
    else:
        source = f"{BUCKET}/{source}"
    row = {
        "model": model,
        "run_id": run_id,
        "kind": kind,
        "started_by": started_by,
        "source": source,
        "status": "FAILED" if failed else "SUCCEEDED",
        "started_at": text(began + timedelta(seconds=2.25)),
        "stopped_at": text(began + timedelta(seconds=92.75)),
        "decision": decision,
        "reason": reason,
        "metric_rmse": metric,
        "threshold_rmse": metric and 6000.0,
        "candidate_rmse": candidate,
        "champion_rmse": champion,
        "candidate_rmse_on_champions": champion and candidate + 10.0,
        "champion_rmse_on_champions": champion and champion + 20.0,
        "naive_rmse": candidate and 2 * candidate,
        "champion": champion and FIRST,
        "scored_rows": 12 if run_id == SCORED else None,
        "rejected_rows": 1 if run_id == SCORED else None,
    }
    write("runs", model, row["started_at"], f"{run_id}.jsonl", [row])


def monitoring_run(made, model):
    """A run id as start-run makes it: the time of the tick, and hex digits."""
    digits = "5f3a9c01" if model == "xgboost" else "7b2d4e02"
    return f"{read_time(made):%Y%m%dt%H0000z}-{digits}"


def read_time(time):
    return datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ")


def text(time):
    shown = time.isoformat()
    return (shown.rstrip("0") if "." in shown else shown) + "Z"


def write(table, model, day, name, rows):
    path = FOLDER / table / f"day={day[:10]}" / f"model={model}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)


BASELINE = {
    feature: summary(
        feature, [{"prediction": 15_000.0 + row * 10, "features": values} for row, values in enumerate(rows)]
    )
    for rows in [
        [
            {"year": str(2005 + row % 16), "fuel": FUELS[row % 3]}
            | ({"odometer_mi": str(row * 900)} if row % 20 else {})
            for row in range(200)
        ]
    ]
    for feature in ("year", "odometer_mi", "fuel", "prediction")
}

if __name__ == "__main__":
    main()
