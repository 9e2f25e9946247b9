"""Charsets: which characters a recogniser can write, and in which normal form.

A charset is an ordered tuple of single code points. The order is part of the model: character `i` is class `i + 1`
(class 0 is the CTC blank). Texts are put into Unicode NFC before they meet a charset; full-width forms are folded to
half-width only when that is asked for.
"""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from glyphlet.errors import CharsetError


def _rows(first: int, last: int) -> str:
    """Rows of the code table of GB 2312, from Python's own codec (that of GBK, which holds the same rows and has the dash
    and the middle dot that texts use).
    """
    codes = bytes(0xA0 + place for row in range(first, last + 1) for cell in range(1, 95) for place in (row, cell))
    return codes.decode("gbk", errors="ignore")  # five cells of row 55 are empty


_ASCII = "".join(chr(c) for c in range(0x20, 0x7F))
_WESTERN = "".join(
    char
    for char in bytes(range(0x80, 0x100)).decode("cp1252", errors="ignore")
    if char not in "\u00a0\u00ad\u0192\u02c6\u02dc\u00a4\u00a6\u00a8\u00ac\u00af\u00b4\u00b8"
)
"""What Windows-1252 has beside ASCII, without accents that stand alone, invisible characters and signs that nobody prints."""
_MARKS = "".join(char for char in _rows(1, 1) if char not in "\u3000＄") + "！（），：；？￥"
"""Chinese punctuation and signs: the first row of GB 2312 without what is a wide form of an ASCII character, and the wide
forms that Chinese texts are written with.
"""
_COMMON = _rows(16, 55)

NAMED: dict[str, str] = {
    "digits": string.digits,
    "number": string.digits + " .,-/:",
    "lowercase36": string.digits + string.ascii_lowercase,
    "alphanumeric": string.digits + string.ascii_lowercase + string.ascii_uppercase,
    "ascii": _ASCII,
    "western": _ASCII + _WESTERN,
    "chinese-common": _ASCII + _MARKS + _COMMON,
    "chinese": _ASCII + _MARKS + _COMMON + _rows(56, 87),
}
"""Charsets that have a name. `alphanumeric` is MicroOCR's order: digits, lower case, upper case. `western` is for the languages
of Western Europe, with currencies and typographic signs. `chinese-common` has the
3,755 characters of level 1 of GB 2312, `chinese` all 6,763."""


Case = Literal["keep", "lower", "upper"]


def normalize(text: str, half_width: bool = False, case: Case = "keep") -> str:
    """Put a text into the form that charsets are written in.

    Args:
        text: any text.
        half_width: fold full-width forms (U+FF01 to U+FF5E) and the ideographic space (U+3000) to ASCII, as
            lightweight-OCR does when it prepares its labels.
        case: put letters into lower case, as CRNN does, or into upper case.

    Returns:
        The text in Unicode NFC.

    >>> normalize("e\\u0301")
    'é'
    >>> normalize("\\uff21\\u3000\\uff11", half_width=True)
    'A 1'
    >>> normalize("Straße", case="upper")
    'STRASSE'
    """
    text = unicodedata.normalize("NFC", text)
    if half_width:
        text = "".join(_half(c) for c in text)
    if case != "keep":
        text = unicodedata.normalize("NFC", text.lower() if case == "lower" else text.upper())
    return text


def _half(char: str) -> str:
    code = ord(char)
    if code == 0x3000:
        return " "
    return chr(code - 0xFEE0) if 0xFF01 <= code <= 0xFF5E else char


def describe(char: str) -> str:
    """A character as a person can recognise it: `'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE)`."""
    return f"{char!r} (U+{ord(char):04X} {unicodedata.name(char, 'no name')})"


