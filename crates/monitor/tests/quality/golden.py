"""Writes the golden files next to it: inputs, and the values that scikit-learn computes for them.

Run by hand, with scikit-learn 1.9.1 and numpy: python golden.py
"""

import json
import pathlib

import numpy as np
from sklearn import metrics

HERE = pathlib.Path(__file__).parent


def write(name, content):
    # One input row on each line keeps the file readable.
    rows = ",\n    ".join(json.dumps(row) for row in content["rows"])
    expected = json.dumps(content["expected"], indent=2).replace("\n", "\n  ")
    (HERE / f"{name}.json").write_text(f'{{\n  "rows": [\n    {rows}\n  ],\n  "expected": {expected}\n}}\n')


def regression(rng):
    truth = np.round(np.exp(rng.normal(9.5, 0.8, 300)), 2)
    prediction = np.round(truth * rng.normal(1.02, 0.15, 300), 4)
    return {
        "rows": [list(row) for row in zip(prediction.tolist(), truth.tolist())],
        "expected": {
            "mae": metrics.mean_absolute_error(truth, prediction),
            "mse": metrics.mean_squared_error(truth, prediction),
            "rmse": metrics.root_mean_squared_error(truth, prediction),
            "r2": metrics.r2_score(truth, prediction),
        },
    }


def f_scores(truth, prediction, prefix="", **options):
    names = {0.5: "f0_5", 1.0: "f1", 2.0: "f2"}
    return {
        prefix + name: metrics.fbeta_score(truth, prediction, beta=beta, zero_division=0, **options)
        for beta, name in names.items()
    }


def binary(rng):
    """Scores with two digits, so that many are equal; fewer positives than negatives."""
    truth = (rng.random(400) < 0.3).astype(int)
    score = np.round(np.clip(rng.normal(0.4 + 0.2 * truth, 0.2), 0, 1), 2)
    prediction = (score >= 0.5).astype(int)
    (tn, fp), (fn, tp) = metrics.confusion_matrix(truth, prediction).tolist()
    false_positive_rates, true_positive_rates, _ = metrics.roc_curve(truth, score, drop_intermediate=False)
    precisions, recalls, _ = metrics.precision_recall_curve(truth, score)
    constant = np.zeros_like(truth)
    return {
        "rows": [list(row) for row in zip(score.tolist(), truth.tolist())],
        "expected": {
            "confusion": [[tn, fp], [fn, tp]],
            "values": {
                "recall": metrics.recall_score(truth, prediction),
                "precision": metrics.precision_score(truth, prediction),
                "accuracy": metrics.accuracy_score(truth, prediction),
                "recall_best_constant_classifier": metrics.recall_score(truth, constant),
                "precision_best_constant_classifier": metrics.precision_score(truth, constant, zero_division=0),
                "accuracy_best_constant_classifier": metrics.accuracy_score(truth, constant),
                "true_positive_rate": tp / (tp + fn),
                "true_negative_rate": tn / (tn + fp),
                "false_positive_rate": fp / (tn + fp),
                "false_negative_rate": fn / (tp + fn),
                "auc": metrics.roc_auc_score(truth, score),
                **f_scores(truth, prediction),
            },
            "false_positive_rates": false_positive_rates.tolist(),
            "true_positive_rates": true_positive_rates.tolist(),
            # scikit-learn goes from the lowest score to the highest, and ends with a point that belongs to no score.
            "precisions": precisions[-2::-1].tolist(),
            "recalls": recalls[-2::-1].tolist(),
        },
    }


def multiclass(rng):
    """Imbalanced classes. `d` is never predicted, and `e` is never true."""
    truth = rng.choice(["a", "b", "c", "d"], 500, p=[0.7, 0.2, 0.08, 0.02])
    guess = rng.choice(["a", "b", "c", "e"], 500, p=[0.5, 0.3, 0.15, 0.05])
    prediction = np.where((rng.random(500) < 0.6) & (truth != "d"), truth, guess)
    constant = np.full_like(truth, "a")
    weighted = {"average": "weighted"}
    expected = {}
    for suffix, predicted in [("", prediction), ("_best_constant_classifier", constant)]:
        values = {
            "accuracy": metrics.accuracy_score(truth, predicted),
            "weighted_recall": metrics.recall_score(truth, predicted, zero_division=0, **weighted),
            "weighted_precision": metrics.precision_score(truth, predicted, zero_division=0, **weighted),
            **f_scores(truth, predicted, "weighted_", **weighted),
        }
        expected.update({name + suffix: value for name, value in values.items()})
    return {
        "rows": [list(row) for row in zip(prediction.tolist(), truth.tolist())],
        "expected": {
            "classes": ["a", "b", "c", "d", "e"],
            "confusion": metrics.confusion_matrix(truth, prediction, labels=["a", "b", "c", "d", "e"]).tolist(),
            "values": expected,
        },
    }


if __name__ == "__main__":
    for make in [regression, binary, multiclass]:
        write(make.__name__, make(np.random.default_rng(20260101)))
