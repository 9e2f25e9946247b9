"""A font without shapes, for text that is to be found and copied but not seen.

TrueType (Apple, "TrueType Reference Manual"; ISO 14496-22) with two empty glyphs, both half an em wide, made here so that no font
file is needed. A viewer takes the place and width of a character from it, the character itself from the map in the PDF.
"""

from __future__ import annotations

import struct

EM = 1000
ADVANCE = 500
"""Width of every character in thousandths of the size."""
ASCENT, DESCENT = 800, -200


def empty_font() -> bytes:
    """The font file."""
    tables = {
        b"cmap": struct.pack(">HHHHL", 0, 1, 3, 1, 12) + struct.pack(">12H", 4, 24, 0, 2, 2, 0, 0, 0xFFFF, 0, 0xFFFF, 1, 0),
        b"glyf": b"\0\0\0\0",
        b"head": struct.pack(
            ">LLLLHHqqhhhhHHhhh", 0x00010000, 0x00010000, 0, 0x5F0F3CF5, 0, EM, 0, 0, 0, DESCENT, ADVANCE, ASCENT, 0, 8, 2, 0, 0
        ),
        b"hhea": struct.pack(">LhhhHhhhhhhhhhhhH", 0x00010000, ASCENT, DESCENT, 0, ADVANCE, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1),
        b"hmtx": struct.pack(">Hhh", ADVANCE, 0, 0),
        b"loca": struct.pack(">HHH", 0, 0, 0),
        b"maxp": struct.pack(">LHHHHHHHHHHHHHH", 0x00010000, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
        b"post": struct.pack(">LLhhLLLLL", 0x00030000, 0, 0, 0, 1, 0, 0, 0, 0),
    }  # fmt: skip
    return _file(tables)


def _file(tables: dict[bytes, bytes]) -> bytes:
    """Tables with their directory and sums; `checkSumAdjustment` of `head` makes the whole file's sum 0xB1B0AFBA."""
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    head = struct.pack(">LHHHH", 0x00010000, count, 16 * power, power.bit_length() - 1, 16 * (count - power))
    offset, directory, body = 12 + 16 * count, b"", b""
    for tag, data in sorted(tables.items()):
        padded = data + b"\0" * (-len(data) % 4)
        directory += struct.pack(">4sLLL", tag, _sum(padded), offset + len(body), len(data))
        body += padded
    whole = bytearray(head + directory + body)
    place = whole.index(struct.pack(">L", 0x5F0F3CF5)) - 4
    struct.pack_into(">L", whole, place, (0xB1B0AFBA - _sum(bytes(whole))) & 0xFFFFFFFF)
    return bytes(whole)


def _sum(data: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(data) // 4}L", data)) & 0xFFFFFFFF
    return total


__all__ = ["ADVANCE", "ASCENT", "DESCENT", "empty_font"]
