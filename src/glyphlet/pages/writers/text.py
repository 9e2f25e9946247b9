"""Plain text: a line for each line, an empty one between blocks, a form feed between pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from glyphlet.pages.page import Page
from glyphlet.pages.writers import Read


def text_of(page: Page) -> str:
    """The lines of a page that were read, in reading order."""
    blocks = ["".join(f"{line.text}\n" for line in block if line.text) for block in page.blocks]
    return "\n".join(block for block in blocks if block)


def write(pages: Iterable[Read]) -> Iterator[bytes]:
    """The pages as UTF-8."""
    for number, read in enumerate(pages):
        yield (("\f" if number else "") + text_of(read.page)).encode()


__all__ = ["text_of", "write"]
