"""What can be wrong with labelled lines: every kind of finding, how grave it is, and what to do about it.

error      the line is useless or harmful: training refuses it, or a measurement is wrong with it
warning    likely a slip, or a waste; a person should look
info       good to know
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import Any, Literal

from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Kind:
    """A kind of finding.

    Args:
        name: what `--drop` and the JSON output call it.
        severity: see the module.
        title: what was found, in the plural.
        advice: what to do about it.
        repair: what `--fix` does with such a line: `clean` its text, `drop` the line, or nothing.
    """

    name: str
    severity: Severity
    title: str
    advice: str
    repair: Literal["clean", "drop", ""] = ""


_KINDS = (
    Kind("malformed", "error", "malformed lines in label files", "correct them by hand; --fix leaves them out", "drop"),
    Kind("unreadable", "error", "images missing or unreadable", "restore the files, or leave the lines out", "drop"),
    Kind("empty", "error", "empty labels", "label the lines, or leave them out", "drop"),
    Kind("charset", "error", "labels with characters outside the charset",
         "correct the labels, or add the characters to the charset", "drop"),
    Kind("replacement", "error", "labels with U+FFFD, left by a wrong decoding", "restore the labels from their source", "drop"),
    Kind("control", "error", "labels with tabs, line breaks or control characters", "remove them", "clean"),
    Kind("too_long", "error", "labels too long for the time steps of their image, or for the model",
         "use a smaller time stride or a greater height (for a head with max_length: a larger one), or leave the lines out", "drop"),
    Kind("too_wide", "error", "images wider than the model takes", "cut the lines into pieces", "drop"),
    Kind("contradiction", "error", "equal images with different labels", "see which label is right", "drop"),
    Kind("leak", "error", "images that are in the test set, too", "remove them from one of the sets", "drop"),
    Kind("near_leak", "warning", "images nearly equal to one of the test set", "remove them from one of the sets"),
    Kind("group_leak", "warning", "lines whose group is in the test set, too", "keep a page or writer in one set"),
    Kind("duplicate", "warning", "equal images with the same label",
         "keep one: copies in a validation part make it look better than it is"),
    Kind("not_nfc", "warning", "labels not in Unicode NFC", "put them into NFC, as training does", "clean"),
    Kind("edge_space", "warning", "labels with spaces at an end", "remove them: they cannot be seen in the image", "clean"),
    Kind("double_space", "warning", "labels with several spaces in a row", "write one, unless the images show the gap", "clean"),
    Kind("odd_space", "warning", "labels with unusual spaces", "write plain spaces: they look alike", "clean"),
    Kind("zero_width", "warning", "labels with invisible characters", "remove them, unless the script needs them", "clean"),
    Kind("blank", "warning", "images with next to nothing on them", "look at them; leave them out with --drop blank"),
    Kind("tiny", "warning", "images less than 8 pixels high", "use better copies, if there are any"),
    Kind("large", "warning", "very large images", "scale them down: they only cost time"),
    Kind("vertical", "warning", "images that look turned or vertical", "turn them upright"),
    Kind("implausible", "warning", "labels that do not fit the width of their image", "compare label and image"),
    Kind("aspect", "info", "images of unusual proportions", "look at a few"),
    Kind("exif", "info", "images that a camera's orientation mark turns", "save them upright: other tools ignore the mark"),
    Kind("look_alike", "info", "labels with letters of another script that look alike", "make sure that they are meant"),
    Kind("variants", "info", "signs written in several ways", "choose one way, unless the images differ"),
    Kind("unseen", "info", "characters of the test set that no line here holds", "add lines that hold them"),
    Kind("rare", "info", "characters that occur less than 5 times", "add lines that hold them, or leave them out of the charset"),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
"""Every kind by name, in the order in which they are shown."""


@dataclass(frozen=True)
class Example:
    """One line of a finding.

    Args:
        index: the line, counted through all sources.
        origin: its file and line number.
        text: its label.
        detail: what is wrong with it.
        other: another line that it collides with, as its number in the same lines or in the test lines.
        other_origin, other_text: of that line.
        in_test: whether the other line is one of the test lines.
    """

    index: int
    origin: str
    text: str
    detail: str = ""
    other: int | None = None
    other_origin: str = ""
    other_text: str = ""
    in_test: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what is empty is left out."""
        other = {"origin": self.other_origin, "text": self.other_text, "in_test": self.in_test}
        found: dict[str, Any] = {"origin": self.origin, "text": self.text, "detail": self.detail}
        if self.other_origin:
            found["other"] = other
        return found


