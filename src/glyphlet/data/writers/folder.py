"""Folders: the image files, and a list of their texts that lines are added to.

    folder/images/000001.jpg ...       in folders of 10,000 when there are more: images/000/000001.jpg
    folder/labels.txt                  or another list, by format

The list is flushed at each commit and its length noted; whoever goes on cuts it there.
"""

from __future__ import annotations

import csv
import io
import json
import os
from abc import abstractmethod
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from glyphlet.data.writers import Progress, Record, Writer, no_file, no_line, writes

IMAGES = "images"
IN_A_FOLDER = 10_000
"""Many more files in one folder slow file managers and some file systems down."""


class FolderWriter(Writer):
    """Image files with a list.

    Subclasses say what the list is called, how it begins and ends, and how a line of it looks.
    """

    list_name = "labels.txt"
    images: ClassVar[str] = IMAGES
    head: ClassVar[bytes] = b""
    tail: ClassVar[bytes] = b""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._list: BinaryIO | None = None
        self._folder: Path | None = None
        self._digits = max(6, len(str(self.lines)))

    @classmethod
    def contents(cls) -> tuple[str, ...]:
        """The list and the folder of images."""
        return cls.list_name, cls.images

    def open(self, progress: Progress | None) -> None:
        """Begin, or cut the list to what was committed."""
        self.part.mkdir(parents=True, exist_ok=True)
        self._list = _append(self.part / self.list_name, progress["list"] if progress else 0)
        if not progress:
            self._list.write(self.head)

    def file_name(self, record: Record) -> str:
        """The path of a line's image in the folder of images."""
        name = f"{record.number:0{self._digits}d}{record.suffix}"
        return name if self.lines <= IN_A_FOLDER else f"{(record.number - 1) // IN_A_FOLDER:03d}/{name}"

    def add(self, record: Record) -> None:
        """Write the image, and its text into the list."""
        name = self.file_name(record)
        self._write(self.part / self.images / name, record.image)
        assert self._list is not None
        self._list.write(self.entry(f"{self.images}/{name}", record))

    def _write(self, path: Path, data: bytes) -> None:
        if path.parent != self._folder:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folder = path.parent
        with open(path, "wb") as file:
            file.write(data)

    @abstractmethod
    def entry(self, path: str, record: Record) -> bytes:
        """What stands in the list for a line."""

    def commit(self, progress: Progress) -> None:
        """Flush the list, and note its length."""
        assert self._list is not None
        _flush(self._list)
        super().commit(progress)

    def _state(self) -> Progress:
        assert self._list is not None
        return {"list": self._list.tell()}

    def finish(self) -> None:
        """End the list."""
        assert self._list is not None
        self._list.write(self.tail)
        _flush(self._list)
        self.close()
        self._forget()

    def close(self) -> None:
        """Close the list; a full disk has been reported before."""
        _close(self._list)
        self._list = None


def _append(path: Path, length: int) -> BinaryIO:
    """A file to write on after its first `length` bytes."""
    file = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115 - the writer closes it
    file.truncate(length)
    file.seek(length)
    return file


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _close(file: BinaryIO | None) -> None:
    if file is None:
        return
    try:
        file.close()
    except OSError:  # what is still in its buffer does not fit; the last commit counts
        file.close()


@writes
class TsvWriter(FolderWriter):
    """`path<TAB>text`."""

    name = "tsv"
    about = "a folder of images with labels.txt of path<TAB>text"
    suffixes = (".txt", ".tsv")

    @staticmethod
    def refuses(text: str) -> str:
        """A line holds anything but a line break."""
        return no_line(text)

    def entry(self, path: str, record: Record) -> bytes:
        """Path, tab, text."""
        return f"{path}\t{record.text}\n".encode()


@writes
class SpacedWriter(FolderWriter):
    """`path text`."""

    name = "spaced"
    about = "a folder of images with labels.txt of path, space, text"

    @staticmethod
    def refuses(text: str) -> str:
        """All after the first spaces is the text, so it cannot begin with one; tabs are taken for separators."""
        if text.startswith(" "):
            return "begins with a space"
        return "holds a tab" if "\t" in text else no_line(text)

    def entry(self, path: str, record: Record) -> bytes:
        """Path, space, text."""
        return f"{path} {record.text}\n".encode()


