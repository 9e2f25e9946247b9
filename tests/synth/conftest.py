"""Font files made from the font that Pillow brings along, so that no font lies in the repository."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from PIL import ImageFont


@pytest.fixture(scope="session")
def font_bytes() -> bytes:
    font = ImageFont.load_default(20)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return bytes(font.font_bytes)


@pytest.fixture
def font_file(tmp_path: Path, font_bytes: bytes) -> Path:
    path = tmp_path / "a.ttf"
    path.write_bytes(font_bytes)
    return path


@pytest.fixture
def collection(tmp_path: Path, font_bytes: bytes) -> Path:
    """A .ttc with two faces, both the same."""
    tables = struct.unpack(">H", font_bytes[4:6])[0]
    header = struct.pack(">4sHHI", b"ttcf", 1, 0, 2) + struct.pack(">II", 20, 20)
    directory = bytearray(font_bytes[: 12 + 16 * tables])
    for i in range(tables):
        at = 12 + 16 * i + 8
        offset = struct.unpack(">I", directory[at : at + 4])[0] + len(header)
        directory[at : at + 4] = struct.pack(">I", offset)
    path = tmp_path / "two.ttc"
    path.write_bytes(header + directory + font_bytes[len(directory) :])
    return path
