"""Writers of labelled lines: one file a family. What one writes, the reader of the same name reads back unchanged.

A writer works on a path that ends in `.part`; `data.convert` renames it when it is complete. Every so many lines it is told
to `commit`: what was added before is then safe, together with a note of how far it is, and another process can go on there.
A text that the format cannot hold is refused, never changed.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from glyphlet.errors import GlyphletError
from glyphlet.files import replace_file
from glyphlet.registry import nearest

Progress = dict[str, Any]


class Record(NamedTuple):
    """A line that is written.

    Args:
        number: its number among the lines written, from 1.
        image: the bytes of its image file.
        suffix: of the image's format: `.jpg`.
        width, height: of the image, in pixels.
        text: the label.
        group: what it belongs to; empty for none.
    """

    number: int
    image: bytes
    suffix: str
    width: int
    height: int
    text: str
    group: str = ""


class Writer(ABC):
    """Writes one set of lines.

    Args:
        part: the unfinished file or folder.
        lines: how many lines will come at most.
        shard: lines in a file, for formats of several files; 0 for one file.
        list_name: what the list of a folder is called; empty for the usual name.
    """

    name: ClassVar[str]
    """What `--to` calls it; the reader has the same name."""
    about: ClassVar[str]
    """One line on what it writes."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Destinations with these suffixes are written by it."""
    folder: ClassVar[bool] = True
    """Whether it writes a folder, or one file."""
    resumable: ClassVar[bool] = True
    """Whether another process can go on with what it has begun."""
    groups: ClassVar[bool] = False
    """Whether it keeps groups."""
    list_name: str = ""
    """What the list of a folder is called; empty for formats without one."""

    def __init__(self, part: Path, lines: int, shard: int = 0, list_name: str = "") -> None:
        self.part = part
        self.lines = lines
        self.shard = shard
        self.list_name = list_name or self.list_name

    @staticmethod
    def refuses(text: str) -> str:
        """Why the format cannot hold a text; empty when it can."""
        return ""

    @classmethod
    def contents(cls) -> tuple[str, ...]:
        """The names (or patterns) of what a finished folder holds; an older set is replaced only if it is no more."""
        return ()

    @property
    def _note(self) -> Path:
        return self.part / ".progress.json" if self.folder else self.part.with_name(self.part.name + ".json")

    def progress(self) -> Progress | None:
        """What was noted at the last commit of an unfinished set; None when nothing can be resumed."""
        try:
            found = json.loads(self._note.read_bytes()) if self.resumable else None
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def clear(self) -> None:
        """Empty what is unfinished. The file or folder itself stays: another process may wait for it."""
        self._note.unlink(missing_ok=True)
        if not self.folder:
            os.truncate(self.part, 0)
            return
        for entry in self.part.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    @abstractmethod
    def open(self, progress: Progress | None) -> None:
        """Begin, or go on after the commit that noted `progress`."""

    @abstractmethod
    def add(self, record: Record) -> None:
        """Write a line, or keep it until the next commit."""

    def commit(self, progress: Progress) -> None:
        """Make sure that all lines so far are written, and note `progress` with them."""
        if self.resumable:
            replace_file(self._note, json.dumps(progress | self._state()).encode())

    def _state(self) -> Progress:
        """What the writer itself must know to go on."""
        return {}

    @abstractmethod
    def finish(self) -> None:
        """Complete the set and make sure that it is on the disk. Follows a commit."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files, whatever has happened."""

    def _forget(self) -> None:
        self._note.unlink(missing_ok=True)
        if hasattr(os, "sync"):
            os.sync()  # thousands of files; one call for all of them


WRITERS: dict[str, type[Writer]] = {}
"""Every writer by name."""


def writes(writer: type[Writer]) -> type[Writer]:
    """Decorator: registers a writer under its name."""
    if writer.name in WRITERS:
        raise ValueError(f"writer {writer.name!r} is registered twice")
    WRITERS[writer.name] = writer
    return writer


def writer_for(destination: Path, to: str | None) -> type[Writer]:
    """The writer that `to` names, or that the destination's name asks for.

    Args:
        destination: `train.lmdb`, `train.tar`, `labels.json`, a folder.
        to: the name of a format; None to go by the destination.

    Raises:
        GlyphletError: there is no such writer, or nothing is written under such a name.
    """
    if to is not None:
        if to not in WRITERS:
            raise GlyphletError(
                f"nothing writes a format named {to!r}{nearest(to, list(WRITERS))}",
                allowed=", ".join(WRITERS),
                next_step="correct --to",
            )
        return WRITERS[to]
    suffix = destination.suffix.lower()
    for writer in WRITERS.values():
        if suffix in writer.suffixes:
            return writer
    if not suffix or destination.is_dir():
        return WRITERS["tsv"]
    known = ", ".join(suffix for writer in WRITERS.values() for suffix in writer.suffixes)
    raise GlyphletError(
        f"{destination} does not say which format it is to have",
        allowed=f"a folder, or a name that ends in one of {known}",
        next_step=f"rename it, or name the format: --to {', '.join(WRITERS)}",
    )


def no_line(text: str) -> str:
    """Why a text file of one line a line cannot hold a text; empty when it can."""
    if "\n" in text or "\r" in text:
        return "holds a line break"
    return "holds a NUL character" if "\0" in text else ""


def no_file(text: str) -> str:
    """Why a text file of its own cannot hold a text; empty when it can."""
    return "begins with a byte order mark" if text.startswith("\ufeff") else no_line(text)


for _module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
