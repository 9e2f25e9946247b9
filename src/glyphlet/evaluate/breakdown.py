"""Where the errors are: by the length of a text, by the width of its image, by character."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from glyphlet.evaluate.report import Section, note_line, table_section
from glyphlet.evaluate.scores import Evaluation, LineResult, percent, percent_range, visible
from glyphlet.evaluate.shares import Share, share_chart
from glyphlet.metrics import Interval, wilson

GROUPS = 8
"""Groups of lines, at most."""
_LISTED = 40
"""Characters in the table."""


@dataclass(frozen=True)
class Group:
    """Lines of neighbouring sizes.

    Args:
        low, high: the least and the greatest size.
        lines: how many there are.
        wrong: of these, read with an error.
        characters, edits: true characters, and the edits that the readings need.
    """

    low: int
    high: int
    lines: int
    wrong: int
    characters: int
    edits: int

    @property
    def name(self) -> str:
        """The sizes: `12` or `12-19`."""
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    @property
    def share(self) -> float:
        """The share of lines with an error."""
        return self.wrong / self.lines

    @property
    def interval(self) -> Interval:
        """Of that share, Wilson's, 95 %."""
        return wilson(self.wrong, self.lines)

    @property
    def cer(self) -> float:
        """Character error rate."""
        return self.edits / max(1, self.characters)


@dataclass(frozen=True)
class CharacterErrors:
    """How one character is read.

    Args:
        char: the character.
        truths: how often it stands in the truths.
        reads: how often it was read.
        hits: how often both.
    """

    char: str
    truths: int
    reads: int
    hits: int

    @property
    def errors(self) -> int:
        """How often it was not read where it stands, or was where it does not."""
        return self.truths + self.reads - 2 * self.hits


def by_size(evaluation: Evaluation, size: Callable[[LineResult], int], groups: int = GROUPS) -> list[Group]:
    """Lines in groups of about as many each; lines of one size stay together, and few sizes are a group each.

    Args:
        evaluation: the lines.
        size: of a line.
        groups: at most so many.
    """
    ordered = sorted(evaluation.results, key=size)
    sizes = np.array([size(result) for result in ordered])
    wanted = np.unique(sizes)
    if len(wanted) > groups:
        wanted = sizes[[-(-k * len(sizes) // groups) - 1 for k in range(1, groups + 1)]]
    ends = np.unique(np.searchsorted(sizes, wanted, side="right")).tolist()
    found = []
    for start, stop in zip([0, *ends[:-1]], ends, strict=True):
        inside = ordered[start:stop]
        edits = [evaluation.edits(result) for result in inside]
        characters = sum(len(evaluation.fold(result.truth)) for result in inside)
        wrong = sum(map(bool, edits))
        found.append(Group(int(sizes[start]), int(sizes[stop - 1]), stop - start, wrong, characters, sum(edits)))
    return found


def by_length(evaluation: Evaluation) -> list[Group]:
    """Lines by the characters of their truths."""
    return by_size(evaluation, lambda result: len(evaluation.fold(result.truth)))


def by_width(evaluation: Evaluation) -> list[Group]:
    """Lines by the width of their images, scaled to the height of the model's input."""
    return by_size(evaluation, lambda result: result.width)


def by_character(pairs: Counter[tuple[str, str]]) -> list[CharacterErrors]:
    """Every character, the one with the most errors first.

    Args:
        pairs: of true and read characters, from `aligned.tally`.
    """
    truths, reads, hits = Counter[str](), Counter[str](), Counter[str]()
    for (truth, read), count in pairs.items():
        truths[truth] += count
        reads[read] += count
        hits[truth] += count if truth == read else 0
    found = [CharacterErrors(char, truths[char], reads[char], hits[char]) for char in {*truths, *reads} if char]
    return sorted(found, key=lambda entry: (-entry.errors, -entry.truths, entry.char))


def size_section(groups: Sequence[Group], title: str, size: str) -> Section:
    """A chart and a table of groups.

    Args:
        groups: of `by_length` or `by_width`.
        title: the heading.
        size: what the sizes are, with their unit.
    """
    shares = [
        Share(g.name, g.share, g.interval, f"{g.wrong:,} of {g.lines:,} lines, CER {percent(g.cer)}") for g in groups
    ]
    chart = share_chart(shares, "Lines with an error", size, "share of lines")
    rows = [
        (g.name, f"{g.lines:,}", f"{g.wrong:,}", percent(g.share), percent_range(g.interval), percent(g.cer))
        for g in groups
    ]
    names = (size[:1].upper() + size[1:], "Lines", "Wrong", "Share", "95 % interval", "CER")
    return Section(
        title, f'<div class="grid beside"><div class="card">{chart}</div>{table_section("", names, rows).body}</div>'
    )


def character_section(found: Sequence[CharacterErrors], title: str = "Errors by character") -> Section:
    """A table of the characters with the most errors."""
    wrong = [entry for entry in found if entry.errors]
    names = (
        "Character",
        "Code point",
        "In the truths",
        "Read rightly",
        "95 % interval",
        "Read",
        "Of these right",
        "95 % interval",
    )
    note = (
        "Read rightly: of the places where it stands, the share where it was read (recall). Of these right: of the places "
        f"where it was read, the share where it stands (precision). {min(len(wrong), _LISTED)} of {len(wrong)} characters "
        f"with errors, most errors first; {len(found) - len(wrong)} have none. Intervals are Wilson's and take the characters of "
        "a line for independent."
    )
    table = table_section(title, names, [_row(entry) for entry in wrong[:_LISTED]], note if wrong else "", signs=True)
    return table if wrong else Section(title, note_line("Every character was read rightly."))


def _row(entry: CharacterErrors) -> tuple[str, ...]:
    point = " ".join(f"U+{ord(char):04X}" for char in entry.char)
    cells = []
    for n in (entry.truths, entry.reads):
        cells += [f"{n:,}", percent(entry.hits / n), percent_range(wilson(entry.hits, n))] if n else ["0", "", ""]
    return (visible(entry.char), point, *cells)


__all__ = [
    "CharacterErrors",
    "Group",
    "by_character",
    "by_length",
    "by_size",
    "by_width",
    "character_section",
    "size_section",
]
