"""Reads a page: finds its lines, reads them with a model, and puts the texts where they stand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glyphlet.decode.reading import Reading
from glyphlet.image import ImageSource, decode, name_of
from glyphlet.pages.cut import Cut, cut
from glyphlet.pages.layout import Layout, layout_of
from glyphlet.pages.orientation import DOUBTFUL, trust, turn_of, turned
from glyphlet.pages.page import Page, TextLine
from glyphlet.pages.reader import LineReader
from glyphlet.pages.source import UNSAID_DPI
from glyphlet.pages.view import View, points_of
from glyphlet.pages.words import words_of


def read_page(
    reader: LineReader, image: ImageSource, *, name: str | None = None, number: int = 1, dpi: float = UNSAID_DPI
) -> Page:
    """Read a page.

    Args:
        reader: reads the lines.
        image: the page, as `glyphlet.image.decode` takes it.
        name: what to call it; from the source without.
        number: of the page in its file.
        dpi: pixels an inch; it is told, and makes the size of a PDF's page.

    Returns:
        The page.

    Raises:
        ImageError: the image cannot be read.
    """
    name = name or name_of(image)
    pixels = decode(image, 3, name)
    layout = layout_of(pixels)
    found, turn = _read(reader, pixels, layout), 0
    if trust(found.readings) < DOUBTFUL and (turn := turn_of(reader, pixels, layout)):
        pixels = turned(pixels, turn)
        found = _read(reader, pixels, layout_of(pixels))
    height, width = pixels.shape[:2]
    return Page(name, number, width, height, dpi, found.layout.view.angle, turn, _blocks(found))


@dataclass(frozen=True)
class _Found:
    """A layout, the pictures of its rows' parts, and the reading of each."""

    layout: Layout
    rows: list[list[Cut]]
    readings: list[Reading]


def _read(reader: LineReader, pixels: NDArray[np.uint8], layout: Layout) -> _Found:
    rows = [[cut(pixels, layout.view, part) for part in row.parts] for block in layout.blocks for row in block]
    return _Found(layout, rows, reader.read([part.pixels for row in rows for part in row]))


def _blocks(found: _Found) -> tuple[tuple[TextLine, ...], ...]:
    readings = iter(found.readings)
    lines = iter([_line(row, [next(readings) for _ in row], found.layout.view) for row in found.rows])
    return tuple(tuple(next(lines) for _ in block) for block in found.layout.blocks)


def _line(row: list[Cut], readings: list[Reading], view: View) -> TextLine:
    """The parts of a line put together; those in which there is nothing to read are left out where others have a text."""
    pairs = list(zip(row, readings, strict=True))
    pairs = [pair for pair in pairs if pair[1].text.strip()] or pairs[:1]
    words = [word for part, reading in pairs if reading.text.strip() for word in words_of(reading, part, view)]
    reasons = [reading.reason for _, reading in pairs if reading.reason]
    longest = max((part for part, _ in pairs), key=lambda part: part.stretch.width)
    angle = view.angle + math.degrees(math.atan(longest.stretch.slope))
    corners, feet = _frame([part for part, _ in pairs], longest, angle)
    return TextLine(
        " ".join(word.text for word in words),
        math.prod(reading.confidence for _, reading in pairs),
        (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()),
        points_of(corners),
        angle,
        points_of(feet),
        tuple(words),
        "" if words or not reasons else reasons[0],
    )  # fmt: skip


def _frame(parts: list[Cut], longest: Cut, angle: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners (4, 2) of the rectangle at an angle around all parts, and the ends (2, 2) of the baseline of the longest one in it."""
    turn = math.radians(angle)
    axes = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])  # along the line, and down
    places = np.concatenate([part.corners for part in parts]) @ axes.T
    (left, top), (right, bottom) = places.min(axis=0), places.max(axis=0)
    foot = float((longest.feet @ axes.T)[:, 1].mean())
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return corners @ axes, np.array([[left, foot], [right, foot]]) @ axes


__all__ = ["read_page"]
