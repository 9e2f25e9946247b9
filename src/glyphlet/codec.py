"""Between texts and CTC classes.

Class 0 is the blank; character `i` of the charset is class `i + 1`. A *path* has one class for each time step; its text
is what remains when runs of the same class are merged and blanks are dropped (Graves et al. 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from glyphlet.charset import Charset, describe
from glyphlet.errors import CharsetError

BLANK = 0
_BLANK_SIGNS = "_-·∅"


@dataclass(frozen=True)
class Run:
    """A character on a path: its class and the time steps `start <= t < stop` that it fills."""

    label: int
    start: int
    stop: int


@dataclass(frozen=True)
class CTCCodec:
    """Encodes texts as CTC classes and decodes paths.

    >>> codec = CTCCodec(Charset.named("digits"))
    >>> codec.encode("07")
    [1, 8]
    >>> codec.raw([1, 1, 0, 8]), codec.decode([1, 1, 0, 8])
    ('00_7', '07')
    """

    charset: Charset

    @property
    def classes(self) -> int:
        """The number of classes, the blank counted."""
        return self.charset.size + 1

    @property
    def blank_sign(self) -> str:
        """How a blank is printed in a raw path: the first of `_ - · ∅` that is not a character of the charset."""
        return next((sign for sign in _BLANK_SIGNS if sign not in self.charset), "∅")

    def encode(self, text: str) -> list[int]:
        """The classes of a text, after normalisation.

        Raises:
            CharsetError: a character is outside the charset.
        """
        text = self.charset.normalize(text)
        for position, char in enumerate(text):
            if char not in self.charset:
                raise CharsetError(
                    f"{describe(char)} at position {position} of {text!r} is not in the charset",
                    allowed=f"the {self.charset.size} characters of the charset",
                    next_step="add the character to the charset, or correct the label",
                )
        return [self.charset.index(char) + 1 for char in text]

    def runs(self, path: Sequence[int]) -> list[Run]:
        """The characters on a path, blanks dropped, each with the steps that it fills."""
        found: list[Run] = []
        start = 0
        for t in range(1, len(path) + 1):
            if t == len(path) or path[t] != path[start]:
                if path[start] != BLANK:
                    found.append(Run(int(path[start]), start, t))
                start = t
        return found

    def char(self, label: int) -> str:
        """The character of a class above 0."""
        return self.charset.characters[label - 1]

    def decode(self, path: Sequence[int]) -> str:
        """The text of a path."""
        return "".join(self.char(run.label) for run in self.runs(path))

    def raw(self, path: Sequence[int]) -> str:
        """One sign for each time step, blanks shown as `blank_sign`."""
        return "".join(self.char(label) if label != BLANK else self.blank_sign for label in path)


def min_steps(labels: Sequence[int]) -> int:
    """The fewest time steps that CTC needs: one for each character, and one blank between equal neighbours."""
    return len(labels) + sum(a == b for a, b in pairwise(labels))
