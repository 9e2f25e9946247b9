"""Fonts: which files they are, which characters they can draw, and what each character looks like.

Every character is drawn once as a mask with its place relative to the pen, and kept (`strike`); lines are put together from
these. That is fast and gives the box of each character for nothing. It also means one glyph a character, from left to right; scripts that join, stack or run from right to left (Arabic, Hebrew, Devanagari, Thai, ...)
count as characters that no font covers, unless words are shaped (`shaping`).

A character is covered when it has ink and does not look like `.notdef`, the box that a font draws for characters that it
does not have.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont, features

from glyphlet.errors import GlyphletError

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
Mask = NDArray[np.uint8]
_PROBE_SIZE = 24  # pixels at which coverage is looked at: small is fast, but .notdef and real glyphs must differ
_NOT_CHARACTERS = ("\uffff", "\U0010ffff")  # never in a font, so what is drawn for them is .notdef


@dataclass(frozen=True)
class Face:
    """One font face: a file and the number of the face in it; an empty path is Pillow's own font."""

    path: str = ""
    index: int = 0

    def __str__(self) -> str:
        return (f"{self.path}#{self.index}" if self.index else self.path) or "Pillow's own font"


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character (or a shaped word) as a font draws it.

    Args:
        mask: uint8 (height, width), cut to the ink; None for a space.
        left, top: where the ink begins, in pixels from the pen on the baseline; `top` is negative above it.
        advance: how far the pen moves, in pixels.
    """

    mask: Mask | None
    left: int
    top: int
    advance: float


def find_faces(fonts: Sequence[str], broken: str = "error") -> list[Face]:
    """The faces that `SynthSpec.fonts` stands for, in order; folders are searched to the bottom, sorted by path.

    Args:
        fonts: files and folders.
        broken: `error`, or `skip` to leave out files that are no usable fonts, with a warning.

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
    usable, errors = [], []
    for face in dict.fromkeys(faces):
        try:
            load(face, _PROBE_SIZE)
            usable.append(face)
        except GlyphletError as error:
            if broken == "error" or isinstance(error.__cause__, FileNotFoundError):
                raise
            errors.append(error)
    if errors and not usable:
        raise errors[0]
    if errors:
        listed = "; ".join(error.problem for error in errors[:5]) + ("; ..." if len(errors) > 5 else "")
        warnings.warn(f"{len(errors)} of {len(faces)} fonts are left out: {listed}", stacklevel=3)
    return usable


def _faces_of(entry: str) -> list[Face]:
    path, _, number = entry.rpartition("#")
    if path and number.isdigit() and not Path(entry).exists():
        return [Face(path, int(number))]
    folder = Path(entry)
    if not folder.is_dir():
        return [Face(entry)]
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise GlyphletError(
            f"the folder {folder} holds no font",
            allowed=f"files that end in {', '.join(SUFFIXES)}",
            next_step="give the path of a font file, or of a folder with some",
        )
    return [Face(str(p)) for p in found]


def load(face: Face, size: int, shaped: bool = False) -> ImageFont.FreeTypeFont:
    """A face at a size in pixels; `shaped` lays words out with Raqm.

    Raises:
        GlyphletError: the file is missing, or is not a font that Pillow can scale and draw.
    """
    return _load(face, size, shaped)


@cache
def _try(face: Face) -> None:
    """Open a face and draw with it, once; raises what is wrong with it."""
    with open(face.path, "rb"):  # Pillow searches the system's folders for a file that does not exist
        font = ImageFont.truetype(face.path, _PROBE_SIZE, index=face.index)
    draw(font, "a")  # a font of bitmaps alone fails only here


@lru_cache(maxsize=256)
def _load(face: Face, size: int, shaped: bool) -> ImageFont.FreeTypeFont:
    layout = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
    try:
        if not face.path:
            font = ImageFont.load_default(size)
            assert isinstance(font, ImageFont.FreeTypeFont)
            return font
        _try(face)
        font = ImageFont.truetype(face.path, size, index=face.index, layout_engine=layout)
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


def draw(font: ImageFont.FreeTypeFont, text: str) -> Glyph:
    """A character, or a word, drawn afresh."""
    core, (left, top) = font.getmask2(text, "L", anchor="ls")
    box = core.getbbox() if min(core.size) > 0 else None
    if box is None:
        return Glyph(None, 0, 0, font.getlength(text))
    picture = Image.new("L", core.size)
    picture.im.paste(core, (0, 0, *core.size))
    x0, y0, x1, y1 = box
    return Glyph(np.array(picture)[y0:y1, x0:x1].copy(), int(left) + x0, int(top) + y0, font.getlength(text))


@lru_cache(maxsize=65536)
def needs_shaping(char: str) -> bool:
    """Whether a character runs from right to left, or is a mark that is placed on its neighbour."""
    return unicodedata.bidirectional(char) in ("R", "AL", "AN") or unicodedata.category(char) in ("Mn", "Mc", "Me")


def coverage(face: Face, characters: Iterable[str], shaping: bool = False) -> frozenset[str]:
    """The characters that a face can draw; a space needs an advance only.

    Args:
        face: the font.
        characters: what is asked for.
        shaping: whether characters that must be shaped count as well.

    Raises:
        GlyphletError: the file is damaged, so that a character cannot be drawn.
    """
    probe = Probe(face)
    return frozenset(c for c in characters if (shaping or not needs_shaping(c)) and probe.state(c) == "covered")


class Probe:
    """Looks at the characters of a face.

    Raises:
        GlyphletError: the file is missing or damaged.
    """

    def __init__(self, face: Face) -> None:
        self._face = face
        self._font = load(face, _PROBE_SIZE)
        with _naming(face):
            self._boxes = {_picture(draw(self._font, c)) for c in _NOT_CHARACTERS}
            self._sizes = {self._font.getbbox(c, anchor="ls") for c in _NOT_CHARACTERS}

    def state(self, char: str) -> str:
        """`covered`, `missing` (drawn as `.notdef`) or `blank` (drawn as nothing)."""
        with _naming(self._face):
            size = self._font.getbbox(char, anchor="ls")
            if size in self._sizes and _picture(draw(self._font, char)) in self._boxes:
                return "missing"
            if char.isspace():
                return "covered" if size[1] == size[3] and self._font.getlength(char) > 0 else "missing"
            return "covered" if size[1] < size[3] else "blank"


class _naming:
    """Names the face in errors of FreeType."""

    __slots__ = ("face",)

    def __init__(self, face: Face) -> None:
        self.face = face

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError | ValueError):
            raise _unusable(self.face, error) from error


def _picture(drawn: Glyph) -> bytes:
    if drawn.mask is None:
        return b""
    return repr((drawn.left, drawn.top, drawn.mask.shape)).encode() + drawn.mask.tobytes()
