"""The lines of a text by number, at 12 bytes of memory each, however long the text is.

The text is read once when it is opened, in pieces: line ends and separators are looked for by NumPy in the bytes, and
every piece is decoded, so that a malformed line shows now and by its number, not in the middle of a training. What stays
is where each line starts and how long it is; a line is read from the file when it is asked for.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.files.content import Content
from glyphlet.data.files.encoding import text_in
from glyphlet.errors import LabelError

PIECE = 4 << 20
LONGEST = 16 << 20
"""A line of more bytes than this is no line of a label file."""
MAX_PROBLEMS = 10_000
"""Malformed lines that are described; more are only counted."""
_AHEAD = 1 << 16


@dataclass(frozen=True)
class Piece:
    """A part of a text that ends at a line's end.

    Args:
        data: its bytes.
        array: the same, uint8.
        starts, ends: where its lines start, and where they end without their line ends; int64 (N,).
        encoding: what it is written in.
    """

    data: bytes
    array: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    encoding: str

    def text(self, row: int) -> str:
        """A line; bytes that are not in the encoding are replaced."""
        return self.line(row).decode(self.encoding, "replace")

    def line(self, row: int) -> bytes:
        """The bytes of a line."""
        return self.data[self.starts[row] : self.ends[row]]

    def first(self, byte: int) -> NDArray[np.int64]:
        """Where each line has this byte first; its end when it has none."""
        found = np.append(np.flatnonzero(self.array == byte), len(self.array))
        first: NDArray[np.int64] = np.minimum(found[np.searchsorted(found, self.starts)], self.ends)
        return first

    def count(self, byte: int) -> NDArray[np.int64]:
        """How often each line has this byte."""
        found = np.flatnonzero(self.array == byte)
        count: NDArray[np.int64] = np.searchsorted(found, self.ends) - np.searchsorted(found, self.starts)
        return count


@dataclass(frozen=True)
class Form:
    """What the lines of a format must be like.

    Args:
        allowed: the form in words, for messages.
        bad: which lines of a piece are malformed, bool (N,).
        why: what is wrong with a line, and what to do; called for malformed ones only.
        skip: lines before the first one: the header of a table.
        joined: given a piece and whether it is the last: the piece with the lines put together that a quoted field of a
            table spans, and where the line starts that goes on in the next piece.
    """

    allowed: str
    bad: Callable[[Piece], NDArray[np.bool_]]
    why: Callable[[str], tuple[str, str]]
    skip: int = 0
    joined: Callable[[Piece, bool], tuple[Piece, int]] | None = None


class TextFile:
    """A text by lines.

    Args:
        content: the text.
        encoding: its encoding, or `auto`.
        form: what its lines must be like; malformed ones are left out and stand in `problems`.

    Raises:
        LabelError: it is in no known encoding, or no text.
    """

    def __init__(self, content: Content, encoding: str, form: Form) -> None:
        self.name = content.name
        self.content, self.encoding, self._mark = text_in(content, encoding)
        self.problems: list[LabelError] = []
        self.malformed = 0
        self._bad: list[tuple[int, str, str]] = []
        self._undecodable: list[int] = []
        self._foreign = 0  # lines outside ASCII that are in the encoding
        self._index(form)
        self._report(form.allowed)
        self._ahead = (0, b"")
        self._next = -1

    def __len__(self) -> int:
        return len(self._starts)

    def number(self, index: int) -> int:
        """The number of a line in the file, from 1."""
        return index + 1 + int(np.searchsorted(self._skipped_before, index, "right"))

    def line(self, index: int) -> str:
        """A line, without its line end."""
        start, length = int(self._starts[index]), int(self._lengths[index])
        place, ahead = self._ahead
        if place <= start and start + length <= place + len(ahead):
            raw = ahead[start - place : start - place + length]
        elif index == self._next:  # read in order: read on, so that a line is no call of the operating system
            ahead = self.content.read(start, max(length, _AHEAD))
            self._ahead = start, ahead  # one assignment, since threads may read at the same time
            raw = ahead[:length]
        else:
            raw = self.content.read(start, length)
        if len(raw) < length:
            raw = self.content.exactly(start, length)  # raises
        self._next = index + 1
        try:
            return raw.decode(self.encoding)
        except UnicodeDecodeError as error:  # it was decoded when the file was opened
            raise LabelError(
                f"{self.name} line {self.number(index)} has changed since the file was opened",
                allowed="files that do not change while they are read",
                next_step="open it again when it is complete",
            ) from error

    def _index(self, form: Form) -> None:
        most = sum(data.count(b"\n") for _, data in _pieces(self.content, self._mark, whole=False)) + 1
        starts, lengths = np.empty(most, np.int64), np.empty(most, np.int32)
        skipped: list[NDArray[np.int64]] = []
        kept, number, lone, carried = 0, 1, 0, b""
        for place, data in chain(_pieces(self.content, self._mark), [(self.content.size, b"")]):
            last = not data
            place -= len(carried)
            data = carried + data
            if not data:
                break
            lone += data.count(b"\r")
            piece = _lines(data, self.encoding)
            whole, end = form.joined(piece, last) if form.joined else (piece, len(data))
            carried = data[end:]
            passed = int(np.searchsorted(piece.starts, end))
            numbers = number + np.searchsorted(piece.starts, whole.starts)
            keep = self._examined(whole, numbers, form)
            if passed != len(whole.starts) or not keep.all():
                every = np.arange(number, number + passed)
                skipped.append(np.setdiff1d(every, numbers[keep], assume_unique=True))
            stop = kept + int(keep.sum())
            starts[kept:stop] = whole.starts[keep] + place
            lengths[kept:stop] = (whole.ends - whole.starts)[keep]
            kept, number = stop, number + passed
        if most == 1 and lone > 1:
            raise LabelError(
                f"{self.name} ends its lines with carriage returns alone, as old Macs did",
                allowed="lines that end with a newline",
                next_step="convert it: `tr '\\r' '\\n' < old.txt > new.txt`",
            )
        self._starts, self._lengths = starts[:kept], lengths[:kept]
        left_out = np.concatenate(skipped) if skipped else np.zeros(0, np.int64)
        # Of n lines left out before a line, each made its number one higher than its index.
        self._skipped_before = left_out - 1 - np.arange(len(left_out))

    def _examined(self, piece: Piece, numbers: NDArray[np.int64], form: Form) -> NDArray[np.bool_]:
        """Which lines of a piece are kept, bool (N,); takes note of the malformed ones."""
        keep = (piece.ends > piece.starts) & (numbers > form.skip)
        undecodable = self._wrongly_encoded(piece)
        bad = form.bad(piece) & keep & ~undecodable
        self._undecodable += numbers[undecodable][: max(0, MAX_PROBLEMS - len(self._undecodable))].tolist()
        self.malformed += int(bad.sum() + undecodable.sum())
        for row in np.flatnonzero(bad)[: max(0, MAX_PROBLEMS - len(self._bad))]:
            why, next_step = form.why(piece.text(row))
            self._bad.append((int(numbers[row]), why, next_step))
        return keep & ~bad & ~undecodable

    def _wrongly_encoded(self, piece: Piece) -> NDArray[np.bool_]:
        bad = np.zeros(len(piece.starts), bool)
        try:
            if not piece.data.isascii():
                piece.data.decode(self.encoding)
                self._foreign += 1
        except UnicodeDecodeError:
            for row in range(len(bad)):
                line = piece.line(row)
                if not line.isascii():
                    try:
                        line.decode(self.encoding)
                        self._foreign += 1
                    except UnicodeDecodeError:
                        bad[row] = True
        return bad

    def _report(self, allowed: str) -> None:
        found = [(n, why, allowed, step) for n, why, step in self._bad]
        if self._undecodable:
            step = self._conversion()
            kind = "UTF-8" if self.encoding == "utf-8" else self.encoding.upper()
            found += [
                (n, f"is not {kind}", allowed if kind in allowed else f"{allowed}, in {kind}", step)
                for n in self._undecodable[:MAX_PROBLEMS]
            ]
        for number, why, form, step in sorted(found)[:MAX_PROBLEMS]:
            self.problems.append(LabelError(f"{self.name} line {number} {why}", allowed=form, next_step=step))
        more = self.malformed - len(self.problems)
        if more > 0:
            self.problems.append(LabelError(f"{self.name} has {more:,} more malformed lines", allowed=allowed))

    def _conversion(self) -> str:
        if self._foreign:
            return "the file mixes encodings, since other lines are right: write the lines that are named anew"
        if self.encoding != "utf-8":
            return "name the encoding that it was written in"
        name = shlex.quote(PurePath(self.name).name)
        return (
            f"convert it in its folder, a Chinese one with `iconv -f GB18030 -t UTF-8 {name} > utf8.txt`, "
            "or name its encoding in the recipe, such as `encoding: gb18030`, or cp1252 of Excel"
        )


def _pieces(content: Content, start: int, whole: bool = True) -> Iterator[tuple[int, bytes]]:
    """A text in pieces, each with its place; they end at line ends when the lines are to be whole."""
    place, rest = start, b""
    while data := content.read(place + len(rest), PIECE):
        end = data.rfind(b"\n") + 1
        if not whole:
            yield place, data
            place += len(data)
        elif end:
            yield place, rest + data[:end]
            place, rest = place + len(rest) + end, data[end:]
        else:
            rest += data
        if len(rest) > LONGEST:
            raise LabelError(
                f"{content.name} has a line of more than {LONGEST >> 20} MB from byte {place} on, so it is no label file",
                allowed="text files of lines",
                next_step="check the path",
            )
    if rest:
        yield place, rest


def _lines(data: bytes, encoding: str) -> Piece:
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == 10)
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    while True:  # Windows line ends
        returned = (ends > starts) & (array[np.maximum(ends - 1, 0)] == 13)
        if not returned.any():
            return Piece(data, array, starts, ends, encoding)
        ends = ends - returned
