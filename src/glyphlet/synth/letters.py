"""What lines are set from: letters of fonts, or images of single characters. Both give pieces, their widths and masks."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from glyphlet.charset import Charset
from glyphlet.spec import SynthSpec
from glyphlet.synth.faces import Faces
from glyphlet.synth.fonts import Face, Glyph, coverage, find_faces
from glyphlet.synth.glyphimages import GlyphImages
from glyphlet.synth.shaping import need_raqm, pieces, visual
from glyphlet.synth.strike import PLAIN, Cut, strike


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that is drawn at once.

    Args:
        text: a character, or a word that is shaped.
        face: its font.
        variant: which of several images of the character; of fonts 0.
        start: the place of its first character in the text.
    """

    text: str
    face: Face
    variant: int
    start: int


class Letters(Protocol):
    """Where the letters of a set come from."""

    def coverage(self, charset: Charset) -> dict[Face, frozenset[str]]:
        """The characters that can be drawn, by font."""
        ...

    def pieces(self, text: str, faces: Faces, rng: random.Random) -> list[Piece]:
        """A text in the order in which it stands, from left to right."""
        ...

    def advance(self, piece: Piece, size: int) -> float:
        """How far the pen moves, in pixels."""
        ...

    def kerning(self, left: Piece, right: Piece, size: int) -> float:
        """What two neighbours stand closer or further apart, in pixels."""
        ...

    def glyph(self, piece: Piece, size: int, cut: Cut = PLAIN) -> Glyph:
        """The mask of a piece."""
        ...


class FontLetters:
    """Letters of fonts.

    Args:
        spec: which fonts.

    Raises:
        GlyphletError: a font cannot be used, or shaping is asked for and not possible.
    """

    def __init__(self, spec: SynthSpec) -> None:
        if spec.shaping:
            need_raqm()
        self._spec = spec
        self._shaping = spec.shaping

    def coverage(self, charset: Charset) -> dict[Face, frozenset[str]]:
        """The characters that can be drawn, by font."""
        faces = find_faces(self._spec.fonts, self._spec.broken_fonts)
        return {face: coverage(face, charset.characters, self._shaping) for face in faces}

    def pieces(self, text: str, faces: Faces, rng: random.Random) -> list[Piece]:
        """A text in the order in which it stands, from left to right."""
        each = (faces,) * len(text) if isinstance(faces, Face) else faces
        if not self._shaping:
            return [Piece(char, each[i], 0, i) for i, char in enumerate(text)]
        parts = pieces(text)
        shown, order = visual(parts)
        starts = [0]
        for part in parts:
            starts.append(starts[-1] + len(part))
        return [Piece(shown[i], each[starts[i]], 0, starts[i]) for i in order]

    def advance(self, piece: Piece, size: int) -> float:
        """How far the pen moves, in pixels."""
        return strike(piece.face, size).advance(piece.text)

    def kerning(self, left: Piece, right: Piece, size: int) -> float:
        """What two neighbours stand closer or further apart, in pixels."""
        if left.face != right.face or len(left.text) != 1 or len(right.text) != 1:
            return 0.0
        return strike(left.face, size).kerning(left.text + right.text)

    def glyph(self, piece: Piece, size: int, cut: Cut = PLAIN) -> Glyph:
        """The mask of a piece."""
        return strike(piece.face, size, cut).glyph(piece.text)


class ImageLetters:
    """Images of single characters.

    Args:
        path: where they are.
        stream: `test` takes other images than all other streams.
    """

    def __init__(self, path: str, stream: str) -> None:
        self._images = GlyphImages(path, stream)

    def coverage(self, charset: Charset) -> dict[Face, frozenset[str]]:
        """The characters that can be drawn, for the one set of images."""
        return {Face(self._images.path): self._images.coverage(charset)}

    def pieces(self, text: str, faces: Faces, rng: random.Random) -> list[Piece]:
        """A text with an image chosen for each character."""
        assert isinstance(faces, Face)
        return [Piece(char, faces, self._images.choose(char, rng), i) for i, char in enumerate(text)]

    def advance(self, piece: Piece, size: int) -> float:
        """How far the pen moves, in pixels."""
        return self._images.advance(piece.text, piece.variant, size)

    def kerning(self, left: Piece, right: Piece, size: int) -> float:
        """Always 0."""
        return 0.0

    def glyph(self, piece: Piece, size: int, cut: Cut = PLAIN) -> Glyph:
        """The mask of a piece."""
        return self._images.glyph(piece.text, piece.variant, size, cut)
