"""The ink itself: strokes that are thicker or thinner than the pen meant them to be."""

from __future__ import annotations

import cv2
import numpy as np

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import each_plane, ink
from glyphlet.effects.options import Range, span


@EFFECTS.register
def stroke(*, amount: Range = (-0.5, 0.7)) -> Effect:
    """Let the ink bleed, or wear it off: strokes become thicker or thinner, whichever colour they have.

    Args:
        amount: 1 adds a pixel on every side for each 32 pixels of height, -1 takes one away, and what lies between is
            mixed. Strokes of one pixel are gone at -1.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("stroke", "amount", amount, -1, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        by = random.uniform(low, high)
        size = 2 * max(1, round(line.shape[1] / 32)) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_CROSS if size == 3 else cv2.MORPH_ELLIPSE, (size, size))
        # Erosion spreads what is dark, dilation what is light.
        change = cv2.erode if ink(line)[1] == (by > 0) else cv2.dilate
        return each_plane(line, lambda p: cv2.addWeighted(p, 1 - abs(by), change(p, kernel), abs(by), 0))

    return effect
