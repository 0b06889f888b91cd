"""Linear regression like Linear Learner's: several models side by side, mini-batches, Adam, the best one is kept.

The models differ in learning rate and regularisation if these are left to the algorithm; validation decides. Pure:
arrays in, arrays out.
"""

from __future__ import annotations

import itertools
from typing import Callable, List, NamedTuple, Optional

import numpy as np

from hyperparameters import Settings

SEED = 20  # Linear Learner has no seed to set; the same job gives the same model


class Linear(NamedTuple):
    """label = features @ weights + bias, in the data's own units."""

    weights: np.ndarray
    bias: float

    def predict(self, features: np.ndarray) -> np.ndarray:
        return features @ self.weights + self.bias


class _Scales(NamedTuple):
    """The values by which data and label are shifted and divided before training."""

    feature_mean: np.ndarray
    feature_scale: np.ndarray
    label_mean: float
    label_scale: float

    def features(self, features: np.ndarray) -> np.ndarray:
        return (features - self.feature_mean) / self.feature_scale

    def label(self, label: np.ndarray) -> np.ndarray:
        return (label - self.label_mean) / self.label_scale

    def unscaled(self, weights: np.ndarray, bias: float) -> Linear:
        own = weights * self.label_scale / self.feature_scale
        return Linear(own, float(bias * self.label_scale + self.label_mean - own @ self.feature_mean))


def fit(
    features: np.ndarray,
    label: np.ndarray,
    validation: Optional[tuple[np.ndarray, np.ndarray]],
    settings: Settings,
    report: Callable[[int, str, float], None],
) -> Linear:
    """Trains on features (rows, width) and label (rows,). `report` is called with (epoch, side, objective loss in the
    label's own unit)."""
    scales = _scales(features, label, settings)
    x, y = scales.features(features), scales.label(label)[:, None]
    judged = (x, y)
    if validation is not None:
        judged = (scales.features(validation[0]), scales.label(validation[1])[:, None])

    unit = scales.label_scale**2 if settings.loss == "squared_loss" else scales.label_scale
    rates, decays, l1s = _grid(settings)
    weights, bias = np.zeros((x.shape[1], len(rates))), np.zeros((1, len(rates)))
    optimizer = _Adam(weights, bias, settings)
    best_weights, best_bias, best_losses = weights.copy(), bias.copy(), np.full(len(rates), np.inf)
    order, best_so_far, waited = np.random.default_rng(SEED), np.inf, 0
    for epoch in range(settings.epochs):
        positions = order.permutation(len(x))
        losses = []
        for start in range(0, len(x) - settings.mini_batch_size + 1, settings.mini_batch_size):
            batch = positions[start : start + settings.mini_batch_size]
            error = x[batch] @ weights + bias - y[batch]
            losses.append(objective(error, settings.loss).mean(axis=0))
            slope = error if settings.loss == "squared_loss" else np.sign(error)
            gradient = x[batch].T @ slope / len(batch) + decays * weights + l1s * np.sign(weights)
            optimizer.step(gradient, slope.mean(axis=0, keepdims=True), rates)
        judged_losses = objective(judged[0] @ weights + bias - judged[1], settings.loss).mean(axis=0)
        judged_losses = np.where(np.isfinite(judged_losses), judged_losses, np.inf)
        better = judged_losses < best_losses
        best_weights[:, better], best_bias[:, better] = weights[:, better], bias[:, better]
        best_losses = np.minimum(best_losses, judged_losses)
        report(epoch, "train", float(np.min(np.mean(losses, axis=0))) * unit)
        if validation is not None:
            report(epoch, "validation", float(judged_losses.min()) * unit)
        waited = 0 if best_losses.min() < best_so_far * (1 - settings.early_stopping_tolerance) else waited + 1
        best_so_far = min(best_so_far, float(best_losses.min()))
        if waited >= settings.early_stopping_patience:
            break
    winner = int(np.argmin(best_losses))
    if not np.isfinite(best_losses[winner]):
        raise FloatingPointError("every model diverged: lower learning_rate, or leave it to the algorithm (auto)")
    return scales.unscaled(best_weights[:, winner], float(best_bias[0, winner]))


def objective(error: np.ndarray, loss: str) -> np.ndarray:
    """The loss for each error: its square, or its absolute value."""
    return error**2 if loss == "squared_loss" else np.abs(error)


def _scales(features: np.ndarray, label: np.ndarray, settings: Settings) -> _Scales:
    width = features.shape[1]
    mean, scale, label_mean, label_scale = np.zeros(width), np.ones(width), 0.0, 1.0
    if settings.normalize_data:
        mean, scale = features.mean(axis=0), features.std(axis=0)
    if settings.normalize_label:
        label_mean, label_scale = float(label.mean()), float(label.std())
    if not settings.use_bias:
        # Without a bias, nothing could undo a shift.
        mean, label_mean = np.zeros(width), 0.0
    return _Scales(mean, np.where(scale > 0, scale, 1.0), label_mean, label_scale or 1.0)


def _grid(settings: Settings) -> List[np.ndarray]:
    """Learning rate, weight decay and l1 of each model."""
    rates = [0.1, 0.05, 0.02, 0.005] if settings.learning_rate is None else [settings.learning_rate]
    decays = [0.0, 1e-4, 1e-3, 1e-2] if settings.wd is None else [settings.wd]
    l1s = [0.0, 1e-3] if settings.l1 is None else [settings.l1]
    return [np.array(column) for column in zip(*list(itertools.product(rates, decays, l1s))[: settings.num_models])]


class _Adam:
    """Adam over all models at once; changes `weights` and `bias` in place."""

    def __init__(self, weights: np.ndarray, bias: np.ndarray, settings: Settings):
        self._parameters = (weights, bias if settings.use_bias else np.zeros_like(bias))
        self._moments = [(np.zeros_like(one), np.zeros_like(one)) for one in self._parameters]
        self._settings, self._steps = settings, 0

    def step(self, weights_gradient: np.ndarray, bias_gradient: np.ndarray, rates: np.ndarray) -> None:
        settings = self._settings
        if settings.use_lr_scheduler:
            decayed = rates * settings.lr_scheduler_factor ** (self._steps // settings.lr_scheduler_step)
            rates = np.maximum(decayed, np.minimum(rates, settings.lr_scheduler_minimum_lr))
        self._steps += 1
        for parameter, (first, second), gradient in zip(
            self._parameters, self._moments, (weights_gradient, bias_gradient)
        ):
            first += (1 - settings.beta_1) * (gradient - first)
            second += (1 - settings.beta_2) * (gradient**2 - second)
            mean = first / (1 - settings.beta_1**self._steps)
            spread = second / (1 - settings.beta_2**self._steps)
            parameter -= rates * mean / (np.sqrt(spread) + 1e-8)
