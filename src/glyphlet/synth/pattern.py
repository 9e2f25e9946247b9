"""Texts that a regular expression matches: `[A-Z]{2}\\d{6}`.

A parser of its own for the part of the language that says what a text looks like: literals, classes, groups,
alternatives and repeats. Each character of a class, each alternative and each number of repeats has the same chance.
What looks around or back is refused with its position.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable

from glyphlet.charset import describe
from glyphlet.errors import RecipeError

Sampler = Callable[[random.Random], str]

LONGEST = 1000
"""Characters that a pattern may give at most."""
_CLASSES = {
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_",
    "s": " ",
}
_SUPPORTED = "literals, ., [a-z], [^a-z], \\d \\w \\s \\D \\W \\S, \\uXXXX, (groups), |, ?, *, +, {n}, {n,m}; ^ and $ at the ends"


def compile_pattern(pattern: str, characters: str, max_repeat: int = 8) -> Sampler:
    """A function that draws texts which the pattern matches as a whole.

    Args:
        pattern: a regular expression.
        characters: those that may occur; classes are cut down to them.
        max_repeat: what `*`, `+` and `{2,}` repeat at most.

    Raises:
        RecipeError: the pattern is malformed, uses what is not supported, needs a character that may not occur, or gives
            texts of more than 1,000 characters; the position is named.

    >>> compile_pattern("[A-C]{2}7|x", "ABCx7")(random.Random(1))
    'CA7'
    """
    sampler, longest = _Parser(pattern, characters, max_repeat).parse()
    if longest > LONGEST:
        raise RecipeError(
            f"pattern {pattern!r} gives texts of up to {longest} characters",
            allowed=f"up to {LONGEST}",
            next_step="lower the repeats",
        )
    return sampler


class _Parser:
    """Recursive descent; every method returns a sampler and the length of its longest text."""

    def __init__(self, pattern: str, characters: str, max_repeat: int) -> None:
        self.pattern, self.characters, self.max_repeat = pattern, characters, max_repeat
        self.at = 0

    def parse(self) -> tuple[Sampler, int]:
        if self._peek() == "^":
            self.at += 1
        result = self._alternatives(0)
        if self.at < len(self.pattern):
            raise self._error("a ')' without its '('")
        return result

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _error(self, what: str, at: int | None = None) -> RecipeError:
        place = (self.at if at is None else at) + 1
        return RecipeError(
            f"pattern {self.pattern!r}, character {place}: {what}", allowed=_SUPPORTED, next_step="correct the pattern"
        )

    def _alternatives(self, depth: int) -> tuple[Sampler, int]:
        if depth > 50:
            raise self._error("more than 50 groups inside each other")
        options = [self._sequence(depth)]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence(depth))
        if len(options) == 1:
            return options[0]
        samplers = [sampler for sampler, _ in options]
        return lambda rng: rng.choice(samplers)(rng), max(n for _, n in options)

    def _sequence(self, depth: int) -> tuple[Sampler, int]:
        samplers: list[Sampler] = []
        longest = 0
        while (char := self._peek()) and char not in "|)":
            if char == "$" and self.pattern[self.at + 1 : self.at + 2] in ("", "|", ")"):
                self.at += 1
                continue
            start = self.at
            sampler, length = self._atom(depth)
            low, high = self._repeat()
            if self._peek() and self._peek() in "*+?{":
                raise self._error("a repeat of a repeat")
            if high * length > 100 * LONGEST:
                raise self._error(f"up to {high * length} characters", start)
            samplers.append(sampler if low == high == 1 else _repeated(sampler, low, high))
            longest += high * length
        if len(samplers) == 1:
            return samplers[0], longest
        return lambda rng: "".join([sampler(rng) for sampler in samplers]), longest

    def _repeat(self) -> tuple[int, int]:
        start, char = self.at, self._peek()
        simple = {"?": (0, 1), "*": (0, self.max_repeat), "+": (1, self.max_repeat)}
        if char and char in simple:
            self.at += 1
            bounds = simple[char]
        elif char == "{":
            bounds = self._counts(start)
        else:
            return 1, 1
        if self._peek() == "?":  # a lazy repeat matches the same texts
            self.at += 1
        elif self._peek() == "+":
            raise self._error("a possessive repeat")
        return bounds

    def _counts(self, start: int) -> tuple[int, int]:
        stop = self.pattern.find("}", start)
        low, comma, high = self.pattern[start + 1 : max(stop, start)].partition(",")
        digits = [part for part in (low, high) if part]
        if stop < 0 or not digits or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in digits):
            raise self._error("a '{' that is no repeat such as {3} or {2,4}; a brace itself is \\{", start)
        least = int(low or 0)
        most = int(high) if high else max(least, self.max_repeat) if comma else least
        if most < least:
            raise self._error(f"a repeat from {least} to {most}", start)
        self.at = stop + 1
        return least, most

    def _atom(self, depth: int) -> tuple[Sampler, int]:
        start, char = self.at, self._peek()
        if char == "(":
            return self._group(depth)
        if char == "[":
            return self._one_of(self._class(), start), 1
        if char in "*+?{":
            raise self._error("a repeat of nothing")
        if char in "^$":
            raise self._error(f"{char!r} inside; a sign itself is \\{char}")
        self.at += 1
        if char == ".":
            return self._one_of([c for c in self.characters if not c.isspace()], start), 1
        if char == "\\":
            return self._one_of(self._escape(start), start), 1
        return self._one_of([char], start), 1

    def _group(self, depth: int) -> tuple[Sampler, int]:
        start = self.at
        self.at += 1
        if self._peek() == "?":
            if self.pattern.startswith("?:", self.at):
                self.at += 2
            elif self.pattern.startswith("?P<", self.at) and ">" in self.pattern[self.at :]:
                self.at = self.pattern.index(">", self.at) + 1
            else:
                raise self._error(f"{self.pattern[start : start + 4]!r} is not supported", start)
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
            raise self._error(f"'\\{char}' is not supported", start)
        return [char]

    def _class(self) -> list[str]:
        start = self.at
        self.at += 1
        negated = self._peek() == "^"
        self.at += negated
        members: list[str] = []
        first = True
        while (char := self._peek()) != "]" or first:
            if not char:
                raise self._error("a '[' without its ']'", start)
            first = False
            here = self.at
            left = self._member()
            if self._peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                right = self._member()
                if len(left) != 1 or len(right) != 1 or ord(right[0]) < ord(left[0]):
                    raise self._error(f"{self.pattern[here : self.at]!r} is no range", here)
                members += [chr(code) for code in range(ord(left[0]), ord(right[0]) + 1)]
            else:
                members += left
        self.at += 1
        if negated:
            known = set(members)
            return [c for c in self.characters if c not in known and not c.isspace()]
        return list(dict.fromkeys(members))

    def _member(self) -> list[str]:
        start, char = self.at, self._peek()
        self.at += 1
        return self._escape(start) if char == "\\" else [char]

    def _one_of(self, members: list[str], start: int) -> Sampler:
        allowed = set(self.characters)
        usable = [c for c in members if c in allowed]
        if not usable:
            what = describe(members[0]) if len(members) == 1 else "no character of this class"
            verb = "cannot be drawn" if len(members) == 1 else "can be drawn"
            raise self._error(f"{what} {verb}: it is not in the charset, or in no font", start)
        if len(usable) == 1:
            only = usable[0]
            return lambda rng: only
        return lambda rng: rng.choice(usable)


def _repeated(sampler: Sampler, low: int, high: int) -> Sampler:
    if low == high:
        return lambda rng: "".join([sampler(rng) for _ in range(low)])
    return lambda rng: "".join([sampler(rng) for _ in range(rng.randint(low, high))])
