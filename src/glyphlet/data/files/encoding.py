"""Which encoding a text is in, and its bytes in one whose line ends can be found.

Nothing is guessed that can be wrong: without a name or a byte order mark a text is UTF-8, or an error. A wrong guess would
train on mojibake for a night.
"""

from __future__ import annotations

import codecs

from glyphlet.data.files.content import Content
from glyphlet.errors import LabelError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PLAIN = ("utf-8", "ascii", "gbk", "gb2312", "gb18030", "big5", "cp950", "shift_jis", "cp932", "cp949", "euc", "iso8859", "cp125", "koi8")  # fmt: skip
"""Encodings in which tabs, line ends, spaces and commas are the bytes of ASCII, and are never part of a character."""


def named_codec(name: str, setting: str = "encoding") -> str:
    """The name that Python knows an encoding by.

    Raises:
        LabelError: there is none of this name.
    """
    try:
        found = codecs.lookup(name)
        if not found._is_text_encoding:
            raise LookupError
    except LookupError as error:
        raise LabelError(
            f"{setting} is {name!r}",
            allowed="auto, utf-8, utf-16, gb18030, cp1252 and the other encodings of Python",
            next_step=f"correct {setting}, or leave it out",
        ) from error
    return found.name


def text_in(content: Content, encoding: str) -> tuple[Content, str, int]:
    """A text whose line ends can be found among its bytes.

    Args:
        content: the text.
        encoding: its name, or `auto`.

    Returns:
        The text, its encoding, and the length of its byte order mark. UTF-16 and the like come back in memory, as UTF-8.

    Raises:
        LabelError: it is not in this encoding.
    """
    start = content.read(0, 4096)
    if start.startswith(b"\x1f\x8b"):
        raise LabelError(
            f"{content.name} is compressed with gzip", allowed="text", next_step=f"unpack it: gunzip {content.name}"
        )
    mark, marked = next(((m, name) for m, name in _MARKS if start.startswith(m)), (b"", "utf-8"))
    codec = marked if encoding == "auto" else named_codec(encoding)
    if codec == "utf-8-sig":
        codec = "utf-8"
    if any(codec.startswith(plain) for plain in _PLAIN) and codec != "utf-8" and mark == codecs.BOM_UTF8:
        mark = b""
    if encoding == "auto" and not mark and start.count(0) > len(start) // 4:
        ending = "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
        raise LabelError(
            f"{content.name} looks like UTF-16 without a byte order mark: every other byte is 0",
            allowed="UTF-8, or UTF-16 with a byte order mark",
            next_step=f"set its encoding: {ending}",
        )
    if any(codec.startswith(plain) for plain in _PLAIN):
        return content, codec, len(mark) if codec == "utf-8" and mark == codecs.BOM_UTF8 else 0
    data = content.exactly(0, content.size)
    content.close()
    try:
        text = data.decode(codec).removeprefix("\ufeff")
        return Content(text.encode("utf-8"), content.name), "utf-8", 0
    except UnicodeError as error:
        place = getattr(error, "start", 0)
        raise LabelError(
            f"{content.name} is not {codec.upper()} from byte {place} on",
            allowed=f"text in {codec.upper()}, as its first bytes or its settings say",
            next_step="save it as UTF-8",
        ) from error
