"""Where the lines of a page stand: binarise, level, find pieces, stretches, columns, rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glyphlet.image import decode
from glyphlet.pages.binarize import flatten, ink_of, is_dark
from glyphlet.pages.columns import Row, blocks_of
from glyphlet.pages.components import Pieces, pieces_of, turned_over, usual_height, without_rules
from glyphlet.pages.lines import Stretch, stretches_of
from glyphlet.pages.skew import skew_of
from glyphlet.pages.view import View, level, shrunk, view_of

LEAST_ANGLE = 0.04
"""Degrees that are not worth turning a page for."""


LEAST_CONTRAST = 12
"""A page whose darkest and lightest pixel differ by less is empty."""
REPEATED = 0.15
"""Degrees by which the lines may still be askew; otherwise they are looked for again."""
LONG = 12
"""Heights of its letters from which on a stretch says how the page lies."""
SKEW_PIXELS = 1_500_000
"""Pixels of the image on which the angle is looked for."""


@dataclass(frozen=True)
class Layout:
    """The lines of a page.

    Args:
        view: the level image that all places are in.
        blocks: rows in reading order.
    """

    view: View
    blocks: list[list[Row]]


def layout_of(pixels: NDArray[np.uint8]) -> Layout:
    """Find the lines.

    Args:
        pixels: uint8 (H, W) or (H, W, 3), the page.
    """
    height, width = pixels.shape[:2]
    small = decode(shrunk(pixels), 1)[:, :, 0]
    if int(small.max()) - int(small.min()) < LEAST_CONTRAST:
        return Layout(view_of(width, height), [])
    if is_dark(small):
        small = 255 - small
    angle = skew_of(pieces_of(ink_of(flatten(shrunk(small, SKEW_PIXELS)))))
    view, stretches = _seen(small, (height, width), angle)
    rest = _slope(stretches)
    if abs(rest) > REPEATED:  # two columns whose lines do not stand on the same rows may look level when turned
        view, stretches = _seen(small, (height, width), view.angle + rest)
    return Layout(view, blocks_of(stretches))


def _seen(small: NDArray[np.uint8], shape: tuple[int, int], angle: float) -> tuple[View, list[Stretch]]:
    """The stretches of a page at an angle."""
    view = view_of(shape[1], shape[0], angle if abs(angle) >= LEAST_ANGLE else 0.0)
    pieces = _pieces(level(small, view))
    return view, stretches_of(pieces, (view.height, view.width))


def _slope(stretches: list[Stretch]) -> float:
    """The angle at which the stretches still lie, in degrees: the median of the long ones."""
    slopes = [stretch.slope for stretch in stretches if stretch.width > LONG * stretch.size]
    return math.degrees(math.atan(float(np.median(slopes)))) if len(slopes) >= 3 else 0.0


def _pieces(grey: NDArray[np.uint8]) -> Pieces:
    """The letters of a level page, rules and bars taken off."""
    ink = ink_of(flatten(grey))
    pieces = pieces_of(ink)
    size = usual_height(pieces)
    if not size:
        return pieces
    cleaned = without_rules(ink, size)
    if cleaned is not ink:
        pieces = pieces_of(cleaned)
    turned = turned_over(cleaned, pieces, size)
    return pieces if turned is cleaned else pieces_of(turned)


__all__ = ["Layout", "layout_of"]
