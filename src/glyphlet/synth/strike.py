"""Strikes: the letters of a face at a size, each drawn when it is first asked for, and kept.

A strike may be cut differently: bolder, slanted or turned. Its letters are drawn four times as large, changed, and
reduced, so that a stroke can grow by a quarter of a pixel.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from glyphlet.synth.fonts import Face, Glyph, draw, load

_FINE = 4  # how much larger letters are drawn before they are slanted or turned
_BUDGET = 128 * 2**20  # bytes that the letters and kerning pairs of all strikes may take; then they are forgotten
_PER_LETTER, _PER_PAIR = 400, 200  # bytes besides the mask


@dataclass(frozen=True)
class Cut:
    """How the letters of a strike differ from those of the font.

    Args:
        bold: how much strokes grow to each side, in quarters of a pixel.
        slant: degrees; above 0 leans to the right.
        turn: degrees, clockwise about the pen.
    """

    bold: int = 0
    slant: int = 0
    turn: int = 0


PLAIN = Cut()


_used = 0
_all: weakref.WeakSet[Strike] = weakref.WeakSet()


def _make_room(size: int) -> None:
    """Count what is kept; forget everything when it becomes too much, which is rare enough to be cheap."""
    global _used
    _used += size
    if _used > _BUDGET:
        for each in list(_all):
            each.forget()
        _used = size


class Strike:
    """The letters of a face at a size, each drawn when it is first asked for.

    Args:
        face: the font.
        size: in pixels.
        cut: how the letters are changed.
    """

    def __init__(self, face: Face, size: int, cut: Cut = PLAIN) -> None:
        self.face, self.size, self.cut = face, size, cut
        self._glyphs: dict[str, Glyph] = {}
        self._advances: dict[str, float] = {}
        self._kerning: dict[str, float] = {}
        _all.add(self)

    def glyph(self, text: str) -> Glyph:
        """A character, or a word that is shaped."""
        found = self._glyphs.get(text)
        if found is None:
            found = self._draw(text)
            _make_room(_PER_LETTER + (found.mask.nbytes if found.mask is not None else 0))
            self._glyphs[text] = found
        return found

    def advance(self, text: str) -> float:
        """How far the pen moves; nothing is drawn."""
        found = self._advances.get(text)
        if found is None:
            found = self._advances[text] = load(self.face, self.size, len(text) > 1).getlength(text)
        return found

    def kerning(self, pair: str) -> float:
        """How much further apart than their advances two characters stand, in pixels; mostly 0 or less."""
        found = self._kerning.get(pair)
        if found is None:
            _make_room(_PER_PAIR)
            found = load(self.face, self.size).getlength(pair) - self.advance(pair[0]) - self.advance(pair[1])
            self._kerning[pair] = found
        return found

    def forget(self) -> None:
        """Keep nothing."""
        self._glyphs.clear()
        self._advances.clear()
        self._kerning.clear()

    def _draw(self, text: str) -> Glyph:
        shaped = len(text) > 1
        if self.cut == PLAIN:
            return draw(load(self.face, self.size, shaped), text)
        return _recut(load(self.face, self.size * _FINE, shaped), text, self.cut)


def _recut(font: ImageFont.FreeTypeFont, text: str, cut: Cut) -> Glyph:
    """A text drawn large, with strokes added, sheared and turned about the pen, and reduced."""
    advance = font.getlength(text) / _FINE
    x0, y0, x1, y1 = (round(v) for v in font.getbbox(text, anchor="ls", stroke_width=cut.bold))
    x0, y0 = (_FINE * (v // _FINE - 1) for v in (x0, y0))  # whole pixels of the result, one to spare
    x1, y1 = (_FINE * (-(-v // _FINE) + 1) for v in (x1, y1))
    large = Image.new("L", (x1 - x0, y1 - y0))
    ImageDraw.Draw(large).text((-x0, -y0), text, fill=255, font=font, anchor="ls", stroke_width=cut.bold)
    return reduced(large, x0, y0, advance, cut, 1 / _FINE)


def reduced(large: Image.Image, x0: int, y0: int, advance: float, cut: Cut, scale: float) -> Glyph:
    """A picture of a letter, slanted, turned and brought to size.

    Args:
        large: mode L, ink 255.
        x0, y0: where its corner is, from the pen.
        advance: of the result, in pixels.
        cut: slant and turn; `bold` is not looked at.
        scale: the size of the result, in parts of that of the picture.
    """
    if not cut.slant and not cut.turn and x0 * scale == x0 * scale // 1 and y0 * scale == y0 * scale // 1:
        return _trimmed(large.reduce(round(1 / scale)), round(x0 * scale), round(y0 * scale), advance)
    shear, angle = math.tan(math.radians(cut.slant)), math.radians(cut.turn)
    cosine, sine = math.cos(angle), math.sin(angle)
    # from the picture to the result, pen at (0, 0), y downwards: shear, then turn
    a, b, c, d = cosine, -cosine * shear - sine, sine, -sine * shear + cosine
    x1, y1 = x0 + large.width, y0 + large.height
    corners = [(a * x + b * y, c * x + d * y) for x in (x0, x1) for y in (y0, y1)]
    left, top = (math.floor(min(v) * scale) for v in zip(*corners, strict=True))
    right, bottom = (math.ceil(max(v) * scale) for v in zip(*corners, strict=True))
    fine = 2  # the result is made this much too large, then reduced
    size = ((right - left) * fine, (bottom - top) * fine)
    step = 1 / (scale * fine)  # one pixel of it, in pixels of the picture
    inverse = (d * step, -b * step, -c * step, a * step)  # the determinant is 1
    px, py = left * fine, top * fine
    matrix = (
        inverse[0], inverse[1], inverse[0] * px + inverse[1] * py - x0,
        inverse[2], inverse[3], inverse[2] * px + inverse[3] * py - y0,
    )  # fmt: skip
    turned = large.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return _trimmed(turned.reduce(fine), left, top, advance)


def _trimmed(small: Image.Image, left: int, top: int, advance: float) -> Glyph:
    ink = small.getbbox()
    if ink is None:
        return Glyph(None, 0, 0, advance)
    return Glyph(np.array(small.crop(ink)), left + ink[0], top + ink[1], advance)


def strike(face: Face, size: int, cut: Cut = PLAIN) -> Strike:
    """The strike of a face at a size; made once, then kept."""
    return _strike(face, size, cut)


_strike = lru_cache(maxsize=512)(Strike)


def glyph(face: Face, size: int, char: str) -> Glyph:
    """A character of a face at a size in pixels; drawn once, then kept."""
    return strike(face, size).glyph(char)


def kerning(face: Face, size: int, pair: str) -> float:
    """How much further apart than their advances two characters stand, in pixels; mostly 0 or less."""
    return strike(face, size).kerning(pair)
