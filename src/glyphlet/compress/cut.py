"""Remove channels from a model; or silence them where they are, which must give the same.

A channel is silent when nothing reads it: the weights of whoever takes it in are 0. Whatever happens to it before, in a
normalisation, an activation, an attention, a recurrence, it then contributes exactly nothing. So a model whose channels were
removed computes what the model with those channels silenced computes, to the last rounding. `disproved` tries it.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from glyphlet.compress.group import Group
from glyphlet.errors import RecipeError
from glyphlet.models.layers.gates import silence_inputs, silence_units
from glyphlet.models.recognizer import Recognizer
from glyphlet.models.widths import depthwise, find, fit, size_of, take

Removed = Mapping[str, Sequence[torch.Tensor]]
"""For each group, by name, and each of its strands: the channels that go."""
_READING = ("in_channels", "in_features", "input_size", "hidden_size")
_UNITS = ".hidden_size"


def _losses(groups: Mapping[str, Group], removed: Removed) -> Iterator[tuple[str, int, torch.Tensor]]:
    """Sizes with the number of the strand and the indices that they lose."""
    for name, strands in removed.items():
        for number, gone in enumerate(strands):
            for axis, table in groups[name].strands[number].items():
                yield axis, number, table[gone].flatten()


def _rest(count: int, gone: torch.Tensor) -> torch.Tensor:
    kept = torch.ones(count, dtype=torch.bool)
    kept[gone] = False
    return kept.nonzero().flatten()


def without(model: Recognizer, groups: Mapping[str, Group], removed: Removed) -> Recognizer:
    """A copy of a model without some channels. Its `spec` says so: it is an ordinary model.

    Args:
        model: it is left as it was.
        groups: of the model.
        removed: equally many channels of each strand of a group, and not all.
    """
    made = copy.deepcopy(model)
    lost: dict[str, list[torch.Tensor]] = defaultdict(list)
    for axis, _, indices in _losses(groups, removed):
        lost[axis].append(indices)
    for axis, parts in lost.items():
        count = size_of(made, axis)
        kept = [_rest(count, part) for part in parts] if axis.endswith(_UNITS) else [_rest(count, torch.cat(parts))]
        take(made, axis, torch.stack(kept) if axis.endswith(_UNITS) else kept[0])
    made.spec = model.spec.model_copy(update={"widths": _ordered(made, [*model.spec.widths, *lost])})
    fit(made)
    return made


def _ordered(model: Recognizer, axes: Iterable[str]) -> dict[str, int]:
    """Sizes in the order of the model's layers."""
    places = {name: place for place, (name, _) in enumerate(model.named_modules())}
    return {axis: size_of(model, axis) for axis in sorted(set(axes), key=lambda a: (places[a.rpartition(".")[0]], a))}


def silenced(model: Recognizer, groups: Mapping[str, Group], removed: Removed) -> Recognizer:
    """A copy of a model in which nothing reads some channels; see `without`."""
    made = copy.deepcopy(model)
    for axis, strand, indices in _losses(groups, removed):
        if axis.rpartition(".")[2] in _READING:
            _silence(made, axis, strand, indices)
    return made


@torch.no_grad()
def _silence(model: nn.Module, axis: str, strand: int, indices: torch.Tensor) -> None:
    layer: Any
    layer, name = find(model, axis)
    if name == "hidden_size":
        silence_units(layer, strand, indices)
    elif name == "input_size":
        silence_inputs(layer, indices)
    elif not depthwise(layer):  # a depthwise filter hands its channel on; whoever reads it is silenced
        layer.weight[:, indices] = 0


def disproved(model: Recognizer, groups: Mapping[str, Group]) -> list[str]:
    """The groups of which removing channels is not the same as silencing them, tried on random weights and lines.

    Half of the channels of all groups are taken at once. Only if that fails, each group is tried alone.
    """
    chance = torch.Generator().manual_seed(0)
    shaken, geometry = _shaken(model, chance), model.geometry
    shape = 1, geometry.channels, geometry.height, geometry.padded_width(64)
    lines = torch.rand(shape, dtype=torch.float64, generator=chance)
    gone = {
        name: [torch.randperm(group.size, generator=chance)[: group.size // 2] for _ in group.strands]
        for name, group in groups.items()
    }
    if _same(shaken, groups, gone, lines):
        return []
    return [name for name in groups if not _same(shaken, groups, {name: gone[name]}, lines)]


def _shaken(model: Recognizer, chance: torch.Generator) -> Recognizer:
    """A copy with float64 weights of which none is 0 or 1, so that no path is closed by chance or by its start."""
    shaken = copy.deepcopy(model).cpu().double().eval().requires_grad_(False)
    for parameter in shaken.parameters():
        deviation = 0.7 / parameter[0].numel() ** 0.5 if parameter.dim() > 1 else 0.1
        parameter.add_(deviation * torch.randn(parameter.shape, dtype=parameter.dtype, generator=chance))
    for name, buffer in shaken.named_buffers():
        if name.endswith("running_mean"):
            buffer.add_(0.1 * torch.randn(buffer.shape, dtype=buffer.dtype, generator=chance))
    return shaken


@torch.no_grad()
def _same(model: Recognizer, groups: Mapping[str, Group], gone: Removed, lines: torch.Tensor) -> bool:
    try:
        a, b = without(model, groups, gone)(lines), silenced(model, groups, gone)(lines)
    except (RuntimeError, IndexError, ValueError, RecipeError):  # what layers of torch raise for sizes that do not fit
        return False
    return a.shape == b.shape and bool((a - b).abs().max() <= 1e-9 * (1 + b.abs().max()))
