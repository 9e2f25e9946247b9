"""The order in which stretches are read: columns where a gutter is sure, rows in a column, blocks of rows.

A column is only believed where a strip of ground runs past at least four stretches of running text on either side. Prices
beside articles are short, so a receipt stays one column, and its rows are put together over the gap. The page is cut there
and each part is looked at again: what stands above the gutter, on its left, on its right, and below it (the XY cut of Nagy
and Seth 1984, "Hierarchical representation of optically scanned documents", with strips for cuts that may end).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.lines import Stretch

FEWEST = 4
"""Stretches of running text on either side of a gutter."""
WIDEST_WORD = 9.0
"""Running text is wider than this many heights of its letters."""
NARROWEST = 0.9
"""Width of a gutter in heights of letters."""


@dataclass(frozen=True)
class Row:
    """The stretches of one line, from left to right."""

    parts: tuple[Stretch, ...]

    @property
    def top(self) -> float:
        """In pixels of the level analysis image."""
        return min(part.top for part in self.parts)

    @property
    def bottom(self) -> float:
        """In pixels of the level analysis image."""
        return max(part.bottom for part in self.parts)

    @property
    def size(self) -> float:
        """The height of the letters of its widest part."""
        return max(self.parts, key=lambda part: part.width).size

    @property
    def baseline(self) -> float:
        """That of its widest part."""
        return max(self.parts, key=lambda part: part.width).baseline


def blocks_of(stretches: list[Stretch]) -> list[list[Row]]:
    """Stretches in reading order: blocks of rows."""
    return [block for column in _columns(stretches) for block in _blocks(_rows(column))]


def _columns(stretches: list[Stretch]) -> list[list[Stretch]]:
    """Cut at the longest sure gutter, then cut the parts."""
    cut = _gutter(stretches)
    if cut is None:
        return [stretches] if stretches else []
    x, top, bottom = cut
    inside = [s for s in stretches if top < s.middle < bottom]
    parts = (
        [s for s in stretches if s.middle <= top],
        [s for s in inside if (s.left + s.right) / 2 < x],
        [s for s in inside if (s.left + s.right) / 2 >= x],
        [s for s in stretches if s.middle >= bottom],
    )
    return [column for part in parts for column in _columns(part)]


def _gutter(stretches: list[Stretch]) -> tuple[float, float, float] | None:
    """Column, first and last row of the longest gutter; None where none is sure."""
    if len(stretches) < 2 * FEWEST:
        return None
    boxes = np.array([[s.left, s.middle, s.right, s.size] for s in stretches])
    half = NARROWEST * float(np.median(boxes[:, 3])) / 2
    best: tuple[float, float, float, float] | None = None
    for x in _edges(boxes[:, 0], 2 * half) - half - 1:
        for top, bottom in _free(boxes, x, half):
            inside = [s for s in stretches if top < s.middle < bottom]
            sides = [s for s in inside if s.right < x], [s for s in inside if s.left > x]
            long = min(map(_running, sides))
            if long > 0 and (best is None or long > best[0]):
                best = (long, float(x), top, bottom)
    return best[1:] if best else None


def _edges(lefts: NDArray[np.float64], near: float) -> NDArray[np.float64]:
    """Where at least `FEWEST` stretches begin, one below the other; the leftmost of each such bunch."""
    found: list[float] = []
    for x in np.sort(lefts):
        if ((lefts >= x) & (lefts < x + near)).sum() >= FEWEST and (not found or x > found[-1] + near):
            found.append(float(x))
    return np.array(found)


def _free(boxes: NDArray[np.float64], x: float, half: float) -> list[tuple[float, float]]:
    """The ranges of rows between those stretches that stand across a strip."""
    across = np.sort(boxes[(boxes[:, 0] < x + half) & (boxes[:, 2] > x - half), 1])
    ends = [-np.inf, *across.tolist(), np.inf]
    return [(a, b) for a, b in itertools.pairwise(ends) if b - a > 0]


def _running(side: list[Stretch]) -> float:
    """How far down running text reaches on one side of a strip; 0 where it is none."""
    if len(side) < FEWEST:
        return 0.0
    rows = _rows(side)
    widths = [sum(part.width for part in row.parts) / row.size for row in rows]
    if len(rows) < FEWEST or float(np.median(widths)) < WIDEST_WORD:
        return 0.0
    return rows[-1].baseline - rows[0].baseline


def _rows(stretches: list[Stretch]) -> list[Row]:
    """Put stretches together that stand beside each other; from top to bottom.

    The widest of a row comes first and says where the row is; quotation marks and short words alone could not.
    """
    rows: list[list[Stretch]] = []
    for stretch in sorted(stretches, key=lambda s: -s.width):
        shared = [_shared(row[0], stretch) if _apart(row, stretch) else 0.0 for row in rows]
        best = max(range(len(rows)), key=shared.__getitem__, default=-1)
        if best >= 0 and shared[best] > 0.5:
            rows[best].append(stretch)
        else:
            rows.append([stretch])
    made = [Row(tuple(sorted(row, key=lambda s: s.left))) for row in rows]
    return sorted(made, key=lambda row: row.baseline)


def _apart(row: list[Stretch], stretch: Stretch) -> bool:
    """Whether a stretch stands on no other one of the row."""
    return all(min(stretch.right, s.right) - max(stretch.left, s.left) <= 0.5 * min(stretch.size, s.size) for s in row)


def _shared(row: Stretch, stretch: Stretch) -> float:
    """The share of the height of a stretch that a row covers: of its letters, or, for marks and dashes, of its ink."""
    foot = row.baseline + row.slope * (row.width if stretch.left > row.left else 0.0)
    letters = min(foot, stretch.baseline) - max(foot - row.size, stretch.baseline - stretch.size)
    ink = min(row.bottom, stretch.bottom) - max(row.top, stretch.top)
    if stretch.height < row.size and ink > 0.8 * stretch.height:
        return ink / stretch.height
    return letters / min(row.size, stretch.size)


def _blocks(rows: list[Row]) -> list[list[Row]]:
    """Begin a new block where the distance is clearly larger than the usual one, or the size of the letters changes."""
    blocks: list[list[Row]] = []
    steps = [b.baseline - a.baseline for a, b in itertools.pairwise(rows)]
    usual = float(np.median(steps)) if steps else 0.0
    for i, row in enumerate(rows):
        wide = i > 0 and steps[i - 1] > max(1.4 * min(usual, 4 * row.size), 1.2 * (row.bottom - row.top))
        if i == 0 or wide:
            blocks.append([])
        blocks[-1].append(row)
    return blocks


__all__ = ["Row", "blocks_of"]