@dataclass
class Finding:
    """All lines of one kind.

    Args:
        kind: the kind.
        lines: the number of each line, rising through a set; empty where the finding is not about lines.
        examples: the first of them.
        columns, rows: a table that belongs to it: the characters outside the charset.
        note: a sentence on the whole set: the time stride that would do.
    """

    kind: Kind
    lines: array[int] = field(default_factory=lambda: array("q"))
    examples: list[Example] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    note: str = ""

    @property
    def count(self) -> int:
        """The number of lines, or of rows where it is not about lines."""
        return len(self.lines) or len(self.rows)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind.name, "severity": self.kind.severity, "title": self.kind.title,
            "advice": self.kind.advice, "count": self.count, "note": self.note,
            "examples": [example.as_dict() for example in self.examples],
            "table": {"columns": list(self.columns), "rows": [list(row) for row in self.rows]} if self.rows else None,
        }  # fmt: skip


class Findings:
    """Collects findings.

    Args:
        most: how many examples of each kind to keep; None for all.
    """

    def __init__(self, most: int | None = 20) -> None:
        self.most = most
        self._found: dict[str, Finding] = {}

    def of(self, name: str) -> Finding:
        """The finding of one kind, empty when there is none yet."""
        return self._found.setdefault(name, Finding(KINDS[name]))

    def wants(self, name: str) -> bool:
        """Whether another example of this kind would be kept."""
        return self.most is None or len(self.of(name).examples) < self.most

    def add(self, name: str, example: Example) -> None:
        """Count a line, and keep it as an example while there is room."""
        if self.wants(name):
            self.of(name).examples.append(example)
        self.of(name).lines.append(example.index)

    def count(self, name: str, index: int) -> None:
        """Count a line without an example."""
        self.of(name).lines.append(index)

    def all(self) -> list[Finding]:
        """Those that hold something, the gravest first."""
        rank = {name: i for i, name in enumerate(KINDS)}
        found = [finding for finding in self._found.values() if finding.count]
        return sorted(found, key=lambda f: (SEVERITIES.index(f.kind.severity), rank[f.kind.name]))


class Notebook:
    """Notes findings by the numbers of lines; what an example says of a line is asked for only when it is kept.

    Args:
        lines: the lines that findings are about.
        test: the lines that they are compared with, if any.
        most: as `Findings`.
    """

    def __init__(self, lines: LineSet, test: LineSet | None, most: int | None) -> None:
        self.lines, self.test = lines, test
        self.found = Findings(most)

    def note(self, kind: str, index: int, detail: str = "", text: str | None = None) -> None:
        """Add a line to a finding; its text is read when it is not given."""
        if self.found.wants(kind):
            label = text_of(self.lines, index) if text is None else text
            self.found.add(kind, Example(index, self.lines.origin(index), label, detail))
        else:
            self.found.count(kind, index)

    def pair(self, kind: str, index: int, other: int, detail: str, in_test: bool = False) -> None:
        """As `note`, for a line that collides with another of the set, or with one of the test lines."""
        if not self.found.wants(kind):
            self.found.count(kind, index)
            return
        source = self.test if in_test and self.test is not None else self.lines
        example = Example(
            index, self.lines.origin(index), text_of(self.lines, index), detail,
            other, source.origin(other), text_of(source, other), in_test,
        )  # fmt: skip
        self.found.add(kind, example)

    def tabulate(self, kind: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """Give a finding a table; nothing when it has no rows."""
        if rows:
            finding = self.found.of(kind)
            finding.columns, finding.rows = columns, rows


def placed(problem: str) -> tuple[str, str]:
    """Where a malformed line stands, and what is wrong with it.

    >>> placed("labels.txt line 62 has no tab: 'a.png 7'")
    ('labels.txt line 62', "has no tab: 'a.png 7'")
    """
    found = re.match(r"(.*? line \d+) (.+)", problem, re.DOTALL)
    return (found[1], found[2]) if found else (problem, "")


def text_of(lines: LineSet, index: int) -> str:
    """The label of a line; empty when it cannot be read."""
    try:
        return lines.text(index)
    except LabelError:
        return ""


__all__ = ["KINDS", "SEVERITIES", "Example", "Finding", "Findings", "Kind", "Notebook", "Severity", "text_of"]
