"""Counts of the n-grams of a text, in NumPy: a million characters take seconds.

The lines are one long array of characters with an edge between them. The number of a context is that of the context
without its last character, times the size of the alphabet, plus its last character; so equal contexts have equal numbers.
What follows is counted by sorting.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from glyphlet.charset import Case, normalize
from glyphlet.decode.ngram import EDGE, Counts, NGrams
from glyphlet.errors import GlyphletError

MAX_ORDER = 10
Ints = NDArray[np.int64]


def plain_lines(lines: Iterable[str], case: Case = "keep") -> list[str]:
    """Lines in the form in which they are counted: NFC, control characters as spaces, no empty ones.

    Args:
        lines: any texts.
        case: put letters into lower or upper case.

    >>> plain_lines(["A\\tb", ""], case="lower")
    ['a b']
    """
    texts = (normalize(line, case=case) for line in lines)
    return ["".join(" " if unicodedata.category(c) == "Cc" else c for c in text) for text in texts if text]


def count(lines: Iterable[str], order: int = 5, least: int = 1) -> NGrams:
    """The model of a text.

    Args:
        lines: as the recogniser meets them, one line each; they pass `plain_lines`.
        order: the characters of the longest n-gram, 1 to 10.
        least: n-grams of three characters and more that occur less often are left out.

    Raises:
        GlyphletError: there is no text, or the order is out of range or too large for so many characters.

    >>> model = count(["ab", "b"], order=2)
    >>> model.alphabet, [level.contexts.tolist() for level in model.levels]
    ('\\nab', [[0], [0, 1, 2]])
    """
    texts = plain_lines(lines)
    if not texts:
        raise GlyphletError("the text is empty", allowed="at least one line of text", next_step="give another file")
    codes = np.frombuffer((EDGE + EDGE.join(texts) + EDGE).encode("utf-32-le"), dtype=np.uint32)
    found, places = np.unique(codes, return_inverse=True)
    alphabet = "".join(map(chr, found.tolist()))
    if not 1 <= order <= MAX_ORDER or len(alphabet) ** order >= 2**62:
        most = min(MAX_ORDER, int(62 / np.log2(len(alphabet))))
        raise GlyphletError(
            f"the order is {order}, and the text has {len(alphabet)} different characters",
            allowed=f"1 to {most} for this text",
            next_step=f"set --order {min(5, most)}",
        )
    edge = alphabet.index(EDGE)
    return NGrams(alphabet, tuple(_level(places.ravel(), edge, len(alphabet), n, least) for n in range(order)))


def _level(places: Ints, edge: int, size: int, length: int, least: int) -> Counts:
    """What follows the contexts of a length."""
    count = len(places) - max(length, 1)  # the first edge of all follows nothing
    offset = max(1 - length, 0)
    keys, inside = np.zeros(count, np.int64), np.ones(count, bool)
    for at in range(length):
        part = places[at : at + count]
        keys = keys * size + part
        if at:
            inside &= part != edge  # a context may begin with an edge, but not go over one
    followers = places[length + offset : length + offset + count]
    grams, counts = np.unique(keys[inside] * size + followers[inside], return_counts=True)
    contexts, owner = np.unique(grams // size, return_inverse=True)
    kept = counts >= least if length > 1 else np.ones(len(grams), bool)
    rest = np.bincount(owner) + np.bincount(owner, weights=counts * ~kept).astype(np.int64)
    numbers = np.bincount(owner, weights=kept).astype(np.int64)
    used = numbers > 0
    starts = np.concatenate([[0], np.cumsum(numbers[used])]).astype(np.int64)
    return Counts(
        contexts[used], starts, rest[used], (grams[kept] % size).astype(np.int32), counts[kept].astype(np.int64)
    )


__all__ = ["MAX_ORDER", "count", "plain_lines"]
