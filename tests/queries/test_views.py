"""Compares each view's answer, for any reporting files, with what plain Python makes of the same rows."""

import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from math import sqrt

import pytest
import sqlglot

from conftest import VIEWS, ask, rows_of, sample_only, statement_of, text_of

JUDGED = ("clean", "drifted", "missing-column", "extra-column")


@pytest.mark.parametrize("view", [path.stem for path in VIEWS])
def test_a_view_says_what_it_answers_and_its_columns(athena, view):
    text = text_of(view)
    comment = text.split("\nWITH", 1)[0]
    assert re.match(r"-- Answers: .+\.\n", text)
    [parameters] = re.findall(r"-- Parameters: the use case(, twice)?\.", comment)
    assert statement_of(view).count("?") == (2 if parameters else 1)
    rows = ask(athena, view)
    for column in rows[0] if rows else ():
        assert re.search(rf"^--.*(?<!\w){column}(?!\w)", comment, re.MULTILINE), f"{column} is not described"


@pytest.mark.parametrize("view", [path.stem for path in VIEWS])
def test_a_view_names_its_use_case_wherever_it_reads(view):
    query = sqlglot.parse_one(text_of(view), read="athena")
    tables = [
        table
        for table in query.find_all(sqlglot.exp.Table)
        if table.name in ("drift", "predictions", "ground_truth", "runs")
    ]
    assert tables
    for table in tables:
        where = table.find_ancestor(sqlglot.exp.Select).args["where"].sql("athena")
        assert re.search(r"use_case = \?", where), table


@pytest.mark.parametrize("view", [path.stem for path in VIEWS])
def test_a_view_of_one_use_case_is_a_statement_too(view):
    body = statement_of(view).replace("= ?", "= 'used-car-price'")
    create = sqlglot.parse_one(f"CREATE OR REPLACE VIEW used_car_price_{view} AS {body}", read="athena")
    assert isinstance(create, sqlglot.exp.Create)
    assert not list(create.find_all(sqlglot.exp.Placeholder))


def test_drifting_features_are_the_streaks_that_reach_the_present(athena):
    rows = [row for row in rows_of("drift") if row["status"] in JUDGED]
    newest = {}
    for row in rows:
        newest[row["model"]] = max(newest.get(row["model"], (-1, "")), (row["window"], row["champion"]))
    streaks = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["window"]):
        if row["champion"] == newest[row["model"]][1]:
            streak = streaks[row["model"], row["analysis"], row["feature"] or row["metric"]]
            streak.clear() if row["status"] == "clean" else streak.append(row)
    expected = {
        key: (
            streak[0]["window"],
            time(streak[0]["window_from"]),
            time(streak[-1]["window_to"]),
            len(streak),
            streak[-1]["severity"],
            max(row["severity"] for row in streak),
            streak[-1]["report_uri"],
        )
        for key, streak in streaks.items()
        if streak
    }
    answer = ask(athena, "drifting_features")
    names = ("since_window", "since", "last_seen", "windows", "severity", "worst_severity", "report_uri")
    assert {key(row, "model", "analysis", "subject"): key(row, *names) for row in answer} == expected
    assert ordered([-row["severity"] for row in answer])


@sample_only
def test_of_the_sample_these_features_drift(athena):
    answer = ask(athena, "drifting_features")
    found = {key(row, "model", "subject"): row for row in answer}
    # Drift that has ended, or that was found under a former champion, is not listed; a window that could not judge a
    # feature, or anything at all, does not end drift.
    assert {subject: row["since_window"] for subject, row in found.items()} == {
        ("xgboost", "odometer_mi"): 3,
        ("xgboost", "fuel"): 4,
        ("xgboost", "rmse"): 4,
        ("linear", "fuel"): 2,
    }
    fuel = found["xgboost", "fuel"]
    assert (fuel["baseline_top"], fuel["current_top"], fuel["metric"]) == ("diesel", "gas", "new_categories")
    odometer = found["xgboost", "odometer_mi"]
    assert odometer["baseline_missing_share"] == pytest.approx(0.05)
    assert odometer["current_missing_share"] > 0.2
    assert odometer["windows"] == 3


