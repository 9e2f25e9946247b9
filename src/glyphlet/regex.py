"""What a regular expression says a text looks like: `[A-Z]{2}\\d{6}` as a tree.

A parser of its own for the part of the language that says what a text looks like: literals, classes, groups,
alternatives and repeats. Texts are rendered after a pattern (`synth.pattern`) and read under one (`decode.pattern`); both
begin here, so that one pattern means the same to both. What looks around or back is refused by name, with its position.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

from glyphlet.errors import RecipeError

MAX_RANGED = 200_000
"""Characters that all ranges of a pattern may have together; all of Unicode's first plane are 65,536."""
_CLASSES = {"d": string.digits, "w": string.ascii_letters + string.digits + "_", "s": " "}
_SUPPORTED = "literals, ., [a-z], [^a-z], \\d \\w \\s \\D \\W \\S, \\uXXXX, (groups), |, ?, *, +, {n}, {n,m}; ^ and $ at the ends"
_LOOKING = {
    "?=": "a lookahead", "?!": "a negative lookahead", "?<=": "a lookbehind", "?<!": "a negative lookbehind",
    "?P=": "a backreference", "?#": "a comment", "?>": "an atomic group", "?(": "a condition",
}  # fmt: skip
_ESCAPES = {
    "b": "a word boundary",
    "B": "a word boundary",
    "A": "an anchor",
    "Z": "an anchor",
    "p": "a Unicode property",
}


@dataclass(frozen=True, slots=True)
class Chars:
    """One of these characters, in order, none twice; `at` is where they stand in the pattern, from 0."""

    members: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Series:
    """The parts one after the other; none gives the empty text."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the options."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part `low` to `high` times; `high` None is without a bound."""

    part: Node
    low: int
    high: int | None
    at: int


Node = Chars | Series | Choice | Repeat


def parse(pattern: str, characters: str, spaces: bool = True) -> Node:
    """The tree of a regular expression.

    Args:
        pattern: matches a text as a whole; `^` and `$` at its ends change nothing.
        characters: what `.`, `[^...]`, `\\D`, `\\W` and `\\S` choose from. Whatever else is named stands in the tree as it is.
        spaces: whether `.` and `[^...]` take spaces.

    Raises:
        RecipeError: the pattern is malformed or uses what is not supported; the position is named.

    >>> parse("[ab]{2}", "ab")
    Repeat(part=Chars(members=('a', 'b'), at=0), low=2, high=2, at=0)
    """
    return _Parser(pattern, characters, spaces).parse()


def pattern_error(pattern: str, at: int, what: str) -> RecipeError:
    """The error for a place in a pattern, counted from 0."""
    return RecipeError(
        f"pattern {pattern!r}, character {at + 1}: {what}", allowed=_SUPPORTED, next_step="correct the pattern"
    )


