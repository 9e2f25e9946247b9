"""Joins channels along the edges of a dependency graph: which of them can only go together.

Every channel of every node is followed by itself (union-find), so it is known which ones meet where a layer reads or makes
several. The edges and their maps through concatenations and splits are torch-pruning's. Views are followed by the shapes that
went in and came out; one that is not understood makes its channels fixed.

Read it in this order: `Tied`, `view`, `Joiner`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
import torch_pruning as tp
from torch import nn

IN, OUT, BOTH = "in", "out", "both"
Shapes = tuple[torch.Size, torch.Size]
Atom = tuple[int, int]
"""One side of a node, and a channel there."""


class End(NamedTuple):
    """One side of a layer: its dotted name (or that of a parameter), and whether channels enter it, leave it or pass through."""

    layer: str
    side: str


@dataclass
class Tied:
    """Channels that can only go together: for each side of a layer their numbers there.

    `fixed`: they cannot go at all, for they are an output or pass an operation that is not understood.
    """

    ends: dict[End, list[int]] = field(default_factory=lambda: defaultdict(list))
    fixed: bool = False


class _Index(NamedTuple):
    """A channel of a node and the channel that it was mapped from; the names are torch-pruning's."""

    idx: int
    root_idx: int


def view(before: torch.Size, after: torch.Size) -> Callable[[int], list[int]] | None:
    """Where a channel goes in a view of other shape; None if that is not known.

    Channels are dimension 1 of (N, C, H, W), and the last one of (N, T, D) and (N, D).
    """
    if len(before) == 4:
        if after[1] == before[1]:
            return lambda c: [c]
        stride = after[1] // before[1]
        folded = len(after) in (2, 3) and stride * before[1] == after[1] and stride in _folds(before)
        return (lambda c: list(range(c * stride, (c + 1) * stride))) if folded else None
    if after[-1] == before[-1]:
        return lambda c: [c]
    if len(before) == len(after) == 3 and before[2] % after[2] == 0 and after[1] * after[2] == before[1] * before[2]:
        return lambda c: [c % after[2]]
    return None


def _folds(before: torch.Size) -> tuple[int, int]:
    """How many features a channel becomes: its rows, or all of its map."""
    return before[2], before[2] * before[3]


class Joiner:
    """Follows the channels of all nodes.

    Args:
        graph: torch-pruning's, built.
        shapes: by node of autograd's graph what went into its operation and what came out.
    """

    def __init__(self, graph: Any, shapes: dict[Any, Shapes]) -> None:
        self.graph, self.shapes = graph, shapes
        self.places: dict[Any, int] = {}
        self.parent: dict[Atom, Atom] = {}
        self.fixed: set[Atom] = set()
        self.last = next(node for node in graph.module2node.values() if not node.outputs)

    def tied(self) -> list[Tied]:
        """Follow every channel of every layer as far as it goes, and collect what met."""
        for node in self.graph.module2node.values():
            for handler, count, _ in self._sides(node):
                self._spread(node, handler, range(count or 0))
        found: dict[Any, Tied] = defaultdict(Tied)
        for node in self.graph.module2node.values():
            for handler, count, end in self._sides(node):
                for number in range(count or 0 if end else 0):
                    assert end
                    found[self._root((self._place(node, handler), number))].ends[end].append(number)
        for atom in self.fixed:
            found[self._root(atom)].fixed = True
        return list(found.values())

    def _sides(self, node: Any) -> Iterator[tuple[Any, int | None, End | None]]:
        """What torch-pruning calls to prune a node on either side, how many channels it has there, and its name."""
        pruner = self.graph.get_pruner_of_module(node.module)
        name = self.graph._param_to_name.get(node.module) if isinstance(node.module, nn.Parameter) else None
        name = name or self.graph._module2name.get(node.module)
        if pruner.prune_in_channels == pruner.prune_out_channels:
            is_layer = name is not None and self.graph.get_out_channels(node)
            yield pruner.prune_out_channels, is_layer or None, End(name, BOTH) if is_layer else None
            return
        yield pruner.prune_in_channels, self.graph.get_in_channels(node), End(name, IN)
        yield pruner.prune_out_channels, self.graph.get_out_channels(node), End(name, OUT)

    def _spread(self, node: Any, handler: Any, numbers: Any) -> None:
        place = self._place(node, handler)
        waiting = [(node, handler, [n for n in numbers if (place, n) not in self.parent])]
        self.parent |= {(place, n): (place, n) for n in waiting[0][2]}
        while waiting:
            node, handler, numbers = waiting.pop()
            if node is self.last and handler == self.graph.get_pruner_of_module(node.module).prune_out_channels:
                self.fixed |= {(self._place(node, handler), number) for number in numbers}
            for edge in node.dependencies:
                if numbers and edge.is_triggered_by(handler):
                    fresh = self._cross(node, handler, edge, numbers)
                    waiting.append((edge.target, edge.handler, fresh))

    def _cross(self, node: Any, handler: Any, edge: Any, numbers: list[int]) -> list[int]:
        """Join channels with where an edge takes them; the numbers there that were not seen before."""
        fresh = []
        here, yonder = self._place(node, handler), self._place(edge.target, edge.handler)
        for there in self._mapped(node, handler, edge, numbers):
            atom = yonder, there.idx
            if atom not in self.parent:
                self.parent[atom] = atom
                fresh.append(there.idx)
            self.parent[self._root(atom)] = self._root((here, there.root_idx))
        return fresh

    def _mapped(self, node: Any, handler: Any, edge: Any, numbers: list[int]) -> list[Any]:
        there: list[Any] = [_Index(n, n) for n in numbers]
        for mapping in edge.index_mapping[1:] if _is_view(node) or _is_view(edge.target) else edge.index_mapping:
            there = mapping(there) if mapping is not None else there
        if _is_view(edge.target) and node in edge.target.inputs:
            return self._viewed(edge.target, node, handler, there)
        if _is_view(node) and edge.target in node.inputs:
            return self._unviewed(node, there)
        return there

    def _viewed(self, node: Any, source: Any, handler: Any, numbers: list[Any]) -> list[Any]:
        """The channels after a view; those of a view that is not understood are fixed."""
        shapes = self.shapes.get(node.grad_fn)
        goes = view(*shapes) if shapes else (lambda c: [c])
        if goes is None:
            self.fixed |= {(self._place(source, handler), number.root_idx) for number in numbers}
            return []
        return [_Index(after, number.root_idx) for number in numbers for after in goes(number.idx)]

    def _unviewed(self, node: Any, numbers: list[Any]) -> list[Any]:
        """The channels before a view that become these."""
        shapes = self.shapes.get(node.grad_fn)
        if not shapes:
            return numbers
        goes = view(*shapes)
        if goes is None:
            return []
        came: dict[int, list[int]] = defaultdict(list)
        for before in range(shapes[0][1 if len(shapes[0]) == 4 else -1]):
            for after in goes(before):
                came[after].append(before)
        return [_Index(before, number.root_idx) for number in numbers for before in came.get(number.idx, [])]

    def _place(self, node: Any, handler: Any) -> int:
        """A number for each side of each node, for it is looked up often."""
        return self.places.setdefault((node, handler), len(self.places))

    def _root(self, atom: Atom) -> Atom:
        while self.parent.setdefault(atom, atom) != atom:
            self.parent[atom] = self.parent[self.parent[atom]]
            atom = self.parent[atom]
        return atom


def _is_view(node: Any) -> bool:
    return bool(node.type in (tp.ops.OPTYPE.RESHAPE, tp.ops.OPTYPE.EXPAND))
