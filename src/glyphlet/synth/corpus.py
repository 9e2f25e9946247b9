"""Where the texts of rendered lines come from: random characters, or places in a text file.

Both draw a text for a given source of random numbers and know which fonts can draw it, so that a line depends on
nothing but its own seed. `random` gives every character the same chance, also those that only one of several fonts
covers: one character is drawn first, then a font that covers it, then the others from that font. `file` gives every
place of the text the same chance.
"""

from __future__ import annotations

import random
import unicodedata
import warnings
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Protocol

from glyphlet.charset import Charset, describe, unknown_report
from glyphlet.errors import RecipeError
from glyphlet.spec import SynthSpec
from glyphlet.synth.fonts import Face

_TRIES = 200


class Corpus(Protocol):
    """Draws a text and a font that covers it."""

    def draw(self, rng: random.Random) -> tuple[str, Face]:
        """A text of the wanted length, with no space at its ends and no two in a row, and its font."""
        ...


def open_corpus(spec: SynthSpec, charset: Charset, covered: Mapping[Face, frozenset[str]]) -> Corpus:
    """The corpus of a spec; `covered` says which characters of the charset each font can draw.

    Warns once about what is left out: uncovered characters, fonts that cover none, and characters of the file outside
    the charset.

    Raises:
        RecipeError: no font covers some characters (and `uncovered` is `error`), or the file has no usable text.
    """
    usable = frozenset[str]().union(*covered.values())
    missing = [c for c in charset.characters if c not in usable]
    if missing or not any(not c.isspace() for c in usable):
        _refuse_uncovered(spec, charset, missing, len(covered))
    idle = [str(face) for face, known in covered.items() if not known]
    if idle:
        names = ", ".join(idle[:5]) + (", ..." if len(idle) > 5 else "")
        warnings.warn(f"{len(idle)} of {len(covered)} fonts have no character of the charset: {names}", stacklevel=4)
    if spec.text == "file":
        return FileCorpus(spec, charset, covered)
    return RandomCorpus(spec, charset, covered)


def _refuse_uncovered(spec: SynthSpec, charset: Charset, missing: Sequence[str], fonts: int) -> None:
    listed = ", ".join(describe(c) for c in missing[:10]) + (", ..." if len(missing) > 10 else "")
    problem = f"{len(missing)} of {charset.size} characters of the charset are in none of the {fonts} fonts: {listed}"
    if not missing:
        problem = "the charset holds nothing but spaces"
    if spec.uncovered == "drop" and len(missing) < charset.size and missing:
        warnings.warn(f"{problem}. They are left out of the rendered lines", stacklevel=5)
        return
    raise RecipeError(
        problem,
        allowed="characters that a font can draw alone, from left to right",
        next_step="add a font that has them, take them out of the charset, or set uncovered to drop (--uncovered drop)",
    )


class RandomCorpus:
    """Uniform lengths, uniform characters.

    >>> digits = Charset.named("digits")
    >>> corpus = RandomCorpus(SynthSpec(), digits, {Face(): frozenset(digits.text)})
    >>> len(corpus.draw(random.Random(7))[0])
    4
    """

    def __init__(self, spec: SynthSpec, charset: Charset, covered: Mapping[Face, frozenset[str]]) -> None:
        self._lengths = (spec.min_length, spec.max_length)
        self._all = {face: [c for c in charset.characters if c in known] for face, known in covered.items()}
        self._visible = {face: [c for c in known if not c.isspace()] for face, known in self._all.items()}
        usable = frozenset[str]().union(*covered.values())
        self._first = [c for c in charset.characters if c in usable and not c.isspace()]
        self._faces = {c: [face for face, known in covered.items() if c in known] for c in self._first}

    def draw(self, rng: random.Random) -> tuple[str, Face]:
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


