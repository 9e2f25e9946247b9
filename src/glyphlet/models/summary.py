"""What a model costs: parameters, multiply-adds, size on disk."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from glyphlet.models.recognizer import Recognizer


@dataclass(frozen=True)
class PartCost:
    """One part of a model.

    Args:
        part: its kind: `backbone`, `neck`, `head`, ...
        name: its registered name.
        output: the shape that it gives for one line.
        parameters: learned numbers.
        multiply_adds: for one line of the width asked for.
    """

    part: str
    name: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int


def count_parameters(module: nn.Module) -> int:
    """Learned numbers of a module; the running statistics of batch normalisation do not count."""
    return sum(p.numel() for p in module.parameters())


def kilobytes(count: int) -> int:
    """Bytes as whole kB of 1,024 bytes, rounded up."""
    return math.ceil(count / 1024)


def pth_kilobytes(model: nn.Module) -> int:
    """The size in kB of a PyTorch checkpoint of the model as MicroOCR writes it: `{model, word_acc, char_acc}`."""
    buffer = io.BytesIO()
    torch.save({"model": model.state_dict(), "word_acc": 1.0, "char_acc": 1.0}, buffer)
    return kilobytes(len(buffer.getvalue()))


def _layer_multiply_adds(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: Any) -> int:
    if isinstance(layer, nn.Conv2d):
        kernel = layer.kernel_size[0] * layer.kernel_size[1]
        return int(output.numel() * kernel * layer.in_channels // layer.groups)
    if isinstance(layer, nn.Linear):
        return int(output.numel() * layer.in_features)
    if isinstance(layer, nn.RNNBase):
        steps = inputs[0].shape[0] * inputs[0].shape[1]
        return steps * sum(p.numel() for name, p in layer.named_parameters() if "weight" in name)
    return 0


def part_costs(model: Recognizer, width: int) -> list[PartCost]:
    """The cost of each part for one line.

    Multiplications with weights in convolutions, linear and recurrent layers are counted, each with its addition;
    normalisation (which folds into the convolution before it), activations and biases are not.

    Args:
        model: any recogniser; it is left as it was.
        width: width of the line in pixels, a multiple of the geometry's step.
    """
    counts: dict[nn.Module, int] = {}
    shapes: dict[nn.Module, tuple[int, ...]] = {}
    parts = model.parts()

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: Any) -> None:
        counts[layer] = counts.get(layer, 0) + _layer_multiply_adds(layer, inputs, output)

    def shape(part: nn.Module, inputs: Any, output: Any) -> None:
        shapes[part] = tuple((output[-1] if isinstance(output, list) else output).shape)[1:]

    hooks = [layer.register_forward_hook(count) for layer in model.modules()]
    hooks += [part.register_forward_hook(shape) for part in parts.values()]
    training, device = model.training, next(model.parameters()).device
    try:
        model.eval()
        with torch.no_grad():
            model(torch.zeros(1, model.geometry.channels, model.geometry.height, width, device=device))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return [
        PartCost(
            name,
            getattr(model.spec, name).name,
            shapes[part],
            count_parameters(part),
            sum(counts.get(layer, 0) for layer in part.modules()),
        )
        for name, part in parts.items()
    ]


def multiply_adds(model: Recognizer, width: int) -> int:
    """Multiply-adds for one line of `width` pixels; see `part_costs`."""
    return sum(cost.multiply_adds for cost in part_costs(model, width))
