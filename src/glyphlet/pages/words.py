"""From the characters of a reading to words and characters with boxes on the page.

A CTC model says at which columns it was sure of a character, which lie on it but do not bound it. The spaces say between
which columns a word ends; there it ends in the widest gap between two pieces of ink. Its box is drawn around its pieces.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from glyphlet.decode.reading import Character, Reading
from glyphlet.pages.cut import Cut
from glyphlet.pages.page import Box, PageCharacter, Word
from glyphlet.pages.view import View


def words_of(reading: Reading, part: Cut, view: View) -> list[Word]:
    """The words of a stretch.

    Args:
        reading: of `part.pixels`.
        part: the stretch.
        view: the level image in which it was found.
    """
    characters = reading.characters
    middles = _middles(characters, part)
    groups = _groups(characters)
    ends = [_end(part, middles[a[-1]], middles[b[0]]) for a, b in itertools.pairwise(groups)]
    bounds = [part.stretch.left, *ends, part.stretch.right]
    return [
        _word([characters[i] for i in group], [middles[i] for i in group], part, view, (bounds[n], bounds[n + 1]))
        for n, group in enumerate(groups)
    ]


def _middles(characters: Sequence[Character], part: Cut) -> list[float]:
    """The middle of each character in columns of the level image; evenly spread where the model does not know."""
    if any(c.left is None or c.right is None for c in characters):
        width = part.stretch.width / len(characters)
        return [part.stretch.left + (i + 0.5) * width for i in range(len(characters))]
    return [part.start + part.step * ((c.left or 0) + (c.right or 0)) / 2 for c in characters]


def _groups(characters: Sequence[Character]) -> list[list[int]]:
    """Places of the characters of each word."""
    groups: list[list[int]] = [[]]
    for place, character in enumerate(characters):
        if character.char.isspace():
            groups.append([])
        else:
            groups[-1].append(place)
    return [group for group in groups if group]


def _end(part: Cut, before: float, after: float) -> float:
    """The middle of the widest gap in the ink between the last character of a word and the first of the next one."""
    pieces = part.stretch.pieces
    near = (pieces.right > before) & (pieces.left < after)
    best, reached = (0.0, (before + after) / 2), before
    for left, right in zip(pieces.left[near].tolist(), pieces.right[near].tolist(), strict=True):
        if left - reached > best[0]:
            best = (left - reached, (left + reached) / 2)
        reached = max(reached, right)
    return best[1] if after - reached <= best[0] or best[0] > 0 else (reached + after) / 2


def _word(
    characters: list[Character], middles: list[float], part: Cut, view: View, bounds: tuple[float, float]
) -> Word:
    left, top, right, bottom = _ink(part, bounds)
    edges = [left, *((a + b) / 2 for a, b in itertools.pairwise(middles)), right]
    edges = np.clip(edges, left, right).tolist()
    boxes = [(left, top, right, bottom), *((a, top, b, bottom) for a, b in itertools.pairwise(edges))]
    whole, *places = (tuple(box) for box in view.boxes_to_page(np.array(boxes, float)).tolist())
    found = tuple(PageCharacter(c.char, c.confidence, box) for c, box in zip(characters, places, strict=True))
    return Word("".join(c.char for c in characters), min(c.confidence for c in characters), whole, found)


def _ink(part: Cut, bounds: tuple[float, float]) -> Box:
    """The box around the ink between two columns of the level image."""
    pieces = part.stretch.pieces
    left, right = np.maximum(pieces.left, bounds[0]), np.minimum(pieces.right, bounds[1])
    inside = right - left > 0.5 * np.minimum(pieces.width, bounds[1] - bounds[0])
    if not inside.any():
        return bounds[0], part.stretch.top, bounds[1], part.stretch.bottom
    return (
        float(left[inside].min()),
        float(pieces.top[inside].min()),
        float(right[inside].max()),
        float(pieces.bottom[inside].max()),
    )


__all__ = ["words_of"]
