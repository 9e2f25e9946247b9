"""Lines that do not run from left to right: turned by quarters before they are read, on request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glyphlet.decode.calibration import sureness
from glyphlet.decode.reading import Reading
from glyphlet.errors import GlyphletError
from glyphlet.image import ImageSource, decode

TURNS = ("0", "90", "180", "270", "auto")
"""Degrees that an image is turned counterclockwise before it is read. `auto` tries two of them and takes the surer reading."""
TALL = 1.5
"""With `auto`, an image so many times as high as it is wide is taken to be a line that runs up or down."""


def check_turn(turn: str) -> None:
    """Refuse what is no turn.

    Raises:
        GlyphletError: it is none.
    """
    if turn not in TURNS:
        raise GlyphletError(f"turn is {turn!r}", allowed=", ".join(TURNS), next_step="choose one")


def turned(source: ImageSource, turn: str, channels: int) -> list[NDArray[np.uint8]]:
    """The images that are to be read for a source, uint8 (H, W, C): one, or two for `auto`.

    Raises:
        ImageError: the source is not an image.
    """
    pixels = decode(source, channels)
    height, width = pixels.shape[:2]
    quarters = {"auto": (1, 3) if height > TALL * width else (0, 2)}.get(turn) or (int(turn) // 90,)
    return [np.ascontiguousarray(np.rot90(pixels, quarter)) for quarter in quarters]


def surest(readings: Sequence[Reading]) -> Reading:
    """Of readings of one image, the one whose characters are surest; of equally sure ones the first."""
    return max(readings, key=lambda one: (bool(one.text), sureness(one.confidence, len(one.characters))))


__all__ = ["TALL", "TURNS", "check_turn", "surest", "turned"]
