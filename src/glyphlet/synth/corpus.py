"""Where the texts of rendered lines come from: random characters, places in a text file, made-up texts, or a mix.

All draw a text for a given source of random numbers and know which fonts can draw it, so that a line depends on nothing
but its own seed. `random` gives every character the same chance, also those that only one of several fonts covers: one
character is drawn first, then a font that covers it, then the others from that font. `file` gives every place of the
text the same chance. Made-up texts (`texts`, `pattern`) are drawn again while they hold characters that cannot be drawn.
"""

from __future__ import annotations

import random
import unicodedata
import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from glyphlet.charset import NAMED, Charset, describe
from glyphlet.errors import RecipeError
from glyphlet.spec import SynthSpec
from glyphlet.spec.texts import (
    DatesText,
    FileText,
    JoinText,
    NumbersText,
    PatternText,
    PricesText,
    RandomText,
    TextSpec,
    WordsText,
)
from glyphlet.synth.excerpts import Covered, FileCorpus
from glyphlet.synth.faces import Coverage, Faces, assign
from glyphlet.synth.fonts import Face
from glyphlet.synth.pattern import compile_pattern
from glyphlet.synth.texts import Source, dates, numbers, prices, words

_TRIES = 200
_PROBES = 64  # texts that are drawn to see whether a source fits the charset and the fonts
_ALL = Face("all fonts together")


class Corpus(Protocol):
    """Draws a text and fonts that cover it."""

    def draw(self, rng: random.Random) -> tuple[str, Faces]:
        """A text, with no space at its ends and no two in a row, and its font (or one for each character)."""
        ...


def open_corpus(spec: SynthSpec, charset: Charset, covered: Covered) -> Corpus:
    """The corpus of a spec; `covered` says which characters of the charset each font can draw.

    Warns once about what is left out: uncovered characters, fonts that cover none, and characters of the file outside
    the charset.

    Raises:
        RecipeError: no font covers some characters (and `uncovered` is `error`), or the texts cannot be drawn.
    """
    usable = frozenset[str]().union(*covered.values())
    missing = [c for c in charset.characters if c not in usable]
    if missing or not any(not c.isspace() for c in usable):
        _refuse_uncovered(spec, charset, missing, len(covered))
    idle = [str(face) for face, known in covered.items() if not known]
    if idle:
        names = ", ".join(idle[:5]) + (", ..." if len(idle) > 5 else "")
        warnings.warn(f"{len(idle)} of {len(covered)} fonts have no character of the charset: {names}", stacklevel=4)
    if spec.mixed_fonts and len(covered) > 1:
        return MixedFonts(_open(_text_of(spec), spec, charset, {_ALL: usable}), covered)
    return _open(_text_of(spec), spec, charset, covered)


def _text_of(spec: SynthSpec) -> TextSpec | Sequence[TextSpec]:
    """What the settings `text`, `text_file`, `pattern` and `texts` stand for."""
    if spec.text == "mix":
        return spec.texts
    if spec.text == "file" and spec.text_file is not None:
        return FileText(path=spec.text_file)
    if spec.text in ("file", "words") and spec.text_file is None:
        raise RecipeError(
            f"text is {spec.text!r}, but text_file is not set",
            allowed="a text file in UTF-8",
            next_step="set text_file to the path of one",
        )
    if spec.text == "words":
        return WordsText(path=spec.text_file)
    if spec.text == "pattern":
        return PatternText(pattern=spec.pattern or "")
    made_up: dict[str, TextSpec] = {"numbers": NumbersText(), "dates": DatesText(), "prices": PricesText()}
    return made_up.get(spec.text, RandomText())


def _open(text: TextSpec | Sequence[TextSpec], spec: SynthSpec, charset: Charset, covered: Covered) -> Corpus:
    if isinstance(text, Sequence):
        return Mix([_open(t, spec, charset, covered) for t in text], [t.weight for t in text])
    if isinstance(text, RandomText | FileText):
        lengths = (
            text.min_length or min(spec.min_length, text.max_length or spec.min_length),
            text.max_length or max(spec.max_length, text.min_length or spec.max_length),
        )
        if isinstance(text, FileText):
            return FileCorpus(text.path, lengths, charset, covered)
        return RandomCorpus(lengths, charset, _limited(covered, text.charset))
    return SourceCorpus(_source(text, spec, charset, covered), text.kind, charset, covered)


def _source(text: TextSpec, spec: SynthSpec, charset: Charset, covered: Covered) -> Source:
    if isinstance(text, WordsText):
        source, dropped = words(text, charset, list(covered.values()))
        if dropped:
            warnings.warn(f"{dropped} words have characters that no font can draw, and are left out", stacklevel=6)
        return source
    if isinstance(text, PatternText):
        usable = frozenset[str]().union(*covered.values())
        return compile_pattern(text.pattern, "".join(c for c in charset.characters if c in usable), text.max_repeat)
    if isinstance(text, NumbersText):
        return numbers(text)
    if isinstance(text, DatesText):
        return dates(text)
    if isinstance(text, PricesText):
        return prices(text)
    assert isinstance(text, JoinText)
    return _joined(text, _open(text.parts, spec, charset, covered))


def _limited(covered: Covered, name: str | None) -> Covered:
    """What fonts cover of a named charset."""
    if name is None:
        return covered
    limited = {face: known.intersection(NAMED[name]) for face, known in covered.items()}
    if not any(char for known in limited.values() for char in known if not char.isspace()):
        raise RecipeError(
            f"texts: random has charset {name!r}, of which no character is in the recipe's charset and a font",
            allowed="a charset that shares characters with the recipe's",
            next_step="name another one, or leave it out",
        )
    return limited


