"""Bytes that are read at a place: of a file on the disk, or held in memory. Files are read with `pread`, never mapped.

A mapped file that someone shortens ends the process with SIGBUS; a short read is an error that names the file.
"""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

from glyphlet.errors import LabelError


class Content:
    """Bytes in memory, and what a file on the disk has in common with them.

    Args:
        data: the bytes.
        name: what to call them in messages.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self.size = len(data)
        self._data = data

    def read(self, start: int, size: int) -> bytes:
        """The bytes from a place on; fewer at the end."""
        return self._data[start : start + size]

    def exactly(self, start: int, size: int) -> bytes:
        """As many bytes as are asked for.

        Raises:
            LabelError: there are fewer, because the file was cut off since it was opened.
        """
        found = self.read(start, size)
        if len(found) < size:
            raise LabelError(
                f"{self.name} has been cut off since it was opened: {len(found)} of {size} bytes stand at byte {start}",
                allowed="files that do not change while they are read",
                next_step="open it again when it is complete",
            )
        return found

    def close(self) -> None:
        """Close the file; it is opened again when it is read again."""


class FileContent(Content):
    """A file on the disk. Threads may read it at the same time.

    Args:
        path: the file.

    Raises:
        LabelError: there is no such file, or it cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(b"", str(path))
        self.path = Path(path)
        self._file: int | None = None
        self._lock = threading.Lock()
        try:
            if self.path.is_dir():
                raise IsADirectoryError(21, "Is a directory")
            if self.path.exists() and not self.path.is_file():  # would be waited for without end
                raise OSError(errno.ESPIPE, "it is a pipe or a device, which cannot be read in any order")
            self.size = os.fstat(self._opened()).st_size
        except OSError as error:
            raise unreadable(self.path, error) from error

    def __reduce__(self) -> tuple[type[FileContent], tuple[Path]]:
        return FileContent, (self.path,)

    def _opened(self) -> int:
        with self._lock:
            if self._file is None:
                self._file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            return self._file

    def read(self, start: int, size: int) -> bytes:
        """The bytes from a place on; fewer at the end."""
        file = self._opened()
        try:
            if hasattr(os, "pread"):
                return os.pread(file, size, start)
            with self._lock:  # Windows
                os.lseek(file, start, os.SEEK_SET)
                return os.read(file, size)
        except OSError as error:
            raise unreadable(self.path, error) from error

    def close(self) -> None:
        """Close the file; it is opened again when it is read again."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()


def unreadable(path: str | Path, error: OSError, next_step: str = "check the path") -> LabelError:
    """The error for a file that cannot be opened or read."""
    return LabelError(
        f"{path} cannot be read: {error.strerror or error}",
        allowed="a file or folder of labelled lines",
        next_step=next_step,
    )
