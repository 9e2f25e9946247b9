"""Folders that label files and images lie in: real ones, and archives as `zipfolder`.

A label file may name images anywhere on the disk; it is its user's own. An archive comes from elsewhere: a name in it that
leaves its folder is refused, and so is a link.
"""

from __future__ import annotations

import os
import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from glyphlet.data.files.content import Content, FileContent, unreadable
from glyphlet.errors import LabelError

IMAGES = frozenset(
    {
        ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".pgm", ".ppm",
        ".pbm", ".pnm", ".jp2", ".j2k", ".pcx", ".tga", ".ico",
    }
)  # fmt: skip
"""Suffixes of image files."""


def is_image(name: str) -> bool:
    """Whether a file name has the suffix of an image."""
    return posixpath.splitext(name)[1].lower() in IMAGES


def leaves(name: str) -> bool:
    """Whether a name in an archive would lie outside the folder that it is unpacked to."""
    plain = name.replace("\\", "/")
    return plain.startswith("/") or bool(re.match(r"[A-Za-z]:", plain)) or ".." in plain.split("/") or "\0" in plain


def refuse_member(archive: str, name: str, problem: str) -> LabelError:
    """The error for an archive with a member that must not be in it."""
    return LabelError(
        f"{archive} holds {name!r}, {problem}",
        allowed="archives whose members are files inside their own folder",
        next_step="find out where the archive comes from, and pack it anew without this member",
    )


class Folder(ABC):
    """Files by name; names have `/` between their parts.

    Args:
        name: what to call it in messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[str] = []

    @abstractmethod
    def names(self) -> Sequence[str]:
        """All files in it and below, sorted."""

    @abstractmethod
    def content(self, name: str) -> Content:
        """A file's bytes; raises `LabelError`."""

    @abstractmethod
    def image(self, name: str) -> Path | bytes:
        """The image file of this name; raises `ImageError` when an archive does not hold it."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    @abstractmethod
    def at(self, inner: str) -> Folder:
        """A folder in it; empty for itself."""

    def origin(self, name: str) -> str:
        """What to call a file in it in messages."""
        return posixpath.join(self.name, name)

    def path(self, name: str) -> Path | None:
        """The path of a file on the disk; None in an archive."""
        return None

    def close(self) -> None:  # noqa: B027  # a folder on the disk has nothing to close
        """Close files."""


class DiskFolder(Folder):
    """A folder on the disk.

    Args:
        root: its path.
    """

    def __init__(self, root: str | Path) -> None:
        super().__init__(str(root))
        self.root = Path(root)

    def names(self) -> Sequence[str]:
        """All files in it and below, sorted; hidden ones are left out. Raises `LabelError` when it cannot be listed."""
        found: list[str] = []
        try:
            for inner in _files(str(self.root), ""):
                found.append(inner)  # noqa: PERF402  # a generator that may raise in the middle
        except OSError as error:
            raise unreadable(error.filename or self.root, error, "check its permissions") from error
        return sorted(found)

    def content(self, name: str) -> Content:
        """A file's bytes."""
        return FileContent(self.root / name)

    def image(self, name: str) -> Path:
        """The path of an image; whether it is there shows when it is opened."""
        return self.root / name

    def path(self, name: str) -> Path:
        """The path of a file on the disk."""
        return self.root / name

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        try:
            return (self.root / name).is_file()
        except (OSError, ValueError):  # a name too long, or with a NUL
            return False

    def at(self, inner: str) -> DiskFolder:
        """A folder in it."""
        return DiskFolder(self.root / inner) if inner else self


def _files(root: str, inner: str) -> Iterator[str]:
    with os.scandir(os.path.join(root, inner)) as entries:
        for entry in entries:
            if is_litter(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(root, inner + entry.name + "/")
            elif entry.is_file():
                yield inner + entry.name


def is_litter(part: str) -> bool:
    """Whether a file or folder of this name is the system's: hidden, unless it may be an image of the text `.50`."""
    hidden = part.startswith("._") or (part.startswith(".") and not is_image(part))
    return hidden or part in ("__MACOSX", "Thumbs.db", "desktop.ini")
