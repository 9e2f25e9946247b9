"""A graph with some of its layers in int8, in the form that engines know as QDQ: between a QuantizeLinear and a DequantizeLinear
there are whole numbers, and a convolution between two such pairs is computed in them.

Only these layers are quantised. Sums of a residual block stay in float32, so that what runs through all blocks is not rounded again and
again: with onnxruntime's own quantiser, which rounds them, the logits of `print` were 24.1 dB above the error, so 30.6 dB at the same speed
(benchmarks/int8_design.py). A
linear layer gives float32, for it is the last one, or its output is added to a bias.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from glyphlet.compress.int8.observe import Observed, after, steps
from glyphlet.compress.int8.plain import Layer, Plain
from glyphlet.compress.int8.rounding import Rounded
from glyphlet.runtime.bundle import QUANTIZED, STEP

_LARGEST_BIAS = 2**30


class _Rewriting:
    """The new nodes and constants, as they come to be. New tensors have short names: long ones were a tenth of a small file."""

    def __init__(self, plain: Plain, layers: Collection[Layer], seen: Observed) -> None:
        self.seen = seen
        self.constants: dict[str, NDArray[Any]] = dict(plain.constants)
        self.nodes: list[onnx.NodeProto] = []
        self.held = {name for layer in layers if (name := after(plain, layer))}
        """Tensors that a quantised convolution makes."""
        self._read: dict[str, str] = {}
        self._names = (f"int8:{number}" for number in itertools.count())

    def new(self) -> str:
        """A name that is not used yet."""
        return next(self._names)

    def pair(self, tensor: str, source: str, made: str) -> None:
        """Quantise `source` by the range of `tensor`, and make float32 of it again under the name `made`."""
        step, zero = steps(*self.seen.ranges[tensor])
        whole, by = self.new(), [self.new() + STEP, self._zero(np.array(zero, np.uint8))]
        self.constants[by[0]] = np.array(step, np.float32)
        self.nodes += [
            helper.make_node("QuantizeLinear", [source, *by], [whole]),
            helper.make_node("DequantizeLinear", [whole, *by], [made]),
        ]

    def input_of(self, tensor: str) -> str:
        """The quantised form of a tensor that a layer reads."""
        if tensor in self.held:
            return tensor
        if tensor not in self._read:
            self._read[tensor] = self.new()
            self.pair(tensor, tensor, self._read[tensor])
        return self._read[tensor]

    def constant(self, name: str, whole: NDArray[Any], step: NDArray[np.float32]) -> None:
        """A constant as whole numbers with a step size for each row."""
        del self.constants[name]
        self.constants[name + QUANTIZED], self.constants[name + STEP] = whole, step
        by = [name + STEP, self._zero(np.zeros(step.shape, whole.dtype))]
        self.nodes.append(helper.make_node("DequantizeLinear", [name + QUANTIZED, *by], [name], axis=0))

    def _zero(self, values: NDArray[Any]) -> str:
        """The constant for the level of 0; those that are equal share one."""
        name = f"int8:{values.dtype}:{values.size}:{values.flat[0]}"
        self.constants[name] = values
        return name


def rewrite(plain: Plain, layers: Collection[Layer], seen: Observed, weights: Mapping[str, Rounded]) -> onnx.ModelProto:
    """The graph with these layers in int8.

    Args:
        plain: the graph in float32; it is left alone.
        layers: those of it that are quantised.
        seen: of lines.
        weights: of at least these layers, by name.
    """
    made = _Rewriting(plain, layers, seen)
    by_node = {layer.node.name: layer for layer in layers}
    transposing = {name: layer for layer in layers for name, of in plain.transposed.items() if of == layer.name}
    for node in plain.nodes:
        new = onnx.NodeProto()
        new.CopyFrom(node)
        if layer := transposing.get(node.output[0]):  # the weights must be there before they are transposed
            made.constant(layer.name, *weights[layer.name])
        if layer := by_node.get(node.name):
            tensor = node.input[0]
            new.input[0] = made.input_of(tensor)
            if layer.conv:
                whole, step = weights[layer.name]
                made.constant(layer.name, whole, step)
                _bias(made, new, np.float32(steps(*seen.ranges[tensor])[0]) * step)
        if node.output and node.output[0] in made.held:
            new.output[0] = made.new()
            made.nodes.append(new)
            made.pair(node.output[0], new.output[0], node.output[0])
        else:
            made.nodes.append(new)
    return plain.graph(made.nodes, made.constants)


def _bias(made: _Rewriting, conv: onnx.NodeProto, step: NDArray[np.float32]) -> None:
    """The bias in the unit of the sums."""
    if len(conv.input) > 2:
        name = conv.input[2]
        whole = np.clip(np.rint(made.constants[name] / step.astype(np.float64)), -_LARGEST_BIAS, _LARGEST_BIAS)
        made.constant(name, whole.astype(np.int32), step.astype(np.float32))


def shortened(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with short names for what its nodes give, and nodes without names: a thirtieth of a small file is names.

    Constants, inputs and outputs keep theirs. So does everything where a loop may speak of what is outside of it.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    if any(a.type == onnx.AttributeProto.GRAPH for node in made.graph.node for a in node.attribute):
        return made
    kept = {value.name for value in made.graph.output}
    short: dict[str, str] = {}
    for node in made.graph.node:
        node.ClearField("name")
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if names is node.output and name and name not in kept:
                    short[name] = f"t{len(short)}"
                names[place] = short.get(name, name)
    return made


__all__ = ["rewrite", "shortened"]
