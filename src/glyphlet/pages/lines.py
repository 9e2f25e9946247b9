"""From pieces of ink to stretches of text: the letters of one line without a wide gap between them.

The middle half of each letter's height, drawn as a bar that is longer than the letter, touches those of its neighbours
and, since the middle is common to `x`, `l` and `p`, never those of the lines above and below. So the pieces of the drawn
bars are the stretches. Points, dashes and quotation marks stand lower or higher; their bars are drawn at the middle of the
letters beside them, so that `," ` parts nothing: a gap is as wide as the ground in it. Sizes may differ from line to line:
what is much smaller than the usual letter gets a round of its own, and what is much taller is a large letter, unless it
ties two lines together. Dots, accents and points join the stretch beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.bars import by_label, draw, labels_of
from glyphlet.pages.components import Pieces, usual_height
from glyphlet.pages.marks import absorbed, joined

SMALL, TALL = 0.55, 2.3
"""Letters from this to this many usual heights are drawn in one round."""
ROUNDS = 3
"""Sizes of letters that are looked for, from the most frequent one on."""


@dataclass(frozen=True)
class Stretch:
    """A part of a line.

    Args:
        left, top, right, bottom: around all its ink, in pixels of the level analysis image.
        size: the median height of its letters in pixels.
        slope: of its baseline, rows per column; 0 where it is too short to tell.
        baseline: the row of the baseline at its left end.
        pieces: its ink, dots and accents with it, from left to right.
        letters: how many of the pieces are letters.
    """

    left: float
    top: float
    right: float
    bottom: float
    size: float
    slope: float
    baseline: float
    pieces: Pieces
    letters: int

    @property
    def width(self) -> float:
        """In pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """In pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The row half way down the letters, at its left end."""
        return self.baseline - self.size / 2


def stretches_of(pieces: Pieces, shape: tuple[int, int]) -> list[Stretch]:
    """Find the parts of lines.

    Args:
        pieces: of the ink of a level page.
        shape: height and width of the page in pixels.

    Returns:
        The stretches, in no order.
    """
    first = usual_height(pieces)
    rest, found = np.ones(len(pieces), bool), list[NDArray[np.intp]]()
    for _ in range(ROUNDS if first else 0):
        size = usual_height(pieces.take(rest))
        if size < max(4.0, 0.4 * first):
            break
        canvas = np.zeros(shape, np.uint8)
        groups = _round(pieces, rest, size, canvas)
        members = joined(pieces, rest, groups, size, canvas)
        found += members
        for member in members:
            rest[member] = False
    return [stretch for member in absorbed(pieces, found) if (stretch := _stretch(pieces.take(member)))]


def _round(pieces: Pieces, rest: NDArray[np.bool_], size: float, canvas: NDArray[np.uint8]) -> list[NDArray[np.intp]]:
    """The letters of each stretch at one size, as places in `pieces`; what ties lines together is taken out of `rest`.

    Their bars are drawn on `canvas`, uint8 (H, W).
    """
    letters = rest & _letters(pieces, size)
    tall = np.flatnonzero(letters & (pieces.height > TALL * size))
    normal = np.flatnonzero(letters & (pieces.height <= TALL * size))
    ties = np.array([_ties(pieces, place, normal, size) for place in tall], bool)
    alone = tall[~ties]
    rest[tall[ties]] = False
    chosen = np.concatenate([normal, alone])
    draw(canvas, pieces.take(chosen), size)
    return list(by_label(chosen, labels_of(canvas, [pieces.take(chosen)])))


def _letters(pieces: Pieces, size: float) -> NDArray[np.bool_]:
    """Which pieces may be letters, or several that touch."""
    height, width = pieces.height, pieces.width
    found = (height >= SMALL * size) & (height < 12 * size) & (width < 40 * np.minimum(height, 2 * size))
    # what is large and nearly empty, or large and full, is a frame or a picture
    filled = pieces.area / np.maximum(1, height * width)
    large = (height > 4 * size) & (width > 4 * size)
    letters: NDArray[np.bool_] = found & ~(large & ((filled < 0.12) | (filled > 0.75)))
    return letters


def _ties(pieces: Pieces, place: np.intp, normal: NDArray[np.intp], size: float) -> bool:
    """Whether a tall piece stands in two lines of usual letters: letters that touch, or an upright rule.

    Then letters beside it stand at heights that differ by more than 0.6 of its own; beside a large letter of a heading
    only its dots and accents do, which are lower.
    """
    top, bottom = pieces.top[place], pieces.bottom[place]
    high, reach = bottom - top, 2 * size
    middle = (pieces.top[normal] + pieces.bottom[normal]) / 2
    beside = (pieces.left[normal] < pieces.right[place] + reach) & (pieces.right[normal] > pieces.left[place] - reach)
    beside &= (middle > top) & (middle < bottom) & (pieces.height[normal] > 0.22 * high)
    return bool(beside.any() and np.ptp(middle[beside]) > 0.6 * high)


def _stretch(pieces: Pieces) -> Stretch | None:
    """The measures of a stretch; None where it holds nothing but rules and specks."""
    pieces = pieces.take(np.argsort(pieces.left, kind="stable"))
    tallest = float(pieces.height.max())
    letters = pieces.height > 0.5 * min(tallest, 2 * float(np.median(pieces.height)))
    size = float(np.median(pieces.height[letters]))
    flat = pieces.width > 3.5 * pieces.height
    if (flat & (pieces.height < 0.3 * size)).sum() > 0.7 * len(pieces):
        return None
    slope, baseline = _baseline(pieces.take(letters), size, float(pieces.left[0]))
    return Stretch(
        float(pieces.left.min()), float(pieces.top.min()), float(pieces.right.max()), float(pieces.bottom.max()), size,
        slope, baseline, pieces, int(letters.sum()),
    )  # fmt: skip


def _baseline(letters: Pieces, size: float, left: float) -> tuple[float, float]:
    """Slope and height of the line through the feet, without what reaches below or stands above."""
    x, y = (letters.left + letters.right) / 2.0 - left, letters.bottom.astype(float)
    slope, offset = 0.0, float(np.median(y))
    if len(letters) < 6 or np.ptp(x) < 8 * size:
        return slope, offset
    for tolerance in (0.5, 0.25, 0.15):
        good = np.abs(y - offset - slope * x) <= tolerance * size
        if good.sum() < 5 or np.ptp(x[good]) < 6 * size:
            break
        slope, offset = (float(value) for value in np.polyfit(x[good], y[good], 1))
    return slope, offset


__all__ = ["Stretch", "stretches_of"]
