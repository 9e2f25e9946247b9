"""A language model of characters: how probable each character is after the few before it.

Witten-Bell smoothing, interpolated (Witten and Bell 1991, "The zero-frequency problem", method C; in the form of Chen and
Goodman 1998, section 2.5). After a context h that was followed c(h) times, by t(h) different characters,

    P(x | h) = (c(h x) + t(h) P(x | h')) / (c(h) + t(h))

where h' is h without its first character. Before the first stands the uniform distribution over what the model can write.
It has no parameter to tune and is sound on a text of a few pages, where the counts of counts that Kneser-Ney smoothing
needs are not there.

Only counts are kept. Those below a least count are left out, and what they weighed goes to the shorter context, so that
everything still adds up to 1. `ngram_file` has the file, `ngram_count` the counting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glyphlet.charset import Charset

EDGE = "\n"
"""Stands before the first character of a line and behind its last."""
_FLOOR = -50.0
"""The logarithm of the probability of what cannot be: an empty share of a tiny one."""
_KEPT = 2_000_000
"""Probabilities that are kept for contexts that come again."""


@dataclass(frozen=True)
class Counts:
    """What follows the contexts of one length n.

    Args:
        contexts: each context as one number, ascending: its characters as digits to the base of the alphabet's size, int64 (C,).
        starts: where the followers of each begin, int64 (C + 1,).
        rest: what is left to the shorter context: t(h) and the counts that were left out, int64 (C,).
        followers: characters by their place in the alphabet, int32 (F,).
        counts: of each, int64 (F,).
    """

    contexts: NDArray[np.int64]
    starts: NDArray[np.int64]
    rest: NDArray[np.int64]
    followers: NDArray[np.int32]
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class NGrams:
    """A model of one text; `over` gives it the classes of a recogniser.

    Args:
        alphabet: the characters of the text, ascending; `EDGE` is one of them.
        levels: the counts after contexts of 0, 1, ... characters.
    """

    alphabet: str
    levels: tuple[Counts, ...]

    @property
    def order(self) -> int:
        """The characters of the longest n-gram."""
        return len(self.levels)

    @classmethod
    def load(cls, path: str | Path) -> NGrams:
        """Open a file that `glyphlet lm` wrote; raises `GlyphletError` where that cannot be."""
        from glyphlet.decode.ngram_file import load

        return load(path)

    def over(self, charset: Charset) -> Bound:
        """The model over the classes of a recogniser."""
        return Bound(self, charset)


@dataclass
class Bound:
    """A language model over the classes of a recogniser; see `fusion.LanguageModel`.

    Contexts are places in the alphabet, the last `order - 1` of them; a character that the text never had is -1 and ends a
    context, for nothing was seen after it. Probabilities are computed once for each context that a search comes to.
    """

    ngrams: NGrams
    charset: Charset
    _known: dict[tuple[int, ...], list[float]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        place = {char: number for number, char in enumerate(self.ngrams.alphabet)}
        self._places = [place[EDGE], *(place.get(char, -1) for char in self.charset.characters)]
        classes = np.full(len(self.ngrams.alphabet) + 1, -1)
        for label, at in enumerate(self._places):
            classes[at] = label
        classes[-1] = -1
        self._classes = classes

    def start(self) -> tuple[int, ...]:
        """The context of an empty text."""
        return (self._places[0],)[: self.ngrams.order - 1]

    def follow(self, context: tuple[int, ...], label: int) -> tuple[int, ...]:
        """The context after one more class."""
        place = self._places[label]
        keep = self.ngrams.order - 1
        return () if place < 0 or not keep else (*context, place)[-keep:]

    def log_probabilities(self, context: tuple[int, ...]) -> Sequence[float]:
        """The logarithm of the probability of each class after a context; class 0 is the end of the text."""
        found = self._known.get(context)
        if found is None:
            with np.errstate(divide="ignore"):
                logs = np.log(self._probabilities(context))
            if len(self._known) * len(logs) > _KEPT:
                self._known.clear()
            found = self._known[context] = np.maximum(logs, _FLOOR).tolist()
        return found

    def _probabilities(self, context: tuple[int, ...]) -> NDArray[np.float64]:
        size = len(self._places)
        found = np.full(size, 1 / size)
        base = len(self.ngrams.alphabet)
        for length in range(len(context) + 1):
            level = self.ngrams.levels[length]
            key = 0
            for place in context[len(context) - length :]:
                key = key * base + place
            at = int(np.searchsorted(level.contexts, key))
            if at == len(level.contexts) or level.contexts[at] != key:
                break  # a longer one was not seen either
            part = slice(int(level.starts[at]), int(level.starts[at + 1]))
            counts = level.counts[part]
            found *= level.rest[at]
            labels = self._classes[level.followers[part]]
            inside = labels >= 0
            found[labels[inside]] += counts[inside]
            found /= counts.sum() + level.rest[at]
        return found

    def log_probability(self, text: str) -> float:
        """The logarithm of the probability of a whole line, its end counted.

        >>> from glyphlet.decode.ngram_count import count
        >>> bound = count(["ab", "ab", "b"], order=2).over(Charset.from_text("ab"))
        >>> round(float(np.exp(bound.log_probability("ab"))), 3)
        0.337
        """
        context, total = self.start(), 0.0
        for char in text:
            label = self.charset.index(char) + 1
            total += self.log_probabilities(context)[label]
            context = self.follow(context, label)
        return total + self.log_probabilities(context)[0]


def bits(bound: Bound, lines: Sequence[str]) -> float:
    """The cross-entropy of lines under a model: bits for each character and each end of a line.

    Args:
        bound: the model.
        lines: in characters of its charset.
    """
    total = sum(len(line) + 1 for line in lines)
    return -sum(bound.log_probability(line) for line in lines) / log(2) / total


__all__ = ["EDGE", "Bound", "Counts", "NGrams", "bits"]
