"""Affine: a line written a little larger, slanted, turned or moved.

The set of changes is that of the cross-entropy system for handwritten digits: rotation, shear, scale and translation.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.errors import RecipeError


@EFFECTS.register
def affine(*, rotate: float = 2.0, shear: float = 10.0, scale: float = 0.1, shift: float = 0.05) -> Effect:
    """Rotate, shear, scale and move a line about its centre; what comes into view takes the median colour of the border.

    Each amount is drawn evenly from its range for each line; height and width are scaled apart from each other.

    Args:
        rotate: largest turn either way, in degrees.
        shear: largest slant either way, in degrees.
        scale: largest change of size either way, as a share: 0.1 is 0.9 to 1.1.
        shift: largest move either way, as a share of the line's height, along both axes.

    Raises:
        RecipeError: an amount is negative, or so large that a line could vanish.
    """
    for name, value, most in (
        ("rotate", rotate, 45),
        ("shear", shear, 60),
        ("scale", scale, 0.5),
        ("shift", shift, 0.5),
    ):
        if not 0 <= value <= most:
            raise RecipeError(f"effect affine has {name} {value!r}", allowed=f"0 to {most}", next_step="correct it")

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        turn, slant, tall, wide, down, right = random.uniform(-1, 1, 6)
        matrix = _inverse(
            math.radians(rotate * turn), math.tan(math.radians(shear * slant)), 1 + scale * wide, 1 + scale * tall
        )
        return _warp(line, matrix, (right * shift * line.shape[1], down * shift * line.shape[1]))

    return effect


def _inverse(turn: float, slant: float, wide: float, tall: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """From a point of the new line to one of the old, both seen from the centre: the inverse of turn, slant, size."""
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    forward = rotation @ np.array([[1, slant], [0, 1]]) @ np.diag([wide, tall])
    return np.linalg.inv(forward)


def _warp(line: Pixels, matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]], move: tuple[float, float]) -> Pixels:
    channels, height, width = line.shape
    (a, b), (d, e) = matrix.tolist()
    x, y = width / 2 + move[0], height / 2 + move[1]
    coefficients = (a, b, width / 2 - a * x - b * y, d, e, height / 2 - d * x - e * y)
    border = np.concatenate([line[:, 0], line[:, -1], line[:, :, 0], line[:, :, -1]], axis=1)
    fill = [int(value) for value in np.median(border, axis=1)]
    image = Image.fromarray(line[0] if channels == 1 else line.transpose(1, 2, 0))
    warped = image.transform(
        (width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR,
        fillcolor=fill[0] if channels == 1 else tuple(fill),
    )  # fmt: skip
    return np.ascontiguousarray(np.asarray(warped, dtype=np.uint8).reshape(height, width, channels).transpose(2, 0, 1))
