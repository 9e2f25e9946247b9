"""Where the members of a tar archive are: one pass over its headers, then any member is one read.

The index of a tar is its headers, each before its member, so nothing but a pass finds them. `tarfile` keeps an object of a
kilobyte for each; this keeps nothing.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from glyphlet.data.files.content import Content, FileContent
from glyphlet.data.files.folder import leaves, refuse_member
from glyphlet.errors import LabelError

_BLOCK = 512
_AHEAD = 1 << 16
UNPACKED = 1 << 30
"""A compressed archive that unpacks to no more bytes than this is read in memory."""


def tar_content(path: Path) -> Content:
    """The bytes of a tar archive; one that is compressed with gzip is unpacked into memory.

    Raises:
        LabelError: it cannot be read, or unpacks to more than fits.
    """
    content = FileContent(path)
    if content.read(0, 2) != b"\x1f\x8b":
        return content
    content.close()
    try:
        with gzip.open(path) as file:
            data = file.read(UNPACKED + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LabelError(
            f"{path} is damaged or cut off: {error}",
            allowed="whole tar archives",
            next_step="download or pack it again",
        ) from error
    if len(data) > UNPACKED:
        raise LabelError(
            f"{path} is compressed and unpacks to more than {UNPACKED >> 30} GB, and a compressed archive has no random access",
            allowed="tar archives without compression, of any size",
            next_step=f"unpack it once: gunzip {path.name}",
        )
    return Content(data, str(path))


def members(content: Content) -> Iterator[tuple[str, int, int]]:
    """Name, place and size of every file in a tar archive, in order.

    Raises:
        LabelError: the archive is cut off or damaged, or holds links or names outside its folder.
    """
    place, ahead, start = 0, b"", 0
    longer: str | None = None
    sized: int | None = None
    while True:
        if not start <= place <= start + len(ahead) - _BLOCK:
            start, ahead = place, content.read(place, _AHEAD)
        block = ahead[place - start : place - start + _BLOCK]
        if not block or not any(block):
            return  # two blocks of zeros end an archive; some writers leave them out
        if len(block) < _BLOCK:
            raise _cut(content, "inside a header")
        kind, size = block[156:157], _header(content, block, place)
        body, place = place + _BLOCK, place + _BLOCK + -(-size // _BLOCK) * _BLOCK
        if kind in b"xL" and kind != b"":
            if body + size > content.size:
                raise _cut(content, "inside a long name")
            extra = content.exactly(body, size)
            if kind == b"L":
                longer = extra.rstrip(b"\0").decode("utf-8", "surrogateescape")
            else:
                longer, sized = _pax(extra, longer)
            continue
        if kind in (b"g", b"K"):
            continue
        name, longer = longer or _name(block), None
        if sized is not None:
            size, place, sized = sized, body + -(-sized // _BLOCK) * _BLOCK, None
        if leaves(name):
            raise refuse_member(content.name, name, "a name that leaves its folder")
        if kind in (b"0", b"\0", b"7"):
            if body + size > content.size:
                raise _cut(content, f"inside {name}")
            yield name, body, size
        elif kind in b"12346S":
            raise refuse_member(content.name, name, "a link" if kind in b"12" else "which is no plain file")


def _header(content: Content, block: bytes, place: int) -> int:
    """The size of a member; its header's checksum is verified."""
    try:
        stated = int(block[148:156].strip(b" \0") or b"0", 8)
        field = block[124:136]
        size = int.from_bytes(field[1:], "big") if field[0] == 0x80 else int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        stated, size = -1, 0
    if stated != sum(block) - sum(block[148:156]) + 8 * 32:
        raise LabelError(
            f"{content.name} is damaged at byte {place}: there is no header of a member",
            allowed="whole tar archives",
            next_step="download or pack it again",
        )
    return size


def _name(block: bytes) -> str:
    name = block[:100].partition(b"\0")[0]
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    return name.decode("utf-8", "surrogateescape")


def _pax(extra: bytes, name: str | None) -> tuple[str | None, int | None]:
    """Name and size from records of `length key=value`."""
    size = None
    while extra:
        length, _, _ = extra.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(extra):
            break
        key, _, value = extra[len(length) + 1 : int(length)].rstrip(b"\n").partition(b"=")
        if key == b"path":
            name = value.decode("utf-8", "surrogateescape")
        elif key == b"size" and value.isdigit():
            size = int(value)
        extra = extra[int(length) :]
    return name, size


def _cut(content: Content, where: str) -> LabelError:
    return LabelError(
        f"{content.name} is cut off at byte {content.size}, {where}",
        allowed="whole tar archives",
        next_step="download or pack it again",
    )
