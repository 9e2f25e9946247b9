"""The lines of a text file that a user gives: a lexicon, the text of a language model."""

from __future__ import annotations

from pathlib import Path

from glyphlet.errors import GlyphletError


def text_lines(path: Path, what: str, allowed: str) -> list[str]:
    """The lines of a UTF-8 file, with or without a byte order mark; only a line break ends one.

    Args:
        path: the file.
        what: what messages call it.
        allowed: what it should be.

    Raises:
        GlyphletError: it cannot be read, or is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise GlyphletError(
            f"{what} {path} cannot be read: {error.strerror}", allowed=allowed, next_step="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise GlyphletError(
            f"{what} {path} is not UTF-8 (byte {error.start})",
            allowed=allowed,
            next_step=f"convert it: iconv -f GB18030 -t UTF-8 {path.name}",
        ) from error
    return text.split("\n")  # reading has made one kind of line break of all


__all__ = ["text_lines"]
