"""What can be wrong with the text of a label, and the text without it.

A label is compared with what a reader sees in the image. What cannot be seen (a space at the end, a zero-width
character, one of 17 kinds of space) is a slip of the tool that wrote the label, and costs accuracy: the model has to
guess it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache

SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
"""Spaces other than U+0020. The ideographic space is one: it is as wide as two."""
REPLACEMENT = "\ufffd"
_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners, which Persian, Hindi and emoji need."""
_NEEDS_JOINERS = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0e80-\u109f\u1000-\u109f\u1780-\u18af\U0001f000-\U0001faff]")
_RUNS = re.compile("  +")


@cache
def trouble(char: str) -> str:
    """The kind of finding that a character is by itself, or nothing."""
    if char == " ":
        return ""
    if char == REPLACEMENT:
        return "replacement"
    if char in SPACES:
        return "odd_space"
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp", "Cs"):
        return "control"
    if category == "Cf" or char in "\u115f\u1160\u3164\uffa0\u034f" or 0xFE00 <= ord(char) <= 0xFE0F:
        return "zero_width"
    return ""


def problems(text: str) -> list[tuple[str, str]]:
    """What is wrong with a label that is not empty, as pairs of kind and detail.

    >>> problems(" a\\u200bb")
    [('edge_space', 'at the start'), ('zero_width', 'U+200B ZERO WIDTH SPACE at 3')]
    """
    plain = text.isascii() and text.isprintable()
    if plain and "  " not in text and text[:1] != " " and text[-1:] != " ":
        return []
    found = []
    ends = [where for where, end in (("start", text[:1]), ("end", text[-1:])) if end == " " or end in SPACES]
    if ends:
        found.append(("edge_space", "at the " + " and the ".join(ends)))
    if _RUNS.search(text.strip(" ")):
        found.append(("double_space", f"at {_RUNS.search(text.strip(' ')).start() + 1}"))  # type: ignore[union-attr]
    if plain:
        return found
    seen: dict[str, str] = {}
    for position, char in enumerate(text, 1):
        kind = trouble(char)
        if kind and kind not in seen and not (char in _JOINERS and _NEEDS_JOINERS.search(text)):
            seen[kind] = f"{code(char)} at {position}"
    found += seen.items()
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        found.append(("not_nfc", _changed(text)))
    return found


def code(char: str) -> str:
    """`U+200B ZERO WIDTH SPACE`."""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'control character' if ord(char) < 0xA0 else 'no name')}"


def _changed(text: str) -> str:
    """The first letter that NFC changes, with its marks: `e + U+0301 becomes é`."""
    for match in re.finditer(r".[\u0300-\u036f\u0591-\u08ff\u0900-\u0fff\u3099\u309a\u1160-\u11ff]*", text, re.DOTALL):
        piece, formed = match[0], unicodedata.normalize("NFC", match[0])
        if formed != piece:
            return f"{' '.join(f'U+{ord(c):04X}' for c in piece)} becomes {formed} {' '.join(f'U+{ord(c):04X}' for c in formed)}"
    return "its marks stand in another order"


def cleaned(text: str) -> str:
    """A label in NFC, without what cannot be seen: one plain space at most, none at the ends, no invisible characters.

    >>> cleaned(" e\\u0301\\u00a0 \\ufeffx ")
    'é x'
    """
    if text.isascii() and text.isprintable():
        return _RUNS.sub(" ", text).strip(" ")
    joined = bool(_NEEDS_JOINERS.search(text))
    kept = []
    for char in text:
        kind = trouble(char)
        if kind == "odd_space" or char in "\t\n\r\u2028\u2029\x0b\x0c\x85":
            kept.append(" ")
        elif kind in ("control", "zero_width"):
            kept.append(char if joined and char in _JOINERS else "")
        else:
            kept.append(char)
    return _RUNS.sub(" ", unicodedata.normalize("NFC", "".join(kept))).strip(" ")


