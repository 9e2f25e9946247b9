"""The file of an LMDB: is it whole, what are its keys called, one open environment a process.

LMDB maps its file into memory and believes what the file says. A file that was cut off ends the process with a bus error
at the first line whose page is missing, so the file is measured before it is opened. The layout of pages is that of LMDB
0.9 (`lmdb.h`, `mdb.c`) on 64-bit little-endian machines.

The keys are those of CRNN (`tool/create_dataset.py`), which the field has kept: `num-samples`, `image-000000001`,
`label-000000001`, counted from 1. Ours beside them are ignored by other readers: they look no key up that they do not know.
"""

from __future__ import annotations

import os
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakValueDictionary

from glyphlet.errors import GlyphletError, LabelError

COUNT = b"num-samples"
SIZES = b"glyphlet-sizes-"
"""The keys of pieces of int32 (N, 2), width and height of verified images; their numbers are their first lines, from 0."""
ABOUT = b"glyphlet-about"
"""What our converter says about the set, as JSON: `version`, `lines`, `groups`."""
PROGRESS = b"glyphlet-progress"
"""Where an unfinished conversion stands, as JSON."""

_MAGIC = 0xBEEFC0DE
_META = struct.Struct(
    "<IIQQ48s48sQQ"
)  # magic, version, address, map size, free list, main tree, last page, transaction
_TREE = struct.Struct("<IHHQQQQQ")  # page size (of the free list), flags, depth, three page counts, entries, root
_PAGE = struct.Struct("<QHHHH")  # page number, padding, flags, lower, upper; or 4 bytes of overflow pages
_NODE = struct.Struct("<HHHH")  # low and high half of a size or page number, flags, key size
_BRANCH, _LEAF, _OVERFLOW, _BIG = 1, 2, 4, 1
_NO_PAGE = 2**64 - 1
_WHOLE = "the data.mdb of a finished LMDB"


def image_key(number: int) -> bytes:
    """`image-000000007` for 7."""
    return b"image-%09d" % number


def label_key(number: int) -> bytes:
    """`label-000000007` for 7."""
    return b"label-%09d" % number


def group_key(number: int) -> bytes:
    """`group-000000007` for 7: ours."""
    return b"group-%09d" % number


def data_file(path: Path) -> Path:
    """The file of a database, whether its folder or the file itself is named."""
    return path / "data.mdb" if path.is_dir() else path


@dataclass(frozen=True)
class _Meta:
    page_size: int
    last_page: int
    root: int
    transaction: int


def is_lmdb(file: Path) -> bool:
    """Whether a file begins like an LMDB; raises nothing."""
    try:
        with file.open("rb") as data:
            return _meta(data, 0) is not None
    except OSError:
        return False


def _meta(data: BinaryIO, offset: int) -> _Meta | None:
    """A meta page; None where there is none."""
    data.seek(offset + _PAGE.size)
    content = data.read(_META.size)
    if len(content) < _META.size:
        return None
    magic, version, _, _, free, main, last, transaction = _META.unpack(content)
    if magic != _MAGIC or version != 1:
        return None
    return _Meta(_TREE.unpack(free)[0], last, _TREE.unpack(main)[-1], transaction)


