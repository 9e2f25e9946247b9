"""LMDB with the keys of CRNN: `num-samples`, `image-000000001`, `label-000000001`, counted from 1.

    open_lines("train.lmdb")            the folder, or its data.mdb

What others' writers get wrong is recognised and said in `notes`: counting from 0 (as crnn_model's `tolmdb.py` does),
a missing `num-samples`, one that counts lines that were never written, holes. A hole is an error when its line is asked
for, never a neighbour's image.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.files.lmdbfile import (
    ABOUT,
    COUNT,
    PROGRESS,
    SIZES,
    Handle,
    data_file,
    group_key,
    handle,
    image_key,
    is_lmdb,
    label_key,
    library,
)
from glyphlet.data.formats import reads
from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.errors import ImageError, LabelError
from glyphlet.spec import SourceSpec

_COUNTED = 1_000_000
"""Holes are counted in sets of at most this many lines: every key must be looked at."""


def _looks(path: Path) -> bool:
    if path.is_dir():
        return (path / "data.mdb").is_file()
    return path.is_file() and (path.suffix.lower() in (".mdb", ".lmdb") or is_lmdb(path))


@reads("LMDB with image-000000001, label-000000001 and num-samples (CRNN, PARSeq, clova)", looks=_looks, rank=10)
def lmdb(spec: SourceSpec) -> LineSet:
    """An LMDB: its folder or its file."""
    return LmdbLines(spec.path)


class LmdbLines(LineSet):
    """The lines of an LMDB. The file is opened when it is first used, in each process anew.

    Args:
        path: the folder, or its data.mdb.

    Raises:
        LabelError: it is no LMDB, is cut off, or holds no lines.
        GlyphletError: the package lmdb is missing.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, "lmdb")
        self._file = data_file(Path(path))
        self._handle: Handle | None = None
        error = library().Error
        try:
            with self._environment().begin() as transaction:
                self._look(transaction)
        except error as problem:
            raise self._damaged(problem) from problem

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_handle": None}

    def _environment(self) -> Any:
        if self._handle is None or self._handle.process != os.getpid():
            self._handle = handle(self._file, self.name)
        return self._handle.environment

    def close(self) -> None:
        """Close the file unless another set reads from it; it opens again when it is used again."""
        self._handle = None

    def _damaged(self, problem: Exception) -> LabelError:
        return LabelError(
            f"{self.name} is damaged: {problem}",
            allowed="an LMDB that was written to its end",
            next_step="copy or make it again",
        )

    # What is in it

    def _look(self, transaction: Any) -> None:
        first, last = _range(transaction)
        stated = _stated(transaction, self.name)
        if last is None:
            raise LabelError(
                f"{self.name} holds no lines{_other_keys(transaction)}",
                allowed="keys image-000000001 and label-000000001, counted from 1",
                next_step="name the folder of the lines (a folder of several LMDBs is not one), or convert them again",
            )
        self._first = 0 if first == 0 else 1
        held = last - self._first + 1
        self._count = self._decide(stated, held, last)
        if self._first == 0:
            self.notes.append("its lines are counted from 0, not from 1; all are read, image-000000000 first")
        if transaction.get(PROGRESS) is not None:
            self.notes.append("its conversion is not finished")
        about = _about(transaction)
        self._groups = bool(about.get("groups"))
        if about.get("lines") != self._count:
            self._note_holes(transaction, _entries(transaction))

    def _decide(self, stated: int | None, held: int, last: int) -> int:
        """The number of lines: what num-samples says, unless that is missing or wrong."""
        if not stated:
            what = "it has no num-samples" if stated is None else "num-samples is 0"
            self.notes.append(f"{what}; {held} lines are there, up to image-{last:09d}, and are read")
            return held
        if stated > held:
            self.notes.append(f"num-samples is {stated}, but the last line is image-{last:09d}: {held} lines are read")
            return held
        if self._first == 0 and stated == held - 1:
            return held  # a writer that counts from 0 and states the last number
        if stated < held:
            self.notes.append(
                f"num-samples is {stated}, but there are lines up to image-{last:09d}; {held - stated} are not read"
            )
        return stated

    def _note_holes(self, transaction: Any, entries: int) -> None:
        if entries == 2 * self._count + 1:
            return
        if self._count > _COUNTED:
            if entries < 2 * self._count:
                self.notes.append(f"some of its {self._count} lines lack an image or a label")
            return
        for kind, key in (("an image", image_key), ("a label", label_key)):
            missing = self._count - _keys_between(transaction, key(self._first), key(self._first + self._count))
            if missing:
                self.notes.append(f"{missing} of {self._count} lines lack {kind}")

    # Its lines

    def __len__(self) -> int:
        return self._count

    def origin(self, index: int) -> str:
        """The path and the key."""
        return f"{self.name} image-{index + self._first:09d}"

    def _values(self, *keys: bytes) -> list[bytes | None]:
        try:
            with self._environment().begin() as transaction:
                return [transaction.get(key) for key in keys]
        except library().Error as problem:
            raise self._damaged(problem) from problem

    def text(self, index: int) -> str:
        """The label of a line.

        Raises:
            LabelError: there is none under its key, or it is not UTF-8.
        """
        return self._text(index, self._values(label_key(index + self._first))[0])

    def _text(self, index: int, value: bytes | None) -> str:
        key = f"label-{index + self._first:09d}"
        if value is None:
            raise LabelError(
                f"{self.name} has no {key}",
                allowed="an image and a label for each of its lines",
                next_step="leave the line out: glyphlet data convert drops and lists such lines",
            )
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise LabelError(
                f"{self.name} {key} is not UTF-8: {value[:40]!r}",
                allowed="labels in UTF-8",
                next_step="make the LMDB again from its source",
            ) from error

    def sample(self, index: int) -> Sample:
        """A line with the bytes of its image file.

        Raises:
            ImageError: there is no image under its key.
            LabelError: as `text`.
        """
        number = index + self._first
        image, label = self._values(image_key(number), label_key(number))
        if image is None:
            raise ImageError(
                f"{self.name} has no image-{number:09d}",
                allowed="an image and a label for each of its lines",
                next_step="leave the line out: glyphlet data convert drops and lists such lines",
            )
        return Sample(image, self._text(index, label), self.origin(index))

    def group(self, index: int) -> str:
        """The group of a line, when our converter kept groups."""
        if not self._groups:
            return ""
        return (self._values(group_key(index + self._first))[0] or b"").decode(errors="replace")

    @property
    def grouped(self) -> bool:
        """Whether lines have groups."""
        return self._groups

    def sizes(self) -> NDArray[np.int32] | None:
        """Width and height of every image, when our converter verified them."""
        pieces, lines = [], 0
        with self._environment().begin() as transaction:
            cursor = transaction.cursor()
            found = cursor.set_range(SIZES)
            while found and cursor.key().startswith(SIZES):
                if int(cursor.key()[len(SIZES) :]) != lines:
                    return None
                pieces.append(np.frombuffer(cursor.value(), "<i4").reshape(-1, 2))
                lines += len(pieces[-1])
                found = cursor.next()
        return np.concatenate(pieces).astype(np.int32) if pieces and lines == self._count else None


