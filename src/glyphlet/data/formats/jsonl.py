"""JSON lines: an object a line, its fields by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.files.sniff import IMAGE_COLUMNS, TEXT_COLUMNS, is_kind
from glyphlet.data.files.textfile import Form, Piece
from glyphlet.data.files.textlines import Cells, Located, TextLines, located
from glyphlet.data.formats import reads
from glyphlet.data.lineset import LineSet
from glyphlet.spec import SourceSpec

_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
"""Numbers stay as they are written: 1.50 is no 1.5."""
_scan: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]  # typeshed does not know it


class Records:
    """How the records of JSON lines are read.

    Args:
        spec: the source, which may name the fields.
    """

    def __init__(self, spec: SourceSpec) -> None:
        self.spec = spec
        self._group = spec.group_column
        self._keys: tuple[tuple[str, ...], str, str] = ((), "", "")

    def bad(self, piece: Piece) -> NDArray[np.bool_]:
        """Which lines are no records with an image and a text."""
        found = np.zeros(len(piece.starts), bool)
        starts, ends = piece.starts.tolist(), piece.ends.tolist()
        for row in range(len(found)):
            line = piece.data[starts[row] : ends[row]].decode(piece.encoding, "replace")
            try:
                self.cells(line)
            except ValueError:
                found[row] = True
        return found

    def why(self, line: str) -> tuple[str, str]:
        """What is wrong with a line."""
        try:
            self.cells(line)
        except ValueError as error:
            return f"{error}: {line[:60]!r}", "correct or remove the line, or set image_column and text_column"
        return "", ""

    def text(self, line: str) -> str:
        """The text of a record whose image is elsewhere; raises `ValueError`."""
        record = self._parsed(line.strip())
        name = _field(record, self.spec.text_column, TEXT_COLUMNS, "a text")
        if not isinstance(record[name], str) or not whole(record[name]):
            raise ValueError(f"has no text in field {name!r}")
        return str(record[name])

    def _parsed(self, line: str) -> dict[str, Any]:
        try:
            try:
                record, end = _scan(line, 0)  # a third of the time of `decode`
            except StopIteration:
                end = -1
            if end != len(line):
                record = _DECODER.decode(line)
        except ValueError as error:
            raise ValueError(f"is no JSON ({error})") from error
        except RecursionError as error:
            raise ValueError("is nested too deeply") from error
        if not isinstance(record, dict):
            raise ValueError("is no JSON object")
        return record

    def cells(self, line: str) -> Cells:
        """What a line says; raises `ValueError`."""
        record = self._parsed(line)
        names, image, text = self._keys
        if len(record) != len(names) or tuple(record) != names:  # seldom: a file has the same fields in every line
            image, text = self._fields(record)
            self._keys = tuple(record), image, text
        path, label = record[image], record[text]
        if not (isinstance(path, str) and isinstance(label, str)):
            raise ValueError(f"has no text in field {text if isinstance(path, str) else image!r}")
        if not (whole(path) and whole(label)):
            raise ValueError("has half of a character (a lone surrogate)")
        if not path:
            raise ValueError("has no path")
        return Cells(path, label, str(record.get(self._group, "")) if self._group else "")

    def _fields(self, record: dict[str, Any]) -> tuple[str, str]:
        image = _field(record, self.spec.image_column, IMAGE_COLUMNS, "an image")
        return image, _field(record, self.spec.text_column, TEXT_COLUMNS, "a text", image)


def _field(
    record: dict[str, Any], wanted: str | None, usual: tuple[str, ...], what: str, taken: str | None = None
) -> str:
    """The name of a field of a record."""
    lower = {key.lower(): key for key in record}
    for name in (wanted,) if wanted else usual:
        key = name if name in record else lower.get(name.lower())
        if key is None or key == taken:
            continue
        return key
    raise ValueError(f"has no field for {what}" + (f" named {wanted!r}" if wanted else ""))


def whole(text: str) -> bool:
    """Whether a text has no lone surrogates, which JSON can hold and no file in UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def jsonl_lines(spec: SourceSpec, at: Located) -> TextLines:
    """Lines of JSON records; numbers stay as they are written."""
    records = Records(spec)
    form = Form("JSON objects with an image and a text, one a line", records.bad, records.why)
    return TextLines(spec, "jsonl", at, form, records.cells)


@reads("JSON lines, an object a line", looks=lambda path: is_kind(path, "jsonl"), rank=40)
def jsonl(spec: SourceSpec) -> LineSet:
    """A file of JSON lines."""
    return jsonl_lines(spec, located(spec))