class _Parser:
    """Recursive descent."""

    def __init__(self, pattern: str, characters: str, spaces: bool) -> None:
        self.pattern = pattern
        self.characters = characters
        self.any = [c for c in characters if spaces or not c.isspace()]
        self.at = 0
        self.ranged = 0

    def parse(self) -> Node:
        self.at += self._peek() == "^"
        result = self._alternatives(0)
        if self.at < len(self.pattern):
            raise self._error("a ')' without its '('")
        return result

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _error(self, what: str, at: int | None = None) -> RecipeError:
        return pattern_error(self.pattern, self.at if at is None else at, what)

    def _alternatives(self, depth: int) -> Node:
        if depth > 50:
            raise self._error("more than 50 groups inside each other")
        options = [self._sequence(depth)]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence(depth))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while (char := self._peek()) and char not in "|)":
            if char == "$" and self.pattern[self.at + 1 : self.at + 2] in ("", "|", ")"):
                self.at += 1
                continue
            start = self.at
            part = self._atom(depth)
            low, high = self._repeat()
            if self._peek() and self._peek() in "*+?{":
                raise self._error("a repeat of a repeat")
            parts.append(part if low == high == 1 else Repeat(part, low, high, start))
        return parts[0] if len(parts) == 1 else Series(tuple(parts))

    def _repeat(self) -> tuple[int, int | None]:
        start, char = self.at, self._peek()
        simple: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
        if not char or char not in "?*+{":
            return 1, 1
        if char == "{":
            bounds = self._counts(start)
        else:
            self.at += 1
            bounds = simple[char]
        if self._peek() == "?":  # a lazy repeat matches the same texts
            self.at += 1
        elif self._peek() == "+":
            raise self._error("a possessive repeat")
        return bounds

    def _counts(self, start: int) -> tuple[int, int | None]:
        stop = self.pattern.find("}", start)
        low, comma, high = self.pattern[start + 1 : max(stop, start)].partition(",")
        digits = [part for part in (low, high) if part]
        if stop < 0 or not digits or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in digits):
            raise self._error("a '{' that is no repeat such as {3} or {2,4}; a brace itself is \\{", start)
        least = int(low or 0)
        most = int(high) if high else None if comma else least
        if most is not None and most < least:
            raise self._error(f"a repeat from {least} to {most}", start)
        self.at = stop + 1
        return least, most

    def _atom(self, depth: int) -> Node:
        start, char = self.at, self._peek()
        if char == "(":
            return self._group(depth)
        if char == "[":
            return Chars(self._class(), start)
        if char in "*+?{":
            raise self._error("a repeat of nothing")
        if char in "^$":
            raise self._error(f"{char!r} inside; a sign itself is \\{char}")
        self.at += 1
        if char == ".":
            return Chars(tuple(self.any), start)
        return Chars(tuple(self._escape(start)) if char == "\\" else (char,), start)

    def _group(self, depth: int) -> Node:
        start = self.at
        self.at += 1
        if self.pattern.startswith("?:", self.at):
            self.at += 2
        elif self._peek() == "?":
            if self.pattern.startswith("?P<", self.at) and ">" in self.pattern[self.at :]:
                self.at = self.pattern.index(">", self.at) + 1
            else:
                opening = next((o for o in _LOOKING if self.pattern.startswith(o, self.at)), "")
                name = _LOOKING.get(opening, "an extension")
                raise self._error(f"{self.pattern[start : start + 4]!r} is not supported ({name})", start)
        result = self._alternatives(depth + 1)
        if self._peek() != ")":
            raise self._error("a '(' without its ')'", start)
        self.at += 1
        return result

    def _escape(self, start: int) -> list[str]:
        char = self._peek()
        self.at += 1
        if not char:
            raise self._error("a '\\' at the end", start)
        if char in _CLASSES:
            return list(_CLASSES[char])
        if char.lower() in _CLASSES:
            known = {"D": str.isdigit, "W": lambda c: c.isalnum() or c == "_", "S": str.isspace}[char]
            return [c for c in self.characters if not known(c)]
        if char in "xuU":
            length = {"x": 2, "u": 4, "U": 8}[char]
            digits = self.pattern[self.at : self.at + length]
            self.at += length
            if len(digits) < length or not set(digits) <= set(string.hexdigits) or int(digits, 16) > 0x10FFFF:
                raise self._error(f"'\\{char}' without {length} hexadecimal digits of a character", start)
            return [chr(int(digits, 16))]
        if char.isalnum():
            name = "a backreference" if char.isdigit() or char == "k" else _ESCAPES.get(char, "an escape")
            raise self._error(f"'\\{char}' is not supported ({name})", start)
        return [char]

    def _class(self) -> tuple[str, ...]:
        start = self.at
        self.at += 1
        negated = self._peek() == "^"
        self.at += negated
        members: list[str] = []
        begin = self.at
        while (char := self._peek()) != "]" or self.at == begin:
            if not char:
                raise self._error("a '[' without its ']'", start)
            here = self.at
            left = self._member()
            if self._peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                right = self._member()
                if len(left) != 1 or len(right) != 1 or ord(right[0]) < ord(left[0]):
                    raise self._error(f"{self.pattern[here : self.at]!r} is no range", here)
                self._spend(ord(right[0]) - ord(left[0]) + 1, here)
                members += [chr(code) for code in range(ord(left[0]), ord(right[0]) + 1)]
            else:
                members += left
        self.at += 1
        if negated:
            known = set(members)
            return tuple(c for c in self.any if c not in known)
        return tuple(dict.fromkeys(members))

    def _spend(self, count: int, at: int) -> None:
        """Ranges cost as much as they have characters."""
        self.ranged += count
        if self.ranged > MAX_RANGED:
            raise self._error(f"ranges of more than {MAX_RANGED:,} characters in all", at)

    def _member(self) -> list[str]:
        start, char = self.at, self._peek()
        self.at += 1
        return self._escape(start) if char == "\\" else [char]


__all__ = ["Chars", "Choice", "Node", "Repeat", "Series", "parse", "pattern_error"]
