"""Points, dashes, quotation marks and accents: which stretch each belongs to, and which stretches they put together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.bars import by_label, draw, labels_of
from glyphlet.pages.components import Pieces

LOW = 0.8
"""A group whose pieces are all lower than this many usual heights is no text of its own, if it stands beside one."""
FEW, MARK = 3, 0.6
"""A stretch of so many pieces, all lower than this many heights of the letters beside it, is points and dashes of those."""
SPECK = 0.14
"""What is smaller than this share of the usual height, both ways, bridges no gap."""


def joined(
    pieces: Pieces, rest: NDArray[np.bool_], groups: list[NDArray[np.intp]], size: float, canvas: NDArray[np.uint8]
) -> list[NDArray[np.intp]]:
    """Put stretches together over the marks between them, and give each small piece that stands close to the nearest one.

    Groups of nothing but low pieces (quotation marks, dashes) are taken apart first; what fits to no stretch stays one.
    """
    low = [group for group in groups if pieces.height[group].max() < LOW * size]
    groups = [group for group in groups if pieces.height[group].max() >= LOW * size]
    if not groups:
        return low
    small = rest.copy()
    small[np.concatenate(groups)] = False
    small &= (pieces.height < 1.2 * size) & (pieces.width < 6 * size)
    extent = np.maximum(pieces.width, pieces.height)
    small &= extent >= max(2, 0.08 * size)
    groups, apart = _bridged(pieces, groups, np.flatnonzero(small & (extent >= SPECK * size)), size, canvas)
    small[np.concatenate(groups)] = False
    near = _nearest(pieces, groups, np.flatnonzero(small), LOW)
    for marks in apart:  # the parts of a sign go the same way
        near[marks] = near[marks].max()
    whole = [np.concatenate([group, np.flatnonzero(near == n)]) for n, group in enumerate(groups)]
    small[np.concatenate(whole)] = False
    return whole + [group for group in low if small[group].all()]


def _bridged(
    pieces: Pieces, groups: list[NDArray[np.intp]], marks: NDArray[np.intp], size: float, canvas: NDArray[np.uint8]
) -> tuple[list[NDArray[np.intp]], list[NDArray[np.intp]]]:
    """Stretches with the marks that hang together with them, and bunches of marks that do so with none."""
    home = _nearest(pieces, groups, marks, LOW, np.inf)
    marks = marks[home[marks] >= 0]
    raised = _raised(pieces, groups, marks, home[marks])
    draw(canvas, raised, size)
    high = _high_marks(pieces, groups)
    hung = np.flatnonzero(high >= 0)
    draw(canvas, _raised(pieces, groups, hung, high[hung]), size)
    letters = np.concatenate(groups)
    places, shown = np.concatenate([letters, marks]), (pieces.take(letters), raised)
    found = list(by_label(places, labels_of(canvas, shown)))
    is_letter = np.zeros(len(pieces), bool)
    is_letter[letters] = True
    return [g for g in found if is_letter[g].any()], [g for g in found if not is_letter[g].any()]


def _high_marks(pieces: Pieces, groups: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    """The stretch of each piece in `groups` that is lower than its letters; else -1.

    Quotation marks and degree signs may be nearly as high as a letter; they hang in a stretch, or are one of their own.
    """
    found = np.full(len(pieces), -1, np.intp)
    long = [n for n, group in enumerate(groups) if len(group) > FEW]
    for n in long:
        height = pieces.height[groups[n]]
        found[groups[n][height < np.median(height)]] = n
    few = [group for group in groups if len(group) <= FEW]
    if long and few:
        alone = np.concatenate(few)
        home = _nearest(pieces, [groups[n] for n in long], alone, 1.0, np.inf)[alone]
        found[alone[home >= 0]] = np.array(long)[home[home >= 0]]
    return found


def _raised(pieces: Pieces, groups: list[NDArray[np.intp]], marks: NDArray[np.intp], home: NDArray[np.intp]) -> Pieces:
    """Marks as high as the three letters of their stretch that are nearest to each, lower ones left out."""
    top, bottom = pieces.top[marks], pieces.bottom[marks]
    full = [group[pieces.height[group] >= np.median(pieces.height[group])] for group in groups]
    for place, (mark, number) in enumerate(zip(marks, home, strict=True)):
        group, middle = full[number], pieces.left[mark] + pieces.right[mark]
        beside = group[np.argsort(np.abs(pieces.left[group] + pieces.right[group] - middle), kind="stable")[:3]]
        top[place], bottom[place] = np.median(pieces.top[beside]), np.median(pieces.bottom[beside])
    return Pieces(pieces.left[marks], top, pieces.right[marks], bottom, pieces.area[marks])


def absorbed(pieces: Pieces, groups: list[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
    """Give the points and dashes of large letters, which were found as small ones, to the stretches that they belong to."""
    long = [group for group in groups if len(group) > FEW]
    few = [group for group in groups if len(group) <= FEW]
    if not long or not few:
        return groups
    near = _nearest(pieces, long, np.concatenate(few), MARK)
    kept = [group for group in few if (near[group] < 0).any()]  # as a whole, or not at all
    for group in few:
        near[group] = near[group].max() if (near[group] >= 0).all() else -1
    return [np.concatenate([group, np.flatnonzero(near == n)]) for n, group in enumerate(long)] + kept


def _nearest(
    pieces: Pieces, groups: list[NDArray[np.intp]], small: NDArray[np.intp], low: float, reach: float = 1.5
) -> NDArray[np.intp]:
    """The group that each small piece belongs to; -1 where it is near none, and for all other pieces.

    A piece must be lower than `low` heights of the letters of its group, and at most `reach` of them beside it.
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
        good &= (aside < reach * high) & (above < 0.75 * high) & (below < 0.5 * high)
        if good.any():
            found[place] = np.where(good, aside + 2 * (above + below), np.inf).argmin()
    return found


__all__ = ["absorbed", "joined"]
