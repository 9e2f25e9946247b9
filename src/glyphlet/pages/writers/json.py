"""JSON: `{"pages": [...]}`, each page as `Page.to_dict` gives it, one page a line of the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from glyphlet.pages.writers import Read


def write(pages: Iterable[Read]) -> Iterator[bytes]:
    """The pages as UTF-8."""
    yield b'{"pages": ['
    for number, read in enumerate(pages):
        yield (",\n" if number else "\n").encode() + json.dumps(read.page.to_dict(), ensure_ascii=False).encode()
    yield b"\n]}\n"


__all__ = ["write"]
