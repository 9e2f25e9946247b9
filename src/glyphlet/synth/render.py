"""Text lines drawn from fonts, the same on every machine and in any order.

Line `i` of a stream depends on the spec, the charset, the fonts and `(seed, stream, i)` alone: its random numbers
start from the last three. So lines may be drawn in parallel or after an interruption, and `train` and `test` are
different draws. (Texts, colours and textures are exactly the same everywhere; the outlines of glyphs are as far as the
same FreeType draws them, which the wheels of one Pillow version bring along.)

Measures in `pitch` spacing are those of MicroOCR for its 25 pixel font, scaled for other sizes: a character every 30
pixels on an image 30 pixels high, the first one 10 to 12 from the left, the em square 1 to 3 from the top. Where a
wide or deep glyph would leave the image, the whole line moves just far enough. In `proportional` spacing the pen
moves by the advance and the kerning of the font, inside random margins. Either way no glyph is cut.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from glyphlet.charset import Charset
from glyphlet.spec import SynthSpec
from glyphlet.synth.background import paper
from glyphlet.synth.corpus import open_corpus
from glyphlet.synth.fonts import Face, Glyph, coverage, find_faces, glyph, kerning

Box = tuple[int, int, int, int]

_EM = 25  # the font size for which the measures below are given, in pixels
_PITCH = 30
_ASCENT = 0.86  # from the top of the em square to the baseline, as in SimSun and most Chinese fonts


@dataclass(frozen=True)
class RenderedLine:
    """A line image and what stands on it.

    Args:
        image: Pillow image, RGB.
        text: the characters from left to right.
        boxes: `(left, top, right, bottom)` of the ink of each character in pixels, right and bottom exclusive; a
            space has a box without area.
    """

    image: Image.Image
    text: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class _Layout:
    """The size of an image, and the pen of each character: x and the common baseline y, in pixels."""

    width: int
    height: int
    pens: Sequence[int]
    baseline: int


class RenderedSet(Sequence[RenderedLine]):
    """The lines of a spec by number; a sequence, so that several processes can share the work.

    Args:
        spec: what to render.
        charset: the characters that may occur.
        stream: `train`, `test` or any other name; each is a different draw.

    Raises:
        GlyphletError: a font cannot be used.
        RecipeError: no font covers some characters, or the text file has no usable text.

    >>> lines = RenderedSet(SynthSpec(count=2), Charset.named("digits"))
    >>> len(lines), lines[0].image.size, len(lines[0].text)
    (2, (120, 30), 4)
    """

    def __init__(self, spec: SynthSpec, charset: Charset, stream: str = "train") -> None:
        self.spec = spec
        self.stream = stream
        covered = {face: coverage(face, charset.characters) for face in find_faces(spec.fonts)}
        self._corpus = open_corpus(spec, charset, covered)

    def __len__(self) -> int:
        return self.spec.count

    def __getitem__(self, index: int) -> RenderedLine:  # type: ignore[override]  # one line at a time, no slices
        if not -len(self) <= index < len(self):
            raise IndexError(f"line {index} of {len(self)}")
        rng = random.Random(f"{self.spec.seed}/{self.stream}/{index % len(self)}")
        text, face = self._corpus.draw(rng)
        size = rng.randint(*self.spec.font_size)
        dark = self.spec.polarity == "dark" or (self.spec.polarity == "both" and rng.random() < 0.5)
        glyphs = [glyph(face, size, char) for char in text]
        if self.spec.spacing == "pitch":
            layout = _pitch(glyphs, size, rng)
        else:
            layout = _proportional(glyphs, _pens(glyphs, face, size, text), size, rng)
        image, ink = paper(self.spec.background, layout.width, layout.height, dark, rng)
        boxes = [_box(g, pen, layout.baseline) for g, pen in zip(glyphs, layout.pens, strict=True)]
        for drawn, box in zip(glyphs, boxes, strict=True):
            if drawn.mask is not None:
                image.paste(ink, box, drawn.mask)
        return RenderedLine(image, text, tuple(boxes))


def render_set(spec: SynthSpec, charset: Charset, stream: str = "train") -> Iterator[RenderedLine]:
    """The lines of a spec one after the other, `spec.count` in all.

    Args:
        spec: what to render.
        charset: the characters that may occur.
        stream: `train`, `test` or any other name; each is a different draw.

    Raises:
        GlyphletError: a font cannot be used (at once, not at the first line).
        RecipeError: no font covers some characters, or the text file has no usable text.
    """
    return iter(RenderedSet(spec, charset, stream))


def _box(drawn: Glyph, pen: int, baseline: int) -> Box:
    width, height = drawn.mask.size if drawn.mask is not None else (0, 0)
    left, top = pen + drawn.left, baseline + drawn.top
    return left, top, left + width, top + height


def _extent(glyphs: Sequence[Glyph], pens: Sequence[int]) -> Box:
    """The box around the ink of all glyphs when the baseline is at 0."""
    lefts, tops, rights, bottoms = zip(
        *(_box(g, p, 0) for g, p in zip(glyphs, pens, strict=True) if g.mask), strict=True
    )
    return min(lefts), min(tops), max(rights), max(bottoms)


def _inside(start: int, stop: int, room: int) -> int:
    """How far `start..stop` must move to lie in `0..room`."""
    return min(0, room - stop) + max(0, -start - min(0, room - stop))


def _pitch(glyphs: Sequence[Glyph], size: int, rng: random.Random) -> _Layout:
    """A character every 30 pixels at size 25; the pitch and height grow for glyphs that are larger than their cell."""
    scale = size / _EM
    left, top = round(rng.randint(10, 12) * scale), round(rng.randint(1, 3) * scale)
    pitch = max(round(_PITCH * scale), *(g.mask.width + 1 for g in glyphs if g.mask))
    pens = [left + pitch * i for i in range(len(glyphs))]
    x0, y0, x1, y1 = _extent(glyphs, pens)
    width, height = pitch * len(glyphs), max(round(_PITCH * scale), y1 - y0)
    baseline = top + round(_ASCENT * size)
    aside = _inside(x0, x1, width)
    return _Layout(width, height, [p + aside for p in pens], baseline + _inside(y0 + baseline, y1 + baseline, height))


def _pens(glyphs: Sequence[Glyph], face: Face, size: int, text: str) -> list[int]:
    """Where each character begins when the text is set as one line from 0."""
    pens, pen = [], 0.0
    for i, drawn in enumerate(glyphs):
        pens.append(round(pen))
        pen += drawn.advance + (kerning(face, size, text[i : i + 2]) if i + 1 < len(text) else 0)
    return pens


def _proportional(glyphs: Sequence[Glyph], pens: Sequence[int], size: int, rng: random.Random) -> _Layout:
    """The text inside random margins: up to half an em at the sides, up to a quarter above and below."""
    x0, y0, x1, y1 = _extent(glyphs, pens)
    ascent = round(_ASCENT * size)
    y0, y1 = min(y0, -ascent), max(y1, size - ascent)
    left, right = rng.randint(1, max(1, size // 2)), rng.randint(1, max(1, size // 2))
    above, below = rng.randint(1, max(1, size // 4)), rng.randint(1, max(1, size // 4))
    width, height = left + x1 - x0 + right, above + y1 - y0 + below
    return _Layout(width, height, [p - x0 + left for p in pens], above - y0)