@dataclass(frozen=True)
class Charset:
    """An ordered set of characters.

    Args:
        characters: the characters, each a single code point, none twice, at least one.
        half_width: whether texts are folded to half-width before they are compared with this charset.
        case: whether they are put into lower or upper case before.

    Raises:
        CharsetError: a character is doubled, is not a single code point, is a line break, or there is none.

    >>> Charset.named("digits").size
    10
    >>> Charset.from_labels(["b7", "a7"]).text
    '7ab'
    """

    characters: tuple[str, ...]
    half_width: bool = False
    case: Case = "keep"
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.characters:
            raise CharsetError(
                "the charset is empty",
                allowed="at least one character",
                next_step="give a name, a file with one character a line, or labels that hold text",
            )
        for char in self.characters:
            if len(char) != 1:
                raise CharsetError(
                    f"{char!r} is not one character but {len(char)} code points",
                    allowed="one Unicode code point for each class",
                    next_step="write one character a line, in NFC",
                )
            if char in "\n\r\t":
                raise CharsetError(
                    f"the charset holds {char!r}",
                    allowed="anything but tab and line breaks, which separate labels",
                    next_step="remove it from the charset",
                )
            # A character that NFC changes could never be matched, because texts are brought into NFC first.
            if self.normalize(char) != char:
                raise CharsetError(
                    f"{describe(char)} changes under the text normalisation of this charset",
                    allowed="characters in NFC"
                    + (", half-width" if self.half_width else "")
                    + (f", {self.case} case" if self.case != "keep" else ""),
                    next_step=f"write {self.normalize(char)!r} instead",
                )
        doubled = [c for c, n in Counter(self.characters).items() if n > 1]
        if doubled:
            raise CharsetError(
                f"the charset holds {', '.join(describe(c) for c in doubled[:5])} more than once",
                allowed="every character once",
                next_step="remove the doubled lines; two classes for one character cannot be told apart",
            )
        object.__setattr__(self, "_index", {c: i for i, c in enumerate(self.characters)})

    @classmethod
    def named(cls, name: str) -> Charset:
        """One of the charsets in `NAMED`; raises `CharsetError` for any other name."""
        if name not in NAMED:
            raise CharsetError(
                f"there is no charset named {name!r}",
                allowed=", ".join(sorted(NAMED)),
                next_step="choose one of these, or give the path of a file with one character a line",
            )
        return cls(tuple(NAMED[name]))

    @classmethod
    def from_text(cls, text: str, half_width: bool = False, case: Case = "keep") -> Charset:
        """The characters of a string in the order in which they stand."""
        return cls(tuple(text), half_width, case)

    @classmethod
    def from_labels(cls, texts: Iterable[str], half_width: bool = False, case: Case = "keep") -> Charset:
        """Every character that occurs in the texts, in code point order."""
        seen: set[str] = set()
        for text in texts:
            seen.update(normalize(text, half_width, case))
        return cls(tuple(sorted(seen)), half_width, case)

    @classmethod
    def from_file(cls, path: str | Path, half_width: bool = False, case: Case = "keep") -> Charset:
        """One character a line, UTF-8, with or without a byte order mark; a line of one space is the space.

        Empty lines at the end are ignored, an empty line between others is refused.

        Raises:
            CharsetError: the file cannot be read, is not UTF-8, or is not a charset.
        """
        path = Path(path)
        try:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
        except OSError as error:
            raise CharsetError(
                f"the charset file {path} cannot be read: {error.strerror}",
                allowed="a UTF-8 text file with one character a line",
                next_step=f"check the path, or use a name: {', '.join(sorted(NAMED))}",
            ) from error
        except UnicodeDecodeError as error:
            raise CharsetError(
                f"the charset file {path} is not UTF-8 (byte {error.start})",
                allowed="UTF-8, with or without a byte order mark",
                next_step=f"convert it: iconv -f GB18030 -t UTF-8 {path.name}",
            ) from error
        lines = [line.rstrip("\r") for line in lines]
        while lines and not lines[-1]:
            lines.pop()
        for number, line in enumerate(lines, 1):
            if not line:
                raise CharsetError(
                    f"{path} line {number} is empty",
                    allowed="one character a line; a space is a line that holds one space",
                    next_step="remove the line, or write the character that belongs there",
                )
        return cls(tuple(lines), half_width, case)

    @property
    def size(self) -> int:
        """The number of characters, the blank not counted."""
        return len(self.characters)

    @property
    def text(self) -> str:
        """All characters as one string, in order."""
        return "".join(self.characters)

    def to_dict(self) -> dict[str, Any]:
        """The charset as plain values, for a model file or a checkpoint; `case` only when it is not kept."""
        return {
            "text": self.text,
            "half_width": self.half_width,
            **({"case": self.case} if self.case != "keep" else {}),
        }

    def __contains__(self, char: str) -> bool:
        return char in self._index

    def index(self, char: str) -> int:
        """The position of a character, from 0; raises `KeyError` when it is not in the set."""
        return self._index[char]

    def normalize(self, text: str) -> str:
        """A text in the form that this charset is written in."""
        return normalize(text, self.half_width, self.case)

    def unknown(self, texts: Iterable[str]) -> Counter[str]:
        """How often each character outside the charset occurs in the texts."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(c for c in self.normalize(text) if c not in self._index)
        return counts


def unknown_report(counts: Counter[str], where: str) -> str:
    """One sentence on characters outside a charset, most frequent first; empty when there are none."""
    if not counts:
        return ""
    listed = ", ".join(f"{describe(c)} {n} times" for c, n in counts.most_common(10))
    more = f" and {len(counts) - 10} more" if len(counts) > 10 else ""
    return f"{where}: {len(counts)} characters are not in the charset: {listed}{more}"
