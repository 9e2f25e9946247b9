"""Cuts a stretch of text out of the page, level, with the margin that the models were trained with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.lines import Stretch
from glyphlet.pages.view import View, warped

MARGIN = 0.12
"""Ground around the ink, as a share of its height."""


@dataclass(frozen=True)
class Cut:
    """Where a stretch stands on the page.

    Args:
        stretch: what is cut.
        corners: float (4, 2), of its ink on the page: top left, top right, bottom right, bottom left.
        feet: float (2, 2), the ends of the baseline on the page.
        start: where the image of the line begins, in columns of the level image.
        step: columns of the level image for one pixel of the line.
        pixels: uint8 (H, W[, C]), the image of the line.
    """

    stretch: Stretch
    corners: NDArray[np.float64]
    feet: NDArray[np.float64]
    start: float
    step: float
    pixels: NDArray[np.uint8]


def cut(page: NDArray[np.uint8], view: View, stretch: Stretch, margin: float = MARGIN) -> Cut:
    """Cut out a stretch.

    Args:
        page: uint8 (H, W) or (H, W, C), the whole page.
        view: the level image in which the stretch was found.
        stretch: the part of a line.
        margin: ground around it, as a share of its height.
    """
    pieces, slope = stretch.pieces, stretch.slope
    lift = stretch.baseline + slope * ((pieces.left + pieces.right) / 2.0 - stretch.left)
    above, below = float((pieces.top - lift).min()), float((pieces.bottom - lift).max())
    around = margin * (below - above)
    ink = _box(stretch, stretch.left, stretch.right, above, below)
    room = _box(stretch, stretch.left - around, stretch.right + around, above - around, below + around)
    return Cut(
        stretch, view.to_page(ink), view.to_page(_box(stretch, stretch.left, stretch.right, 0, 0)[:2]),
        stretch.left - around, view.scale, _pixels(page, view.to_page(room)),
    )  # fmt: skip


def _box(stretch: Stretch, left: float, right: float, above: float, below: float) -> NDArray[np.float64]:
    """Corners (4, 2) of what lies between two columns and two distances from the baseline."""
    a, b = (stretch.baseline + stretch.slope * (x - stretch.left) for x in (left, right))
    return np.array([[left, a + above], [right, b + above], [right, b + below], [left, a + below]])


def _pixels(page: NDArray[np.uint8], corners: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What lies between four corners of the page: a plain cut where they stand upright, turned otherwise."""
    height, width = page.shape[:2]
    along, down = corners[1] - corners[0], corners[3] - corners[0]
    wide, high = (max(1, round(float(np.hypot(*way)))) for way in (along, down))
    left, top, right, bottom = (round(float(value)) for value in (*corners[0], *corners[2]))
    if abs(along[1]) < 0.75 and left >= 0 and top >= 0 and right <= width and bottom <= height:
        return page[top : max(bottom, top + 1), left : max(right, left + 1)]
    source = np.column_stack([along / wide, down / high, corners[0]])
    matrix = np.linalg.inv(np.vstack([source, [0, 0, 1]]))
    return warped(page, matrix, wide, high)


__all__ = ["MARGIN", "Cut", "cut"]
