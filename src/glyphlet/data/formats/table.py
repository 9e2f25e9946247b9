"""CSV: tables with named columns and any separator."""

from __future__ import annotations

import csv as csv_module
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.files.content import Content
from glyphlet.data.files.encoding import text_in
from glyphlet.data.files.sniff import (
    IMAGE_COLUMNS,
    TEXT_COLUMNS,
    columns,
    header_delimiter,
    is_kind,
)
from glyphlet.data.files.textfile import Form, Piece
from glyphlet.data.files.textlines import Cells, Located, TextLines, located
from glyphlet.data.formats import reads
from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec

_QUOTE = 34
_SPANNED = 1000
"""Lines that a quoted field may span; a quote that is open for longer was never meant as one."""


class Table:
    """How the records of a CSV file are cut.

    Args:
        delimiter: what stands between its columns.
        width: how many columns there are.
        image, text, group: which is which, from 0; None for no group.
    """

    def __init__(self, delimiter: str, width: int, image: int, text: int, group: int | None) -> None:
        self.delimiter = delimiter
        self.width = width
        self.image = image
        self.text = text
        self.group = group

    def record(self, line: str) -> list[str]:
        """The columns of a record; raises `csv.Error`."""
        if '"' not in line:
            return line.split(self.delimiter)
        return next(csv_module.reader([line], delimiter=self.delimiter, strict=True), [])

    def cells(self, line: str) -> Cells:
        """What a record says."""
        row = self.record(line)
        return Cells(row[self.image], row[self.text], row[self.group] if self.group is not None else "")

    def bad(self, piece: Piece) -> NDArray[np.bool_]:
        """Which records do not have the columns of the header, or no path."""
        found: NDArray[np.bool_] = piece.count(ord(self.delimiter)) != self.width - 1
        if self.image == 0 and (self.delimiter != "|" or piece.encoding == "utf-8"):
            found |= piece.first(ord(self.delimiter)) == piece.starts
            special = piece.count(_QUOTE) > 0
        else:  # seldom: the path is not the first column, or the byte of | may be half of a Chinese character
            special = np.ones(len(found), bool)
        for row in np.flatnonzero(special).tolist():
            found[row] = bool(self.why(piece.text(row))[0])
        return found

    def why(self, line: str) -> tuple[str, str]:
        """What is wrong with a record; empty when nothing is."""
        try:
            row = self.record(line)
        except csv_module.Error as error:
            return (
                f"has a quote at a wrong place ({error}): {line[:60]!r}",
                'put "quotes" around the field, and "" for one quote in it',
            )
        if len(row) != self.width:
            return (
                f"has {len(row)} columns, the first line has {self.width}: {line[:60]!r}",
                f'put "quotes" around a field with {self.delimiter!r} in it, or complete the line',
            )
        return ("", "") if row[self.image] else (f"has no path: {line[:60]!r}", "complete or remove the line")

    def joined(self, piece: Piece, last: bool) -> tuple[Piece, int]:
        """The piece with the lines put together that a quoted field spans."""
        odd = np.flatnonzero(piece.count(_QUOTE) % 2)
        ends, keep = piece.ends.copy(), np.ones(len(piece.ends), bool)
        passed = -1
        for row in odd.tolist():
            if row <= passed or not self._open_after(piece.line(row), False):
                continue
            stop = self._closed(piece, row)
            if stop >= len(ends) and not last:
                keep[row:] = False
                return replace(piece, starts=piece.starts[keep], ends=ends[keep]), int(piece.starts[row])
            if stop < min(len(ends), row + _SPANNED):
                ends[row] = ends[stop]
                keep[row + 1 : stop + 1] = False
                passed = stop
        return replace(piece, starts=piece.starts[keep], ends=ends[keep]), len(piece.data)

    def _closed(self, piece: Piece, row: int) -> int:
        """The line in which a field that is open at the end of a line closes; beyond the piece when it is in the next."""
        inside = True
        for later in range(row + 1, min(len(piece.ends), row + _SPANNED)):
            inside = self._open_after(piece.line(later), inside)
            if not inside:
                return later
        return min(len(piece.ends), row + _SPANNED)

    def _open_after(self, line: bytes, inside: bool) -> bool:
        """Whether a quoted field is open at the end of a line."""
        fresh = not inside  # at the start of a field
        separator = ord(self.delimiter)
        for byte in line:
            if byte != _QUOTE:
                fresh = byte == separator and not inside
            elif inside:
                inside, fresh = False, True  # the second quote of "" opens it again
            elif fresh:
                inside, fresh = True, False
        return inside


