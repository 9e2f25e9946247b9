"""Structured pruning: a smaller model out of a trained one, by removing the channels that matter least.

    Pruning     what is wanted: how much, from where, by which criterion
    prune       from a model and a wish to a smaller model
    choose      which channels go, from what they matter; a search may choose by itself and call `cut.without`

What comes out is an ordinary model. Its `spec` holds the sizes of its layers (`widths`), so it is saved, loaded, trained
and exported as any other, and needs no second pruning.

>>> from glyphlet.charset import Charset
>>> from glyphlet.image import Geometry
>>> from glyphlet.models.recognizer import build
>>> from glyphlet.spec import ModelSpec
>>> smaller = prune(build(ModelSpec(), Geometry(), Charset.named("digits")), Pruning(ratio=0.5))
>>> smaller.sizes["backbone.stem.0"]
(16, 8)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from glyphlet.compress.criteria import check_criterion, scores
from glyphlet.compress.cut import without
from glyphlet.compress.graph import Graph
from glyphlet.compress.group import Group
from glyphlet.errors import CompressionError
from glyphlet.models.recognizer import Recognizer

SCOPES = ("layer", "global")


@dataclass(frozen=True)
class Pruning:
    """What is to be removed.

    Args:
        ratio: share of the channels that go, 0 to less than 1.
        ratios: other shares for single groups, by the name of a group or of a module that holds some.
        criterion: `l1`, `l2`, `fpgm` or `random`; see `criteria`.
        scope: `layer` takes the share from each group, `global` from all channels together, the least important first.
        round_to: the channels that stay in a group are a multiple of this, or all of them; rounded up.
        seed: of `random`.
        only: names of groups, or of modules that hold some; the others stay whole. By default all take part.
        skip: the same for groups that stay whole.

    Raises:
        CompressionError: a value is out of range.
    """

    ratio: float = 0.0
    ratios: Mapping[str, float] = field(default_factory=dict)
    criterion: str = "l1"
    scope: Literal["layer", "global"] = "layer"
    round_to: int = 1
    seed: int = 0
    only: Sequence[str] = ()
    skip: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, ratio in {"": self.ratio, **self.ratios}.items():
            _check_ratio(name, ratio)
        check_criterion(self.criterion)
        if self.scope not in SCOPES:
            raise CompressionError(f"the scope is {self.scope!r}", allowed=", ".join(SCOPES), next_step="choose one")
        if self.scope == "global" and self.ratios:
            raise CompressionError(
                f"ratios are given for {', '.join(self.ratios)}, and the scope is global",
                allowed="one ratio for all channels together, or scope 'layer' with ratios",
                next_step="leave out the ratios, or set the scope to 'layer'",
            )
        if not isinstance(self.round_to, int) or self.round_to < 1:
            raise CompressionError(
                f"round_to is {self.round_to!r}", allowed="a whole number from 1", next_step="1 rounds nothing"
            )


def _check_ratio(name: str, ratio: float) -> None:
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 <= ratio < 1:
        raise CompressionError(
            f"the ratio{f' of {name}' if name else ''} is {ratio!r}",
            allowed="0 to less than 1: the share of the channels that go",
            next_step="0.5 removes half of them",
        )


@dataclass(frozen=True)
class Pruned:
    """What came of a pruning.

    Args:
        model: the smaller model, on the device and in the mode of the full one.
        removed: for each group that lost something the channels that went, strand by strand, as the full model counts them.
        sizes: for each group its channels before and after.
    """

    model: Recognizer
    removed: Mapping[str, Sequence[torch.Tensor]]
    sizes: Mapping[str, tuple[int, int]]


def prune(model: Recognizer, how: Pruning, graph: Graph | None = None) -> Pruned:
    """Remove the channels that matter least.

    Args:
        model: the full model, or one that was pruned before; it is left as it was.
        how: what is to be removed.
        graph: of this model, if it is known from before; to follow the channels takes longer than to remove some.

    Raises:
        CompressionError: a name under `ratios`, `only` or `skip` is no group and holds none, or nothing is left to prune.
    """
    graph = graph or Graph.of(model)
    ratios = wanted(graph, how)
    matter = {name: scores(model, graph.groups[name], how.criterion, how.seed) for name in ratios}
    counts = _globally(matter, how.ratio) if how.scope == "global" else _by_layer(matter, ratios)
    counts = {name: _rounded(graph.groups[name], count, how.round_to) for name, count in counts.items()}
    removed = choose(matter, counts)
    smaller = without(model, graph.groups, removed)
    sizes = {name: (group.size, group.size - counts.get(name, 0)) for name, group in graph.groups.items()}
    return Pruned(smaller, removed, sizes)


def wanted(graph: Graph, how: Pruning) -> dict[str, float]:
    """The groups that take part, and the share that each is to lose (under `global` it is that of all).

    Raises:
        CompressionError: as `prune`.
    """
    names = graph.under(how.only) if how.only else list(graph.groups)
    skipped = set(graph.under(how.skip))
    ratios = dict.fromkeys(names, how.ratio)
    for name, ratio in how.ratios.items():
        ratios |= dict.fromkeys(graph.under([name]), ratio)
    found = {name: ratios[name] for name in graph.groups if name in ratios and name not in skipped}
    if not found:
        why = (
            "no layer of this model can be pruned" if not graph.groups else "`only` and `skip` leave no layer to prune"
        )
        some = [f"{name}: {reason}" for name, reason in list(graph.fixed.items())[:3]]
        raise CompressionError(
            f"{why}{' (' + '; '.join(some) + ')' if not graph.groups else ''}",
            allowed=", ".join(list(graph.groups)[:12]) or "a model with layers whose channels can be followed",
            next_step="leave one of them out of `skip`" if graph.groups else "prune another model",
        )
    return found


def choose(matter: Mapping[str, Sequence[torch.Tensor]], counts: Mapping[str, int]) -> dict[str, list[torch.Tensor]]:
    """The channels that matter least: from each strand of a group as many as `counts` says, in order of their numbers."""
    return {
        name: [strand.argsort(stable=True)[:count].sort().values for strand in matter[name]]
        for name, count in counts.items()
        if count
    }


def _by_layer(matter: Mapping[str, Sequence[torch.Tensor]], ratios: Mapping[str, float]) -> dict[str, int]:
    return {name: _share(len(strands[0]), ratios[name]) for name, strands in matter.items()}


def _share(count: int, ratio: float) -> int:
    """A share of a count, never more than asked for; 0.3 of 10 are 3."""
    return int(ratio * count + 1e-9)


def _globally(matter: Mapping[str, Sequence[torch.Tensor]], ratio: float) -> dict[str, int]:
    """How many of each group are among the least important of all; the most important one of each always stays.

    The n-th weakest units of all strands of a recurrent layer go together and count as one channel.
    """
    ranked = {
        name: torch.stack([strand.sort().values for strand in strands]).mean(0) for name, strands in matter.items()
    }
    names = [name for name, values in ranked.items() for _ in values[:-1]]
    total = _share(sum(len(values) for values in ranked.values()), ratio)
    if not names:
        return {}
    lowest = torch.cat([values[:-1] for values in ranked.values()]).argsort(stable=True)[:total].tolist()
    taken = [names[place] for place in lowest]
    return {name: taken.count(name) for name in ranked}


def _rounded(group: Group, count: int, round_to: int) -> int:
    """How many go, if those that stay are to be a multiple of a number; at least one stays."""
    kept = math.ceil(max(1, group.size - count) / round_to) * round_to
    return group.size - min(group.size, kept)
