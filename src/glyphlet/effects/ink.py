"""The ink itself: strokes that are thicker or thinner than the pen meant them to be, that fade, or that consist of dots."""

from __future__ import annotations

import cv2
import numpy as np

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import blend, columns, each_plane, ground, ink, rows
from glyphlet.effects.options import Range, number, span
from glyphlet.effects.textures import hills


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


@EFFECTS.register
def faded(*, strength: Range = (0.2, 0.75), size: Range = (0.15, 1.5)) -> Effect:
    """Let the ink fade in places, as from a worn ribbon or a thermal printer; the rest keeps its colour.

    Args:
        strength: how much of the ink is gone where it is faintest, as a share.
        size: of such a place, in heights of the line.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("faded", "strength", strength, 0, 1)
    small, large = span("faded", "size", size, 0.02, 10)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        cell = max(1.0, height * random.uniform(small, large))
        field = hills(height, width, cell, random)
        # Much of the line stays: only the hills of the field are faint.
        mask = np.clip((field - np.float32(random.uniform(0.3, 0.7))) * 4, 0, 1) * np.float32(random.uniform(low, high))
        return blend(line, ground(line), mask)

    return effect


@EFFECTS.register
def raster(*, pitch: Range = (0.06, 0.14), strength: Range = (0.2, 0.8), rows_only: float = 0.5) -> Effect:
    """Print the ink in rows of dots, with paper between them, as needle and thermal printers do.

    Args:
        pitch: from one row to the next, in heights of the line; at least 2 pixels are taken.
        strength: how much of the ink is gone between the dots, as a share.
        rows_only: the share of lines that have gaps between rows only, not between columns, too.

    Raises:
        RecipeError: an option is out of range.
    """
    least, most = span("raster", "pitch", pitch, 0.01, 1)
    low, high = span("raster", "strength", strength, 0, 1)
    number("raster", "rows_only", rows_only, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        step = max(2.0, height * random.uniform(least, most))
        turn = np.float32(2 * np.pi / step)
        dots = 0.5 - 0.5 * np.cos(rows(height) * turn + np.float32(random.uniform(0, 6)))
        if random.random() >= rows_only:
            dots = np.maximum(dots, 0.5 - 0.5 * np.cos(columns(width) * turn + np.float32(random.uniform(0, 6))))
        mask = np.asarray(np.square(dots) * np.float32(random.uniform(low, high)), np.float32)
        return blend(line, ground(line), mask)

    return effect