def check_file(file: Path, name: str) -> None:
    """Refuse a file that LMDB could not read to its end.

    Args:
        file: the `data.mdb`.
        name: what to call it in messages.

    Raises:
        LabelError: there is no such file, it is no LMDB, or it is shorter than what it holds.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as data:
            metas = [_meta(data, 0)]
            if metas[0] and 512 <= metas[0].page_size <= 65536:
                metas.append(_meta(data, metas[0].page_size))
            found = [meta for meta in metas if meta]
            if not found:
                what = "is empty" if not size else "is not an LMDB, or its head is damaged"
                raise LabelError(f"{name} {what}", allowed=_WHOLE, next_step="copy or make it again")
            newest = max(found, key=lambda meta: meta.transaction)
            _check_pages(data, newest, size, name)
    except OSError as error:
        raise LabelError(
            f"{file} cannot be read: {error.strerror}", allowed=_WHOLE, next_step="check the path and its rights"
        ) from error


def _check_pages(data: BinaryIO, meta: _Meta, size: int, name: str) -> None:
    """Compare the length of the file with the pages that its tree needs.

    The last pages of a healthy file may never have been written when they were freed at once; so where the file is
    shorter than its last page, the tree decides.
    """
    pages = size // meta.page_size
    if meta.root == _NO_PAGE:
        return
    if meta.last_page < pages:
        if _page(data, meta, meta.root)[0] & (_BRANCH | _LEAF):
            return
        raise LabelError(
            f"{name} is damaged: page {meta.root} is no page of its tree",
            allowed=_WHOLE, next_step="copy or make it again",
        )  # fmt: skip
    needed = _pages_needed(data, meta, pages)
    if needed > pages:
        raise LabelError(
            f"{name} is cut off: it has {size:,} bytes of at least {needed * meta.page_size:,}",
            allowed=_WHOLE,
            next_step="copy it again, or convert its source again",
        )


def _page(data: BinaryIO, meta: _Meta, number: int) -> tuple[int, bytes]:
    """The flags of a page and all its bytes; no flags where the number does not agree."""
    data.seek(number * meta.page_size)
    content = data.read(meta.page_size)
    if len(content) < meta.page_size:
        return 0, b""
    stored, _, flags, _, _ = _PAGE.unpack_from(content)
    return (flags if stored == number else 0), content


def _pages_needed(data: BinaryIO, meta: _Meta, pages: int) -> int:
    """How long the file must be at least; one page beyond it is enough to know that it is too short."""
    waiting, needed, visits = [meta.root], 0, 0
    while waiting and needed <= pages and visits <= pages:  # a damaged tree may lead in circles
        visits += 1
        number = waiting.pop()
        needed = max(needed, number + 1)
        if needed > pages:
            break
        flags, content = _page(data, meta, number)
        for at, low, high, node_flags, key in _nodes(content) if flags & (_BRANCH | _LEAF) else ():
            if flags & _BRANCH:
                waiting.append(low | high << 16 | node_flags << 32)
            elif node_flags & _BIG:
                (first,) = struct.unpack_from("<Q", content, at + _NODE.size + key)
                length = -(-(_PAGE.size + (low | high << 16)) // meta.page_size)
                needed = max(needed, first + length)
    return max(needed, meta.last_page + 1) if needed > pages else needed


def _nodes(content: bytes) -> list[tuple[int, int, int, int, int]]:
    lower = min(max(_PAGE.unpack_from(content)[3], _PAGE.size), len(content))
    offsets = struct.unpack_from(f"<{(lower - _PAGE.size) // 2}H", content, _PAGE.size)
    return [(at, *_NODE.unpack_from(content, at)) for at in offsets if at + _NODE.size <= len(content)]


class Handle:
    """An open environment of this process; closed when the last set that reads from it lets it go."""

    def __init__(self, file: Path, name: str) -> None:
        lmdb = library()
        check_file(file, name)
        self.process = os.getpid()
        try:
            # No lock file: the set may lie on a read-only or a network file system, and nobody writes to it.
            self.environment = lmdb.open(
                str(file), subdir=False, readonly=True, lock=False, readahead=False, meminit=False, max_spare_txns=16
            )
        except (lmdb.Error, OSError) as error:
            raise LabelError(
                f"{name} cannot be opened: {error}",
                allowed="an LMDB of a 64-bit machine, opened once in a process",
                next_step="close it where this process has opened it with lmdb.open, or make it again",
            ) from error


_handles: WeakValueDictionary[tuple[int, int], Handle] = WeakValueDictionary()
_lock = threading.Lock()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # another thread may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def handle(file: Path, name: str) -> Handle:
    """The environment of a file, opened once for all sets of this process, and anew in a process that was forked.

    Raises:
        LabelError: as `check_file`, or LMDB refuses it.
    """
    try:
        status = file.stat()
    except OSError as error:
        raise LabelError(
            f"{file} cannot be read: {error.strerror}", allowed=_WHOLE, next_step="check the path and its rights"
        ) from error
    key = status.st_dev, status.st_ino
    with _lock:
        found = _handles.get(key)
        if found is not None and found.process == os.getpid():
            return found
        if found is not None:
            found.environment.close()  # this process's copy alone; py-lmdb opens a file once in a process
        opened = Handle(file, name)
        _handles[key] = opened
        return opened


def library() -> Any:
    """The module `lmdb`.

    Raises:
        GlyphletError: it is not installed.
    """
    try:
        import lmdb
    except ImportError as error:
        raise GlyphletError(
            "LMDB needs the package lmdb", allowed="lmdb 1.4 or newer", next_step="pip install 'glyphlet[data]'"
        ) from error
    return lmdb
