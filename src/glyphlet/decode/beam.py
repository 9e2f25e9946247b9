"""The most probable texts of a line: prefix beam search.

Hannun, Maas, Jurafsky and Ng 2014, "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs" (arXiv 1408.2873, algorithm 1). A prefix has two probabilities: of all paths that end in a blank, and of all
that end in its last character. Paths that collapse to one prefix add up; the best path, which greedy decoding takes, is
only one of them. A language model adds `weight * log P(text) + bonus * characters` to the logarithm.

An automaton goes along with each prefix: a character that is not legal is never appended, and a prefix that cannot be
finished in the steps that are left is dropped: characters need busy steps, blanks between equal ones may lie in the plain
steps as well. So every text that comes out is legal.

The loop is plain Python over what NumPy (`steps.thin`) has left: of a line of print a few dozen steps with two or three
classes each. So few numbers are worked through in the time that NumPy needs for its calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log
from operator import itemgetter

from glyphlet.codec import BLANK
from glyphlet.decode.automaton import Automaton
from glyphlet.decode.fusion import Fusion
from glyphlet.decode.steps import MARGIN, Step, Steps

_TINY, _LEAST = 1e-100, 5e-324
_score = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that was found.

    Args:
        labels: its classes.
        score: what it is ranked by: the logarithm of the probability of its paths that were kept, and what a language model adds.
    """

    labels: tuple[int, ...]
    score: float


class _Prefix:
    """A text, as the last of its characters and the prefix before it."""

    __slots__ = (
        "added",
        "children",
        "context",
        "following",
        "label",
        "length",
        "need",
        "need_after",
        "parent",
        "state",
    )

    def __init__(self, parent: _Prefix | None, label: int, state: int) -> None:
        self.parent, self.label, self.state = parent, label, state
        self.children: dict[int, _Prefix] = {}
        self.need = self.need_after = self.length = 0.0
        self.added = 0.0
        self.context: tuple[int, ...] = ()
        self.following: Sequence[float] = ()

    def labels(self) -> tuple[int, ...]:
        found, prefix = [], self
        while prefix.parent is not None:
            found.append(prefix.label)
            prefix = prefix.parent
        return tuple(found[::-1])


_Beam = list[tuple[_Prefix, float, float]]
_Way = tuple[int, float, int, int]
"""A class, its posterior, its group, and the state that it leads to."""


def search(
    steps: Steps, automaton: Automaton, width: int, fusion: Fusion | None = None, margin: float = MARGIN
) -> list[Candidate]:
    """The most probable legal texts, best first.

    Args:
        steps: the posteriors of a line, from `steps.thin`.
        automaton: the legal texts.
        width: how many prefixes are kept.
        fusion: a language model.
        margin: how much less probable than the best one a prefix may be, as a factor.

    Returns:
        At most `width` texts; none if no legal text fits into the steps.

    >>> import numpy as np
    >>> from glyphlet.decode.automaton import anything
    >>> from glyphlet.decode.steps import thin
    >>> logs = np.log([[0.6, 0.4], [0.6, 0.4]])            # the best path is two blanks, 0.36
    >>> [(c.labels, round(float(np.exp(c.score)), 2)) for c in search(thin(logs, np.zeros(2), anything(2), 0), anything(2), 4)]
    [((1,), 0.64), ((), 0.36)]
    """
    return _Search(automaton, width, fusion, margin).run(steps)


