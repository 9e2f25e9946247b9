"""What of a model can be removed: groups of channels, each with a name.

A group is named by its first layer, the one that makes the channels: `backbone.stem.0`. Its channels are counted as that
layer makes them, and removing one removes all that hangs on it: a filter, its normalisation, its filter in a depthwise
layer, the columns of whoever reads it. A recurrent layer is one group with a strand for each layer and direction: from each
strand equally many units go, and each chooses its own.

What cannot be removed stands in `fixed` with the reason: classes, fiducial points, layers that were not understood, and
those of which the proof in `cut` shows that removing is not the same as silencing.

    Graph.of(model)   follow the channels once; the graph holds for every model with the same layers
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from glyphlet.compress.cut import disproved
from glyphlet.compress.decoders import inner_groups, read_by
from glyphlet.compress.group import Group, Strand
from glyphlet.compress.join import BOTH, IN, OUT, End, Tied
from glyphlet.compress.trace import follow
from glyphlet.errors import CompressionError
from glyphlet.models.heads.sequence import SequenceHead
from glyphlet.models.layers.blurpool import BlurPool
from glyphlet.models.layers.gates import suffixes
from glyphlet.models.recognizer import Recognizer
from glyphlet.models.widths import axes_of, depthwise
from glyphlet.registry import nearest

_UNEQUAL = "removing its channels would change more than silencing them"
_OUTPUTS = "its outputs are those of the model, or what they become is not understood"


@dataclass(frozen=True)
class Graph:
    """The groups of a model by name, and the layers that are in none as first, with the reason."""

    groups: Mapping[str, Group]
    fixed: Mapping[str, str]

    @classmethod
    def of(cls, model: Recognizer) -> Graph:
        """Follow the channels of a model, which is left as it was, and prove of each group that it can be removed.

        Raises:
            CompressionError: the model holds NaN or infinity.
        """
        _check_finite(model)
        groups, fixed = _grouped(model)
        for name in disproved(model, groups):
            fixed |= dict.fromkeys(_makers(groups.pop(name)), _UNEQUAL)
        ordered = {name: groups[name] for name, _ in model.named_modules() if name in groups}
        for name, layer in model.named_modules():
            if isinstance(layer, nn.Conv2d | nn.Linear | nn.LSTM | nn.GRU) and name not in groups:
                fixed.setdefault(name, _why(name, model, groups))
        return cls(ordered, fixed)

    def __getitem__(self, name: str) -> Group:
        """The group of this name.

        Raises:
            CompressionError: there is none; the message says why, or which is nearest.
        """
        if name in self.groups:
            return self.groups[name]
        problem = f"there is no layer {name!r}{nearest(name, list(self.groups))}"
        if name in self.fixed:
            problem = f"the layer {name!r} cannot be pruned by itself: {self.fixed[name]}"
        raise CompressionError(problem, allowed=_listed(list(self.groups)), next_step="name one of these layers")

    def under(self, names: Sequence[str]) -> list[str]:
        """The groups with these names, or in modules with these names: `backbone`, `backbone.stages.1`.

        Raises:
            CompressionError: nothing that can be pruned has or is under a name.
        """
        found: list[str] = []
        for name in names:
            inside = [group for group in self.groups if group.startswith(f"{name}.")]
            found += inside or [self[name].name]
        return found


def _check_finite(model: Recognizer) -> None:
    for name, value in model.state_dict().items():
        if not torch.isfinite(value).all():
            raise CompressionError(
                f"the weights {name} hold NaN or infinity",
                allowed="finite weights",
                next_step="the training diverged: take an earlier checkpoint, or train with a lower train.lr",
            )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "") or "none in this model"


def _makers(group: Group) -> list[str]:
    """The layers that make the channels of a group, itself among them."""
    sizes = ("out_channels", "out_features", "hidden_size")
    return [
        layer for layer in group.layers() if any(f"{layer}.{s}" in strand for strand in group.strands for s in sizes)
    ]


def _why(layer: str, model: Recognizer, groups: Mapping[str, Group]) -> str:
    """Why a layer that makes channels is the first of no group."""
    for group in groups.values():
        if layer in _makers(group):
            return f"it goes together with {group.name!r}"
    inside = layer.startswith("head.") and isinstance(model.head, SequenceHead)
    return _OUTPUTS if inside else "no output depends on it"


def _grouped(model: Recognizer) -> tuple[dict[str, Group], dict[str, str]]:
    """The groups, unproved, and what is fixed."""
    modules = dict(model.named_modules())
    places = {name: place for place, name in enumerate([*modules, *dict(model.named_parameters())])}
    head = read_by(model.head) if isinstance(model.head, SequenceHead) else {}
    rooted: dict[str, list[dict[str, list[int]]]] = defaultdict(list)
    fixed: dict[str, str] = {}
    for tied in follow(model):
        tied.ends = dict(sorted(tied.ends.items(), key=lambda item: places[item[0].layer]))  # the model's order
        makers = [end.layer for end in tied.ends if end.side == OUT and axes_of(modules[end.layer])]
        axes = _OUTPUTS if tied.fixed else _axes(tied, modules, head)
        if isinstance(axes, str):
            through = [end.layer for end in tied.ends if end.side == BOTH and depthwise(modules.get(end.layer, model))]
            fixed |= dict.fromkeys([*makers, *through], axes)
        elif makers:  # else they are the image's
            rooted[makers[0]].append(axes)
    groups = {group.name: group for group in inner_groups(model.head)}
    for name in [name for name in rooted if name not in fixed]:
        made = _group(name, modules[name], rooted[name])
        if isinstance(made, str):
            fixed[name] = made
        else:
            groups[name] = made
    return groups, fixed


def _axes(tied: Tied, modules: Mapping[str, nn.Module], head: Strand) -> dict[str, list[int]] | str:
    """For each size the indices that tied channels have there; or why that cannot be said."""
    found: dict[str, list[int]] = defaultdict(list)
    for end, numbers in tied.ends.items():
        layer = modules.get(end.layer)
        if end == End("head", IN) and isinstance(layer, SequenceHead):
            if not head:
                return f"how head {type(layer).__name__} reads them is not known"
            for axis, table in head.items():
                found[axis] += table[numbers].flatten().tolist()
            continue
        sizes = _sizes(layer, end.side)
        if not sizes:
            return f"{end.layer} ({type(layer).__name__}) depends on its channels"
        for size in sizes:
            found[f"{end.layer}.{size}" if layer is not None else end.layer] += numbers
    return {axis: sorted(numbers) for axis, numbers in found.items()}


def _sizes(layer: nn.Module | None, side: str) -> list[str]:
    """The sizes that one side of a layer has; `""` for a bare parameter."""
    if layer is None:
        return [""]
    if isinstance(layer, BlurPool):
        return ["window"]
    if isinstance(layer, nn.Conv2d) and layer.groups > 1 and not (depthwise(layer) and side == BOTH):
        return []
    sizes = list(axes_of(layer))  # outputs before inputs
    return sizes if side == BOTH else sizes[:1] if side == OUT else sizes[1:]


def _group(name: str, layer: nn.Module, channels: list[dict[str, list[int]]]) -> Group | str:
    if isinstance(layer, nn.LSTM | nn.GRU):
        return _units(name, layer, channels)
    if len({tuple(sorted((axis, len(numbers)) for axis, numbers in c.items())) for c in channels}) > 1:
        return "its channels are not all used in the same way"
    if any(".hidden_size" in axis for axis in channels[0]):
        return "its channels are added to those of a recurrent layer"
    size = next(axis for axis in channels[0] if axis.startswith(f"{name}.out_"))
    channels = sorted(channels, key=lambda c: c[size])
    return Group(name, len(channels), ({axis: torch.tensor([c[axis] for c in channels]) for axis in channels[0]},))


def _units(name: str, layer: nn.RNNBase, outputs: list[dict[str, list[int]]]) -> Group | str:
    """The units of a recurrent layer; `outputs` are those of its last layer, all directions side by side."""
    own = f"{name}.hidden_size"
    count, strands = layer.hidden_size, len(suffixes(layer))
    width = 1 + int(layer.bidirectional)
    outputs = sorted(outputs, key=lambda o: o[own])
    kinds = {tuple(sorted((axis, len(numbers)) for axis, numbers in o.items())) for o in outputs}
    tied = any(
        axis != own and axis.endswith((".out_channels", ".out_features", ".hidden_size")) for o in outputs for axis in o
    )
    if len(kinds) > 1 or tied or [o[own] for o in outputs] != [[u] for u in range(width * count)]:
        return "its units are tied to each other or to channels of other layers"
    tables = {axis: torch.tensor([o[axis] for o in outputs]) for axis in outputs[0] if axis != own}
    units = torch.arange(count)[:, None]
    made: list[Strand] = [{own: units} for _ in range(strands - width)]
    for direction in range(width):
        part = slice(direction * count, (direction + 1) * count)
        made += [{own: units, **{axis: table[part] for axis, table in tables.items()}}]
    return Group(name, count, tuple(made))
