"""Sizes of single layers: how a model is built narrower than its options say, as pruning leaves it.

A size is named by its layer and torch's own name of it: `backbone.stem.0.out_channels`, `neck.rnn.hidden_size`,
`head.linear.in_features`. A tensor with a value for each channel stands for itself: `backbone.stem.2.p1`. `take` keeps some
channels along one such axis. `resize` keeps the first ones, which is all that a model needs whose weights come later.

Read it in this order: `AXES`, `find`, `take`, `resize`, `fit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from glyphlet.errors import RecipeError
from glyphlet.models.layers.gates import take_inputs, take_units
from glyphlet.registry import nearest

if TYPE_CHECKING:
    from glyphlet.models.recognizer import Recognizer

Widths = Mapping[str, int]
"""Sizes by their names; what is not named is as built."""
AXES: dict[type[nn.Module], dict[str, tuple[tuple[str, int], ...]]] = {
    nn.Conv2d: {"out_channels": (("weight", 0), ("bias", 0)), "in_channels": (("weight", 1),)},
    nn.Linear: {"out_features": (("weight", 0), ("bias", 0)), "in_features": (("weight", 1),)},
    nn.Embedding: {"embedding_dim": (("weight", 1),)},
    _BatchNorm: {"num_features": (("weight", 0), ("bias", 0), ("running_mean", 0), ("running_var", 0))},
    nn.LSTM: {"hidden_size": (), "input_size": ()},
    nn.GRU: {"hidden_size": (), "input_size": ()},
}
"""The sizes of each kind of layer, and the tensors and their dimensions that have it. Those of recurrent layers: `gates`."""


def depthwise(layer: nn.Module) -> bool:
    """Whether a convolution has one filter for each channel, so that its inputs are its outputs."""
    return isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1


def axes_of(layer: nn.Module) -> dict[str, tuple[tuple[str, int], ...]]:
    """The sizes of a layer, as in `AXES`; none for a layer that has no channels of its own."""
    return next((axes for kind, axes in AXES.items() if isinstance(layer, kind)), {})


def find(model: nn.Module, axis: str) -> tuple[nn.Module, str]:
    """The layer and the name in it of a size.

    Raises:
        RecipeError: there is no such layer, or it has no such size.
    """
    name, _, size = axis.rpartition(".")
    try:
        layer = model.get_submodule(name)
    except AttributeError as error:
        known = [module for module, _ in model.named_modules()]
        raise _unknown(f"{axis!r}, and there is no layer {name!r}{nearest(name, known)}") from error
    known = [*axes_of(layer), *(n for n, t in _own_tensors(layer).items() if not axes_of(layer) and t.dim())]
    if size not in known:
        raise _unknown(f"{axis!r}, and {name!r} has no size {size!r}{nearest(size, known)}", ", ".join(known))
    return layer, size


def _own_tensors(layer: nn.Module) -> dict[str, torch.Tensor]:
    return {**dict(layer.named_parameters(recurse=False)), **dict(layer.named_buffers(recurse=False))}


def _unknown(what: str, allowed: str = "") -> RecipeError:
    return RecipeError(
        f"model.widths has {what}",
        allowed=allowed or "layers of this model, each with a size: backbone.stem.0.out_channels",
        next_step="take model with its widths from the recipe of the pruned model, or leave model.widths out",
    )


def size_of(model: nn.Module, axis: str) -> int:
    """The size itself; raises as `find`."""
    layer, name = find(model, axis)
    value = getattr(layer, name)
    return len(value) if isinstance(value, torch.Tensor) else int(value)


def take(model: nn.Module, axis: str, kept: torch.Tensor) -> None:
    """Keep some channels along one axis, in the order given; the rest of the layer stays.

    Args:
        model: any module; it is changed.
        axis: a size, see above.
        kept: indices (k,); for `hidden_size` (S, k), a row for each layer and direction of a recurrent layer.

    Raises:
        RecipeError: as `find`.
    """
    layer, name = find(model, axis)
    if isinstance(layer, nn.LSTM | nn.GRU):
        (take_units if name == "hidden_size" else take_inputs)(layer, kept)
    elif isinstance(getattr(layer, name), torch.Tensor):
        cut(layer, name, 0, kept)
    else:
        _take(layer, name, kept)


def _take(layer: nn.Module, name: str, kept: torch.Tensor) -> None:
    if name == "in_channels" and isinstance(layer, nn.Conv2d) and layer.groups > 1:
        layer.groups = len(kept)  # one filter a channel: the filters go with the outputs
    else:
        for tensor, dim in axes_of(layer)[name]:
            cut(layer, tensor, dim, kept)
    setattr(layer, name, len(kept))


def cut(layer: nn.Module, name: str, dim: int, kept: torch.Tensor) -> None:
    """Keep some indices of one dimension of a parameter or buffer, if the layer has it."""
    value = getattr(layer, name)
    if value is None:
        return
    with torch.no_grad():
        taken = value.detach().index_select(dim, kept.to(value.device))
    parameter = isinstance(value, nn.Parameter)
    setattr(layer, name, nn.Parameter(taken, requires_grad=value.requires_grad) if parameter else taken)


def resize(model: nn.Module, widths: Widths) -> None:
    """Make layers as wide as said; of each the first channels stay, with whatever weights they have.

    Raises:
        RecipeError: a name is no size of the model, or a size is larger than the layer was built.
    """
    for axis, size in widths.items():
        built = size_of(model, axis)
        if not 1 <= size <= built:
            raise RecipeError(
                f"model.widths has {axis} {size}, and the layer is built with {built}",
                allowed=f"1 to {built}",
                next_step="widths say what pruning left; to widen a layer, change the options of its part",
            )
        layer, _ = find(model, axis)
        rows = layer.num_layers * (1 + layer.bidirectional) if isinstance(layer, nn.RNNBase) else 1
        kept = torch.arange(size)
        take(model, axis, kept.expand(rows, size) if axis.endswith(".hidden_size") else kept)


def fit(model: Recognizer) -> None:
    """Check that the sizes of a resized model fit each other, and tell its parts what they give now.

    A line of the smallest width goes through it; no random number is drawn.

    Raises:
        RecipeError: they do not fit.
    """
    shapes: dict[str, list[int]] = {}

    def note(kind: str) -> Any:
        return lambda part, inputs, output: shapes.update({kind: _last_sizes(output)})

    hooks = [part.register_forward_hook(note(kind)) for kind, part in model.parts().items()]
    geometry, modes = model.geometry, [(module, module.training) for module in model.modules()]
    line = next(model.parameters()).new_zeros(1, geometry.channels, geometry.height, geometry.padded_width(1))
    try:
        with torch.no_grad():
            classes = model.eval()(line).shape[2]
    except (RuntimeError, ValueError) as error:
        raise _unfit(" ".join(str(error).split())[:200]) from error
    finally:
        for module, training in modes:
            module.training = training
        for hook in hooks:
            hook.remove()
    if classes != model.codec.classes:
        raise _unfit(f"{classes} classes come out, and the charset has {model.codec.classes}")
    _tell(model, shapes)


def _last_sizes(output: Any) -> list[int]:
    """The channels of maps (N, C, H, W), or the features of a sequence (N, T, D)."""
    return [m.shape[1] for m in output] if isinstance(output, list) else [output.shape[-1]]


def _tell(model: Recognizer, shapes: dict[str, list[int]]) -> None:
    for kind in ("backbone", "pyramid"):
        if kind in shapes:
            getattr(model, kind).channels = shapes[kind]
    if "features" in vars(model.neck):  # necks whose layers say it have a property instead
        model.neck.features = shapes["neck"][0]


def _unfit(problem: str) -> RecipeError:
    return RecipeError(
        f"the sizes under model.widths do not fit each other or the model: {problem}",
        allowed="the sizes that pruning wrote, all of them",
        next_step="take model with its widths from the recipe of the pruned model, or leave model.widths out",
    )
