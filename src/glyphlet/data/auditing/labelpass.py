"""The first pass of an audit: everything that labels say without their images."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from glyphlet.charset import Charset, normalize
from glyphlet.data.auditing import labeltext, shape
from glyphlet.data.auditing.findings import Notebook
from glyphlet.data.auditing.rules import Progress, Rules
from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError

RARE = 5
_TABLE = 500
"""Rows of a table, unless all examples are asked for."""


class LabelPass:
    """Reads every label once.

    Args:
        book: where findings go.
        rules: what the labels are checked against.

    Attributes:
        counts: how often each character occurs.
        lengths: the characters of each label in the form that is trained on; 0 for an empty one.
        units: how wide each label is, as `shape.units` counts.
        needed: the steps that each label needs.
        malformed: lines whose label cannot be read at all.
    """

    def __init__(self, book: Notebook, rules: Rules) -> None:
        self.book, self.rules = book, rules
        count = len(book.lines)
        self.counts: Counter[str] = Counter()
        self.lengths: NDArray[np.int32] = np.zeros(count, np.int32)
        self.units: NDArray[np.float32] = np.zeros(count, np.float32)
        self.needed: NDArray[np.int32] = np.zeros(count, np.int32)
        self.malformed: set[int] = set()
        self._first: dict[str, int] = {}
        self._unknown: Counter[str] = Counter()
        self._unknown_first: dict[str, int] = {}
        self._composed: set[str] = set()  # what decomposed letters become
        self._hashes: NDArray[np.int64] = np.zeros(count, np.int64)

    def run(self, progress: Progress) -> None:
        """Read the labels."""
        lines, charset = self.book.lines, self.rules.charset
        fold = charset.normalize if charset else normalize
        for index in range(len(lines)):
            if index % 4096 == 0:
                progress("reading labels", index, len(lines))
            try:
                text = lines.text(index)
            except LabelError as error:
                self.malformed.add(index)
                self.book.note("malformed", index, error.problem, "")
                continue
            self._hashes[index] = hash(text)
            if not text.strip():
                if self.rules.empty != "keep" or text:
                    self.book.note("empty", index, "only spaces" if text else "", text)
                continue
            self._written(index, text)
            folded = fold(text)
            self.lengths[index] = len(folded)
            self.units[index] = shape.units(folded)
            self.needed[index] = self.rules.needed(folded)
            if charset is not None:
                self._outside(index, text, folded, charset)
        progress("reading labels", len(lines), len(lines))
        self._tables()

    def _written(self, index: int, text: str) -> None:
        """How a label is written."""
        self.counts.update(text)
        letters = set(text)
        if not letters <= self._first.keys():
            self._first.update((c, index) for c in letters - self._first.keys())
        for kind, detail in labeltext.problems(text):
            self.book.note(kind, index, detail, text)
            if kind == "not_nfc":
                self._composed.update(set(normalize(text)) - letters)
        if not text.isascii() and (detail := labeltext.look_alikes(text)):
            self.book.note("look_alike", index, detail, text)

    def _outside(self, index: int, text: str, folded: str, charset: Charset) -> None:
        """Characters that the charset has not."""
        outside = [c for c in folded if c not in charset]
        if outside:
            self._unknown.update(outside)
            for char in outside:
                self._unknown_first.setdefault(char, index)
            self.book.note("charset", index, ", ".join(labeltext.code(c) for c in dict.fromkeys(outside)), text)

    def _tables(self) -> None:
        book, columns = self.book, ("Character", "Code point", "Times", "First")
        most = None if self.rules.examples is None else _TABLE
        book.tabulate("charset", columns, self._rows(self._unknown.most_common(most), self._unknown_first))
        rare = sorted(((c, n) for c, n in self.counts.items() if n < RARE), key=lambda pair: (pair[1], pair[0]))
        book.tabulate("rare", columns, self._rows(rare, self._first))
        book.tabulate("variants", ("Sign", "Times", "First"), [
            (f"{c} {labeltext.code(c)}", f"{n:,}", book.lines.origin(self._first[c]))
            for group in labeltext.variants(self.counts) for c, n in group
        ])  # fmt: skip
        mixed = sorted(self._composed & self.counts.keys())
        also = f"mixed forms: {', '.join(mixed[:20])} also occur composed"
        book.found.of("not_nfc").note = also if mixed else "all such letters are decomposed"

    def _rows(self, pairs: list[tuple[str, int]], first: dict[str, int]) -> list[tuple[str, ...]]:
        origin = self.book.lines.origin
        return [(labeltext.shown(c), labeltext.code(c), f"{n:,}", origin(first[c])) for c, n in pairs]

    def compare(self, test: LineSet, texts: list[str]) -> str:
        """What the labels of the test lines have that these have not; returns how many texts are the same."""
        unseen = Counter("".join(texts))
        for char in self.counts:
            unseen.pop(char, None)
        rows: list[tuple[str, ...]] = [
            (labeltext.shown(c), labeltext.code(c), f"{n:,}") for c, n in unseen.most_common()
        ]
        self.book.tabulate("unseen", ("Character", "Code point", "Times"), rows)
        groups = {test.group(i) for i in range(len(test))} - {""}
        for index in range(len(self.book.lines)) if groups else ():
            if (group := self.book.lines.group(index)) in groups:
                self.book.note("group_leak", index, f"group {group}")
        known = np.unique(self._hashes)
        shared = int(np.isin(np.array([hash(t) for t in texts], np.int64), known).sum())
        return f"{shared:,} of {len(test):,}"

    def kinds(self) -> list[tuple[str, int]]:
        """How many digits, signs and letters of each script there are, the most frequent first."""
        kinds: Counter[str] = Counter()
        for char, count in self.counts.items():
            kinds[_kind_of(char)] += count
        return kinds.most_common()


def _kind_of(char: str) -> str:
    """Digits, spaces, punctuation, or the script of a letter by the first word of its name."""
    category = unicodedata.category(char)
    if category[0] in "NZPSC":
        return {"N": "digits", "Z": "spaces", "P": "punctuation", "S": "symbols", "C": "invisible"}[category[0]]
    return unicodedata.name(char, "unnamed").split(" ")[0].capitalize()


__all__ = ["LabelPass"]
