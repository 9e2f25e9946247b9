"""What the two XML formats share: escaping, and whole pixels."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from glyphlet.pages.page import Box


def attribute(text: str) -> str:
    """A text as a quoted attribute; what XML cannot hold becomes a question mark.

    >>> attribute('a<b>"c"')
    '\\'a&lt;b&gt;"c"\\''
    """
    return quoteattr(legal(text))


def legal(text: str) -> str:
    """A text without the control characters and halves of pairs that XML forbids.

    >>> legal("a\\x07b")
    'a?b'
    """
    return "".join(char if _allowed(char) else "?" for char in text)


def _allowed(char: str) -> bool:
    code = ord(char)
    return code in (9, 10, 13) or (code >= 0x20 and not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF))


def whole(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """A box in whole pixels inside a page, at least one pixel wide and high.

    >>> whole((-2.0, 3.4, 5.2, 3.6), 100, 50)
    (0, 3, 5, 4)
    """
    left, top = min(max(0, round(box[0])), width - 1), min(max(0, round(box[1])), height - 1)
    return left, top, max(left + 1, min(width, round(box[2]))), max(top + 1, min(height, round(box[3])))


__all__ = ["attribute", "legal", "whole"]
