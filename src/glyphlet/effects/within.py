"""What changes within a line: the size of its characters, and the space between them.

Both were found missing by the author of a Chinese CRNN (Sierkinhane/CRNN_Chinese_Characters_Rec): a network that saw
evenly set lines only fails on others. Characters are never known here; gaps are the columns without ink.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import blend, counted, ground, ink, inked, meander, rows, rows_of, warp
from glyphlet.effects.options import Range, number, span

Widths = NDArray[np.float32]
"""How wide each column of a line becomes."""


@EFFECTS.register
def scale_within(*, across: float = 0.3, down: float = 0.3) -> Effect:
    """Change the size of the characters smoothly along the line, in width and in height apart.

    Args:
        across: how much narrower or wider, at most: 0.3 is 0.7 to 1.3, relative to the rest of the line.
        down: how much lower or higher, at most. Ink never leaves the line, so one that is filled only becomes lower.

    Raises:
        RecipeError: an amount is out of range.
    """
    number("scale_within", "across", across, 0, 0.7)
    number("scale_within", "down", down, 0, 0.7)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        bends = 2 + int(random.integers(1, 2 + width // height))
        new = np.asarray(np.exp(across * meander(random, width, bends)), np.float32)
        x = _origins(new * (width / new.sum()), 0.0)
        top, bottom = rows_of(ink(line)[0])
        # The row that stays: between the middle of the ink (as signs are hung) and its foot (as text is set).
        keeps = top + (bottom - 1 - top) * random.uniform(0.5, 1)
        room = min((keeps - 1) / max(0.5, keeps - top), (height - 2 - keeps) / max(0.5, bottom - 1 - keeps))
        change = np.exp(down * meander(random, width, bends))[None]
        # If the ink fills the line, the largest size becomes 1, and all others lower.
        size = (change * min(1.0, max(1.0, room) / float(change.max()))).astype(np.float32)
        return warp(line, x, (rows(height) - np.float32(keeps)) / size + np.float32(keeps))

    return effect


def _origins(widths: Widths, start: float) -> NDArray[np.float32]:
    """From which column each new one is fetched, (1, W), when the old ones get these widths, the first one at `start`."""
    edges = start + np.concatenate([[0], np.cumsum(widths, dtype=np.float64)])
    centres = np.arange(len(widths)) + 0.5
    found = np.interp(centres, edges, np.arange(len(edges), dtype=np.float64))
    # Beyond the ends the line goes on at its own size: there `warp` puts ground.
    found += np.minimum(0, centres - edges[0]) + np.maximum(0, centres - edges[-1])
    return np.asarray(found[None] - 0.5, np.float32)


@EFFECTS.register
def letter_spacing(*, amount: Range = (-0.6, 0.4), vary: float = 0.5) -> Effect:
    """Widen or narrow the spaces between characters, more in one part of the line than in another.

    Gaps are columns without ink; where characters touch, the thinnest connecting columns can be drawn out, but not taken
    away. The line keeps its width: margins give or take, then all characters together become narrower or wider.

    Args:
        amount: the change of a gap. Above 0 it is what is added, as a share of the height; below 0 what is taken away, as
            a share of the gap.
        vary: how much a gap may differ from the line's own amount, as a share of the range.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("letter_spacing", "amount", amount, -0.9, 2)
    number("letter_spacing", "vary", vary, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        whole, drift = random.uniform(low, high), meander(random, width, 2 + width // (4 * height))
        apart = random.uniform(0, 0.5) * height  # gaps nearer than this to a wider one lie inside a character
        profile = counted(inked(ink(line)[0]), 0)
        marked = np.flatnonzero(profile)
        if len(marked) < 2:
            return line
        first, last = int(marked[0]), int(marked[-1]) + 1
        new, empty = np.ones(width, np.float32), np.zeros(width, np.float32)
        for start, stop in _thinned(gaps(profile[first:last], height), apart):
            a, b = first + start, first + stop
            middle = (a + b) // 2
            by = whole + vary * (high - low) / 2 * (float(drift[middle]) + random.uniform(-0.5, 0.5))
            by = min(max(by, low), high)
            if b - a > 2:  # the outer columns hold the soft edges of characters
                a, b = a + 1, b - 1
            free = not profile[a:b].any()
            if by > 0:
                new[a:b] += (by if free else min(by, 0.12)) * height / (b - a)
                empty[a:b] = free
            elif free:
                new[a:b] += by
        x = _fitted(new, first, last, random)
        return _cleared(warp(line, x, rows(height)), np.interp(x[0], np.arange(width), empty * (new - 1).clip(0, 1)))

    return effect


def gaps(profile: NDArray[np.integer], height: int) -> list[tuple[int, int]]:
    """Runs of columns, start and stop, that lie between characters.

    Args:
        profile: how many rows of each column are ink; the first and the last column have some.
        height: rows of the line. Where fewer than one column in 3 heights is free of ink, the characters touch or the
            ground is rough: then the thinnest columns count, too.
    """
    free = profile == 0
    found = _runs(free)
    if len(found) * 3 * height < len(profile):
        thin = max(1, min(height // 10, int(0.4 * np.percentile(profile, 75))))
        found = [_thinnest(profile, a, b) for a, b in _runs(profile <= thin) if a > 0 and b < len(profile)]
    return found


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    turns = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in turns.reshape(-1, 2)]


def _thinnest(profile: NDArray[np.integer], start: int, stop: int) -> tuple[int, int]:
    """The free columns of a run, or its thinnest one."""
    free = _runs(profile[start:stop] == 0)
    if free:
        a, b = max(free, key=lambda run: run[1] - run[0])
        return start + a, start + b
    at = start + int(np.argmin(profile[start:stop]))
    return at, at + 1


def _thinned(runs: list[tuple[int, int]], apart: float) -> list[tuple[int, int]]:
    """The widest runs, none nearer than `apart` to another."""
    kept, middles = [], list[float]()
    for start, stop in sorted(runs, key=lambda run: run[0] - run[1]):
        middle = (start + stop) / 2
        if all(abs(middle - other) >= apart for other in middles):
            kept.append((start, stop))
            middles.append(middle)
    return kept


def _cleared(line: Pixels, share: NDArray[np.float64]) -> Pixels:
    """Ground in place of these shares of the columns: what was drawn out of a gap holds no blurred edges of strokes."""
    if not share.any():
        return line
    return blend(line, ground(line), share.astype(np.float32)[None])


def _fitted(widths: Widths, first: int, last: int, random: np.random.Generator) -> NDArray[np.float32]:
    """The origins of columns when the text from `first` to `last` gets its new widths inside the old width."""
    total, count = len(widths), last - first
    margins = total - count
    room = total - 0.3 * margins
    text = float(widths[first:last].sum())
    size = 1.0
    if text > room:
        if text * 0.75 > room:  # characters never become narrower than three quarters; the gaps give up the rest
            widths = 1 + (widths - 1) * np.float32((room / 0.75 - count) / (text - count))
            text = float(widths[first:last].sum())
        size = room / text
    elif text < count:
        size = min(1.15, max(1.0, random.uniform(0.9, 1) * room / text))
    widths = widths * np.float32(size)
    left = first / margins if margins else random.random()
    start = (total - text * size) * left - float(widths[:first].sum())
    return _origins(widths, start)