def table_of(spec: SourceSpec, content: Content) -> tuple[Table, int]:
    """How a CSV file is cut, and how many lines its header has.

    Raises:
        LabelError: it has no header with the columns, and its settings do not say which they are.
    """
    first, number, announced = _first_line(content, spec.encoding)
    settings = (spec.image_column, spec.text_column)
    if spec.delimiter is not None and (
        len(spec.delimiter) != 1 or not spec.delimiter.isascii() or spec.delimiter in '"\r\n'
    ):
        raise LabelError(
            f"delimiter is {spec.delimiter!r}",
            allowed="one ASCII character, such as ; or ,",
            next_step="correct delimiter",
        )
    if all(name is not None and name.isdecimal() and name != "0" for name in settings):
        return _positional(spec, first), number - 1
    delimiter = spec.delimiter or announced or header_delimiter(first, *settings)
    names = columns(first, delimiter) if delimiter else []
    image = _column(names, spec.image_column, IMAGE_COLUMNS)
    text = _column(names, spec.text_column, TEXT_COLUMNS, image)
    group = _column(names, spec.group_column, ()) if spec.group_column else None
    if delimiter is None or image is None or text is None or (spec.group_column and group is None):
        raise _no_header(spec, content.name, first)
    return Table(delimiter, len(names), image, text, group), number


def _first_line(content: Content, encoding: str) -> tuple[str, int, str | None]:
    """The first line that says something, its number, and the separator that Excel's `sep=;` announces before it."""
    plain, codec, skip = text_in(content, encoding)
    text = plain.read(skip, 1 << 16).decode(codec, "replace")
    announced = None
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if line.startswith("sep=") and len(line) == 5:
            announced = line[4]
        elif line:
            return line, number, announced
    return "", 1, announced


def _positional(spec: SourceSpec, first: str) -> Table:
    """A table without a header, whose settings number the columns from 1."""
    delimiter = spec.delimiter or max(";,\t|", key=first.count)
    names = columns(first, delimiter)
    wanted = [spec.image_column, spec.text_column, spec.group_column]
    numbers = [int(name) - 1 if name is not None and name.isdecimal() else None for name in wanted]
    image, text, group = numbers
    if image is None or text is None or any(n is not None and not 0 <= n < len(names) for n in numbers):
        raise _no_header(spec, spec.path, first)
    return Table(delimiter, len(names), image, text, group)


def _column(names: list[str], wanted: str | None, usual: tuple[str, ...], taken: int | None = None) -> int | None:
    for name in (wanted.lower(),) if wanted else usual:
        if name in names and names.index(name) != taken:
            return names.index(name)
    return None


def _no_header(spec: SourceSpec, name: str, first: str) -> LabelError:
    missing = [n for n in (spec.image_column, spec.text_column, spec.group_column) if n]
    what = f"columns named {' and '.join(map(repr, missing))}" if missing else "a column for images and one for texts"
    return LabelError(
        f"{name} has no header with {what}; its first line is {first[:80]!r}",
        allowed=f"images: {', '.join(IMAGE_COLUMNS)}; texts: {', '.join(TEXT_COLUMNS)}; or names of your own",
        next_step="set image_column and text_column to the names in the header, or, when there is none, to their numbers "
        "from 1; set delimiter when it is not one of ; , tab |",
    )


def csv_lines(spec: SourceSpec, at: Located) -> TextLines:
    """Lines of a CSV file; its values stay text."""
    table, header = table_of(spec, at.content)
    allowed = f"records of {table.width} columns separated by {table.delimiter!r}"
    form = Form(allowed, table.bad, table.why, header, table.joined)
    return TextLines(spec, "csv", at, form, table.cells)


@reads("CSV with named columns and any separator", looks=lambda path: is_kind(path, "csv"), rank=50)
def csv(spec: SourceSpec) -> LineSet:
    """A CSV file."""
    return csv_lines(spec, located(spec))
