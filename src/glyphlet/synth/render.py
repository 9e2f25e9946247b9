"""Text lines drawn from fonts, the same on every machine and in any order.

Line `i` of a stream depends on the spec, the charset, the fonts and `(seed, stream, epoch, i)` alone: its random numbers
start from the last four. So lines may be drawn in parallel or after an interruption, `train` and `test` are different
draws, and every epoch has lines of its own. (Texts, colours and textures are exactly the same everywhere; the outlines of
glyphs are as far as the same FreeType draws them, which the wheels of one Pillow version bring along.)

    texts      corpus excerpts texts pattern faces
    letters    fonts strike shaping glyphimages letters
    lines      layout looks/ background photos compose, and render, which puts them together
    sets       dataset audit
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError
from glyphlet.spec import SynthSpec
from glyphlet.synth.background import Papers
from glyphlet.synth.compose import ink_line, ink_styled, room_of
from glyphlet.synth.corpus import Corpus, open_corpus
from glyphlet.synth.faces import Faces
from glyphlet.synth.fonts import Face
from glyphlet.synth.layout import Box, Setting, extent, frame, plain, styled
from glyphlet.synth.letters import FontLetters, ImageLetters, Letters, Piece
from glyphlet.synth.looks import build_looks
from glyphlet.synth.looks.style import Style
from glyphlet.synth.shaping import cells
from glyphlet.synth.strike import strike


@dataclass(frozen=True)
class RenderedLine:
    """A line image and what stands on it.

    Args:
        image: Pillow image, RGB.
        text: the characters in the order of reading.
        boxes: `(left, top, right, bottom)` of the ink of each character in pixels, right and bottom exclusive; a
            space has a box without area. Effects that move ink are not followed.
    """

    image: Image.Image
    text: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class _Parts:
    """What lines are made with; opened once a process."""

    letters: Letters
    corpus: Corpus
    papers: Papers
    looks: list[Any]
    effects: list[Any]


class RenderedSet(Sequence[RenderedLine]):
    """The lines of a spec by number; a sequence, so that several processes can share the work.

    To another process it is a small value: fonts, texts and images are opened again where they are first used.

    Args:
        spec: what to render.
        charset: the characters that may occur.
        stream: `train`, `test` or any other name; each is a different draw.
        epoch: each epoch is a different draw, too; see `at_epoch`.

    Raises:
        GlyphletError: a font, photo or image of a character cannot be used, or OpenCV is missing for the effects.
        RecipeError: no font covers some characters, the texts cannot be drawn, or a look or effect is not known.

    >>> lines = RenderedSet(SynthSpec(count=2), Charset.named("digits"))
    >>> len(lines), lines[0].image.size, len(lines[0].text)
    (2, (120, 30), 4)
    """

    def __init__(self, spec: SynthSpec, charset: Charset, stream: str = "train", epoch: int = 0) -> None:
        self.spec = spec
        self.stream = stream
        self.number = epoch
        self._charset = charset
        letters = _letters(spec, stream)
        self._covered = letters.coverage(charset)
        self._parts: _Parts | None = self._open(letters)

    def _open(self, letters: Letters) -> _Parts:
        spec = self.spec
        corpus = open_corpus(spec, self._charset, self._covered)
        return _Parts(letters, corpus, Papers(spec), _looks(spec), _effects(spec))

    def at_epoch(self, number: int, count: int | None = None) -> Self:
        """The same set with the lines of another epoch; nothing is opened again.

        Args:
            number: the epoch; 0 is that of the set itself.
            count: how many lines it has; by default as many as this one.
        """
        other = self.__copy__()
        other.number = number
        if count is not None:
            other.spec = self.spec.model_copy(update={"count": count})
        return other

    def __copy__(self) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __getstate__(self) -> dict[str, Any]:
        characters = self._charset.characters
        bits = {face: np.packbits([c in known for c in characters]).tobytes() for face, known in self._covered.items()}
        return {**self.__dict__, "_parts": None, "_covered": bits}

    def __setstate__(self, state: dict[str, Any]) -> None:
        characters = state["_charset"].characters
        known = {
            face: np.unpackbits(np.frombuffer(bits, np.uint8), count=len(characters))
            for face, bits in state["_covered"].items()
        }
        self.__dict__.update(state)
        self._covered = {
            face: frozenset(c for c, has in zip(characters, flags, strict=True) if has) for face, flags in known.items()
        }

    def _ready(self) -> _Parts:
        if self._parts is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they were shown where the set was made
                self._parts = self._open(_letters(self.spec, self.stream))
        return self._parts

    def __len__(self) -> int:
        return self.spec.count

    def __getitem__(self, index: int) -> RenderedLine:  # type: ignore[override]  # one line at a time, no slices
        return self._draw(self._ready(), self._key(index))

    def text(self, index: int) -> str:
        """The text of a line, without drawing it."""
        return self._ready().corpus.draw(random.Random(self._key(index)))[0]

    def _key(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(f"line {index} of {len(self)}")
        epoch = f"epoch {self.number}/" if self.number else ""
        return f"{self.spec.seed}/{self.stream}/{epoch}{index % len(self)}"

    def _draw(self, parts: _Parts, key: str) -> RenderedLine:
        """A line; looks, letters and effects have random numbers of their own, so that they do not change the texts."""
        spec = self.spec
        rng = random.Random(key)
        text, faces = parts.corpus.draw(rng)
        size = rng.randint(*spec.font_size)
        dark = spec.polarity == "dark" or (spec.polarity == "both" and rng.random() < 0.5)
        pitch = spec.spacing == "pitch"
        if isinstance(faces, Face) and not parts.looks and not spec.shaping and spec.glyphs is None:
            setting = plain(strike(faces, size), text, pitch)
            frame(setting, size, pitch, spec.margins, extent(setting.boxes()), rng)
            image, ink = parts.papers.draw(setting.width, setting.height, dark, rng)
            ink_line(image, setting, ink)
            boxes = tuple(setting.boxes())
        else:
            image, boxes = self._styled(parts, text, faces, size, dark, rng, random.Random(key + "/looks"))
        if spec.stretch:
            image, boxes = _stretched(image, boxes, spec.stretch, random.Random(key + "/stretch"))
        if parts.effects:
            image = _affected(image, parts.effects, key)
        return RenderedLine(image, text, boxes)

    def _styled(
        self, parts: _Parts, text: str, faces: Faces, size: int, dark: bool, rng: random.Random, own: random.Random
    ) -> tuple[Image.Image, tuple[Box, ...]]:
        """A line in a style of its own."""
        spec, pitch = self.spec, self.spec.spacing == "pitch"
        pieces = parts.letters.pieces(text, faces, own)
        style = Style(_words(pieces))
        for look in parts.looks:
            look(style, own)
        setting = styled(parts.letters, pieces, size, style, pitch)
        room = room_of(setting, style, size, extent(setting.boxes()))
        frame(setting, size, pitch, spec.margins, room, rng)
        image, ink = parts.papers.draw(setting.width, setting.height, dark, rng)
        ink_styled(image, setting, style, size, ink, dark, own)
        return image, _boxes(pieces, setting, size, len(text), turned=style.curve is not None or bool(style.turn))


def _letters(spec: SynthSpec, stream: str) -> Letters:
    return FontLetters(spec) if spec.glyphs is None else ImageLetters(spec.glyphs, stream)


def _looks(spec: SynthSpec) -> list[Any]:
    if spec.glyphs is None or spec.looks:
        return list(build_looks(spec.looks))
    from glyphlet.synth.looks.letters import jitter, slant, tracking

    return [
        tracking(least=-0.06, most=0.08, change=0.05),
        slant(least=-10, most=15),
        jitter(lift=0.03, turn=4.0, lean=5.0, size=0.12, drift=0.06),
    ]


def _effects(spec: SynthSpec) -> list[Any]:
    """The effects of a spec; OpenCV is loaded only when there are some."""
    if not spec.effects:
        return []
    try:
        from glyphlet.effects import build_effects
    except ModuleNotFoundError as error:
        raise GlyphletError(
            f"effects need {error.name}, which is not installed",
            allowed="effects with OpenCV, or none",
            next_step="pip install 'glyphlet[data]', or take effects out of the settings",
        ) from error
    return list(build_effects(spec.effects))


def _stretched(
    image: Image.Image, boxes: tuple[Box, ...], limits: tuple[float, float], rng: random.Random
) -> tuple[Image.Image, tuple[Box, ...]]:
    """A line made narrower or wider; twice as wide is as likely as half as wide."""
    width = max(1, round(image.width * math.exp(rng.uniform(*map(math.log, limits)))))
    factor = width / image.width
    moved = tuple(
        (math.floor(left * factor), top, math.ceil(right * factor), bottom) for left, top, right, bottom in boxes
    )
    return image.resize((width, image.height), Image.Resampling.BILINEAR), moved


def _affected(image: Image.Image, effects: list[Any], key: str) -> Image.Image:
    chance = np.random.Generator(np.random.PCG64(random.Random(key + "/effects").getrandbits(128)))
    pixels = np.stack([np.asarray(plane) for plane in image.split()])
    for effect in effects:
        pixels = effect(pixels, chance)
    return Image.merge("RGB", [Image.fromarray(plane) for plane in pixels])


def _words(pieces: Sequence[Piece]) -> list[int]:
    words, word = [], 0
    for piece in pieces:
        words.append(word)
        word += piece.text.isspace()
    return words


def _boxes(pieces: Sequence[Piece], setting: Setting, size: int, count: int, *, turned: bool) -> tuple[Box, ...]:
    """A box for each character of the text; those of a shaped word share its ink by the cells of its clusters."""
    found: list[Box] = [(0, 0, 0, 0)] * count
    for piece, drawn, whole in zip(pieces, setting.rims or setting.glyphs, setting.boxes(), strict=True):
        if len(piece.text) == 1 or drawn.mask is None:
            found[piece.start : piece.start + len(piece.text)] = [whole] * len(piece.text)
            continue
        scale = drawn.advance / max(1.0, strike(piece.face, size).advance(piece.text))
        for i, (start, stop) in enumerate(cells(piece.face, size, piece.text)):
            left = min(max(0, round(start * scale) - drawn.left), drawn.mask.shape[1])
            right = min(max(left, round(stop * scale) - drawn.left), drawn.mask.shape[1])
            found[piece.start + i] = (
                whole if turned else _ink_within(drawn.mask[:, left:right], whole[0] + left, whole[1])
            )
    return tuple(found)


def _ink_within(mask: Any, left: int, top: int) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return left, top, left, top
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1


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