def test_drift_sources_are_all_files_of_the_window(athena):
    by_window = defaultdict(list)
    for row in rows_of("predictions"):
        number = int(re.match(r"window-(\d+)-part", row["$name"])[1])
        by_window[row["model"], number].append(row)
    expected = {}
    for drift in rows_of("drift"):
        if drift["analysis"] != "data" or drift["status"] != "drifted":
            continue
        feature = drift["feature"]
        files = defaultdict(list)
        for row in by_window[drift["model"], drift["window"]]:
            files[row["file"]].append(row)
        for file, rows in files.items():
            values = [row["prediction"] if feature == "prediction" else row["features"].get(feature) for row in rows]
            present = [value for value in values if value is not None]
            baseline = drift["baseline"] or {}
            known = None
            if baseline.get("distinct") is not None and len(baseline.get("categories", ())) == baseline["distinct"]:
                known = [category["value"] for category in baseline["categories"]]
            numbers = [] if known else [float(value) for value in present if is_number(value)]
            expected[drift["model"], drift["window"], feature, file] = (
                rows[0]["request"] if rows[0]["source"] == "batch" else None,
                len({row["request"] for row in rows}),
                len(rows),
                near(1 - len(present) / len(rows)),
                near(sum(numbers) / len(numbers)) if numbers else None,
                near(sum(value not in known for value in present) / len(rows)) if known else None,
            )
    answer = ask(athena, "drift_sources")
    names = ("scoring_run", "requests", "predictions", "missing_share", "mean", "unseen_share")
    assert {key(row, "model", "window", "feature", "file"): key(row, *names) for row in answer} == expected
    assert ordered([-row["window"] for row in answer])


@sample_only
def test_in_the_sample_the_scoring_run_brought_the_unknown_fuel(athena):
    rows = [
        row for row in ask(athena, "drift_sources") if key(row, "model", "window", "feature") == ("xgboost", 4, "fuel")
    ]
    assert len(rows) == 5
    [behind] = [row for row in rows if row["unseen_share"] > 0]
    assert behind["source"] == "batch"
    assert behind["scoring_run"] == "20261123t101500z-0d0c0b0a"
    assert behind["predictions"] == 12


def test_model_performance_counts_every_prediction_and_label_once(athena):
    predicted, labelled = defaultdict(list), defaultdict(list)
    for row in rows_of("predictions"):
        predicted[row["model"], row["champion"], hour(row["time"])].append(row["prediction"])
    for row in rows_of("ground_truth"):
        labelled[row["model"], row["champion"], hour(row["time"])].append((row["prediction"], row["label"]))
    answer = ask(athena, "model_performance")
    assert len(answer) == len(predicted)
    for row in answer:
        of = key(row, "model", "champion", "hour")
        predictions, labels = predicted[of], labelled[of]
        assert row["predictions"] == len(predictions)
        assert row["mean_prediction"] == near(sum(predictions) / len(predictions))
        assert (
            min(predictions)
            <= row["p05_prediction"]
            <= row["p50_prediction"]
            <= row["p95_prediction"]
            <= max(predictions)
        )
        assert row["labelled"] == len(labels)
        assert row["labelled_share"] == near(len(labels) / len(predictions))
        if not labels:
            assert key(row, "mean_label", "rmse", "mae", "bias") == (None,) * 4
            continue
        errors = [prediction - label for prediction, label in labels]
        assert row["mean_label"] == near(sum(label for _, label in labels) / len(labels))
        assert row["rmse"] == near(sqrt(sum(error**2 for error in errors) / len(errors)))
        assert row["mae"] == near(sum(map(abs, errors)) / len(errors))
        assert row["bias"] == near(sum(errors) / len(errors))
    assert ordered([row["hour"] for row in answer])


@sample_only
def test_in_the_sample_errors_grow(athena):
    rows = [row for row in ask(athena, "model_performance") if row["model"] == "xgboost" and row["rmse"]]
    assert rows[0]["rmse"] < 4000 < rows[-1]["rmse"]
    assert rows[-1]["bias"] < -4000