class _Search:
    def __init__(self, automaton: Automaton, width: int, fusion: Fusion | None, margin: float) -> None:
        self.automaton, self.width, self.fusion, self.margin = automaton, width, fusion, margin
        self.longest = max([need for need in automaton.need if need < inf], default=0) + 1  # steps that any state needs
        self.scale, self.top = 0.0, 1.0

    def run(self, steps: Steps) -> list[Candidate]:
        root = _Prefix(None, BLANK, 0)
        root.need = root.need_after = self.automaton.need[0]
        root.length = self.automaton.length[0]
        if self.fusion:
            self._speak(root, self.fusion.model.start())
        beam: _Beam = [(root, 1.0, 0.0)]
        left, room = len(steps.steps), len(steps.steps) + sum(step.plain is not None for step in steps.steps)
        for step in steps.steps:
            left, room = left - 1, room - 1 - (step.plain is not None)
            if step.plain is not None:
                beam = [(prefix, (blank + last) * step.plain, 0.0) for prefix, blank, last in beam]
            beam = self._prune(self._extend(beam, step, left, room), left, room)
        return self._ended(beam, steps.tail)

    def _extend(self, beam: _Beam, step: Step, left: int, room: int) -> dict[_Prefix, list[float]]:
        """Every prefix with a blank, with its last character again, and with each character that may follow."""
        targets, likely, kept, blank = self.automaton.targets, step.likely, step.kept, step.blank
        floor = 0.0 if self.fusion else self.margin * self.top
        found: dict[_Prefix, list[float]] = {}
        hurried: list[tuple[float, _Prefix, _Way]] = []
        urgent: dict[int, list[_Way]] = {}
        for prefix, b, n in beam:
            found[prefix] = [(b + n) * blank, n * kept.get(prefix.label, 0.0)]
        if len(beam) == self.width and not self.fusion:  # of more than these only what beats the worst of them can stay
            floor = max(
                floor,
                min(
                    [
                        sum(cell) if prefix.need_after <= room and prefix.length <= left else 0.0
                        for prefix, cell in found.items()
                    ]
                ),
            )
        for prefix, b, n in beam:
            total, last = b + n, prefix.label
            if prefix.need <= room and prefix.length <= left:
                table, children = targets[prefix.state], prefix.children
                for label, posterior, group in likely:
                    if group in table:
                        p = (b if label == last else total) * posterior
                        child = children.get(label)
                        cell = found.get(child) if child else None
                        if cell:
                            cell[1] += p
                        elif p > floor:
                            found[child or self._child(prefix, label, group, table[group])] = [0.0, p]
                continue
            if prefix.state not in urgent:
                urgent[prefix.state] = self._urgent(prefix.state, step, left, room)
            for way in urgent[prefix.state]:
                p = (b if way[0] == last else total) * way[1]
                if p > 0:
                    hurried.append((p, prefix, way))
        if self.margin and len(hurried) > self.width:
            hurried.sort(key=lambda entry: -entry[0])
            del hurried[self.width :]
        for p, prefix, (label, _, group, state) in hurried:
            child = prefix.children.get(label) or self._child(prefix, label, group, state)
            found.setdefault(child, [0.0, 0.0])[1] += p
        return found

    def _urgent(self, state: int, step: Step, left: int, room: int) -> list[_Way]:
        """How a prefix goes on that cannot wait: what must come is not dropped for being improbable."""
        legal = self.automaton
        targets, group_of = legal.targets[state], legal.group_of
        ways = [(label, y, group_of[label], targets.get(group_of[label], -1)) for label, y in step.kept.items()]
        return [
            way
            for way in ways
            if (to := way[3]) >= 0
            and legal.need[to] + ((to, way[2]) in legal.tight) <= room
            and legal.length[to] <= left
        ]

    def _child(self, prefix: _Prefix, label: int, group: int, state: int) -> _Prefix:
        child = prefix.children[label] = _Prefix(prefix, label, state)
        child.need, child.length = self.automaton.need[state], self.automaton.length[state]
        child.need_after = child.need + ((state, group) in self.automaton.tight)
        if fusion := self.fusion:
            child.added = prefix.added + fusion.weight * prefix.following[label] + fusion.bonus
            self._speak(child, fusion.model.follow(prefix.context, label))
        return child

    def _speak(self, prefix: _Prefix, context: tuple[int, ...]) -> None:
        assert self.fusion is not None
        prefix.context = context
        prefix.following = self.fusion.model.log_probabilities(context)

    def _prune(self, found: dict[_Prefix, list[float]], left: int, room: int) -> _Beam:
        """The best prefixes that can still be finished."""
        if left < self.longest:
            for prefix, cell in found.items():
                if prefix.need_after > room or prefix.length > left:
                    cell[1] = 0.0
                    cell[0] *= prefix.need <= room and prefix.length <= left
        if self.fusion:
            scored = [
                (log(cell[0] + cell[1]) + prefix.added, prefix, cell)
                for prefix, cell in found.items()
                if cell[0] + cell[1] > 0
            ]
            least = max([entry[0] for entry in scored], default=0.0) + (log(self.margin) if self.margin else -1e300)
        else:
            scored = [(cell[0] + cell[1], prefix, cell) for prefix, cell in found.items()]
            least = max(self.margin * max([entry[0] for entry in scored], default=0.0), _LEAST)
        scored = [entry for entry in scored if entry[0] >= least]
        if len(scored) > self.width:
            scored.sort(key=_score, reverse=True)  # stable: of equal ones the first that was found
            del scored[self.width :]
        return self._scaled([(prefix, b, n) for _, prefix, (b, n) in scored])

    def _scaled(self, beam: _Beam) -> _Beam:
        """The same, times a factor where probabilities become too small."""
        top = max([b + n for _, b, n in beam], default=1.0)
        self.top = 1.0 if top < _TINY else top
        if top > _TINY:
            return beam
        self.scale += log(top)
        return [(prefix, b / top, n / top) for prefix, b, n in beam]

    def _ended(self, beam: _Beam, tail: float) -> list[Candidate]:
        found = []
        for prefix, b, n in beam:
            score = log(b + n) + log(tail) + self.scale + prefix.added
            if self.fusion:
                score += self.fusion.weight * prefix.following[0]
            found.append(Candidate(prefix.labels(), score))
        return sorted(found, key=lambda candidate: (-candidate.score, candidate.labels))


__all__ = ["MARGIN", "Candidate", "search"]
