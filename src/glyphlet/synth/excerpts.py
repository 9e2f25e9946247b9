"""Excerpts of a text file: whole words where the lengths allow it, from every place with the same chance."""

from __future__ import annotations

import random
import unicodedata
import warnings
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

from glyphlet.charset import Charset, unknown_report
from glyphlet.errors import RecipeError
from glyphlet.synth.faces import Coverage, Faces
from glyphlet.synth.fonts import Face
from glyphlet.synth.texts import read_lines

_TRIES = 200
Covered = Mapping[Face, frozenset[str]]


class FileCorpus:
    """Excerpts of a text file, from the start of a word to the end of one where the lengths allow it.

    Characters that are outside the charset, or in no font, end a piece of text; no excerpt reaches across one.
    """

    def __init__(self, path: str, lengths: tuple[int, int], charset: Charset, covered: Covered) -> None:
        self._shortest, self._longest = lengths
        self._coverage = Coverage(covered)
        self._path = path
        usable = frozenset[str]().union(*covered.values())
        lines = read_lines(path, charset)
        report = unknown_report(charset.unknown(lines), f"text_file {path}")
        if report:
            warnings.warn(f"{report}. Texts are cut there", stacklevel=5)
        pieces = [piece for line in lines for piece in _pieces(line, usable)]
        self._pieces = [piece for piece in pieces if len(piece) >= self._shortest]
        self._ends = list(accumulate(len(piece) for piece in self._pieces))
        if not self._pieces:
            raise self._nothing()

    def draw(self, rng: random.Random) -> tuple[str, Faces]:
        """A text and its font; raises `RecipeError` when none is found in 200 places of the file."""
        for _ in range(_TRIES):
            place = rng.randrange(self._ends[-1])
            number = bisect_right(self._ends, place)
            piece = self._pieces[number]
            wanted = rng.randint(self._shortest, self._longest)
            text = self._cut(piece, place - self._ends[number] + len(piece), wanted)
            faces = self._coverage.of(text)
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
    if _has_words(piece[i - 1]) or _has_words(piece[i]):
        return False
    before, after = unicodedata.category(piece[i - 1]), unicodedata.category(piece[i])
    return "Lo" in (before, after) and not after.startswith("P") and before not in ("Ps", "Pi")


def _has_words(char: str) -> bool:
    """Whether a letter is of a script with spaces between words although it has no case: Arabic, Hebrew, Indic scripts."""
    return unicodedata.bidirectional(char) in ("R", "AL", "NSM") or "\u0900" <= char <= "\u0dff"


def _pieces(line: str, usable: frozenset[str]) -> list[str]:
    """The stretches of a line that hold usable characters alone, without spaces at their ends."""
    broken = "".join(c if c in usable else "\n" for c in line)
    return [piece.strip() for piece in broken.split("\n") if piece.strip()]
