"""Shift: a line cut out a little further left or right."""

from __future__ import annotations

import numpy as np

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.errors import RecipeError


@EFFECTS.register
def shift(*, pixels: int = 4) -> Effect:
    """Move a line sideways by up to so many pixels; the edge it leaves is repeated, what passes the other is lost.

    With a backbone of stride 4, shifts of less than that show the network every phase of a stroke.

    Args:
        pixels: the largest shift either way, 0 or more.

    Raises:
        RecipeError: `pixels` is negative.
    """
    if not isinstance(pixels, int) or pixels < 0:
        raise RecipeError(
            f"effect shift has pixels {pixels!r}", allowed="a whole number, 0 or more", next_step="correct it"
        )

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        by = int(random.integers(-pixels, pixels + 1))
        width = line.shape[2]
        return np.take(line, (np.arange(width) - by).clip(0, width - 1), axis=2)

    return effect
