"""Zip archives as folders.

A zip is read through its index, in any order and from several threads: the place of each member is kept, 48 bytes and
its name, and a member is two reads and one unpacking. Links, names that leave the archive, and members that unpack to more
than `MAX_MEMBER` are refused.
"""

from __future__ import annotations

import bz2
import posixpath
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from glyphlet.data.files.content import Content, FileContent, unreadable
from glyphlet.data.files.folder import DiskFolder, Folder, is_litter, leaves, refuse_member
from glyphlet.data.files.names import Names
from glyphlet.errors import ImageError, LabelError

MAX_MEMBER = 1 << 30
"""A member of an archive that unpacks to more bytes than this is refused."""
_UNPACK = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate", zipfile.ZIP_BZIP2: "bzip2"}


class ZipFolder(Folder):
    """A zip archive.

    Args:
        path: the archive.

    Raises:
        LabelError: it is damaged, cut off, or holds what must not be in it.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(str(path))
        self._content = FileContent(path)
        self._inner = ""
        members = _members(str(path), self.notes)
        self._names = Names(name for name, _ in members)
        self._table = np.array(
            [(i.header_offset, i.compress_size, i.file_size, i.CRC, i.compress_type, i.flag_bits) for _, i in members],
            np.int64,
        ).reshape(-1, 6)
        repeated = sum(1 for a, b in pairwise(members) if a[0] == b[0])
        if repeated:
            self.notes.append(f"{repeated} names stand twice in the archive; the last one of each is read")

    def __reduce__(self) -> tuple[Any, ...]:
        return _zip_at, (self._content.path, self._inner)

    def names(self) -> Sequence[str]:
        """All files in it and below, sorted."""
        if not self._inner:
            return self._names
        length = len(self._inner)
        return Names(name[length:] for name in self._names if name.startswith(self._inner))

    def _find(self, name: str) -> int:
        if leaves(posixpath.normpath(self._inner + name)) or name.startswith(("/", "\\")):
            return -1
        plain = posixpath.normpath((self._inner + name).replace("\\", "/"))
        forms = dict.fromkeys((plain, unicodedata.normalize("NFC", plain), unicodedata.normalize("NFD", plain)))
        return next((found for form in forms if (found := self._names.find(form)) >= 0), -1)

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return self._find(name) >= 0

    def _unpack(self, name: str, most: int) -> bytes:
        number = self._find(name)
        if number < 0:
            why = "a name outside the archive" if leaves(self._inner + name) else "which is not in the archive"
            raise LabelError(
                f"{self.name} has no {name!r}, {why}",
                allowed="names relative to the label file, inside the archive",
                next_step="pack the images beside their label file, or correct the name",
            )
        where = self.origin(name)
        start, packed, size, crc, method, flags = (int(value) for value in self._table[number])
        if flags & 1:
            raise _damaged(where, "needs a password", "unpack it with its password, and open the folder")
        if method not in _UNPACK:
            raise _damaged(where, f"is packed by method {method}", f"pack it by {', '.join(_UNPACK.values())}")
        if size > most:
            raise _damaged(where, f"unpacks to {size:,} bytes, more than {most:,}", "unpack it, and open the folder")
        header = self._content.exactly(start, 30)
        if header[:4] != b"PK\3\4":
            raise _damaged(where, "is damaged: there is no member where the index says", "download or pack it again")
        skipped = 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        raw = self._content.exactly(start + skipped, packed)
        try:
            data = _inflate(raw, method, size)
        except (zlib.error, OSError, ValueError) as error:
            raise _damaged(where, f"is damaged: {error}", "download or pack it again") from error
        if len(data) != size or zlib.crc32(data) != crc:
            raise _damaged(where, "is damaged: its checksum is wrong", "download or pack it again")
        return data

    def content(self, name: str) -> Content:
        """A member's bytes, unpacked into memory."""
        return Content(self._unpack(name, MAX_MEMBER), self.origin(name))

    def image(self, name: str) -> bytes:
        """A member's bytes."""
        try:
            return self._unpack(name, MAX_MEMBER // 4)
        except LabelError as error:
            raise ImageError(error.problem, allowed=error.allowed, next_step=error.next_step) from error

    def at(self, inner: str) -> ZipFolder:
        """A folder in it; it shares the index."""
        if not inner:
            return self
        view = object.__new__(ZipFolder)
        view.__dict__ = {**self.__dict__, "_inner": posixpath.normpath(self._inner + inner) + "/"}
        view.name = posixpath.join(self.name, inner)
        return view

    def close(self) -> None:
        """Close the file."""
        self._content.close()


def _zip_at(path: Path, inner: str) -> ZipFolder:
    return ZipFolder(path).at(inner)


def _damaged(where: str, problem: str, next_step: str) -> LabelError:
    return LabelError(f"{where} {problem}", allowed="whole zip archives without a password", next_step=next_step)


def _inflate(raw: bytes, method: int, size: int) -> bytes:
    if method == zipfile.ZIP_DEFLATED:  # never more than one byte beyond the size that the index states
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw, size + 1)
    return bz2.BZ2Decompressor().decompress(raw, size + 1) if method == zipfile.ZIP_BZIP2 else raw


def _members(path: str, notes: list[str]) -> list[tuple[str, zipfile.ZipInfo]]:
    """The files of an archive, sorted by their names."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise _damaged(path, f"is no whole zip archive: {error}", "download or pack it again") from error
    except OSError as error:
        raise unreadable(path, error) from error
    names = _decoded(infos, notes)
    found = []
    for name, info in zip(names, infos, strict=True):
        if leaves(name):
            raise refuse_member(path, name, "a name that leaves its folder")
        if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
            raise refuse_member(path, name, "a link")
        parts = name.replace("\\", "/").split("/")
        if not any(is_litter(part) for part in parts if part != "."):
            found.append((posixpath.normpath("/".join(parts)), info))
    return sorted(found, key=lambda member: member[0])


def _decoded(infos: Sequence[zipfile.ZipInfo], notes: list[str]) -> list[str]:
    """Names as they were meant: without the UTF-8 flag, Python reads code page 437, and few archives mean it."""
    unmarked = [info.orig_filename.encode("cp437") for info in infos if not info.flag_bits & 0x800]
    odd = [raw for raw in unmarked if not raw.isascii()]
    encoding = next((e for e in ("utf-8", "gb18030") if all(_decodes(raw, e) for raw in odd)), "cp437")
    if odd:
        shown = odd[0].decode(encoding)
        notes.append(f"{len(odd)} names are not marked as UTF-8 and are read as {encoding.upper()}, such as {shown!r}")
    return [
        info.orig_filename if info.flag_bits & 0x800 else info.orig_filename.encode("cp437").decode(encoding)
        for info in infos
    ]


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def open_folder(path: str | Path) -> Folder:
    """A folder, a zip archive, or a folder inside a zip archive (`cells.zip/training_set`).

    Raises:
        LabelError: there is no such thing.
    """
    path = Path(path)
    for outer in (path, *path.parents):
        if outer.is_file():
            return ZipFolder(outer).at(path.relative_to(outer).as_posix() if outer != path else "")
        if outer.is_dir():
            break
    if not path.is_dir():
        raise LabelError(
            f"the folder {path} does not exist",
            allowed="a folder, a zip archive, or a folder in one",
            next_step="correct the path",
        )
    return DiskFolder(path)
