"""Fonts: which files they are, which characters they can draw, and what each character looks like.

Every character is drawn once a font and size, as a mask with its place relative to the pen, and kept; lines are put
together from these. That is fast, gives the box of each character for nothing, and does not depend on which text
shaper Pillow was built with. It also means one glyph a character, from left to right, so scripts that join, stack or
run from right to left (Arabic, Hebrew, Devanagari, Thai, ...) count as characters that no font covers.

A character is covered when its mask is not empty and not that of `.notdef`, the box that a font draws for characters
that it does not have.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

from glyphlet.errors import GlyphletError

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_PROBE_SIZE = 24  # pixels at which coverage is looked at: small is fast, but .notdef and real glyphs must differ
_NOT_CHARACTERS = ("\uffff", "\U0010ffff")  # never in a font, so what is drawn for them is .notdef


@dataclass(frozen=True)
class Face:
    """One font face: a file and the number of the face in it; an empty path is Pillow's own font."""

    path: str = ""
    index: int = 0

    def __str__(self) -> str:
        return (f"{self.path}#{self.index}" if self.index else self.path) or "Pillow's own font"


@dataclass(frozen=True)
class Glyph:
    """A character as a font draws it.

    Args:
        mask: mode L, cut to the ink; None for a space.
        left, top: where the ink begins, in pixels from the pen on the baseline; `top` is negative above it.
        advance: how far the pen moves, in pixels.
    """

    mask: Image.Image | None
    left: int
    top: int
    advance: float


def find_faces(fonts: Sequence[str]) -> list[Face]:
    """The faces that `SynthSpec.fonts` stands for, in order; folders are searched to the bottom, sorted by path.

    Raises:
        GlyphletError: a file or folder is missing, a folder holds no font, a file is not one, or Pillow cannot draw.
    """
    if not features.check("freetype2"):
        raise GlyphletError(
            "this Pillow was built without FreeType, so it cannot draw fonts",
            allowed="Pillow 10.1 or newer with FreeType, as in the wheels on PyPI",
            next_step="pip install --force-reinstall --only-binary :all: pillow",
        )
    faces = [face for entry in fonts for face in _faces_of(entry)] if fonts else [Face()]
    for face in faces:
        load(face, _PROBE_SIZE)
    return list(dict.fromkeys(faces))


def _faces_of(entry: str) -> list[Face]:
    path, _, number = entry.rpartition("#")
    if path and number.isdecimal() and not Path(entry).exists():
        return [Face(path, int(number))]
    folder = Path(entry)
    if not folder.is_dir():
        return [Face(entry)]
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise GlyphletError(
            f"the folder {entry} holds no font",
            allowed=f"a folder with {', '.join(SUFFIXES)} files, at any depth",
            next_step="check the font paths, or name none for Pillow's own font",
        )
    return [Face(str(p)) for p in files]


@lru_cache(maxsize=128)
def load(face: Face, size: int) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels.

    Raises:
        GlyphletError: the file does not exist or is not a font.
    """
    if not face.path:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font
    try:
        with open(face.path, "rb"):  # Pillow would look for a missing file among the fonts of the system
            pass
        font = ImageFont.truetype(face.path, size, index=face.index, layout_engine=ImageFont.Layout.BASIC)
        draw(font, "a")  # a font of bitmaps alone fails only here
    except (OSError, ValueError, SyntaxError) as error:
        raise _unusable(face, error) from error
    return font


def _unusable(face: Face, error: Exception) -> GlyphletError:
    missing = isinstance(error, FileNotFoundError)
    reason = "does not exist" if missing else f"cannot be used: {getattr(error, 'strerror', None) or error}"
    return GlyphletError(
        f"the font {face} {reason}",
        allowed=f"a TrueType or OpenType font with outlines ({', '.join(SUFFIXES)}), or a folder of them",
        next_step="check the path of the font" if missing else "open it in a font viewer, or take it out",
    )


def draw(font: ImageFont.FreeTypeFont, char: str) -> Glyph:
    """A character drawn afresh."""
    x0, y0, x1, y1 = (round(v) for v in font.getbbox(char, anchor="ls"))
    pad = 2  # the box is computed from the outline; hinting and antialiasing may reach beyond it
    mask = Image.new("L", (x1 - x0 + 2 * pad, y1 - y0 + 2 * pad))
    ImageDraw.Draw(mask).text((pad - x0, pad - y0), char, fill=255, font=font, anchor="ls")
    ink = mask.getbbox()
    if ink is None:
        return Glyph(None, 0, 0, font.getlength(char))
    return Glyph(mask.crop(ink), x0 - pad + ink[0], y0 - pad + ink[1], font.getlength(char))


@lru_cache(maxsize=32768)
def glyph(face: Face, size: int, char: str) -> Glyph:
    """A character of a face at a size in pixels; drawn once, then kept."""
    return draw(load(face, size), char)


@lru_cache(maxsize=32768)
def kerning(face: Face, size: int, pair: str) -> float:
    """How much further apart than their advances two characters stand, in pixels; mostly 0 or less."""
    return load(face, size).getlength(pair) - sum(glyph(face, size, c).advance for c in pair)


def needs_shaping(char: str) -> bool:
    """Whether a character runs from right to left, or is a mark that is placed on its neighbour."""
    return unicodedata.bidirectional(char) in ("R", "AL", "AN") or unicodedata.category(char) in ("Mn", "Mc", "Me")


def coverage(face: Face, characters: Iterable[str]) -> frozenset[str]:
    """The characters that a face can draw; a space needs an advance only.

    Raises:
        GlyphletError: the file is damaged, so that a character cannot be drawn.
    """
    font = load(face, _PROBE_SIZE)
    try:
        boxes = {_picture(draw(font, c)) for c in _NOT_CHARACTERS}
        return frozenset(c for c in characters if not needs_shaping(c) and _covers(font, c, boxes))
    except (OSError, ValueError) as error:
        raise _unusable(face, error) from error


def _covers(font: ImageFont.FreeTypeFont, char: str, boxes: set[bytes]) -> bool:
    drawn = draw(font, char)
    if char.isspace():
        return drawn.mask is None and drawn.advance > 0
    return drawn.mask is not None and _picture(drawn) not in boxes


def _picture(drawn: Glyph) -> bytes:
    if drawn.mask is None:
        return b""
    return repr((drawn.left, drawn.top, drawn.mask.size)).encode() + drawn.mask.tobytes()