def _joined(text: JoinText, parts: Corpus) -> Source:
    def source(rng: random.Random) -> str:
        joined = parts.draw(rng)[0]
        for _ in range(rng.randint(text.min_parts, text.max_parts) - 1):
            joined += rng.choice(text.separators) + parts.draw(rng)[0]
        return joined

    return source


def _refuse_uncovered(spec: SynthSpec, charset: Charset, missing: Sequence[str], fonts: int) -> None:
    listed = ", ".join(describe(c) for c in missing[:10]) + (", ..." if len(missing) > 10 else "")
    what = "fonts" if spec.glyphs is None else "sets of character images"
    problem = f"{len(missing)} of {charset.size} characters of the charset are in none of the {fonts} {what}: {listed}"
    if not missing:
        problem = "the charset holds nothing but spaces"
    if spec.uncovered == "drop" and len(missing) < charset.size and missing:
        warnings.warn(f"{problem}. They are left out of the rendered lines", stacklevel=5)
        return
    raise RecipeError(
        problem,
        allowed="characters that a font can draw alone, from left to right (shaping: true allows other scripts)",
        next_step="add a font that has them, take them out of the charset, or set uncovered to drop (--uncovered drop)",
    )


class Mix:
    """One of several corpora, by weight."""

    def __init__(self, corpora: Sequence[Corpus], weights: Sequence[float]) -> None:
        self._corpora = corpora
        self._sums = list(accumulate(weights))

    def draw(self, rng: random.Random) -> tuple[str, Faces]:
        """A text and its font."""
        number = min(bisect_right(self._sums, rng.random() * self._sums[-1]), len(self._corpora) - 1)
        return self._corpora[number].draw(rng)


class MixedFonts:
    """Texts of a corpus, with a font for each character where no font covers a whole text."""

    def __init__(self, corpus: Corpus, covered: Covered) -> None:
        self._corpus, self._covered = corpus, covered

    def draw(self, rng: random.Random) -> tuple[str, Faces]:
        """A text and its fonts."""
        text, _ = self._corpus.draw(rng)
        faces = assign(text, self._covered, rng)
        assert faces is not None  # the text was drawn from what all fonts cover together
        return text, faces


class SourceCorpus:
    """Made-up texts; those that cannot be drawn are drawn again.

    Args:
        source: gives texts.
        kind: what they are, for messages.
        charset: how they are normalised.
        covered: the characters of each font.
    """

    def __init__(self, source: Source, kind: str, charset: Charset, covered: Covered) -> None:
        self._source, self._kind, self._charset, self._coverage = source, kind, charset, Coverage(covered)
        usable = frozenset[str]().union(*covered.values())
        odd: Counter[str] = Counter()
        drawn = 0
        for number in range(_PROBES):
            rng = random.Random(number)
            text = self._text(rng)
            odd.update({c for c in text if c not in usable})
            drawn += self._faces(text, rng) is not None
        if not drawn:
            raise self._nothing(odd)
        if odd:
            listed = ", ".join(describe(c) for c, _ in odd.most_common(10))
            warnings.warn(
                f"{kind}: texts with characters outside the charset or the fonts are drawn again: {listed}",
                stacklevel=6,
            )

    def draw(self, rng: random.Random) -> tuple[str, Faces]:
        """A text and its font; raises `RecipeError` when none of 200 can be drawn."""
        for _ in range(_TRIES):
            text = self._text(rng)
            face = self._faces(text, rng)
            if face is not None:
                return text, face
        raise self._nothing(Counter())

    def _text(self, rng: random.Random) -> str:
        text = self._charset.normalize(self._source(rng))
        return " ".join(text.split()) if not text.isalnum() else text

    def _faces(self, text: str, rng: random.Random) -> Face | None:
        faces = self._coverage.of(text)
        return rng.choice(faces) if text and faces else None

    def _nothing(self, odd: Counter[str]) -> RecipeError:
        listed = ", ".join(describe(c) for c, _ in odd.most_common(10))
        return RecipeError(
            f"texts: {self._kind} gives no text that can be drawn"
            + (f"; not in the charset, or in no font: {listed}" if odd else ""),
            allowed="texts in characters of the charset that one font covers (or several with mixed_fonts: true)",
            next_step="add the characters to the charset, add a font, or change the settings of this text",
        )


class RandomCorpus:
    """Uniform lengths, uniform characters.

    >>> digits = Charset.named("digits")
    >>> corpus = RandomCorpus((4, 4), digits, {Face(): frozenset(digits.text)})
    >>> len(corpus.draw(random.Random(7))[0])
    4
    """

    def __init__(self, lengths: tuple[int, int], charset: Charset, covered: Covered) -> None:
        self._lengths = lengths
        covered = {face: _without_marks(known) for face, known in covered.items()}
        self._all = {face: [c for c in charset.characters if c in known] for face, known in covered.items()}
        self._visible = {face: [c for c in known if not c.isspace()] for face, known in self._all.items()}
        usable = frozenset[str]().union(*covered.values())
        self._first = [c for c in charset.characters if c in usable and not c.isspace()]
        self._faces = {c: [face for face, known in covered.items() if c in known] for c in self._first}

    def draw(self, rng: random.Random) -> tuple[str, Faces]:
        """A text and its font."""
        length = rng.randint(*self._lengths)
        first = rng.choice(self._first)
        face = rng.choice(self._faces[first])
        place = rng.randrange(length)
        text = ""
        for i in range(length):
            space_fits = 0 < i < length - 1 and not text[-1].isspace()
            text += first if i == place else rng.choice((self._all if space_fits else self._visible)[face])
        return text, face


def _without_marks(known: frozenset[str]) -> frozenset[str]:
    """Without combining marks, which make no sense beside a random neighbour."""
    marks = {c for c in known if unicodedata.category(c) in ("Mn", "Mc", "Me")}
    return known - marks if marks else known