@writes
class CsvWriter(FolderWriter):
    """CSV with a head."""

    name = "csv"
    about = "a folder of images with labels.csv: filename,text (and group)"
    suffixes = (".csv",)
    groups = True
    list_name = "labels.csv"
    head = b"filename,text,group\r\n"

    @staticmethod
    def refuses(text: str) -> str:
        """A field may hold line breaks, but not every reader knows."""
        return no_line(text)

    def entry(self, path: str, record: Record) -> bytes:
        """A row; fields are quoted where they must be."""
        buffer = io.StringIO()
        csv.writer(buffer).writerow([path, record.text, record.group])
        return buffer.getvalue().encode()


@writes
class JsonLinesWriter(FolderWriter):
    """JSON lines."""

    name = "jsonl"
    about = "a folder of images with labels.jsonl"
    suffixes = (".jsonl",)
    groups = True
    list_name = "labels.jsonl"

    def entry(self, path: str, record: Record) -> bytes:
        """An object; a group where there is one."""
        row = {"image": path, "text": record.text} | ({"group": record.group} if record.group else {})
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"


@writes
class DocTRWriter(FolderWriter):
    """docTR's `labels.json`."""

    name = "doctr"
    about = "docTR: a folder of images with labels.json"
    suffixes = (".json",)
    list_name = "labels.json"
    head = b"{"
    tail = b"\n}\n"

    def entry(self, path: str, record: Record) -> bytes:
        """`"name": "text"`; names are those in the folder of images, as docTR has them."""
        name = path.removeprefix(f"{self.images}/")
        comma = "" if record.number == 1 else ","
        pair = f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(record.text, ensure_ascii=False)}"
        return f"{comma}\n  {pair}".encode()


@writes
class PairsWriter(FolderWriter):
    """An image and a text file of the same name."""

    name = "pairs"
    about = "tesstrain, kraken, Calamari: 000001.png with 000001.gt.txt"
    list_name = ".list"  # stays empty
    images = "."

    @classmethod
    def contents(cls) -> tuple[str, ...]:
        """Images and texts, perhaps in folders."""
        return ("[0-9]*",)

    @staticmethod
    def refuses(text: str) -> str:
        """A text file holds one line."""
        return no_file(text)

    def entry(self, path: str, record: Record) -> bytes:
        """Nothing: the text has a file of its own."""
        target = (self.part / path).with_suffix(".gt.txt")
        self._write(target, record.text.encode() + b"\n")
        return b""

    def finish(self) -> None:
        """Remove the empty list."""
        super().finish()
        (self.part / self.list_name).unlink()


@writes
class NamesWriter(FolderWriter):
    """The text in the file name."""

    name = "names"
    about = "the text in the file name: 3fK9_000001.png"
    list_name = ".list"
    images = "."

    @classmethod
    def contents(cls) -> tuple[str, ...]:
        """Images, perhaps in folders."""
        return ("*_[0-9]*", "[0-9]*")

    @staticmethod
    def refuses(text: str) -> str:
        """What cannot stand in a file name, or would end the text in it."""
        if text.startswith("."):
            return "begins with a dot, as hidden files do"
        bad = sorted({char for char in text if char in '_/\\:*?"<>|' or ord(char) < 32 or ord(char) == 127})
        if bad:
            return f"holds {' '.join(map(repr, bad))}, which cannot stand in a file name"
        return "is longer than a file name may be" if len(text.encode()) > 200 else ""

    def file_name(self, record: Record) -> str:
        """Text, underscore, number."""
        folder, slash, name = super().file_name(record).rpartition("/")
        return f"{folder}{slash}{record.text}_{name}"

    def entry(self, path: str, record: Record) -> bytes:
        """Nothing: the text stands in the name."""
        return b""

    def finish(self) -> None:
        """Remove the empty list."""
        super().finish()
        (self.part / self.list_name).unlink()
