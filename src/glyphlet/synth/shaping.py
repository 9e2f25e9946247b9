"""Words of scripts that join, stack or run from right to left, drawn as a whole by Raqm.

A word with such characters is one piece; all other characters stay pieces of their own. Pieces are put into the order in
which they stand by the main rule of the Unicode bidirectional algorithm (UAX 9): runs of the other direction are
reversed. Explicit direction marks are not followed, and the label stays in the order of reading.

Raqm does not say where in a word each character stands. The advances of its clusters (a letter and its marks, lam and
alef together), each measured in the form it has inside the word, are scaled to the width of the word; the ink between
those bounds is the box. So boxes of shaped words are close, not exact.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from PIL import features

from glyphlet.errors import GlyphletError
from glyphlet.synth.fonts import Face, load, needs_shaping

_JOINER = "\u200d"  # gives a letter the form that it has beside another one
_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def need_raqm() -> None:
    """Refuse to shape without Raqm.

    Raises:
        GlyphletError: this Pillow has none.
    """
    if not features.check("raqm"):
        raise GlyphletError(
            "shaping is asked for, but this Pillow was built without Raqm",
            allowed="a Pillow with Raqm, as in the wheels on PyPI for Linux and macOS, with FriBiDi installed",
            next_step="pip install --force-reinstall --only-binary :all: pillow, or set shaping to false",
        )


def pieces(text: str) -> list[str]:
    """A text as words that must be shaped and as single characters.

    >>> [len(piece) for piece in pieces("a \\u0633\\u0644\\u0627\\u0645 1")]
    [1, 1, 4, 1, 1]
    """
    found: list[str] = []
    for number, word in enumerate(text.split(" ")):
        if number:
            found.append(" ")
        found += [word] if any(needs_shaping(c) for c in word) else list(word)
    return found


def _direction(text: str) -> str:
    """`R`, `L`, `N` for a number, or nothing for a space or sign."""
    kinds = {unicodedata.bidirectional(c) for c in text}
    if kinds & {"R", "AL"}:
        return "R"
    return "L" if "L" in kinds else "N" if kinds & {"EN", "AN"} else ""


def visual(parts: Sequence[str]) -> tuple[list[str], list[int]]:
    """The pieces with brackets mirrored where they stand in a run from right to left, and the order from left to right."""
    directions = [_direction(part) for part in parts]
    strong = [d for d in directions if d in ("L", "R")]
    if "R" not in strong:
        return list(parts), list(range(len(parts)))
    base = strong[0]
    resolved = [_resolved(directions, i, base) for i in range(len(parts))]
    shown = [
        part.translate(_MIRRORED) if d == "R" and len(part) == 1 else part
        for part, d in zip(parts, resolved, strict=True)
    ]
    order = list(range(len(parts)))
    if base == "R":
        order.reverse()
    return shown, _runs_reversed(order, resolved, "L" if base == "R" else "R")


def _resolved(directions: Sequence[str], i: int, base: str) -> str:
    """The direction in which a piece is placed; numbers run from left to right."""
    if directions[i]:
        return "R" if directions[i] == "R" else "L"
    before = next((d for d in reversed(directions[:i]) if d), base)
    after = next((d for d in directions[i + 1 :] if d), base)
    if before == after:
        return "R" if before == "R" else "L"
    return base


def _runs_reversed(order: list[int], resolved: Sequence[str], direction: str) -> list[int]:
    result: list[int] = []
    run: list[int] = []
    for index in order:
        if resolved[index] == direction:
            run.append(index)
        else:
            result += [*reversed(run), index]
            run = []
    return result + run[::-1]


def clusters(word: str) -> list[str]:
    """The parts of a word that stand on their own: a letter with its marks, lam with alef, stacked consonants."""
    parts: list[str] = []
    for char in word:
        category = unicodedata.category(char)
        last = parts[-1] if parts else ""
        joined = (
            last
            and (
                category in ("Mn", "Mc", "Me", "Cf")
                or unicodedata.combining(last[-1]) == 9  # a virama stacks what follows
                or last[-1] == _JOINER
                or (
                    last[0] == "\u0644"
                    and char in "\u0622\u0623\u0625\u0627"
                    and all(map(unicodedata.combining, last[1:]))
                )
            )
        )
        if joined:
            parts[-1] += char
        else:
            parts.append(char)
    return parts


@lru_cache(maxsize=8192)
def cells(face: Face, size: int, word: str) -> tuple[tuple[float, float], ...]:
    """For each character of a word, where its cluster begins and ends, in pixels from the left end of the word."""
    font = load(face, size, True)
    parts = clusters(word)
    widths = []
    for i, part in enumerate(parts):
        joining = unicodedata.bidirectional(part[0]) == "AL"
        before = _JOINER if joining and i else ""
        after = _JOINER if joining and i + 1 < len(parts) else ""
        widths.append(max(0.0, font.getlength(before + part + after)))
    total = font.getlength(word)
    scale = total / sum(widths) if sum(widths) else 0.0
    backwards = _direction(word) == "R"
    found: list[tuple[float, float]] = []
    pen = 0.0
    for part, width in zip(parts, widths, strict=True):
        start, stop = pen * scale, (pen + width) * scale
        found += [(total - stop, total - start) if backwards else (start, stop)] * len(part)
        pen += width
    return tuple(found)
