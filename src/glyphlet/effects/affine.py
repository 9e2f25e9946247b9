"""Affine: a line written a little larger, slanted, turned or moved.

`affine` draws height and width apart, as handwriting wants it. `digits_affine` is the set of changes of the
cross-entropy system for handwritten digits: torchvision's RandomAffine with its numbers.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import border, counted, each_plane, ground, ink, inked
from glyphlet.effects.options import Range, number, span

Matrix = NDArray[np.float64]


@EFFECTS.register
def affine(
    *, rotate: float = 2.0, shear: float = 10.0, scale: float = 0.1, shift: float = 0.05, keep: bool = True
) -> Effect:
    """Rotate, shear, scale and move a line about its centre; what comes into view takes the median colour of the border.

    Each amount is drawn evenly from its range for each line; height and width are scaled apart from each other.

    Args:
        rotate: largest turn either way, in degrees.
        shear: largest slant either way, in degrees.
        scale: largest change of size either way, as a share: 0.1 is 0.9 to 1.1.
        shift: largest move either way, as a share of the line's height, along both axes.
        keep: moves stop and sizes shrink where ink would leave the line, and long lines are turned less: by what moves
            their ends by an eighth of their height at most. Without it the ends of long lines are cut off.

    Raises:
        RecipeError: an amount is negative, or so large that a line could vanish.
    """
    for name, value, most in (
        ("rotate", rotate, 45),
        ("shear", shear, 60),
        ("scale", scale, 0.5),
        ("shift", shift, 0.5),
    ):
        number("affine", name, value, 0, most)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        most = min(rotate, _gentle(height, width)) if keep else rotate
        turn, slant, tall, wide, down, right = random.uniform(-1, 1, 6)
        matrix = _inverse(
            math.radians(most * turn), math.tan(math.radians(shear * slant)), 1 + scale * wide, 1 + scale * tall
        )
        move = np.array([right, down]) * shift * height
        if keep:
            matrix, move = _fitted(line, matrix, move)
        placed = _about_centre(matrix, line, move)
        fill = border(line)
        return np.stack([
            cv2.warpAffine(
                plane, placed, plane.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT, borderValue=float(colour),
            )
            for plane, colour in zip(np.ascontiguousarray(line), fill, strict=True)
        ])  # fmt: skip

    return effect


@EFFECTS.register
def digits_affine(
    *,
    rotate: float = 10.0,
    shift: Range = (0.1, 0.1),
    scale: Range = (0.95, 1.1),
    shear: float = 3.0,
    keep: bool = True,
) -> Effect:
    """The affine set of the cross-entropy system for digits: turn, move, size and slant of torchvision's RandomAffine.

    The system trains on images stretched to a square. On a line that is much wider than high the turn is limited to
    what moves its ends by an eighth of its height, which a square of the source stays below. The ground fills what
    comes into view, where the source has black.

    Args:
        rotate: largest turn either way, in degrees.
        shift: largest move either way, as a share of the width and of the height.
        scale: smallest and largest size, the same for both axes.
        shear: largest slant either way, in degrees.
        keep: moves stop where ink would leave the line; the source's do not, so that it trains on digits cut in half.

    Raises:
        RecipeError: an amount is out of range.
    """
    number("digits_affine", "rotate", rotate, 0, 45)
    number("digits_affine", "shear", shear, 0, 60)
    across, down = _pair(shift)
    small, large = span("digits_affine", "scale", scale, 0.5, 2)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        most = min(rotate, _gentle(height, width))
        turn, slant, right, low = random.uniform(-1, 1, 4)
        size = random.uniform(small, large)
        matrix = _inverse(math.radians(most * turn), math.tan(math.radians(shear * slant)), size, size)
        move = np.array([right * across * width, low * down * height])
        if keep:
            matrix, move = _fitted(line, matrix, move)
        placed = _about_centre(matrix, line, move)
        new = ground(line)
        for plane, target in zip(np.ascontiguousarray(line), new, strict=True):
            cv2.warpAffine(
                plane, placed, (width, height), dst=target, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_TRANSPARENT,
            )  # fmt: skip
        return new

    return effect


def _gentle(height: int, width: int) -> float:
    """The turn in degrees that moves the ends of a line by an eighth of its height."""
    return math.degrees(math.atan2(height / 8, width / 2))


def _fitted(line: Pixels, matrix: Matrix, move: Matrix) -> tuple[Matrix, Matrix]:
    """The change, made smaller where the ink's box would not fit into the line, and the move, cut short at its edges."""
    marked = inked(ink(line)[0])
    if not marked.any():
        return matrix, move
    extents = [np.flatnonzero(counted(marked, axis))[[0, -1]] for axis in (0, 1)]
    size = np.array(marked.shape[::-1])
    corners = np.array([(x, y) for x in extents[0] for y in extents[1]]) - (size - 1) / 2
    moved = corners @ np.linalg.inv(matrix).T
    fit = np.minimum(1, np.maximum(size - 1, 1) / np.maximum(np.ptp(moved, axis=0), 1))
    moved = moved * fit
    least, most = -(size - 1) / 2 - moved.min(0), (size - 1) / 2 - moved.max(0)
    return matrix / fit, np.clip(move, np.minimum(least, most), np.maximum(least, most))


def _pair(shift: Range) -> tuple[float, float]:
    """Two shares in any order; one stands for both."""
    both = shift if isinstance(shift, list | tuple) and len(shift) == 2 else (shift, shift)
    across, down = (number("digits_affine", "shift", value, 0, 0.5) for value in both)
    return across, down


def _inverse(turn: float, slant: float, wide: float, tall: float) -> Matrix:
    """From a point of the new line to one of the old, both seen from the centre: the inverse of turn, slant, size."""
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    forward = rotation @ np.array([[1, slant], [0, 1]]) @ np.diag([wide, tall])
    return np.linalg.inv(forward)


def _about_centre(matrix: Matrix, line: Pixels, move: Matrix) -> Matrix:
    """The (2, 3) matrix from the centres of new pixels to places in the old line."""
    middle = np.array([(line.shape[2] - 1) / 2, (line.shape[1] - 1) / 2])
    return np.column_stack([matrix, middle - matrix @ (middle + move)])


@EFFECTS.register
def perspective(*, scale: Range = (0.002, 0.006)) -> Effect:
    """Seen a little from the side: each corner moves inwards, and the new quadrangle is stretched over the line.

    The meaning is that of imgaug's PerspectiveTransform: the move of each coordinate of a corner is the absolute value
    of a normal deviate, as a share of width and height.

    Args:
        scale: standard deviation of the moves, drawn for each line; a number, or from and to.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("perspective", "scale", scale, 0, 0.2)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        inwards = np.abs(random.normal(0, random.uniform(low, high), (4, 2))).clip(0, 0.45)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
        size = np.array([width, height])
        # Corners of pixels, not centres, so that a line of one pixel has an extent: hence the halves.
        old = (corners + inwards * (1 - 2 * corners)) * size - 0.5
        new = corners * size - 0.5
        matrix = cv2.getPerspectiveTransform(new.astype(np.float32), old.astype(np.float32))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return each_plane(
            line,
            lambda plane: cv2.warpPerspective(
                plane, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
            ),
        )

    return effect
