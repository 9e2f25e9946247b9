"""Which way up a page stands, found by reading some of its lines in all four directions.

Only a page that reads badly as it is goes through this, since it costs as much as reading it again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glyphlet.decode.reading import Reading
from glyphlet.pages.cut import cut
from glyphlet.pages.layout import Layout, layout_of
from glyphlet.pages.reader import LineReader

SAMPLE = 8
"""Stretches that are read in each direction: the longest ones."""
DOUBTFUL = 0.9
"""Below this mean confidence of its characters, a page is looked at in the other directions."""
BETTER = 0.1
"""By which another direction must be better."""


def trust(readings: Sequence[Reading]) -> float:
    """The mean confidence of the characters of some lines; 0 without any."""
    found = [character.confidence for reading in readings for character in reading.characters]
    return float(np.mean(found)) if found else 0.0


def turn_of(reader: LineReader, pixels: NDArray[np.uint8], layout: Layout) -> int:
    """By how much the page must be turned clockwise to stand upright: 0, 90, 180 or 270 degrees.

    Args:
        reader: reads the lines.
        pixels: uint8 (H, W, 3), the page.
        layout: its lines as it stands.
    """
    level = _sample(pixels, layout)
    aside = np.ascontiguousarray(np.rot90(pixels, -1))
    upright = _sample(aside, layout_of(aside))
    tried = {0: level, 180: _over(level), 90: upright, 270: _over(upright)}
    scores = {turn: trust(reader.read(lines)) * _mass(lines) for turn, lines in tried.items()}
    best = max(scores, key=lambda turn: scores[turn])
    return best if scores[best] > scores[0] + BETTER * _mass(tried[best]) else 0


def _sample(pixels: NDArray[np.uint8], layout: Layout) -> list[NDArray[np.uint8]]:
    parts = [part for block in layout.blocks for row in block for part in row.parts]
    longest = sorted(parts, key=lambda part: part.width / part.size, reverse=True)[:SAMPLE]
    return [cut(pixels, layout.view, part).pixels for part in longest]


def _over(lines: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    return [np.ascontiguousarray(line[::-1, ::-1]) for line in lines]


def _mass(lines: list[NDArray[np.uint8]]) -> float:
    """How much the lines look like lines: their mean length in heights, up to 10."""
    return float(np.mean([min(10.0, line.shape[1] / line.shape[0]) for line in lines])) / 10 if lines else 0.0


def turned(pixels: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """An image turned clockwise by 0, 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(pixels, -(turn // 90))) if turn else pixels


__all__ = ["trust", "turn_of", "turned"]
