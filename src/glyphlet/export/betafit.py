"""Finds the map that corrects confidences (`decode.calibration.Beta`), and says what it is worth on lines that it was not fitted on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.decode.calibration import Beta
from glyphlet.reliability import expected_calibration_error

FITTED = 100
"""Lines for maps of the confidences."""
FEWEST_ERRORS = 10
"""Of them, those that are read wrongly, and those that are read rightly: with fewer, nothing is corrected."""
FOLDS = 5
"""Parts of the lines, each of which is left out once."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """How one kind of confidences was corrected.

    Args:
        kind: `none`, `temperature` or `beta`.
        beta: the map.
        count: lines, or characters.
        right: the share that was read rightly.
        ece_before, ece_after: expected calibration error; after: of each fold with the map that was fitted on the others.
        log_loss_before, log_loss_after: the same of the log loss.
    """

    kind: str
    beta: Beta
    count: int
    right: float
    ece_before: float
    ece_after: float
    log_loss_before: float
    log_loss_after: float

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the model file: all but the map."""
        return {key: value for key, value in asdict(self).items() if key != "beta"}


def fitted(probabilities: Floats, right: Floats, folds: NDArray[np.intp], lines: int) -> Fit:
    """The map that is worth its parameters."""
    chosen, beta, after = "none", Beta(), probabilities
    if lines >= FITTED and min(right.sum(), len(right) - right.sum()) >= FEWEST_ERRORS:
        for kind in ("temperature", "beta"):
            tried = np.empty(len(right))
            for fold in range(FOLDS):
                inner = fit_beta(probabilities[folds != fold], right[folds != fold], kind)
                tried[folds == fold] = mapped(inner, probabilities[folds == fold])
            gain = _losses(after, right) - _losses(tried, right)
            worth = gain.mean() > gain.std() / math.sqrt(len(gain))
            if worth and _error(tried, right) <= _error(after, right):
                chosen, beta, after = kind, fit_beta(probabilities, right, kind), tried
    losses = (float(_losses(values, right).mean()) if len(right) else 0.0 for values in (probabilities, after))
    errors = (_error(values, right) for values in (probabilities, after))
    return Fit(chosen, beta, len(right), float(right.mean()) if len(right) else 0.0, *errors, *losses)


def fit_beta(probabilities: Floats, right: Floats, kind: str = "beta") -> Beta:
    """The parameters with the least log loss, drawn to "no change" with the weight of one observation (Newton's method).

    Args:
        probabilities: (N,), 0 to 1.
        right: (N,), 1 where it was right.
        kind: `beta`, or `temperature` for one parameter.
    """
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    columns = np.stack([np.log(p), -np.log1p(-p), np.ones_like(p)], axis=1)
    start = np.array([1.0, 1.0, 0.0])
    if kind == "temperature":
        columns, start = columns[:, :2].sum(axis=1, keepdims=True), np.array([1.0])
    free = np.ones(len(start), bool)
    weights = start.copy()
    for _ in range(200):
        odds = columns @ weights
        sure = 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
        gradient = columns.T @ (sure - right) + (weights - start)
        curve = (columns * (sure * (1 - sure))[:, None]).T @ columns + np.eye(len(start))
        step = np.zeros(len(start))
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], gradient[free])
        weights = weights - np.clip(step, -0.5, 0.5)
        below = np.flatnonzero(weights[:2] < 0) if len(weights) > 1 else np.flatnonzero(weights < 0)
        weights[below], free[below] = 0.0, False
        if np.abs(step).max() < 1e-9:
            break
    a, b, c = (weights[0], weights[0], 0.0) if kind == "temperature" else weights
    return Beta(*(float(f"{value:.6g}") for value in (a, b, c)))


def mapped(beta: Beta, probabilities: Floats) -> Floats:
    """`Beta.of` for many."""
    return np.array([beta.of(value) for value in probabilities.tolist()])


def _error(probabilities: Floats, right: Floats) -> float:
    return expected_calibration_error(probabilities, right) if len(right) else 0.0


def _losses(probabilities: Floats, right: Floats) -> Floats:
    p = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.asarray(-np.where(right > 0, np.log(p), np.log1p(-p)))


__all__ = ["FEWEST_ERRORS", "FITTED", "FOLDS", "Fit", "fit_beta", "fitted", "mapped"]
