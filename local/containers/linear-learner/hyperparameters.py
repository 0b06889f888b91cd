"""The hyperparameters of SageMaker's Linear Learner for regression, and those of them that this stand-in uses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))
from contract import ClientError

# Known to the algorithm, but without effect on a regressor or here; a log line says so.
UNUSED = frozenset(
    [
        "accuracy_top_k",
        "balance_multiclass_weights",
        "binary_classifier_model_selection_criteria",
        "f_beta",
        "huber_delta",
        "init_bias",
        "init_method",
        "init_scale",
        "init_sigma",
        "loss_insensitivity",
        "margin",
        "momentum",
        "num_calibration_samples",
        "num_classes",
        "num_point_for_scaler",
        "positive_example_weight_mult",
        "quantile",
        "target_precision",
        "target_recall",
        "unbias_data",
        "unbias_label",
        "bias_lr_mult",
        "bias_wd_mult",
    ]
)


class Settings(NamedTuple):
    """Parsed hyperparameters; None if the algorithm is to choose ("auto")."""

    feature_dim: Optional[int] = None
    mini_batch_size: int = 1000
    epochs: int = 15
    loss: str = "squared_loss"
    learning_rate: Optional[float] = None
    wd: Optional[float] = None
    l1: Optional[float] = None
    normalize_data: bool = True
    normalize_label: bool = True
    use_bias: bool = True
    beta_1: float = 0.9
    beta_2: float = 0.999
    early_stopping_patience: int = 3
    early_stopping_tolerance: float = 0.001
    use_lr_scheduler: bool = True
    lr_scheduler_step: int = 100
    lr_scheduler_factor: float = 0.99
    lr_scheduler_minimum_lr: float = 1e-5
    num_models: int = 32


def parse(given: Dict[str, str]) -> Settings:
    """Raises ClientError for a missing, unknown or invalid value, and for values that the stand-in doesn't support."""
    given = dict(given)
    kind = given.pop("predictor_type", None)
    if kind is None:
        raise ClientError("Missing required hyperparameter: predictor_type")
    if kind != "regressor":
        raise ClientError(f"predictor_type {kind}: this local stand-in does regressor only")
    if given.pop("optimizer", "auto") not in ("auto", "adam"):
        raise ClientError("optimizer: this local stand-in does adam (auto) only")
    values: Dict[str, Any] = {}
    for name, text in given.items():
        if name in UNUSED:
            print(f"hyperparameter {name}={text} has no effect here", flush=True)
        elif name not in _KNOWN:
            raise ClientError(f"Additional hyperparameters are not allowed ('{name}' was unexpected)")
        elif text != "auto" or name not in _AUTO:
            try:
                values[name] = _KNOWN[name](text)
            except ValueError as error:
                raise ClientError(f"hyperparameter {name}: {error}") from error
    return Settings(**values)


def _integer(low: int) -> Callable[[str], int]:
    def parse_integer(text: str) -> int:
        number = int(text) if text.lstrip("+-").isdigit() else None
        if number is None or number < low:
            raise ValueError(f"{text!r} is no whole number of at least {low}")
        return number

    return parse_integer


def _real(low: float, high: float = float("inf")) -> Callable[[str], float]:
    def parse_real(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise ValueError(f"{text!r} is no number from {low} to {high}")
        return number

    return parse_real


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _loss(text: str) -> str:
    if text not in ("squared_loss", "absolute_loss"):
        raise ValueError(f"{text!r}: this local stand-in does squared_loss and absolute_loss only")
    return text


_AUTO = frozenset(
    ["feature_dim", "loss", "learning_rate", "wd", "l1", "normalize_data", "normalize_label", "num_models"]
)
_KNOWN: Dict[str, Callable[[str], Any]] = {
    "feature_dim": _integer(1),
    "mini_batch_size": _integer(1),
    "epochs": _integer(1),
    "loss": _loss,
    "learning_rate": _real(1e-12),
    "wd": _real(0),
    "l1": _real(0),
    "normalize_data": _truth,
    "normalize_label": _truth,
    "use_bias": _truth,
    "beta_1": _real(0, 0.999999999),
    "beta_2": _real(0, 0.999999999),
    "early_stopping_patience": _integer(1),
    "early_stopping_tolerance": _real(0),
    "use_lr_scheduler": _truth,
    "lr_scheduler_step": _integer(1),
    "lr_scheduler_factor": _real(0, 1),
    "lr_scheduler_minimum_lr": _real(0),
    "num_models": _integer(1),
}
