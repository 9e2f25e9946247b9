"""Between texts and the classes of a model.

Class 0 has no character, and character `i` of the charset is class `i + 1`. A *path* has one class for each step.

    CTCCodec        class 0 is the blank; equal neighbours on a path are merged and blanks dropped (Graves et al. 2006)
    SequenceCodec   class 0 is the stop; the text is what stands before the first stop (attention, LSTM decoders)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from glyphlet.charset import Charset, describe
from glyphlet.errors import CharsetError

BLANK = 0
STOP = 0
_BLANK_SIGNS = "_-·∅"


@dataclass(frozen=True)
class Run:
    """A character on a path: its class and the time steps `start <= t < stop` that it fills."""

    label: int
    start: int
    stop: int


@dataclass(frozen=True)
class Codec(ABC):
    """What every codec shares; see `CTCCodec` and `SequenceCodec`.

    Attributes:
        kind: how a path is read, as a model file names it.
    """

    kind: ClassVar[str]
    charset: Charset

    @property
    def classes(self) -> int:
        """The number of classes, class 0 counted."""
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

    def char(self, label: int) -> str:
        """The character of a class above 0."""
        return self.charset.characters[label - 1]

    def raw(self, path: Sequence[int]) -> str:
        """One sign for each step, class 0 shown as `blank_sign`."""
        return "".join(self.char(label) if label else self.blank_sign for label in path)

    @abstractmethod
    def decode(self, path: Sequence[int]) -> str:
        """The text of a path."""

    @abstractmethod
    def min_steps(self, labels: Sequence[int]) -> int:
        """The fewest steps that a text of these classes needs."""


class CTCCodec(Codec):
    """Connectionist temporal classification.

    >>> codec = CTCCodec(Charset.named("digits"))
    >>> codec.encode("07")
    [1, 8]
    >>> codec.raw([1, 1, 0, 8]), codec.decode([1, 1, 0, 8])
    ('00_7', '07')
    """

    kind = "ctc"

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

    def decode(self, path: Sequence[int]) -> str:
        """The text of a path."""
        return "".join(self.char(run.label) for run in self.runs(path))

    def min_steps(self, labels: Sequence[int]) -> int:
        """One step for each character, and one blank between equal neighbours."""
        return min_steps(labels)


class SequenceCodec(Codec):
    """One class a step until the stop.

    >>> codec = SequenceCodec(Charset.named("digits"))
    >>> codec.decode([1, 8, 8, 0, 3]), codec.min_steps([1, 8, 8])
    ('077', 4)
    """

    kind = "sequence"

    def decode(self, path: Sequence[int]) -> str:
        """The text of a path: what stands before the first stop."""
        end = next((t for t, label in enumerate(path) if label == STOP), len(path))
        return "".join(self.char(label) for label in path[:end])

    def min_steps(self, labels: Sequence[int]) -> int:
        """One step for each character, and one for the stop."""
        return len(labels) + 1


CODECS: dict[str, type[Codec]] = {codec.kind: codec for codec in (CTCCodec, SequenceCodec)}
"""By kind."""


def min_steps(labels: Sequence[int]) -> int:
    """The fewest time steps that CTC needs: one for each character, and one blank between equal neighbours."""
    return len(labels) + sum(a == b for a, b in pairwise(labels))