def shown(text: str) -> str:
    """A label as it can be seen: spaces that matter as `·`, what prints nothing as `[U+200B]`.

    >>> shown("a b  c ")
    'a b··c·'
    """
    if text.isascii() and text.isprintable() and "  " not in text and text.strip(" ") == text:
        return text
    inner = text.strip(" ")
    dots = _RUNS.sub(lambda m: "·" * len(m[0]), inner)
    left = len(text) - len(text.lstrip(" "))
    dotted = "·" * left + dots + "·" * (len(text) - left - len(inner))
    return "".join(c if c.isprintable() and not trouble(c) else f"[U+{ord(c):04X}]" for c in dotted)


_LATIN_LIKE = (
    "АВЕЅІЈКМНОРСТУХаеіјорсухѕԁһԛԝ"  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοικνυρ"  # Greek
)
"""Letters of other scripts that can be taken for Latin ones, after Unicode's security mechanisms (UTS 39)."""
_FULL = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_WORD = re.compile(r"[^\W\d_]+")


@cache
def _script(char: str) -> str:
    if char.isascii():
        return "Latin"
    name = unicodedata.name(char, "")
    return next((s.capitalize() for s in ("LATIN", "CYRILLIC", "GREEK") if name.startswith(s)), "")


def look_alikes(text: str) -> str:
    """The first letter that looks like Latin among Latin letters but is not, or a full-width form; else nothing.

    >>> look_alikes("p\\u0430y")
    'а U+0430 CYRILLIC SMALL LETTER A among Latin letters'
    """
    if text.isascii():
        return ""
    for word in _WORD.findall(text):
        scripts = Counter(map(_script, word))
        if scripts["Latin"] and (scripts["Cyrillic"] or scripts["Greek"]):
            for char in word:
                if char in _LATIN_LIKE:
                    return f"{char} {code(char)} among Latin letters"
    full = _FULL.search(text)
    return f"{full[0]} {code(full[0])}" if full else ""


VARIANTS = tuple(
    group.split(" ")
    for group in (
        "- \u2010\u2011 \u2012\u2013 \u2014\u2015 \u2212 \uff0d", "' \u2018\u2019\u201a \u02bc \u2032 \u00b4 ` \uff07",
        '" \u201c\u201d\u201e \u2033 \uff02', "\u00b7 \u2022 \u2219 \u22c5 \u30fb \uff65", "\u00b0 \u00ba \u02da", "\u00b5 \u03bc",
        "\u03a9 \u2126", "\u00d7 \u2715 \u2a2f", "~ \u223c \u301c \uff5e", "\u2026 \u22ef", ", \uff0c", ": \uff1a", "; \uff1b", "! \uff01",
        "? \uff1f", "( \uff08", ") \uff09", "% \uff05", "/ \uff0f \u2215 \u2044", "+ \uff0b", "= \uff1d", "& \uff06", "< \uff1c", "> \uff1e",
        "[ \uff3b", "] \uff3d", "| \uff5c \u4e28", "# \uff03", "@ \uff20", "* \uff0a \u2217 \u204e", "$ \uff04", "\u3002 \uff61", ". \uff0e",
        "\u30fc \u4e00", "\u3007 \u25cb \u25ef",
    )
)  # fmt: skip
"""Signs that look alike; in each group the first is the usual one, and what stands together belongs together."""


def variants(counts: Mapping[str, int]) -> list[list[tuple[str, int]]]:
    """The groups of `VARIANTS` of which several occur, each sign with its count, the most frequent first.

    >>> variants({"-": 3, "\u2013": 1, "\u2018": 2, "\u2019": 2})
    [[('-', 3), ('–', 1)]]
    """
    found = []
    for group in VARIANTS:
        present = [ways for ways in group if any(counts.get(c) for c in ways)]
        if len(present) > 1:
            found.append(
                sorted([(c, counts[c]) for ways in present for c in ways if counts.get(c)], key=lambda p: -p[1])
            )
    return found


__all__ = ["SPACES", "VARIANTS", "cleaned", "code", "look_alikes", "problems", "shown", "trouble", "variants"]
