"""Connected pieces of ink, mostly letters: their boxes, their usual height, and what is no text.

A piece is what hangs together over edges and corners. Rules of tables and underlines are taken off first, for they tie
letters together. Bars that hold light letters are turned over.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_HEIGHT = 4
"""Pieces lower than this many pixels do not count for the usual height."""


@dataclass(frozen=True)
class Pieces:
    """Pieces of ink.

    Args:
        left, top, right, bottom: int (N,), half open, in pixels.
        area: int (N,), pixels of ink.
    """

    left: NDArray[np.int32]
    top: NDArray[np.int32]
    right: NDArray[np.int32]
    bottom: NDArray[np.int32]
    area: NDArray[np.int32]

    @property
    def width(self) -> NDArray[np.int32]:
        """Of each piece in pixels."""
        return self.right - self.left

    @property
    def height(self) -> NDArray[np.int32]:
        """Of each piece in pixels."""
        return self.bottom - self.top

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Pieces:
        """Some of them."""
        return Pieces(self.left[which], self.top[which], self.right[which], self.bottom[which], self.area[which])

    def __len__(self) -> int:
        return len(self.left)


def pieces_of(ink: NDArray[np.uint8]) -> Pieces:
    """The pieces of an ink mask (H, W), where everything above 0 is ink."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    left, top, width, height, area = np.asarray(stats[1:], np.int32).T  # the first is the ground
    return Pieces(left, top, left + width, top + height, area)


def usual_height(pieces: Pieces) -> float:
    """The height that most letters have, in pixels; 0 where nothing looks like a letter.

    The mode of a smoothed histogram of heights, over pieces that are neither specks nor as flat as rules nor as tall as
    pictures. Letters without strokes up or down are the most frequent ones, so it is about the x-height of a text in
    small letters, and the height of capitals on a receipt.
    """
    height, width = pieces.height, pieces.width
    letters = (height >= LEAST_HEIGHT) & (width < 12 * height) & (height < 8 * width) & (height < 400)
    letters &= pieces.area > 0.08 * height * width
    if not letters.any():
        return 0.0
    counts = np.bincount(height[letters], minlength=8).astype(float)
    smooth = np.convolve(counts * np.sqrt(np.arange(len(counts))), (0.25, 0.5, 1, 0.5, 0.25), "same")  # specks are many
    return float(smooth.argmax())


def without_rules(ink: NDArray[np.uint8], size: float) -> NDArray[np.uint8]:
    """Take off lines that are drawn: long and thin, level or upright; the mask itself where there are none.

    Args:
        ink: uint8 (H, W).
        size: the usual height of letters in pixels.
    """
    long, thin = max(24, round(7 * size)) | 1, max(2, round(0.4 * size)) | 1  # odd: an even kernel shifts
    upright = np.ascontiguousarray(ink.T)
    rules = _rules(ink, long, thin) | _rules(upright, long, thin).T
    return np.asarray(cv2.subtract(ink, rules), np.uint8) if rules.any() else ink


def _rules(ink: NDArray[np.uint8], long: int, thin: int) -> NDArray[np.uint8]:
    """The level rules of a mask: runs of `long` pixels that are less than `thin` high, and the rows at their rims."""
    runs = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    if not runs.any():
        return np.zeros_like(ink)
    thick = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((thin, 1), np.uint8))
    rules = cv2.subtract(runs, cv2.dilate(thick, np.ones((3, 3), np.uint8)))
    return np.asarray(cv2.dilate(rules, np.ones((3, 1), np.uint8)), np.uint8)


def turned_over(ink: NDArray[np.uint8], pieces: Pieces, size: float) -> NDArray[np.uint8]:
    """Make light letters on solid bars ink, and the bars ground; the mask itself where there are none.

    Args:
        ink: uint8 (H, W).
        pieces: of the same mask.
        size: the usual height of letters in pixels.
    """
    bars = (pieces.width > 4 * size) & (pieces.height > 1.3 * size) & (pieces.height < 14 * size)
    bars &= pieces.area > 0.55 * pieces.width * pieces.height
    found = pieces.take(bars)
    if not len(found):
        return ink
    ink = ink.copy()
    for left, top, right, bottom in zip(found.left, found.top, found.right, found.bottom, strict=True):
        bar = ink[top:bottom, left:right]
        bar[:] = 255 - bar
        _drop_frame(bar)
    return ink


def _drop_frame(bar: NDArray[np.uint8]) -> None:
    """Take off what touches the rim of a bar that was turned over: its rounded corners and what is beside it."""
    framed = cv2.copyMakeBorder(bar, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    cv2.floodFill(framed, None, (0, 0), 0)
    bar[:] = framed[1:-1, 1:-1]


__all__ = ["Pieces", "pieces_of", "turned_over", "usual_height", "without_rules"]
