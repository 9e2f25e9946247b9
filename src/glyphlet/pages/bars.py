"""Bars drawn through letters: what hangs together on the canvas is a stretch of a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.components import Pieces

REACH = 1.3
"""A gap of this many usual heights between two letters still holds a stretch together."""


def draw(canvas: NDArray[np.uint8], letters: Pieces, size: float) -> None:
    """Draw the middle half of each letter, longer than it is; `size` is the usual height."""
    for left, top, right, bottom in zip(letters.left, letters.top, letters.right, letters.bottom, strict=True):
        high = int(bottom - top)
        reach = round(REACH * max(size, min(0.7 * high, 4 * size)) / 2)
        quarter = high // 4
        ends = (int(left) - reach, int(top) + quarter), (int(right) + reach, int(bottom) - 1 - quarter)
        cv2.rectangle(canvas, *ends, 255, -1)


def labels_of(canvas: NDArray[np.uint8], shown: Sequence[Pieces]) -> NDArray[np.int32]:
    """The number of the bunch of bars that each letter is in, for all letters of `shown` in order."""
    _, labels = cv2.connectedComponents(canvas, connectivity=4, ltype=cv2.CV_32S)
    found = [np.asarray(labels)[rows, columns] for columns, rows in map(_middles, shown)]
    return np.asarray(np.concatenate(found), np.int32)


def _middles(letters: Pieces) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    return (letters.left + letters.right) // 2, (letters.top + letters.bottom) // 2


def by_label(places: NDArray[np.intp], labels: NDArray[np.int32]) -> Iterator[NDArray[np.intp]]:
    """The places with equal labels."""
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    for group in np.split(places[order], cuts):
        if len(group):
            yield group


__all__ = ["REACH", "by_label", "draw", "labels_of"]
