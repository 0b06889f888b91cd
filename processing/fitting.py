"""Fits the feature transformer to training rows with scikit-learn, and returns what was learnt as data.

scikit-learn does imputation, rare categories and scaling; only the resulting numbers are kept. The features themselves
are always computed by `features.Transformer`, in training and in serving, so that both are equal to the last digit.
"""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from features import FORMAT, Column, Value


def fit(
    descriptions: Sequence[Dict[str, Any]], values: Sequence[Sequence[Value]], rare_below: int, max_categories: int
) -> Dict[str, Any]:
    """The content of `transformer.json`.

    `descriptions`: the description of each column for `features.Column`; `values`: the training values, column by
    column. A category that occurs fewer than `rare_below` times counts as other, as do the rarest beyond
    `max_categories`.
    """
    features: List[Dict[str, Any]] = []
    for description, column in zip(descriptions, values):
        if Column(description).type == "category":
            features.append(_fit_one_hot(column, rare_below, max_categories))
        else:
            features.append(_fit_scaled(column, scale=description["type"] != "boolean"))
    return {"format": FORMAT, "columns": list(descriptions), "features": features}


def _fit_scaled(column: Sequence[Value], scale: bool) -> Dict[str, Any]:
    numbers = np.array([np.nan if value is None else value for value in column], dtype=np.float64).reshape(-1, 1)
    missing = bool(np.isnan(numbers).any())
    if np.isnan(numbers).all():
        return {"encoding": "constant"}
    imputer = SimpleImputer(strategy="median" if scale else "most_frequent")
    filled = imputer.fit_transform(numbers)
    scaler = StandardScaler(with_mean=scale, with_std=scale).fit(filled)
    return {
        "encoding": "scaled",
        "fill": float(imputer.statistics_[0]),
        "mean": float(scaler.mean_[0]) if scale else 0.0,
        "scale": float(scaler.scale_[0]) if scale else 1.0,
        "flag_missing": missing,
    }


def _fit_one_hot(column: Sequence[Value], rare_below: int, max_categories: int) -> Dict[str, Any]:
    words = np.array([value or "" for value in column], dtype=object).reshape(-1, 1)
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=max(rare_below, 1),
        max_categories=max_categories,
    ).fit(words)
    rare = encoder.infrequent_categories_[0]
    others = set() if rare is None else set(rare)
    kept = [str(category) for category in encoder.categories_[0] if category not in others]
    return {"encoding": "one-hot", "categories": kept, "other": bool(others)}