def test_feature_trends_hold_every_value_of_every_request(athena):
    requests, features = defaultdict(list), defaultdict(set)
    for row in rows_of("predictions"):
        requests[row["model"], row["champion"], row["request"]].append(row)
        features[row["model"], row["champion"]].update(row["features"])
    answer = {key(row, "model", "champion", "request", "feature"): row for row in ask(athena, "feature_trends")}
    assert set(answer) == {(*of, feature) for of in requests for feature in features[of[:2]]}
    for (*of, feature), row in answer.items():
        rows = requests[tuple(of)]
        present = [one["features"][feature] for one in rows if feature in one["features"]]
        predictions = [one["prediction"] for one in rows]
        assert row["asked"] == min(time(one["time"]) for one in rows)
        assert row["predictions"] == len(rows)
        assert row["missing_share"] == near(1 - len(present) / len(rows))
        assert row["distinct_values"] == len(set(present))
        assert key(row, "smallest_prediction", "largest_prediction") == (min(predictions), max(predictions))
        assert row["mean_prediction"] == near(sum(predictions) / len(predictions))
        counts = Counter(present)
        if present:
            assert counts[row["most_frequent"]] == max(counts.values())
            assert row["most_frequent_share"] == near(max(counts.values()) / len(present))
        numbers = [float(value) for value in present if is_number(value)]
        if numbers:
            assert key(row, "smallest", "largest") == (min(numbers), max(numbers))
            assert row["mean"] == near(sum(numbers) / len(numbers))
        else:
            assert key(row, "mean", "smallest", "largest") == (None, None, None)


def test_run_decisions_have_a_row_a_run_and_model(athena):
    # A person's word on a candidate is a promotion's row under the run of the candidate.
    one = ("run_id", "model", "kind")
    runs = {key(row, *one): row for row in rows_of("runs")}
    answer = ask(athena, "run_decisions")
    assert Counter(key(row, *one) for row in answer) == Counter(runs.keys())
    found = defaultdict(dict)
    for row in rows_of("drift"):
        if row["status"] == "drifted":
            subject = row["feature"] or row["metric"]
            found[row["run_id"]][subject] = max(row["severity"], found[row["run_id"]].get(subject, 0))
    for row in answer:
        run = runs[key(row, *one)]
        same = ("kind", "started_by", "source", "status", "decision", "reason", "metric_rmse", "threshold_rmse")
        same += ("candidate_rmse", "champion_rmse", "candidate_rmse_on_champions", "champion_rmse_on_champions")
        same += ("naive_rmse", "champion", "scored_rows", "rejected_rows")
        assert key(row, *same) == key(run, *same)
        assert row["started_at"] == time(run["started_at"])
        if run["started_at"] and run["stopped_at"]:
            # Athena counts whole seconds, DuckDB the boundaries of seconds in between.
            taken = time(run["stopped_at"]) - time(run["started_at"])
            assert abs(timedelta(seconds=row["seconds"]) - taken) < timedelta(seconds=1)
        if run["candidate_rmse"] is not None and run["champion_rmse"]:
            assert row["improvement"] == near(1 - run["candidate_rmse"] / run["champion_rmse"])
        else:
            assert row["improvement"] is None
        worst = (
            sorted(found[run["source"]].items(), key=lambda it: (-it[1], it[0])) if run["started_by"] == "drift" else ()
        )
        assert row["drifted"] == (", ".join(subject for subject, _ in worst) or None)
    assert ordered([-time_or_none(row["started_at"]) for row in answer])


@sample_only
def test_of_the_sample_a_run_says_what_drift_started_it(athena):
    rows = [row for row in ask(athena, "run_decisions") if row["started_by"] == "drift"]
    assert {row["model"]: row["decision"] for row in rows} == {"linear": "exported", "xgboost": "rejected-champion"}
    assert rows[0]["drifted"] == "fuel, odometer_mi, prediction, rmse"
    assert [row["improvement"] for row in rows] == [near(0.1), near(-0.025)]
    assert [row["seconds"] for row in rows] == [90, 90]


def key(row, *names):
    return tuple(row[name] for name in names)


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def time(text):
    return text and datetime.fromisoformat(text).replace(tzinfo=None)


def time_or_none(time):
    return time.timestamp() if time else 0


def hour(text):
    return time(text).replace(minute=0, second=0, microsecond=0)


def ordered(values):
    return values == sorted(values)


def is_number(value):
    try:
        float(value)
    except ValueError:
        return False
    return True
