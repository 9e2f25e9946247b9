"""Texts that a regular expression matches: `[A-Z]{2}\\d{6}`.

`regex` has the syntax. Each character of a class, each alternative and each number of repeats has the same chance.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from glyphlet.charset import describe
from glyphlet.errors import RecipeError
from glyphlet.regex import Chars, Choice, Node, Repeat, parse, pattern_error

Sampler = Callable[[random.Random], str]

LONGEST = 1000
"""Characters that a pattern may give at most."""


def compile_pattern(pattern: str, characters: str, max_repeat: int = 8) -> Sampler:
    """A function that draws texts which the pattern matches as a whole.

    Args:
        pattern: a regular expression.
        characters: those that may occur; classes are cut down to them. `.` and `[^...]` draw no spaces.
        max_repeat: what `*`, `+` and `{2,}` repeat at most.

    Raises:
        RecipeError: the pattern is malformed, uses what is not supported, needs a character that may not occur, or gives
            texts of more than 1,000 characters; the position is named.

    >>> compile_pattern("[A-C]{2}7|x", "ABCx7")(random.Random(1))
    'CA7'
    """
    tree = parse(pattern, characters, spaces=False)
    sampler, longest = _Compiler(pattern, frozenset(characters), max_repeat).compile(tree)
    if longest > LONGEST:
        raise RecipeError(
            f"pattern {pattern!r} gives texts of up to {longest} characters",
            allowed=f"up to {LONGEST}",
            next_step="lower the repeats",
        )
    return sampler


class _Compiler:
    """Every method returns a sampler and the length of its longest text."""

    def __init__(self, pattern: str, allowed: frozenset[str], max_repeat: int) -> None:
        self.pattern, self.allowed, self.max_repeat = pattern, allowed, max_repeat

    def compile(self, node: Node) -> tuple[Sampler, int]:
        if isinstance(node, Chars):
            return self._one_of(node), 1
        if isinstance(node, Repeat):
            return self._repeat(node)
        inner = [self.compile(part) for part in (node.options if isinstance(node, Choice) else node.parts)]
        samplers = [sampler for sampler, _ in inner]
        if isinstance(node, Choice):
            return lambda rng: rng.choice(samplers)(rng), max(longest for _, longest in inner)
        return lambda rng: "".join([sampler(rng) for sampler in samplers]), sum(longest for _, longest in inner)

    def _repeat(self, node: Repeat) -> tuple[Sampler, int]:
        sampler, length = self.compile(node.part)
        high = max(node.low, self.max_repeat) if node.high is None else node.high
        if high * length > 100 * LONGEST:
            raise pattern_error(self.pattern, node.at, f"up to {high * length} characters")
        return _repeated(sampler, node.low, high), high * length

    def _one_of(self, node: Chars) -> Sampler:
        usable = [c for c in node.members if c in self.allowed]
        if not usable:
            one = len(node.members) == 1
            what = f"{describe(node.members[0])} cannot be drawn" if one else "no character of this class can be drawn"
            raise pattern_error(self.pattern, node.at, f"{what}: it is not in the charset, or in no font")
        if len(usable) == 1:
            only = usable[0]
            return lambda rng: only
        return lambda rng: rng.choice(usable)


def _repeated(sampler: Sampler, low: int, high: int) -> Sampler:
    if low == high:
        return lambda rng: "".join([sampler(rng) for _ in range(low)])
    return lambda rng: "".join([sampler(rng) for _ in range(rng.randint(low, high))])
