"""The shape of a line: a wavy baseline, rows cut off, a move by a few pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import columns, each_plane, ink, rows, rows_of, warp
from glyphlet.effects.options import Range, number, span, whole_span, words


@EFFECTS.register
def curve(*, amount: Range = (0.03, 0.15)) -> Effect:
    """Bend the baseline to a wave or an arc. Ink that would leave the line is made a little smaller first.

    Args:
        amount: how far the line rises and falls, as a share of the height.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("curve", "amount", amount, 0, 0.4)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        rise = random.uniform(low, high) * height
        longest = width / (2 * math.pi)
        length = random.uniform(min(longest, height), longest)  # so that a letter is slanted, not torn
        offset = rise * np.sin(columns(width) / np.float32(length) + np.float32(random.uniform(0, 2 * math.pi)))
        top, bottom = rows_of(ink(line)[0])
        low_room, high_room = float(np.max(offset)), float(-np.min(offset))
        size = min(1.0, (height - low_room - high_room) / (bottom - top))
        middle = (top + bottom - 1) / 2
        place = min(max(middle, high_room + size * (bottom - top) / 2 - 0.5),
                    height - 0.5 - low_room - size * (bottom - top) / 2)  # fmt: skip
        return warp(
            line, columns(width), (rows(height) - offset - np.float32(place)) / np.float32(size) + np.float32(middle)
        )

    return effect


@EFFECTS.register
def crop(*, pixels: Range = (1, 8), sides: tuple[str, ...] = ("top", "bottom")) -> Effect:
    """Cut rows off the top or the bottom, and stretch what remains to the full height. Lines below 20 pixels stay.

    Args:
        pixels: how many rows; a number, or from and to. At most a fifth of the rows go.
        sides: where, one of them for each line: top, bottom.

    Raises:
        RecipeError: an option is out of range.
    """
    fewest, most = whole_span("crop", "pixels", pixels, 0, 512)
    where = words("crop", "sides", sides, ("top", "bottom"))

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        cut = min(int(random.integers(fewest, most + 1)), height // 5)
        side = where[int(random.integers(len(where)))]
        if min(height, width) < 20 or not cut:
            return line
        kept = line[:, cut:] if side == "top" else line[:, :-cut]
        return each_plane(kept, lambda plane: cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR))

    return effect


@EFFECTS.register
def jitter(*, share: float = 0.01) -> Effect:
    """Move a line right and down by whole pixels; the edges it leaves are repeated.

    RecAug's jitter: at its share of 0.01 only lines of 100 pixels and more move at all.

    Args:
        share: the largest move, as a share of the shorter side.

    Raises:
        RecipeError: it is out of range.
    """
    number("jitter", "share", share, 0, 0.5)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        by = int(random.random() * share * min(height, width))
        if not by:
            return line
        return each_plane(
            line[:, : height - by, : width - by],
            lambda plane: cv2.copyMakeBorder(plane, by, 0, by, 0, cv2.BORDER_REPLICATE),
        )

    return effect