def _about(transaction: Any) -> dict[str, Any]:
    """What our converter noted; nothing when it is not ours."""
    try:
        found = json.loads(transaction.get(ABOUT) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _stated(transaction: Any, name: str) -> int | None:
    """What num-samples says; None when there is none."""
    value = transaction.get(COUNT)
    if value is None:
        return None
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < 0:
        raise LabelError(
            f"{name}: num-samples is {value[:40]!r}", allowed="a number in ASCII", next_step="make the LMDB again"
        )
    return number


def _range(transaction: Any) -> tuple[int | None, int | None]:
    """The first and the last number of a line, by images and labels; None when there are none."""
    numbers = []
    cursor = transaction.cursor()
    for prefix in (b"image-", b"label-"):
        if not cursor.set_range(prefix):
            continue
        first = cursor.key()
        beyond = cursor.set_range(prefix[:-1] + b".")  # the character after the dash
        moved = cursor.prev() if beyond else cursor.last()
        last = cursor.key() if moved else b""
        numbers += [int(key[6:]) for key in (first, last) if key.startswith(prefix) and key[6:].isdigit()]
    return (min(numbers), max(numbers)) if numbers else (None, None)


def _entries(transaction: Any) -> int:
    """How many keys there are."""
    return int(transaction.stat()["entries"])


def _keys_between(transaction: Any, low: bytes, high: bytes) -> int:
    """How many keys there are from `low` up to, but without, `high`."""
    cursor = transaction.cursor()
    if not cursor.set_range(low):
        return 0
    count = 0
    for key in cursor.iternext(keys=True, values=False):
        if key >= high:
            break
        count += 1
    return count


def _other_keys(transaction: Any) -> str:
    keys = [key for key, _ in zip(transaction.cursor().iternext(keys=True, values=False), range(3), strict=False)]
    return f"; its keys begin with {', '.join(repr(key[:30].decode(errors='replace')) for key in keys)}" if keys else ""
