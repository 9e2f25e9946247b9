"""How far a confidence can be relied on: calibration, and what a threshold of confidence buys. NumPy alone.

A confidence is calibrated when, of all readings with the confidence 0.9, nine of ten are right. Readings are put into
bins of equal mass, so that every bin has as many of them to tell by (the adaptive bins of Nixon et al. 2019, "Measuring
calibration in deep learning"; Roelofs et al. 2022, "Mitigating bias in calibration error estimation", find them less
biased than bins of equal width). Readings of one confidence never part: they share a bin, and a threshold takes all of
them or none.

A threshold trades errors for readings that a person must look at: selective prediction (El-Yaniv and Wiener 2010, "On the
foundations of noise-free selective classification"). The bound on the errors is Clopper and Pearson's (1934, "The use
of confidence or fiducial limits illustrated in the case of the binomial").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glyphlet.metrics import Interval, wilson

SURE = 0.95
"""How sure an upper bound is."""
_SLACK = 1e-12


@dataclass(frozen=True)
class Bin:
    """Readings of neighbouring confidences.

    Args:
        low, high: the least and the greatest confidence in the bin.
        count: how many readings.
        right: how many of them are right.
        confidence: their mean confidence.
        interval: of the share that is right, Wilson's, 95 %.
    """

    low: float
    high: float
    count: int
    right: int
    confidence: float
    interval: Interval

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.right / self.count


@dataclass(frozen=True)
class Threshold:
    """What accepting the confident readings alone does.

    Args:
        threshold: the least confidence that is accepted; None where none is.
        accepted, rejected: readings on either side of it.
        errors: of the accepted ones.
        upper: the share of errors among accepted readings lies below this, with a confidence of 95 % for a threshold
            that was fixed beforehand.
    """

    threshold: float | None
    accepted: int
    rejected: int
    errors: int
    upper: float


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> tuple[Bin, ...]:
    """Readings in bins of equal mass, by confidence, from the least.

    Args:
        confidence: of each reading, 0 to 1, (N,), at least one.
        right: whether each is right, (N,).
        bins: at most so many; fewer where equal confidences fill more than one.

    Raises:
        ValueError: there is no reading, the lengths differ, `bins` is below 1, or a confidence is outside 0 to 1.

    >>> [(b.count, b.confidence, b.accuracy) for b in reliability([0.25, 0.75, 0.75, 1.0], [0, 1, 0, 1], 2)]
    [(3, 0.5833333333333334, 0.3333333333333333), (1, 1.0, 1.0)]
    """
    if bins < 1:
        raise ValueError(f"{bins} bins are none")
    confidences, rights = _sorted(confidence, right)
    n = len(confidences)
    wanted = confidences[[-(-k * n // bins) - 1 for k in range(1, bins + 1)]]
    ends = np.unique(np.searchsorted(confidences, wanted, side="right"))
    found = []
    for start, stop in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        inside, good = confidences[start:stop], int(rights[start:stop].sum())
        mean = min(max(float(inside.mean()), float(inside[0])), float(inside[-1]))  # rounding must not leave the bin
        count = stop - start
        found.append(Bin(float(inside[0]), float(inside[-1]), count, good, mean, wilson(good, count)))
    return tuple(found)


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = 15) -> float:
    """The mean gap between confidence and accuracy over bins of equal mass, weighted by their readings.

    Naeini et al. 2015 ("Obtaining well calibrated probabilities using Bayesian binning") and Guo et al. 2017 ("On
    calibration of modern neural networks") define it so, with bins of equal width. Chance alone puts it above 0, the
    more so the fewer readings a bin has.

    Args:
        confidence, right, bins: as for `reliability`.

    Raises:
        ValueError: as `reliability`.

    >>> expected_calibration_error([0.5, 0.5, 1.0, 1.0], [1, 0, 1, 0], 2)
    0.25
    """
    found = reliability(confidence, right, bins)
    return math.fsum(b.count * abs(b.accuracy - b.confidence) for b in found) / sum(b.count for b in found)


def threshold_for(confidence: ArrayLike, right: ArrayLike, most_errors: float, promised: bool = False) -> Threshold:
    """The threshold that accepts the most readings with at most a given share of errors among them.

    Args:
        confidence, right: as for `reliability`.
        most_errors: the share of errors among the accepted readings, 0 to 1.
        promised: the upper bound of the share must keep to it, not the share that was seen.

    Raises:
        ValueError: as `reliability`, or `most_errors` is outside 0 to 1.

    >>> threshold_for([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1], 0.25).accepted
    4
    >>> threshold_for([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1], 0.1).threshold
    0.8
    """
    if not 0 <= most_errors <= 1:
        raise ValueError(f"the share of errors is {most_errors!r}, not 0 to 1")
    confidences, accepted, errors = accepted_errors(confidence, right)
    n = int(accepted[-1])
    for i in np.flatnonzero(errors <= most_errors * accepted * (1 + _SLACK))[::-1].tolist():
        if promised and i + 1 < len(errors) and errors[i + 1] == errors[i]:
            continue  # more readings with as many errors did not do
        taken, wrong = int(accepted[i]), int(errors[i])
        upper = upper_bound(wrong, taken)
        if upper <= most_errors or not promised:
            return Threshold(float(confidences[i]), taken, n - taken, wrong, upper)
    return Threshold(None, 0, n, 0, 1.0)


def accepted_errors(
    confidence: ArrayLike, right: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Every threshold that there is, from the strictest: how many readings it accepts, and how many of them are wrong.

    Args:
        confidence, right: as for `reliability`.

    Returns:
        The distinct confidences from the greatest, and beside them the accepted readings and the errors, each (D,).

    Raises:
        ValueError: as `reliability`.
    """
    confidences, rights = _sorted(confidence, right)
    values, falling = confidences[::-1], np.cumsum(~rights[::-1])
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    return values[ends], ends.astype(np.int64) + 1, falling[ends].astype(np.int64)


def upper_bound(errors: int, n: int, sure: float = SURE) -> float:
    """The one-sided upper bound of a share (Clopper and Pearson 1934): a greater share would rarely show so few errors.

    Without any error it is `1 - (1 - sure) ** (1 / n)`, about `3 / n` at 95 % (the rule of three).

    Args:
        errors: of `n` independent trials.
        n: trials; none gives 1.
        sure: the confidence of the bound, above 0, below 1.

    >>> round(upper_bound(0, 300), 5), round(upper_bound(1, 20), 4)
    (0.00994, 0.2161)
    """
    if errors >= n:
        return 1.0
    counts = range(errors + 1)
    ways = np.array([math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in counts])
    wrong = np.arange(errors + 1)
    low, high = errors / n, 1.0
    for _ in range(60):  # halving an interval below the last bit of a float
        middle = (low + high) / 2
        if middle in (low, high):
            break
        logs = ways + wrong * math.log(middle) + (n - wrong) * math.log1p(-middle)
        if np.exp(logs).sum() > 1 - sure:
            low = middle
        else:
            high = middle
    return high


def least_lines(most_errors: float, sure: float = SURE) -> int:
    """The accepted readings without any error from which a share of errors can be promised.

    >>> least_lines(0.01), least_lines(0.001)
    (299, 2995)
    """
    return math.ceil(math.log(1 - sure) / math.log1p(-most_errors))


def _sorted(confidence: ArrayLike, right: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Both by confidence, from the least."""
    confidences, rights = np.asarray(confidence, np.float64), np.asarray(right, bool)
    if confidences.ndim != 1 or confidences.shape != rights.shape or not len(confidences):
        raise ValueError(f"confidences {confidences.shape} and rights {rights.shape} are not those of some readings")
    if not ((confidences >= 0) & (confidences <= 1)).all():
        raise ValueError("a confidence is not a number from 0 to 1")
    order = np.argsort(confidences, kind="stable")
    return confidences[order], rights[order]


def bins_for(readings: int, most: int = 15, least_in_bin: int = 20) -> int:
    """How many bins so many readings fill well.

    >>> bins_for(30), bins_for(100), bins_for(5000)
    (1, 5, 15)
    """
    return max(1, min(most, readings // least_in_bin))


__all__ = [
    "SURE",
    "Bin",
    "Threshold",
    "accepted_errors",
    "bins_for",
    "expected_calibration_error",
    "least_lines",
    "reliability",
    "threshold_for",
    "upper_bound",
]
