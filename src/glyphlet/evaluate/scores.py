"""What came of reading a set of lines: every result, the figures over them, and both as tables for the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from glyphlet.errors import GlyphletError, LabelError
from glyphlet.files import replace_file
from glyphlet.metrics import Confusion, Interval, Scores, edit_distance, score


@dataclass(frozen=True)
class LineResult:
    """One line that was read.

    Args:
        path: where its image lies.
        truth: what it says; empty when that is not known.
        text: what was read.
        confidence: how sure the reader is, 0 to 1.
        raw: the path before it was merged, one sign for each time step; may be empty.
        number: of the line in its set, from 0.
        width: of the line image in pixels, scaled to the height of the model's input and not padded; 0 where not known.
        characters: how sure the reader is of each character of `text`; empty where it does not say.
        reason: why the text is empty although something was asked of it; see `Reading`.
    """

    path: str
    truth: str
    text: str
    confidence: float
    raw: str = ""
    number: int = -1
    width: int = 0
    characters: tuple[float, ...] = ()
    reason: str = ""

    @property
    def edits(self) -> int:
        """The edit distance between what was read and the truth."""
        return edit_distance(self.text, self.truth)


@dataclass(frozen=True)
class Evaluation:
    """The results of a set of lines, in their order, and the figures over them. `Evaluation.of` works both out."""

    results: tuple[LineResult, ...]
    scores: Scores
    ignore_case: bool = False

    @classmethod
    def of(cls, results: Iterable[LineResult], *, ignore_case: bool = False) -> Evaluation:
        """Score the results.

        Raises:
            LabelError: there are none, or their truths hold no characters.

        >>> Evaluation.of([LineResult("a.png", "cat", "cut", 0.9)]).scores.edits
        1
        """
        results = tuple(results)
        texts, truths = [r.text for r in results], [r.truth for r in results]
        return cls(results, score(texts, truths, ignore_case=ignore_case), ignore_case)

    def worst(self, count: int = 20) -> list[LineResult]:
        """The lines with the most edits; of equally wrong ones the more confident first, for those do the most harm."""
        ranked = [(-self.edits(result), -result.confidence, result) for result in self.results]
        return [result for edits, _, result in sorted(ranked, key=lambda entry: entry[:2])[:count] if edits]

    def errors(self) -> list[LineResult]:
        """The lines that are read wrongly, the most confident first, for those do the most harm."""
        wrong = [result for result in self.results if not self.right(result)]
        return sorted(wrong, key=lambda result: -result.confidence)

    def fold(self, text: str) -> str:
        """A text as it is compared: its case folded where case does not count."""
        return text.casefold() if self.ignore_case else text

    def right(self, result: LineResult) -> bool:
        """Whether a line is read without any error."""
        return self.fold(result.text) == self.fold(result.truth)

    def edits(self, result: LineResult) -> int:
        """The edit distance between what was read and the truth."""
        return edit_distance(self.fold(result.text), self.fold(result.truth))


def write_results(path: str | Path, results: Iterable[LineResult]) -> None:
    """Write `path<TAB>text` for each line, UTF-8: a label file of what was read.

    The file appears complete or not at all.

    Raises:
        LabelError: a path or a text holds a tab or a line break, or cannot be written as UTF-8.
        GlyphletError: the file cannot be written (folder missing, disk full, no permission).
    """
    rows = [(result.path, result.text) for result in results]
    for row in rows:
        for field in row:
            if any(char in field for char in "\t\r\n") or not _is_unicode(field):
                raise LabelError(
                    f"{field!r} cannot stand in a label file",
                    allowed="Unicode text without tabs and line breaks, which separate its fields",
                    next_step="rename the image" if field is row[0] else "remove the character from the charset",
                )
    write_whole(path, "".join(f"{name}\t{text}\n" for name, text in rows))


def _is_unicode(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, as the name of a file that is not UTF-8 does."""
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def write_whole(path: str | Path, text: str) -> None:
    """Write a UTF-8 file that appears complete or not at all: beside its place first, then renamed.

    Raises:
        GlyphletError: it cannot be written; what stood there before still does.
    """
    path = Path(path)
    try:
        replace_file(path, text.encode("utf-8"))
    except OSError as error:
        raise GlyphletError(
            f"{path} cannot be written: {error.strerror or error}",
            allowed="a file in a folder that exists, may be written to and has room",
            next_step="check the folder and the free space, or give another path",
        ) from error


def percent(share: float) -> str:
    """A share as a percentage: `percent(0.9875)` is `'98.75 %'`."""
    return f"{100 * share:.2f} %"


def percent_range(interval: Interval) -> str:
    """An interval of shares: `'97.10 to 99.40 %'`."""
    return f"{100 * interval.low:.2f} to {100 * interval.high:.2f} %"


def visible(chars: str) -> str:
    """A character, or none, as it can be seen: a space is `·`, nothing `(none)`, and what prints no sign `U+200B`."""
    if not chars:
        return "(none)"
    return "".join(map(_visible, chars))


def _visible(char: str) -> str:
    if char == " ":
        return "·"
    if unicodedata.category(char)[0] == "M":
        return f"◌{char}"  # a combining mark needs something to stand on
    return char if char.isprintable() else f"U+{ord(char):04X}"


def score_rows(scores: Scores) -> list[tuple[str, str, str]]:
    """The figures as rows of name, value and 95 % interval."""
    spaces = scores.spaces
    return [
        ("Word accuracy (whole line right)", percent(scores.word_accuracy), percent_range(scores.word_interval)),
        (
            "Character accuracy (by position)",
            percent(scores.character_accuracy),
            percent_range(scores.character_interval),
        ),
        ("Character error rate (CER)", percent(scores.cer), percent_range(scores.cer_interval)),
        ("Similarity (1 - N.E.D.)", percent(scores.similarity), percent_range(scores.similarity_interval)),
        ("Lines, of these right", f"{scores.lines:,}, {scores.correct_lines:,}", ""),
        ("Characters, edits needed", f"{scores.characters:,}, {scores.edits:,}", ""),
        ("Spaces missing, extra", f"{spaces.missing:,}, {spaces.extra:,}", ""),
        ("Lines with only spaces wrong", f"{spaces.only_lines:,}", ""),
    ]


def table(scores: Scores) -> Table:
    """The figures with their intervals, for the terminal."""
    return plain_table("Scores", ("Measure", "Value", "95 % interval"), score_rows(scores))


def confusion_rows(confusions: Sequence[Confusion], count: int) -> list[tuple[str, str, str]]:
    """The first `count` confusions as rows of truth, read and number."""
    return [(visible(c.truth), visible(c.read), f"{c.count:,}") for c in confusions[:count]]


def confusion_table(scores: Scores, count: int = 20) -> Table:
    """The most frequent confusions, for the terminal."""
    shown = confusion_rows(scores.confusions, count)
    title = f"Confusions, {len(shown)} of {len(scores.confusions)}"
    return plain_table(title, ("Truth", "Read", "Times"), shown)


def plain_table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table for the terminal: the first column to the left, the others to the right."""
    made = Table(title=title, title_justify="left")
    for i, name in enumerate(names):
        made.add_column(name, justify="left" if i == 0 else "right")
    for row in rows:
        made.add_row(*map(Text, row))  # as Text, for a bracket in a string is markup to Rich
    return made


__all__ = [
    "Evaluation",
    "LineResult",
    "confusion_rows",
    "confusion_table",
    "percent",
    "percent_range",
    "plain_table",
    "score_rows",
    "table",
    "visible",
    "write_results",
    "write_whole",
]
