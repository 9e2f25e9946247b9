"""What a model costs: parameters, those that do nothing, multiply-adds, size on disk."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from glyphlet.models.layers.blurpool import BlurPool
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


def count_statistics(module: nn.Module) -> int:
    """The running means and variances of batch normalisation. Paddle counts them among the parameters."""
    return sum(2 * layer.num_features for layer in module.modules() if isinstance(layer, _BatchNorm))


def dead_parameters(model: Recognizer) -> int:
    """The parameters on which the loss does not depend: they get no gradient, and no model file holds them.

    Frozen ones count only if they are not used either.
    """
    geometry = model.geometry
    device = next(model.parameters()).device
    lines = torch.zeros(1, geometry.channels, geometry.height, geometry.padded_width(1), device=device)
    labels = [[1]]
    with torch.enable_grad(), _mode(model, learning=True):
        output = model(lines, labels) if model.head.guided else model(lines)
        used = _leaves(model.head.loss(output, labels))
    return sum(p.numel() for p in model.parameters() if id(p) not in used)


def _leaves(value: torch.Tensor) -> set[int]:
    """The ids of the parameters that a value was made from. The graph is walked, and no gradient is computed."""
    seen: set[Any] = set()
    found = set()
    waiting: list[Any] = [value.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.add(id(node.variable))
        waiting += [parent for parent, _ in node.next_functions]
    return found


@contextmanager
def _mode(model: nn.Module, *, learning: bool) -> Iterator[None]:
    """A model in eval mode, for a while with all of its parameters learning; then as it was."""
    training = model.training
    frozen = [p for p in model.parameters() if learning and not p.requires_grad]
    try:
        model.eval()
        for p in frozen:
            p.requires_grad_(True)
        yield
    finally:
        model.train(training)
        for p in frozen:
            p.requires_grad_(False)


def kilobytes(count: int) -> int:
    """Bytes as whole kB of 1,024 bytes, rounded up."""
    return math.ceil(count / 1024)


def pth_kilobytes(model: nn.Module) -> int:
    """The size in kB of a PyTorch checkpoint of the model as MicroOCR writes it: `{model, word_acc, char_acc}`."""
    buffer = io.BytesIO()
    torch.save({"model": model.state_dict(), "word_acc": 1.0, "char_acc": 1.0}, buffer)
    return kilobytes(len(buffer.getvalue()))


def _layer_multiply_adds(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: Any) -> int:
    if isinstance(layer, BlurPool):
        return layer.multiply_adds(output)
    if isinstance(layer, nn.Conv2d):
        kernel = layer.kernel_size[0] * layer.kernel_size[1]
        return int(output.numel() * kernel * layer.in_channels // layer.groups)
    if isinstance(layer, nn.Linear):
        return int(output.numel() * layer.in_features)
    if isinstance(layer, nn.RNNBase | nn.RNNCellBase):
        steps = math.prod(inputs[0].shape[:-1])
        return steps * sum(p.numel() for name, p in layer.named_parameters() if "weight" in name)
    return 0


def part_costs(model: Recognizer, width: int) -> list[PartCost]:
    """The cost of each part for one line.

    Multiplications with weights in convolutions, linear and recurrent layers and with the windows of blurred pools are
    counted, each with its addition; normalisation (which folds into the convolution before it), activations and biases
    are not. A head that writes class after class is counted for the longest text.

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
    device = next(model.parameters()).device
    try:
        model.head.whole = True
        with torch.no_grad(), _mode(model, learning=False):
            model(torch.zeros(1, model.geometry.channels, model.geometry.height, width, device=device))
    finally:
        model.head.whole = False
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
