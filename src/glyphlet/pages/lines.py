"""From pieces of ink to stretches of text: the letters of one line without a wide gap between them.

The middle half of each letter's height, drawn as a bar that is longer than the letter, touches those of its neighbours
and, since the middle is common to `x`, `l` and `p`, never those of the lines above and below. So the pieces of the drawn
bars are the stretches. Sizes may differ from line to line: what is much smaller than the usual letter gets a round of
its own, and what is much taller is a large letter, unless it ties two lines together. Dots, accents and points join the
stretch beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.components import Pieces, usual_height

REACH = 1.3
"""A gap of this many usual heights between two letters still holds a stretch together."""
SMALL, TALL = 0.55, 2.3
"""Letters from this to this many usual heights are drawn in one round."""
LOW = 0.8
"""A group whose pieces are all lower than this many usual heights is no text of its own, if it stands beside one."""
FEW, MARK = 3, 0.6
"""A stretch of so many pieces, all lower than this many heights of the letters beside it, is points and dashes of those."""
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
        groups = _round(pieces, rest, size, shape)
        members = _joined(pieces, rest, groups, size)
        found += members
        for member in members:
            rest[member] = False
    return [stretch for member in _absorbed(pieces, found) if (stretch := _stretch(pieces.take(member)))]


def _round(pieces: Pieces, rest: NDArray[np.bool_], size: float, shape: tuple[int, int]) -> list[NDArray[np.intp]]:
    """The letters of each stretch at one size, as places in `pieces`; what ties lines together is taken out of `rest`."""
    letters = rest & _letters(pieces, size)
    tall = np.flatnonzero(letters & (pieces.height > TALL * size))
    normal = np.flatnonzero(letters & (pieces.height <= TALL * size))
    ties = np.array([_ties(pieces, place, normal, size) for place in tall], bool)
    alone = tall[~ties]
    rest[tall[ties]] = False
    chosen = np.concatenate([normal, alone])
    canvas = np.zeros(shape, np.uint8)
    _draw(canvas, pieces, chosen, size)
    _, labels = cv2.connectedComponents(canvas, connectivity=4, ltype=cv2.CV_32S)
    middle_x = (pieces.left[chosen] + pieces.right[chosen]) // 2
    middle_y = (pieces.top[chosen] + pieces.bottom[chosen]) // 2
    return list(_by_label(chosen, np.asarray(labels)[middle_y, middle_x]))


def _letters(pieces: Pieces, size: float) -> NDArray[np.bool_]:
    """Which pieces may be letters, or several that touch."""
    height, width = pieces.height, pieces.width
    found = (height >= SMALL * size) & (height < 12 * size) & (width < 40 * np.minimum(height, 2 * size))
    # what is large and nearly empty, or large and full, is a frame or a picture
    filled = pieces.area / np.maximum(1, height * width)
    large = (height > 4 * size) & (width > 4 * size)
    letters: NDArray[np.bool_] = found & ~(large & ((filled < 0.12) | (filled > 0.75)))
    return letters


def _draw(canvas: NDArray[np.uint8], pieces: Pieces, places: NDArray[np.intp], size: float) -> None:
    for place in places:
        left, top = int(pieces.left[place]), int(pieces.top[place])
        right, bottom = int(pieces.right[place]), int(pieces.bottom[place])
        high = bottom - top
        reach = round(REACH * max(size, min(0.7 * high, 4 * size)) / 2)
        quarter = high // 4
        cv2.rectangle(canvas, (left - reach, top + quarter), (right + reach, bottom - 1 - quarter), 255, -1)


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


def _by_label(places: NDArray[np.intp], labels: NDArray[np.int32]) -> Iterator[NDArray[np.intp]]:
    order = np.argsort(labels, kind="stable")
    cuts = np.flatnonzero(np.diff(labels[order])) + 1
    for group in np.split(places[order], cuts):
        if len(group):
            yield group


def _joined(
    pieces: Pieces, rest: NDArray[np.bool_], groups: list[NDArray[np.intp]], size: float
) -> list[NDArray[np.intp]]:
    """Give each small piece that stands close to a stretch to the nearest one.

    Groups of nothing but low pieces (quotation marks, dashes) are taken apart first; what fits to no stretch stays one.
    """
    low = [group for group in groups if pieces.height[group].max() < LOW * size]
    groups = [group for group in groups if pieces.height[group].max() >= LOW * size]
    if not groups:
        return low
    small = rest.copy()
    small[np.concatenate(groups)] = False
    small &= (pieces.height < 1.2 * size) & (pieces.width < 6 * size)
    small &= np.maximum(pieces.width, pieces.height) >= max(2, 0.08 * size)
    nearest = _nearest(pieces, groups, np.flatnonzero(small), LOW)
    joined = [np.concatenate([group, np.flatnonzero(nearest == n)]) for n, group in enumerate(groups)]
    return joined + [group for group in low if (nearest[group] < 0).all()]


def _absorbed(pieces: Pieces, groups: list[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
    """Give the points and dashes of large letters, which were found as small ones, to the stretches that they belong to."""
    long = [group for group in groups if len(group) > FEW]
    few = [group for group in groups if len(group) <= FEW]
    if not long or not few:
        return groups
    nearest = _nearest(pieces, long, np.concatenate(few), MARK)
    kept = [group for group in few if (nearest[group] < 0).any()]  # as a whole, or not at all
    for group in kept:
        nearest[group] = -1
    joined = [np.concatenate([group, np.flatnonzero(nearest == n)]) for n, group in enumerate(long)]
    return joined + kept


def _nearest(pieces: Pieces, groups: list[NDArray[np.intp]], small: NDArray[np.intp], low: float) -> NDArray[np.intp]:
    """The group that each small piece belongs to; -1 where it is near none, and for all other pieces.

    A piece must be lower than `low` heights of the letters of its group.
    """
    left = np.array([pieces.left[group].min() for group in groups], float)
    right = np.array([pieces.right[group].max() for group in groups], float)
    top, bottom = (np.array([np.median(edge[group]) for group in groups]) for edge in (pieces.top, pieces.bottom))
    high = bottom - top
    found = np.full(len(pieces), -1, np.intp)
    for place in small:
        x, y = (pieces.left[place] + pieces.right[place]) / 2, (pieces.top[place] + pieces.bottom[place]) / 2
        half = (pieces.right[place] - pieces.left[place]) / 2
        aside = np.maximum(np.maximum(left - x, x - right) - half, 0)
        above, below = np.maximum(top - y, 0), np.maximum(y - bottom, 0)
        good = pieces.height[place] < low * high
        good &= (aside < 1.5 * high) & (above < 0.75 * high) & (below < 0.5 * high)
        if good.any():
            found[place] = np.where(good, aside + 2 * (above + below), np.inf).argmin()
    return found


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
