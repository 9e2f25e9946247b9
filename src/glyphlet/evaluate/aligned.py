"""What stands against what in the lines of an evaluation, counted once for all tables: pairs, spaces, certainties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from glyphlet.evaluate.scores import Evaluation
from glyphlet.metrics import alignment


class Pair(NamedTuple):
    """A read and a true character that stand against each other, as they are written, and whether they are the same.

    Either may be empty: a character that is missing or extra, or the second half of one that folds to two (`ß`).
    """

    read: str
    truth: str
    same: bool


@dataclass
class Spaces:
    """How spaces are read.

    Fields:
        truths: spaces that there are.
        right: of these, read as spaces.
        missed: read as nothing.
        replaced: read as another character.
        invented: spaces read where there is nothing.
        put: spaces read where another character is.
        joined: places between two words where no space was read.
        split: places within a word where one was read.
        lines: lines with an error of spaces.
        only: lines that would be right without their spaces.
    """

    truths: int = 0
    right: int = 0
    missed: int = 0
    replaced: int = 0
    invented: int = 0
    put: int = 0
    joined: int = 0
    split: int = 0
    lines: int = 0
    only: int = 0

    def as_dict(self) -> dict[str, int]:
        """Plain values."""
        return asdict(self)


@dataclass
class Tally:
    """The counts over all lines of an evaluation; case is folded where the evaluation ignores it.

    Fields:
        pairs: how often a true character (first) was read as another or itself (second); empty for none.
        spaces: the errors of spaces.
        confidence, right: of each character that was read.
    """

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    spaces: Spaces = field(default_factory=Spaces)
    confidence: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)


def aligned(read: str, truth: str, ignore_case: bool = False) -> list[Pair]:
    """What stands against what, with the fewest edits; see `metrics.alignment`.

    The left sides join to `read`, the right sides to `truth`.

    >>> aligned("Aß", "ass", ignore_case=True)
    [Pair(read='A', truth='a', same=True), Pair(read='ß', truth='s', same=True), Pair(read='', truth='s', same=True)]
    """
    if not ignore_case:
        return [Pair(r, t, r == t) for r, t in alignment(read, truth)]
    reads, truths = _written(read), _written(truth)
    pairs = alignment(read.casefold(), truth.casefold())
    return [Pair(next(reads) if r else "", next(truths) if t else "", r == t) for r, t in pairs]


def _written(text: str) -> Iterator[str]:
    """For each character of the folded text the one it comes from, or nothing after its first."""
    for char in text:
        yield char
        yield from [""] * (len(char.casefold()) - 1)


def tally(evaluation: Evaluation) -> Tally:
    """Count what stands against what over all lines."""
    made = Tally()
    for result in evaluation.results:
        pairs = alignment(evaluation.fold(result.text), evaluation.fold(result.truth))
        made.pairs.update((t, r) for r, t in pairs)
        _count_spaces(made.spaces, pairs)
        bare = [evaluation.fold(text).replace(" ", "") for text in (result.text, result.truth)]
        made.spaces.only += bare[0] == bare[1] and not evaluation.right(result)
        if len(result.characters) == len(result.text):
            made.confidence += result.characters
            made.right += _right_characters(result.text, pairs, evaluation.ignore_case)
    return made


def _right_characters(text: str, pairs: list[tuple[str, str]], ignore_case: bool) -> list[bool]:
    """Whether each read character is right, all of what it folds to."""
    matches = [r == t for r, t in pairs if r]  # of the folded characters
    found, at = [], 0
    for char in text:
        stop = at + len(char.casefold() if ignore_case else char)
        found.append(all(matches[at:stop]))
        at = stop
    return found


def _count_spaces(spaces: Spaces, pairs: list[tuple[str, str]]) -> None:
    counts = Counter(_kind(r, t) for r, t in pairs if " " in (r, t))
    for name, count in counts.items():
        setattr(spaces, name, getattr(spaces, name) + count)
    spaces.truths += sum(t == " " for _, t in pairs)
    spaces.lines += counts.total() > counts["right"]
    read = true = 0
    begun = False
    for r, t in pairs:
        read, true = read + (r == " "), true + (t == " ")
        if r not in ("", " ") or t not in ("", " "):
            spaces.joined += begun and bool(true) and not read
            spaces.split += begun and bool(read) and not true
            read, true, begun = 0, 0, True


def _kind(read: str, truth: str) -> str:
    if read == truth:
        return "right"
    if truth == " ":
        return "replaced" if read else "missed"
    return "put" if truth else "invented"


__all__ = ["Pair", "Spaces", "Tally", "aligned", "tally"]
