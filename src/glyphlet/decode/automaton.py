"""Which texts are legal: a deterministic automaton over the classes of a model.

Classes that no state tells apart form a group, and moves go by group: `[A-Z]{2}\\d{6}` has two groups and nine states,
whatever the charset. States from which no legal text can be finished are left out.

CTC needs a step for each character, and one more for the blank between equal neighbours. So each state knows how many
steps the shortest way to a legal end takes: what cannot be finished in the steps that are left is dropped at once, and a
search never ends without a legal text while one fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

Moves = tuple[tuple[int, int], ...]
"""(group, next state) of one state, by group."""


@dataclass(frozen=True)
class Automaton:
    """Made by `automaton`, `from_classes` or `anything`; state 0 is the start.

    Args:
        groups: the classes of each group, ascending.
        moves: for each state, by group, where it leads.
        accepting: whether a legal text may end in a state.
        need: the fewest steps to a legal end, by state; infinite only when there is no legal text at all.
        length: the fewest characters to a legal end, by state.
        tight: (state, group) where one step more is needed if the last step has written the one class of this group.
        free: whether every text is legal.
    """

    groups: tuple[tuple[int, ...], ...]
    moves: tuple[Moves, ...]
    accepting: tuple[bool, ...]
    need: tuple[float, ...]
    length: tuple[float, ...]
    tight: frozenset[tuple[int, int]]
    free: bool = False
    targets: tuple[dict[int, int], ...] = field(init=False, repr=False, compare=False)
    group_of: dict[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "targets", tuple(map(dict, self.moves)))
        group_of = {label: number for number, members in enumerate(self.groups) for label in members}
        object.__setattr__(self, "group_of", group_of)

    @property
    def empty(self) -> bool:
        """Whether no text is legal."""
        return self.need[0] == inf

    def accepts(self, labels: Iterable[int]) -> bool:
        """Whether a text, as classes, is legal.

        >>> from_classes([{1: 1, 2: 1}, {}], [False, True]).accepts([2])
        True
        """
        state = 0
        for label in labels:
            target = self.targets[state].get(self.group_of.get(label, -1))
            if target is None:
                return False
            state = target
        return self.accepting[state]


def anything(classes: int) -> Automaton:
    """Every text is legal.

    Args:
        classes: how many classes there are, the blank counted.
    """
    return Automaton((tuple(range(1, classes)),), (((0, 0),),), (True,), (0,), (0,), frozenset(), free=True)


def automaton(
    groups: Sequence[Sequence[int]], moves: Sequence[Mapping[int, int]], accepting: Sequence[bool]
) -> Automaton:
    """An automaton whose groups are known.

    Args:
        groups: the classes of each group; no class is in two.
        moves: for each state, the next state by group.
        accepting: for each state.
    """
    need, tight = _needs(groups, moves, accepting)
    length, _ = _needs([(0, 0)] * len(groups), moves, accepting)  # no class has to follow itself
    kept = tuple(tuple(sorted((g, s) for g, s in of.items() if need[s] < inf)) for of in moves)
    return Automaton(
        tuple(tuple(sorted(g)) for g in groups), kept, tuple(accepting), tuple(need), tuple(length), frozenset(tight)
    )


def from_classes(moves: Sequence[Mapping[int, int]], accepting: Sequence[bool]) -> Automaton:
    """An automaton from its moves by class; classes that always lead to the same states become one group.

    Args:
        moves: for each state, the next state by class.
        accepting: for each state.
    """
    columns: dict[int, list[tuple[int, int]]] = {}
    for state, of in enumerate(moves):
        for label, target in of.items():
            columns.setdefault(label, []).append((state, target))
    groups: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for label in sorted(columns):
        groups.setdefault(tuple(columns[label]), []).append(label)
    by_group: list[dict[int, int]] = [{} for _ in moves]
    for number, column in enumerate(groups):
        for state, target in column:
            by_group[state][number] = target
    return automaton(list(groups.values()), by_group, accepting)


def _needs(
    groups: Sequence[Sequence[int]], moves: Sequence[Mapping[int, int]], accepting: Sequence[bool]
) -> tuple[list[float], set[tuple[int, int]]]:
    """The fewest steps to a legal end, and where equal neighbours need one more; breadth first, from the ends.

    A state counts as what its shortest way takes. If all the shortest ways begin with the same class, and that class was
    the last one written, a blank goes between: one step more.
    """
    before: list[list[tuple[int, int]]] = [[] for _ in moves]
    for state, of in enumerate(moves):
        for group, target in of.items():
            before[target].append((state, group))
    need: list[float] = [inf] * len(moves)
    tight: set[tuple[int, int]] = set()
    waiting: dict[int, list[tuple[int, int]]] = {0: [(state, -1) for state, end in enumerate(accepting) if end]}
    cost = 0
    while waiting:
        ways: dict[int, set[int]] = {}
        for state, group in waiting.pop(cost, ()):
            if need[state] == inf or state in ways:
                need[state] = cost
                ways.setdefault(state, set()).add(group)
        single = {s: min(of) for s, of in ways.items() if len(of) == 1 and min(of) >= 0}
        tight |= {(s, group) for s, group in single.items() if len(groups[group]) == 1}
        for state in ways:
            for source, group in before[state]:
                if need[source] == inf:
                    waiting.setdefault(cost + 1 + ((state, group) in tight), []).append((source, group))
        cost += 1
    return need, tight


__all__ = ["Automaton", "Moves", "anything", "automaton", "from_classes"]
