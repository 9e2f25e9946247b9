"""Text image augmentation: the line is cut into segments, and the points between them move.

Luo et al., "Learn to Augment: Joint Data Augmentation and Network Optimization for Text Recognition", 2020, in the form
that PaddleOCR's RecAug gave it. How far points move follows from the width of a segment there; on a line ten times as
wide as high that is the whole height, and the line folds over itself. Here no point moves up or down by more than
`limit` of the height, which changes nothing for words up to three times as wide as high.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import warp
from glyphlet.effects.mls import origins
from glyphlet.effects.options import Range, number, whole_span

SMALLEST = 20
"""Lines that are less high or wide than this are left alone by distort and stretch, as in the source."""
Corners = NDArray[np.float64]
"""Points along the top and the bottom: (2, segments + 1, 2), each x and y."""


def _points(height: int, width: int, segments: int) -> Corners:
    x = np.arange(segments + 1) * (width // segments)
    x[-1] = width
    return np.stack([np.column_stack([x, np.full(segments + 1, y)]) for y in (0, height)]).astype(np.float64)


def _bend(line: Pixels, start: Corners, moves: Corners) -> Pixels:
    flat, by = start[..., 0] + 1j * start[..., 1], moves[..., 0] + 1j * moves[..., 1]
    return warp(line, *origins(line.shape[1], line.shape[2], flat.ravel(), (flat + by).ravel()))


@EFFECTS.register
def tia_distort(*, segments: Range = (3, 6), limit: float = 0.33) -> Effect:
    """Move the points between segments at random, and the corners inwards, by up to a third of a segment.

    Args:
        segments: how many the line is cut into; a number, or from and to.
        limit: no point moves up or down by more than this share of the height.

    Raises:
        RecipeError: an option is out of range.
    """
    fewest, most = whole_span("tia_distort", "segments", segments, 1, 64)
    number("tia_distort", "limit", limit, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        if min(height, width) < SMALLEST:
            return line
        count = int(random.integers(fewest, most + 1))
        far = width // count // 3
        reach = np.array([far, min(far, limit * height)])
        moves = random.random((2, count + 1, 2)) * reach
        moves[:, 1:-1] -= reach / 2  # inner points either way, corners inwards
        moves[:, -1, 0] *= -1
        moves[1, [0, -1], 1] *= -1
        return _bend(line, _points(height, width, count), moves)

    return effect


@EFFECTS.register
def tia_stretch(*, segments: Range = (3, 6)) -> Effect:
    """Move the borders between segments left or right, by up to two fifths of a segment: some widen, others narrow.

    Args:
        segments: how many the line is cut into; a number, or from and to.

    Raises:
        RecipeError: it is out of range.
    """
    fewest, most = whole_span("tia_stretch", "segments", segments, 1, 64)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        if min(height, width) < SMALLEST:
            return line
        count = int(random.integers(fewest, most + 1))
        moves = np.zeros((2, count + 1, 2))
        moves[:, 1:-1, 0] = (random.random(count - 1) - 0.5) * (width // count * 4 // 5)
        return _bend(line, _points(height, width, count), moves)

    return effect


@EFFECTS.register
def tia_perspective(*, limit: float = 0.5) -> Effect:
    """Move the four corners up or down inwards: one end of the line becomes smaller than the other.

    Args:
        limit: the largest move as a share of the height. At 0.5, as in the source, an end may shrink to nothing.

    Raises:
        RecipeError: it is out of range.
    """
    number("tia_perspective", "limit", limit, 0, 0.5)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        moves = np.zeros((2, 2, 2))
        moves[..., 1] = random.random((2, 2)) * limit * height
        moves[1] *= -1
        return _bend(line, _points(height, width, 1), moves)

    return effect
