"""A regular expression as an automaton over the classes of a model.

The tree of the expression becomes an automaton with empty moves (Thompson 1968, "Regular expression search algorithm"),
and that a deterministic one by the subset construction (Rabiner and Scott 1959). Characters outside the charset cannot be
written: classes are cut down to the charset, and what needs such a character is no option any more. If nothing is left,
that is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from glyphlet.charset import Charset, describe
from glyphlet.decode.automaton import Automaton, automaton
from glyphlet.errors import RecipeError
from glyphlet.regex import Chars, Choice, Node, Repeat, Series, parse

MAX_STATES = 20_000
"""States that an automaton may have unless its maker says otherwise."""


def compile_pattern(pattern: str, charset: Charset, max_states: int = MAX_STATES) -> Automaton:
    """The automaton of a regular expression that matches a text as a whole.

    Args:
        pattern: the expression; `regex` says what is supported.
        charset: the characters of the model. Literals are put into its normal form, so that `[A-Z]` finds the letters of a
            charset in lower case.
        max_states: states that the automaton may have; those before the subset construction are counted as well.

    Raises:
        RecipeError: the pattern is malformed, uses what is not supported, needs characters that the model does not have,
            or has too many states.

    >>> codes = Charset.from_text("0123456789")
    >>> [compile_pattern(r"\\d{2}|7", codes).accepts([digit + 1 for digit in text]) for text in ([7], [3, 5], [3])]
    [True, True, False]
    """
    nfa = _Machine(pattern, charset, max_states)
    first, last = nfa.add(parse(pattern, charset.text))
    found = _determinize(nfa, first, last)
    if found.empty:
        missing = [describe(char) for char in nfa.missing]
        raise RecipeError(
            f"pattern {pattern!r} allows no text that the model can write"
            + (f": {', '.join(missing[:5])} not in the charset" if missing else ""),
            allowed=f"texts of the {charset.size} characters of the charset",
            next_step="correct the pattern, or choose a model that has the characters",
        )
    return found


@dataclass
class _Machine:
    """States joined by empty moves (`free`) and by moves on a set of classes (`on`); at most one of the latter each."""

    pattern: str
    charset: Charset
    max_states: int
    free: list[list[int]] = field(default_factory=list)
    on: list[tuple[frozenset[int], int] | None] = field(default_factory=list)
    missing: dict[str, None] = field(default_factory=dict)
    known: dict[int, frozenset[int]] = field(default_factory=dict)

    def state(self) -> int:
        if len(self.free) >= self.max_states:
            raise _too_large(self)
        self.free.append([])
        self.on.append(None)
        return len(self.free) - 1

    def add(self, node: Node) -> tuple[int, int]:
        """The first and the last state of a part."""
        if isinstance(node, Chars):
            first, last = self.state(), self.state()
            self.on[first] = (self._classes(node), last)
            return first, last
        if isinstance(node, Repeat):
            return self._repeat(node)
        if isinstance(node, Choice):
            first, last = self.state(), self.state()
            for option in node.options:
                start, end = self.add(option)
                self.free[first].append(start)
                self.free[end].append(last)
            return first, last
        return self._series(node)

    def _series(self, node: Series) -> tuple[int, int]:
        first = last = self.state()
        for part in node.parts:
            start, end = self.add(part)
            self.free[last].append(start)
            last = end
        return first, last

    def _repeat(self, node: Repeat) -> tuple[int, int]:
        first = last = self.state()
        for _ in range(node.low):
            start, end = self.add(node.part)
            self.free[last].append(start)
            last = end
        if node.high is None:
            start, end = self.add(node.part)
            self.free[last].append(start)
            self.free[end].append(last)
            return first, last
        out = self.state()
        for _ in range(node.high - node.low):
            self.free[last].append(out)
            start, end = self.add(node.part)
            self.free[last].append(start)
            last = end
        self.free[last].append(out)
        return first, out

    def _classes(self, node: Chars) -> frozenset[int]:
        if (known := self.known.get(id(node))) is not None:  # a part that is repeated comes here each time
            return known
        found = set()
        for member in node.members:
            char = self.charset.normalize(member)
            if char in self.charset:
                found.add(self.charset.index(char) + 1)
            elif len(node.members) == 1:
                self.missing[member] = None
        self.known[id(node)] = frozenset(found)
        return self.known[id(node)]

    def closure(self, states: frozenset[int]) -> frozenset[int]:
        """Those states, and all that empty moves lead to."""
        seen, waiting = set(states), list(states)
        while waiting:
            for target in self.free[waiting.pop()]:
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return frozenset(seen)


def _determinize(nfa: _Machine, first: int, last: int) -> Automaton:
    groups = _groups({on[0] for on in nfa.on if on is not None})
    inside = {
        classes: [n for n, group in enumerate(groups) if group[0] in classes] for classes, _ in filter(None, nfa.on)
    }
    start = nfa.closure(frozenset([first]))
    numbers, waiting = {start: 0}, [start]
    closures: dict[frozenset[int], frozenset[int]] = {}
    moves: list[dict[int, int]] = []
    for states in waiting:  # it grows on the way
        targets: dict[int, set[int]] = {}
        for state in states:
            if (on := nfa.on[state]) is not None:
                for group in inside[on[0]]:
                    targets.setdefault(group, set()).add(on[1])
        moves.append({})
        for group in sorted(targets):
            bare = frozenset(targets[group])
            target = closures.get(bare) or closures.setdefault(bare, nfa.closure(bare))
            if target not in numbers:
                if len(numbers) >= nfa.max_states:
                    raise _too_large(nfa)
                numbers[target] = len(numbers)
                waiting.append(target)
            moves[-1][group] = numbers[target]
    return automaton(groups, moves, [last in states for states in waiting])


def _groups(sets: set[frozenset[int]]) -> list[list[int]]:
    """The classes that occur, those together that are in the same sets."""
    ordered = sorted(map(sorted, sets))
    found: dict[tuple[int, ...], list[int]] = {}
    where: dict[int, list[int]] = {}
    for number, members in enumerate(ordered):
        for label in members:
            where.setdefault(label, []).append(number)
    for label in sorted(where):
        found.setdefault(tuple(where[label]), []).append(label)
    return list(found.values())


def _too_large(nfa: _Machine) -> RecipeError:
    return RecipeError(
        f"pattern {nfa.pattern!r} needs an automaton of more than {nfa.max_states} states",
        allowed=f"up to {nfa.max_states}",
        next_step="lower the repeats, or let a looser pattern propose texts and a check of your own choose (Decoding.check)",
    )


__all__ = ["MAX_STATES", "compile_pattern"]