class FileCorpus:
    """Excerpts of a text file, from the start of a word to the end of one where the lengths allow it.

    Characters that are outside the charset, or in no font, end a piece of text; no excerpt reaches across one.
    """

    def __init__(self, spec: SynthSpec, charset: Charset, covered: Mapping[Face, frozenset[str]]) -> None:
        self._shortest, self._longest = spec.min_length, spec.max_length
        self._covered = covered
        self._path = spec.text_file
        usable = frozenset[str]().union(*covered.values())
        lines = _lines(spec.text_file, charset)
        report = unknown_report(charset.unknown(lines), f"text_file {spec.text_file}")
        if report:
            warnings.warn(f"{report}. Texts are cut there", stacklevel=5)
        pieces = [piece for line in lines for piece in _pieces(line, usable)]
        self._pieces = [piece for piece in pieces if len(piece) >= self._shortest]
        self._ends = list(accumulate(len(piece) for piece in self._pieces))
        if not self._pieces:
            raise self._nothing()

    def draw(self, rng: random.Random) -> tuple[str, Face]:
        """A text and its font; raises `RecipeError` when none is found in 200 places of the file."""
        for _ in range(_TRIES):
            place = rng.randrange(self._ends[-1])
            number = bisect_right(self._ends, place)
            piece = self._pieces[number]
            wanted = rng.randint(self._shortest, self._longest)
            text = self._cut(piece, place - self._ends[number] + len(piece), wanted)
            faces = [face for face, known in self._covered.items() if known.issuperset(text)]
            if text and faces:
                return text, rng.choice(faces)
        raise self._nothing()

    def _cut(self, piece: str, place: int, wanted: int) -> str:
        """The excerpt around a place whose length is nearest to the wanted one, or nothing."""
        place = min(place, len(piece) - self._shortest)
        starts = range(place, max(-1, place - self._longest), -1)
        start = next((i for i in starts if _may_cut(piece, i)), place)
        lengths = range(self._shortest, min(self._longest, len(piece) - start) + 1)
        whole = [n for n in lengths if _may_cut(piece, start + n)]
        fitting = [n for n in whole or lengths if not piece[start].isspace() and not piece[start + n - 1].isspace()]
        nearest = min(fitting, key=lambda n: abs(n - wanted), default=0)
        return piece[start : start + nearest]

    def _nothing(self) -> RecipeError:
        return RecipeError(
            f"text_file {self._path} gives no text of {self._shortest} to {self._longest} characters",
            allowed="a file with texts of this length in characters of the charset that one font covers",
            next_step="change min_length and max_length, the charset or the fonts, or give another file",
        )


def _may_cut(piece: str, i: int) -> bool:
    """Whether a word ends or begins before character `i`: at a space, and in scripts that write without spaces beside
    any character that is not punctuation belonging to what stands before it.
    """
    if i in (0, len(piece)) or piece[i - 1].isspace() or piece[i].isspace():
        return True
    before, after = unicodedata.category(piece[i - 1]), unicodedata.category(piece[i])
    return "Lo" in (before, after) and not after.startswith("P") and before not in ("Ps", "Pi")


def _lines(path: str | None, charset: Charset) -> list[str]:
    """The lines of a text file, normalised, with single spaces."""
    problem = "text is 'file', but text_file is not set"
    try:
        if path is not None:
            text = charset.normalize(Path(path).read_text(encoding="utf-8-sig"))
            return [" ".join(line.split()) for line in text.splitlines()]
    except OSError as error:
        problem = f"text_file {path} cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        problem = f"text_file {path} is not UTF-8 (byte {error.start})"
    raise RecipeError(problem, allowed="a text file in UTF-8", next_step="set text_file to the path of one")


def _pieces(line: str, usable: frozenset[str]) -> list[str]:
    """The stretches of a line that hold usable characters alone, without spaces at their ends."""
    broken = "".join(c if c in usable else "\n" for c in line)
    return [piece.strip() for piece in broken.split("\n") if piece.strip()]
