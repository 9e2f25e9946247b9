"""A page that was read, made by hand."""

import numpy as np
import pytest

from glyphlet.pages.page import Page, PageCharacter, TextLine, Word, around
from glyphlet.pages.writers import Read


def word(text: str, left: float, top: float, width: float, height: float = 20) -> Word:
    step = width / len(text)
    characters = tuple(
        PageCharacter(char, 0.9, (left + i * step, top, left + (i + 1) * step, top + height))
        for i, char in enumerate(text)
    )
    return Word(text, 0.9, (left, top, left + width, top + height), characters)


def line(words: list[Word], angle: float = 0.0, reason: str = "") -> TextLine:
    box = around([w.box for w in words])
    left, top, right, bottom = box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    text = " ".join(w.text for w in words)
    if reason:
        return TextLine("", 0.0, box, corners, angle, ((left, bottom), (right, bottom)), (), reason)
    return TextLine(text, 0.81, box, corners, angle, ((left, bottom - 4), (right, bottom - 4)), tuple(words))


def page(blocks, number: int = 1, name: str = "scan.png") -> Page:
    return Page(name, number, 600, 400, 150.0, 0.0, 0, tuple(tuple(block) for block in blocks))


@pytest.fixture
def make():
    """Makes words, lines and pages."""

    class Make:
        word = staticmethod(word)
        line = staticmethod(line)
        page = staticmethod(page)

        @staticmethod
        def read(made: Page) -> Read:
            return Read(made, np.full((made.height, made.width, 3), 230, np.uint8))

    return Make


@pytest.fixture
def two_pages(make) -> list[Read]:
    """Two blocks with a line that was not read, and a page in other scripts."""
    first = make.page(
        [
            [make.line([make.word("Crème", 50, 40, 60), make.word("<brûlée>", 120, 40, 90)])],
            [
                make.line([make.word("Straße", 50, 100, 70), make.word("&", 130, 100, 15), make.word('5"€', 155, 100, 30)]),
                make.line([make.word("x", 50, 140, 10)], reason="nothing there"),
                make.line([make.word("end", 50, 180, 33)]),
            ],
        ]
    )  # fmt: skip
    second = make.page(
        [[make.line([make.word("中文", 50, 40, 44), make.word("Ωж", 120, 40, 40), make.word("𝄞", 200, 40, 20)])]], 2
    )
    return [make.read(first), make.read(second)]
