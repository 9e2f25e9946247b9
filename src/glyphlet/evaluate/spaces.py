"""How spaces are read, as rows for the terminal and a section of a report."""

from __future__ import annotations

from glyphlet.evaluate.aligned import Spaces
from glyphlet.evaluate.report import Section, table_section
from glyphlet.evaluate.scores import percent, percent_range
from glyphlet.metrics import wilson

_NOTE = (
    "A space between two words that is not read joins them; a space read within a word splits it. Both count places, however "
    "many spaces stand there. Lines that are right but for spaces would be right if all spaces were left out of both texts."
)


def space_rows(spaces: Spaces, lines: int) -> list[tuple[str, str, str, str]]:
    """Name, number, share and its 95 % interval.

    Args:
        spaces: the counts.
        lines: how many lines there are.
    """
    read = spaces.right + spaces.invented + spaces.put
    return [
        _row("Spaces in the truths, read as spaces", spaces.right, spaces.truths),
        _row("Not read (missed)", spaces.missed, spaces.truths),
        _row("Read as another character", spaces.replaced, spaces.truths),
        _row("Read where there is nothing (invented)", spaces.invented, read),
        _row("Read where another character is", spaces.put, read),
        ("Words joined", f"{spaces.joined:,}", "", ""),
        ("Words split", f"{spaces.split:,}", "", ""),
        _row("Lines with an error of spaces", spaces.lines, lines),
        _row("Lines right but for spaces", spaces.only, lines),
    ]


def _row(name: str, count: int, of: int) -> tuple[str, str, str, str]:
    if not of:
        return name, f"{count:,}", "", ""
    return name, f"{count:,} of {of:,}", percent(count / of), percent_range(wilson(count, of))


def space_section(spaces: Spaces, lines: int, title: str = "Spaces") -> Section:
    """Errors of spaces and of word boundaries."""
    return table_section(title, ("What", "Number", "Share", "95 % interval"), space_rows(spaces, lines), _NOTE)


__all__ = ["space_rows", "space_section"]
