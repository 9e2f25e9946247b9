"""From measured losses to a share for each group: one common threshold, found by binary search.

A curve is what a group loses at some ratios, measured. A threshold says how much each group may lose; between the measured
ratios the loss is taken as a straight line. The higher the threshold, the more goes from every group, so the cost falls and
the threshold that meets a budget can be halved towards. This is what PaddleSlim does with its sensitivities and what
lightweight-OCR was pruned by; there the search ends at a number of multiply-adds alone.

>>> curves = {"a": [(0.1, 0.0), (0.5, 0.2)], "b": [(0.1, 0.3), (0.5, 0.4)]}
>>> ratios_at(curves, 0.1)["a"], ratios_at(curves, 0.35)["b"]
(0.3, 0.3)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Curve = Sequence[tuple[float, float]]
"""Ratios, rising, and the loss at each: 0 for none, 1 when everything is lost, below 0 for a gain."""
HALVINGS = 24
NEAR = 0.002
"""The search ends at a cost that is this near below the budget, as a share of it."""


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Args:
        threshold: of loss, 0 to 1.
        share: 1, or at threshold 0 how much of what costs nothing is taken.
        ratios: of each group.
        cost: of the model that they give.
    """

    threshold: float
    share: float
    ratios: Mapping[str, float]
    cost: float


def ratio_at(curve: Curve, threshold: float) -> float:
    """The largest ratio whose loss is within a threshold of 0 or more.

    It lies between the largest measured ratio that is and the next one. At ratio 0 nothing is lost. So a curve that rises and
    falls again counts by where it leaves the threshold for the last time, as in PaddleSlim.

    >>> ratio_at([(0.1, 0.2), (0.2, 0.6)], 0.1)
    0.05
    """
    points = [(0.0, 0.0), *curve]
    last = max(place for place, (_, loss) in enumerate(points) if loss <= threshold)
    (ratio, loss), after = points[last], points[last + 1 :]
    if not after:
        return ratio
    next_ratio, next_loss = after[0]
    return round(ratio + (threshold - loss) / (next_loss - loss) * (next_ratio - ratio), 12)


def ratios_at(curves: Mapping[str, Curve], threshold: float) -> dict[str, float]:
    """The ratio of each group at a common threshold."""
    return {name: ratio_at(curve, threshold) for name, curve in curves.items()}


def search(
    curves: Mapping[str, Curve],
    cost: Callable[[Mapping[str, float]], float],
    most: float,
    halvings: int = HALVINGS,
    near: float = NEAR,
) -> Found | None:
    """The lowest common threshold from 0 to 1 whose model costs at most so much.

    At threshold 0 each group gives what costs nothing, taken alone. Together that may cost a lot, and be more than is asked
    for. Then the same share of it is taken from every group.

    Args:
        curves: what each group loses.
        cost: of the model that these ratios give; it must not rise with any of them, but for the noise of a clock.
        most: the budget, which the full model exceeds.
        halvings: how often the interval is halved.
        near: see `NEAR`.

    Returns:
        The threshold, and what was measured there: never above the budget. None if threshold 1 does not meet it.
    """

    def at(place: float) -> Found:  # from -1, nothing, over 0, what is free, to 1
        threshold, share = max(0.0, place), min(1.0, 1 + place)
        ratios = {name: share * ratio for name, ratio in ratios_at(curves, threshold).items()}
        return Found(threshold, share, ratios, cost(ratios))

    low, high = -1.0, 1.0
    best = at(high)
    if best.cost > most:
        return None
    for _ in range(halvings):
        if best.cost >= (1 - near) * most:
            break
        middle = (low + high) / 2
        tried = at(middle)
        if tried.cost <= most:
            best, high = tried, middle
        else:
            low = middle
    return best


__all__ = ["Curve", "Found", "ratio_at", "ratios_at", "search"]
