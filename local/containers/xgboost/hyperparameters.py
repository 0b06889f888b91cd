"""The hyperparameters of SageMaker's XGBoost 3.0-5 in algorithm mode, with their types and bounds."""

from __future__ import annotations

import ast
import math
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))
from contract import ClientError

METRICS = [
    "rmse",
    "rmsle",
    "mae",
    "mape",
    "mphe",
    "poisson-nloglik",
    "gamma-nloglik",
    "gamma-deviance",
    "tweedie-nloglik",
    "cox-nloglik",
    "aft-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "error",
    "merror",
    "mlogloss",
    "auc",
    "aucpr",
    "ndcg",
    "map",
]


class Settings(NamedTuple):
    """A job's parsed hyperparameters: those for the training loop, and those for xgboost itself."""

    num_round: int
    early_stopping_rounds: int
    csv_weights: bool
    booster: Dict[str, Any]


def parse(given: Dict[str, str]) -> Settings:
    """Raises ClientError for a missing, unknown or invalid value, with a text like SageMaker's."""
    if "num_round" not in given:
        raise ClientError("Missing required hyperparameter: num_round")
    values: Dict[str, Any] = {}
    for name, text in given.items():
        if name in _NOT_HERE:
            raise ClientError(f"Hyperparameter {name}: this local container does not do it")
        if name not in _KNOWN:
            raise ClientError(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = _KNOWN[name](text)
        except ValueError as error:
            raise ClientError(f"Hyperparameter {name}: {error}") from error
    loop = {name: values.pop(name, 0) for name in ("num_round", "early_stopping_rounds", "csv_weights")}
    values.pop("save_model_on_termination", None)  # a stopped job keeps no model here
    return Settings(loop["num_round"], loop["early_stopping_rounds"], bool(loop["csv_weights"]), values)


def _integer(low: float = -(2**31), high: float = 2**31 - 1) -> Callable[[str], int]:
    def parse_integer(text: str) -> int:
        return int(_within(_number(text, int), low, high))

    return parse_integer


def _real(low: float = -math.inf, high: float = math.inf, above: bool = False) -> Callable[[str], float]:
    def parse_real(text: str) -> float:
        number = _within(_number(text, float), low, high)
        if above and number == low:
            raise ValueError(f"{number} must be above {low}")
        return number

    return parse_real


def _word(*words: str) -> Callable[[str], str]:
    def parse_word(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text} is not in {list(words)}")
        return text

    return parse_word


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"could not parse value {text!r}") from error


def _within(number: Any, low: float, high: float) -> Any:
    if not low <= number <= high:
        raise ValueError(f"{number} is not from {low} to {high}")
    return number


def _metrics(text: str) -> List[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name.split("@")[0] not in METRICS:
            raise ValueError(f"metric {name} is not in {METRICS}")
    return names


def _constraints(text: str) -> str:
    try:
        ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"could not parse value {text!r}") from error
    return text


_SHARE = _real(0, 1, above=True)
_NOT_HERE = {"_kfold", "_num_cv_round", "_tuning_objective_metric", "process_type", "use_dask_gpu_training"}
_KNOWN: Dict[str, Callable[[str], Any]] = {
    "num_round": _integer(1),
    "early_stopping_rounds": _integer(1),
    "csv_weights": _integer(0, 1),
    "save_model_on_termination": _word("true", "false"),
    "alpha": _real(0),
    "aft_loss_distribution": _word("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _real(0, above=True),
    "base_score": _real(),
    "booster": _word("gbtree", "gblinear", "dart"),
    "colsample_bylevel": _SHARE,
    "colsample_bynode": _SHARE,
    "colsample_bytree": _SHARE,
    "deterministic_histogram": _word("true", "false"),
    "eta": _real(0, 1),
    "eval_metric": _metrics,
    "gamma": _real(0),
    "grow_policy": _word("depthwise", "lossguide"),
    "interaction_constraints": _constraints,
    "lambda": _real(0),
    "lambda_bias": _real(0, 1),
    "max_bin": _integer(0),
    "max_delta_step": _real(0),
    "max_depth": _integer(0),
    "max_leaves": _integer(0),
    "min_child_weight": _real(0),
    "monotone_constraints": _constraints,
    "normalize_type": _word("tree", "forest"),
    "nthread": _integer(1),
    "num_class": _integer(2),
    "num_parallel_tree": _integer(1),
    "objective": _word(
        *[
            "reg:squarederror",
            "reg:squaredlogerror",
            "reg:logistic",
            "reg:pseudohubererror",
            "reg:absoluteerror",
            "reg:gamma",
            "reg:tweedie",
            "reg:quantileerror",
            "count:poisson",
            "binary:logistic",
            "binary:logitraw",
            "binary:hinge",
            "multi:softmax",
            "multi:softprob",
            "rank:pairwise",
            "rank:ndcg",
            "rank:map",
            "survival:aft",
            "survival:cox",
        ]
    ),
    "one_drop": _integer(0, 1),
    "rate_drop": _real(0, 1),
    "refresh_leaf": _integer(0, 1),
    "sample_type": _word("uniform", "weighted"),
    "scale_pos_weight": _real(0, above=True),
    "seed": _integer(),
    "skip_drop": _real(0, 1),
    "subsample": _SHARE,
    "tree_method": _word("auto", "exact", "approx", "hist"),
    "tweedie_variance_power": _real(1, 2),
    "updater": str,
    "verbosity": _integer(0, 3),
}
