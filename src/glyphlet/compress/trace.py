"""Which channels of a model hang together, followed through one forward pass with torch-pruning's dependency graph.

Source: DepGraph (Fang et al. 2023, arXiv 2301.12900) and its library torch-pruning. A node of its graph is a layer or an
operation between layers, an edge says that the channels of one are those of the other. `join` follows the channels along
these edges; removing them is left to `cut`. Recurrent layers and heads that write step by step are one node each
(`_stand_in`), for autograd's graph shows no units in them; `graph` and `decoders` know what is inside.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch_pruning as tp
from torch import nn
from torch.overrides import TorchFunctionMode

from glyphlet.compress.join import Joiner, Shapes, Tied
from glyphlet.models.heads.sequence import SequenceHead
from glyphlet.models.layers.blurpool import BlurPool
from glyphlet.models.recognizer import Recognizer

WIDTH = 96
"""Pixels of the line that is followed: several time steps for every backbone."""


class _Whole(tp.BasePruningFunc):
    """Tells torch-pruning the sizes of a layer that it sees as one node. It is never asked to prune."""

    def __init__(self, inputs: Callable[[Any], int], outputs: Callable[[Any], int]) -> None:
        super().__init__()
        self._inputs, self._outputs = inputs, outputs

    def prune_out_channels(self, layer: nn.Module, idxs: Any) -> nn.Module:
        """Nothing."""
        return layer

    def prune_in_channels(self, layer: nn.Module, idxs: Any) -> nn.Module:
        """Nothing."""
        return layer

    def get_out_channels(self, layer: nn.Module) -> int:
        """How many leave it."""
        return self._outputs(layer)

    def get_in_channels(self, layer: nn.Module) -> int:
        """How many enter it."""
        return self._inputs(layer)


class _Through(_Whole):
    """The same for a layer whose outputs are its inputs."""

    prune_in_channels = _Whole.prune_out_channels


class _StandIn(torch.autograd.Function):
    """Zeros of a shape, as one node of autograd's graph."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        return x.new_zeros(shape)


def _stand_in(model: Recognizer) -> dict[type[nn.Module], tp.BasePruningFunc]:
    """Let recurrent layers and decoders of a copy give zeros; what torch-pruning must know of them."""
    made: dict[type[nn.Module], tp.BasePruningFunc] = {}
    for layer in model.modules():
        if isinstance(layer, nn.LSTM | nn.GRU):
            setattr(layer, "forward", _recurrence(layer))  # noqa: B010  (mypy: a method)
            made[type(layer)] = _Whole(
                lambda rnn: rnn.input_size, lambda rnn: rnn.hidden_size * (1 + rnn.bidirectional)
            )
        elif isinstance(layer, BlurPool):
            made[BlurPool] = _Through(lambda pool: len(pool.window), lambda pool: len(pool.window))
    if isinstance(model.head, SequenceHead):
        features, classes = model.neck.features, model.codec.classes
        setattr(model.head, "forward", _writing(model.head, classes))  # noqa: B010
        made[type(model.head)] = _Whole(lambda head: features, lambda head: classes)
    return made


def _recurrence(layer: nn.RNNBase) -> Callable[[torch.Tensor], tuple[torch.Tensor, None]]:
    width = layer.hidden_size * (1 + int(layer.bidirectional))
    return lambda x: (_StandIn.apply(x, (*x.shape[:-1], width)), None)


def _writing(head: SequenceHead, classes: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: _StandIn.apply(x, (len(x), head.max_length + 1, classes))


class _Watch(TorchFunctionMode):
    """Remembers what went into each operation and what came out, by the node of autograd's graph that it left."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: dict[Any, Shapes] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and out.grad_fn is not None and args and isinstance(args[0], torch.Tensor):
            self.shapes.setdefault(out.grad_fn, (args[0].shape, out.shape))  # dropout may hand on what it was given
        return out


def follow(model: Recognizer) -> list[Tied]:
    """All channels of a model, tied together where one cannot be removed without the other.

    The model is left as it was. Layers that no output depends on are not among the ends.
    """
    traced: Any = copy.deepcopy(model).cpu().float().eval().requires_grad_(True)
    whole = _stand_in(traced)
    geometry = model.geometry
    line = torch.zeros(1, geometry.channels, geometry.height, geometry.padded_width(WIDTH))
    transform, traced.transform = traced.transform, None
    found = _follow(traced, line, whole)
    if transform is not None:  # by itself: it moves pixels, and its channels meet no others
        outer = nn.Module()
        outer.transform = transform
        found += _follow(outer, line, {}, lambda outer, x: outer.transform(x))
    return found


def _follow(model: nn.Module, line: torch.Tensor, whole: Any, forward: Any = None) -> list[Tied]:
    watch, graph = _Watch(), tp.DependencyGraph()
    flat = [(p, 0) for p in model.parameters() if p.dim() == 1]
    own = [pair for pair in flat if _is_own(model, pair[0])]
    with torch.enable_grad(), watch:
        graph.build_dependency(model, line, forward or (lambda m, x: m(x)), None, own, whole, verbose=False)
    return Joiner(graph, watch.shapes).tied()


def _is_own(model: nn.Module, parameter: nn.Parameter) -> bool:
    """Whether a parameter belongs to a module of ours and not to a layer of torch."""
    owner = next(m for m in model.modules() if any(p is parameter for p in m.parameters(recurse=False)))
    return not type(owner).__module__.startswith("torch.") and not isinstance(owner, nn.BatchNorm2d)
