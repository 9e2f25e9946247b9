"""How far the lines of a page are askew, from where the feet of the letters stand.

At the right angle the feet of a line fall on one row, so the counts by row are sharp peaks; the angle whose counts have
the largest sum of squares is taken. That is the projection profile of Postl 1986 ("Detection of linear oblique
structures and skew scan in digitized documents") on the points of Baird 1987 ("The skew angle of printed documents"):
a few thousand points in the place of millions of pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.components import Pieces, usual_height

MOST = 12.0
"""Degrees to either side that are looked at."""
FEWEST = 8
"""With fewer letters than this, the page counts as level."""


def skew_of(pieces: Pieces) -> float:
    """The angle of the lines in degrees, clockwise; 0 where there is too little to tell.

    Args:
        pieces: of the ink of a page.
    """
    size = usual_height(pieces)
    letters = (pieces.height > 0.6 * size) & (pieces.height < 2.5 * size) & (pieces.width < 6 * pieces.height)
    if not size or letters.sum() < FEWEST:
        return 0.0
    chosen = pieces.take(letters)
    x, y = (chosen.left + chosen.right) / 2.0, chosen.bottom.astype(float)
    x -= x.mean()
    best = 0.0
    for reach, step, share in ((MOST, 0.25, 0.5), (0.6, 0.1, 0.25), (0.1, 0.02, 0.125)):
        angles = best + np.arange(-reach, reach + step / 2, step)
        scores = [sharpness(x, y, angle, share * size) for angle in angles]
        best = float(angles[_middle_of_best(scores)])
    level = sharpness(x, y, 0.0, 0.25 * size)
    sure = 1.02 + 8 / len(chosen)  # a few letters are sharp at some angle by chance
    return best if sharpness(x, y, best, 0.25 * size) > sure * level else 0.0


def sharpness(x: NDArray[np.floating], y: NDArray[np.floating], angle: float, row: float) -> float:
    """The sum of squares of the counts by row, in rows of `row` pixels, at an angle in degrees.

    A point counts in the two rows that it lies between, by its distance; otherwise the score would jump where points
    cross from row to row.
    """
    down = (y - x * np.tan(np.radians(angle))) / row
    down -= down.min()
    whole = down.astype(np.int64)
    part = down - whole
    length = int(whole.max()) + 2
    counts = np.bincount(whole, 1 - part, length) + np.bincount(whole + 1, part, length)
    return float(np.square(counts).sum())


def _middle_of_best(scores: list[float]) -> int:
    """The place of the largest score; of several equal ones in a row, the middle one."""
    best = np.flatnonzero(np.asarray(scores) >= max(scores) * (1 - 1e-9))
    return int(best[len(best) // 2])


__all__ = ["MOST", "sharpness", "skew_of"]
