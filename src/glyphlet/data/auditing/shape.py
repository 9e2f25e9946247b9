"""What the size of line images says: bars of a histogram, outliers, and labels that do not fit the width of their image."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.image import Geometry

TINY = 8
"""Rows; less cannot hold a letter."""
HIGH, MANY = 512, 4_000_000
"""Rows and pixels of a very large line."""
FAINT = 16
"""Grey values between dark and light; less is paper."""
_FEW = 40
"""Lines of similar length that are needed to say what is usual."""
_MARGINS = 0.5
"""The margins of a line, in characters."""


def units(text: str) -> float:
    """How many narrow characters a text is wide: an ideograph counts two, a combining mark nothing."""
    if text.isascii():
        return float(len(text))
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return float(len(text) + wide - sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in text))


def width_for(need: int, steps: Callable[[int], int], geometry: Geometry) -> int:
    """The smallest padded width, in pixels, that gives so many time steps; 0 when none does."""
    low, high = 1, geometry.max_width // geometry.width_step
    if steps(high * geometry.width_step) < need:
        return 0
    while low < high:
        middle = (low + high) // 2
        if steps(middle * geometry.width_step) >= need:
            high = middle
        else:
            low = middle + 1
    return geometry.padded_width(low * geometry.width_step)


def suspects(
    aspect: NDArray[np.float64], wide: NDArray[np.float32], lengths: NDArray[np.int32], usable: NDArray[np.bool_]
) -> dict[str, list[int]]:
    """Lines whose proportions are unlike those of lines with as many characters.

    A line's proportion (width / height) is compared with the median of lines of about the same length, in units of their
    median deviation (a robust z-score): one wrong label does not move the median.

    Args:
        aspect: width / height of each image.
        wide: the width of each label, as `units` counts it.
        lengths: the characters of each label.
        usable: which lines to look at.

    Returns:
        Indices of lines by kind of finding: `vertical`, `implausible`, `aspect`.
    """
    members = np.flatnonzero(usable)
    found: dict[str, list[int]] = {"vertical": [], "implausible": [], "aspect": []}
    if not len(members):
        return found
    log = np.log(aspect[members])
    score, apart = _scores(log, wide[members])
    taller = (aspect[members] < 0.8) & (lengths[members] > 2) & (apart < -np.log(2.5))
    found["vertical"] = members[taller].tolist()
    strange = (np.abs(score) > 5) & (np.abs(apart) > np.log(2)) & ~taller
    found["implausible"] = members[strange].tolist()
    middle = np.median(log)
    spread = max(0.1, 1.4826 * float(np.median(np.abs(log - middle))))
    unusual = (np.abs(log - middle) > 5 * spread) & ~taller & ~strange & (len(members) >= _FEW)
    found["aspect"] = members[unusual].tolist()
    return found


def _scores(log: NDArray[np.float64], wide: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each line is from the median of lines of its length: in robust deviations, and as a logarithm."""
    score, apart = np.zeros(len(log)), np.zeros(len(log))
    if len(log) < _FEW:
        return score, apart
    level = np.where(wide <= 6, wide.round(), 6 + np.log(np.maximum(1, wide / 6)) / np.log(1.25)).astype(int)
    order = np.argsort(level, kind="stable")
    each = log - np.log(wide + _MARGINS)  # what a line is wider by than others of its level is taken out
    ends = np.concatenate(([0], np.flatnonzero(np.diff(level[order])) + 1, [len(log)]))
    for start, stop in pairwise(ends):
        lacking = _FEW - (stop - start)
        # A rare length is compared with those beside it, and more is forgiven.
        low = max(0, min(start - lacking // 2, len(log) - _FEW)) if lacking > 0 else start
        near = each[order[low : max(stop, low + _FEW)]]
        middle = np.median(near)
        spread = max(0.08 if lacking <= 0 else 0.2, 1.4826 * float(np.median(np.abs(near - middle))))
        members = order[start:stop]
        apart[members] = each[members] - middle
        score[members] = apart[members] / spread
    return score, apart


def bars(values: NDArray[Any], *, whole: bool = False, log: bool = False, most: int = 24) -> list[tuple[str, int]]:
    """A histogram as names and counts of its bars.

    Args:
        values: numbers above 0.
        whole: they are whole numbers: no bar is narrower than 1.
        log: bars grow with the values.
        most: the most bars.
    """
    if not len(values):
        return []
    low, high = float(np.min(values)), float(np.max(values))
    if whole and high - low < most:
        found = np.bincount((values - np.int64(low)).astype(np.int64))
        return [(f"{int(low) + i}", int(n)) for i, n in enumerate(found)]
    if low == high:
        return [(_number(low), len(values))]
    edges = np.geomspace(low, high, most + 1) if log and high > 4 * low else np.linspace(low, high, most + 1)
    if whole:
        edges = np.unique(np.round(edges))
        edges[-1] += 1
    elif low > 0:
        nice = np.unique([float(f"{edge:.2g}") for edge in edges])
        if len(nice) > 1:  # values that differ by less keep their exact edges
            edges = nice
            edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    counts, _ = np.histogram(values, edges)
    names = []
    for start, stop in pairwise(edges):
        last = stop - 1 if whole else stop
        names.append(_number(start) if whole and last == start else f"{_number(start)}-{_number(last)}")
    return [(name, int(count)) for name, count in zip(names, counts, strict=True)]


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{round(value)}"


__all__ = ["FAINT", "HIGH", "MANY", "TINY", "bars", "suspects", "units", "width_for"]
