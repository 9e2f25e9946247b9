"""A picture of a reading: the line, where each character stands, and how sure the model is of it."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from glyphlet.decode.reading import Character, Reading
from glyphlet.image import ImageSource, decode

HIGH = 96
"""Rows of the line in the picture, at least."""
WIDEST = 20_000
"""Columns of the picture, at most: of a wider line the first ones are shown."""
SURE, UNSURE = (0, 114, 178), (213, 94, 0)
"""The colours of confidence 1 and 0: blue and vermilion, which the colour-blind can tell apart (Okabe and Ito 2002)."""
FONTS = ("DejaVuSans.ttf", "NotoSansCJK-Regular.ttc", "Arial.ttf", "Arial Unicode.ttf", "msyh.ttc")
"""Fonts that the system may have, for characters that Pillow's own lacks."""
_FOOT = 60
_FONT = 26
_SMALL = 14


def colour(confidence: float) -> tuple[int, int, int]:
    """Between `UNSURE` and `SURE`; everything below one half is `UNSURE`.

    >>> colour(1.0) == SURE, colour(0.2) == UNSURE
    (True, True)
    """
    share = min(1.0, max(0.0, 2 * confidence - 1))
    red, green, blue = (round(u + (s - u) * share) for u, s in zip(UNSURE, SURE, strict=True))
    return red, green, blue


def draw(source: ImageSource, reading: Reading) -> Image.Image:
    """Draw a reading.

    Each span is a frame on the line and a bar below it; below that stands the character, and its confidence in percent where that is
    under 90. Where the model does not know where its characters stand (head `sequence`), they are spread evenly, without frames.

    Args:
        source: the image that was read, turned as it was.
        reading: what was read.

    Returns:
        A picture in RGB, at least `HIGH` rows of the line and a foot.

    Raises:
        ImageError: the source is not an image.
    """
    pixels = decode(source, 3)
    scale = max(1.0, HIGH / pixels.shape[0])
    line = _enlarged(pixels, scale)
    made = Image.new("RGB", (max(line.width, 8), line.height + _FOOT), "white")
    made.paste(line, (0, 0))
    over = Image.new("RGBA", made.size, (0, 0, 0, 0))
    pen, width, shown = ImageDraw.Draw(over), line.width, len(reading.characters)
    for number, character in enumerate(reading.characters):
        left, right, known = _edges(character, scale, number, shown, width)
        if left >= width:
            break
        _mark(pen, character, (left, right), line.height, known)
    if not shown:
        pen.text((4, line.height + 8), reading.reason[:200] or "(nothing)", fill=(80, 80, 80), font=_font(_SMALL))
    made.paste(over, (0, 0), over)
    return made


def _mark(pen: ImageDraw.ImageDraw, character: Character, edges: tuple[float, float], high: int, known: bool) -> None:
    left, right = edges
    shade = colour(character.confidence)
    if known:
        pen.rectangle((left, 2, max(left, right - 1), high - 3), (*shade, 40), (*shade, 255))
    pen.rectangle((left, high + 2, max(left, right - 1), high + 5), (*shade, 255))
    middle = (left + right) / 2
    sign, font = visible(character.char)
    pen.text((middle, high + 8), sign, fill=shade, font=font, anchor="ma")
    if character.confidence < 0.9:
        said = f"{100 * character.confidence:.0f}"
        pen.text((middle, high + _FOOT - 16), said, fill=shade, font=_font(_SMALL), anchor="ma")


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def visible(char: str) -> tuple[str, Font]:
    """A character as the picture shows it, and a font that has it: a space as `_`, and what no font has as its code point.

    >>> visible("a")[0], visible(" ")[0], visible("\ue000")[0]
    ('a', '_', 'E000')
    """
    if char == " ":
        return "_", _font(_FONT)
    fonts = [_font(_FONT), *_system_fonts()]
    having = (font for font in fonts if not isinstance(font, ImageFont.FreeTypeFont) or _has(font, char))
    font = next(having, None)
    return (char, font) if font else (f"{ord(char):04X}", _font(_SMALL))


def _has(font: ImageFont.FreeTypeFont, char: str) -> bool:
    """Whether a font draws a character otherwise than one that is none."""
    return bytes(font.getmask(char)) != bytes(font.getmask("\uffff"))


@cache
def _system_fonts() -> list[ImageFont.FreeTypeFont]:
    found = []
    for name in FONTS:
        with suppress(OSError):
            found.append(ImageFont.truetype(name, _FONT))
    return found


@cache
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def _edges(character: Character, scale: float, number: int, count: int, width: int) -> tuple[float, float, bool]:
    """Left and right edge of a character in the picture, and whether the model said them."""
    if character.left is None or character.right is None:
        return number * width / count, (number + 1) * width / count, False
    left, right = character.left * scale, character.right * scale
    return left, max(right, left + 2), True


def _enlarged(pixels: NDArray[np.uint8], scale: float) -> Image.Image:
    shown = Image.fromarray(pixels[:, : max(1, int(WIDEST / scale))])
    if scale == 1:
        return shown
    return shown.resize((max(1, round(shown.width * scale)), round(shown.height * scale)), Image.Resampling.BICUBIC)


__all__ = ["FONTS", "HIGH", "SURE", "UNSURE", "WIDEST", "colour", "draw", "visible"]
