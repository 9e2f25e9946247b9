"""What was found on a page: blocks of lines, lines of words, words of characters, each with its place.

Places are pixels of the page image, x to the right and y down, after the page was turned upright by `Page.turn`.
A box is the upright rectangle around something; a line that stands askew has its four corners, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PageCharacter:
    """One character on a page.

    Args:
        char: the character.
        confidence: 0 to 1, as the reader gives it.
        box: from the middle between its neighbours on either side, as high as its word.
    """

    char: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Word:
    """Characters between two spaces.

    Args:
        text: the word.
        confidence: 0 to 1, the least of its characters.
        box: around its ink.
        characters: those of `text`, in order.
    """

    text: str
    confidence: float
    box: Box
    characters: tuple[PageCharacter, ...]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a page.

    Args:
        text: what it says; parts with a wide gap between them are joined by one space. Empty where `reason` is set.
        confidence: 0 to 1, the product over the parts.
        box: the upright rectangle around the line.
        corners: of the line itself: top left, top right, bottom right, bottom left.
        angle: of its baseline in degrees, clockwise; 0 is level.
        baseline: from the left to the right end.
        words: the words, from left to right.
        reason: why nothing was read, as `Reading.reason`; otherwise empty.
    """

    text: str
    confidence: float
    box: Box
    corners: tuple[Point, ...]
    angle: float
    baseline: tuple[Point, ...]
    words: tuple[Word, ...]
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; places to a tenth of a pixel."""
        found: dict[str, Any] = {
            "box": rounded(self.box),
            "corners": [rounded(corner) for corner in self.corners],
            "angle": round(self.angle, 3),
            "text": self.text,
            "confidence": self.confidence,
            "words": [_word(word) for word in self.words],
        }
        return found | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on one page.

    Args:
        name: the file, as messages call it.
        number: of the page in its file, from 1.
        width, height: of the page image in pixels, after the turn.
        dpi: pixels an inch.
        angle: how far the lines are askew, in degrees, clockwise.
        turn: how far the image was turned clockwise to stand upright: 0, 90, 180 or 270 degrees.
        blocks: lines that belong together, in reading order.
    """

    name: str
    number: int
    width: int
    height: int
    dpi: float
    angle: float
    turn: int
    blocks: tuple[tuple[TextLine, ...], ...]

    @property
    def lines(self) -> Iterator[TextLine]:
        """All lines in reading order, those that were not read, too."""
        return (line for block in self.blocks for line in block)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        lines = [{"block": number} | line.to_dict() for number, block in enumerate(self.blocks) for line in block]
        return {
            "path": self.name, "page": self.number, "width": self.width, "height": self.height, "dpi": round(self.dpi, 2),
            "angle": round(self.angle, 3), "turn": self.turn, "lines": lines,
        }  # fmt: skip


def _word(word: Word) -> dict[str, Any]:
    characters = [{"char": c.char, "confidence": c.confidence, "box": rounded(c.box)} for c in word.characters]
    return {"text": word.text, "confidence": word.confidence, "box": rounded(word.box), "characters": characters}


def rounded(values: tuple[float, ...]) -> list[float]:
    """Places to a tenth of a pixel."""
    return [round(value, 1) for value in values]


def around(boxes: list[Box]) -> Box:
    """The smallest box that holds all of them.

    >>> around([(1, 5, 4, 9), (3, 2, 8, 7)])
    (1, 2, 8, 9)
    """
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


__all__ = ["Box", "Page", "PageCharacter", "Point", "TextLine", "Word", "around", "rounded"]
