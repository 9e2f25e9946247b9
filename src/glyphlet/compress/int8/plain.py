"""The graph of a model file as float32 arithmetic: weights as they were, each normalisation folded into its convolution."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from glyphlet.runtime.bundle import FLOAT16, INT8, SCALE

Array = NDArray[Any]
BIAS = "/folded_bias"
"""What stands after the name of a convolution's weights, for the bias that its normalisation gives it."""


@dataclass(frozen=True)
class Folded:
    """A normalisation that became part of a convolution.

    Args:
        name: of it, such as `backbone.stem.0.1`.
        vectors: its weight, bias, mean and variance, float32 (4, outputs).
        epsilon: what it adds to the variance.
    """

    name: str
    vectors: NDArray[np.float32]
    epsilon: float


@dataclass(frozen=True)
class Layer:
    """A layer that can be computed in int8.

    Args:
        name: of its weights.
        node: of the graph; a Conv with weights (outputs, inputs of a group, rows, columns), or a MatMul whose second input is
            the transposed weights (outputs, inputs).
        groups: of the convolution; 1 for a MatMul.
    """

    name: str
    node: onnx.NodeProto
    groups: int = 1

    @property
    def conv(self) -> bool:
        """Whether it is a convolution."""
        return bool(self.node.op_type == "Conv")


class Plain:
    """A graph whose nodes and constants can be looked at and replaced.

    Args:
        model: as `glyphlet export` wrote it; it is left alone. Constants stored as float16 or int8 become float32 again.

    Attributes:
        nodes: in order.
        constants: by name.
        transposed: constants that are another one transposed, and which.
        folded: by the name of the weights into which a normalisation was folded.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.constants: dict[str, Array] = {}
        self.transposed: dict[str, str] = {}
        self.folded: dict[str, Folded] = {}
        self.nodes: list[onnx.NodeProto] = []
        self._unstore()
        self._resolve()
        self._fold()

    @property
    def makers(self) -> dict[str, onnx.NodeProto]:
        """The node that makes each tensor."""
        return {name: node for node in self.nodes for name in node.output}

    @property
    def readers(self) -> dict[str, list[onnx.NodeProto]]:
        """The nodes that read each tensor; bodies of loops are not looked into."""
        found: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                found.setdefault(name, []).append(node)
        return found

    @property
    def outputs(self) -> set[str]:
        """Tensors that leave the graph."""
        return {value.name for value in self.model.graph.output}

    def layers(self) -> list[Layer]:
        """The layers that can be computed in int8: 2-D convolutions without dilation, and linear ones, with weights of their own."""
        used = Counter(name for node in self.nodes for name in node.input)
        found = []
        for node in self.nodes:
            name = self.transposed.get(node.input[1], node.input[1]) if len(node.input) > 1 else ""
            if name not in self.constants or used[node.input[1]] != 1:
                continue
            shape = self.constants[name].shape
            if node.op_type == "Conv" and len(shape) == 4 and _plain_conv(node):
                found.append(Layer(name, node, attribute(node, "group", 1)))
            elif node.op_type == "MatMul" and len(shape) == 2 and node.input[1] in self.transposed:
                found.append(Layer(name, node))
        return found

    def graph(
        self, nodes: list[onnx.NodeProto] | None = None, constants: dict[str, Array] | None = None
    ) -> onnx.ModelProto:
        """The model with other nodes and constants, by default with these; constants that nothing reads are left out."""
        made = onnx.ModelProto()
        made.CopyFrom(self.model)
        del made.graph.node[:], made.graph.initializer[:], made.graph.value_info[:], made.metadata_props[:]
        made.graph.node.extend(self.nodes if nodes is None else nodes)
        constants = self.constants if constants is None else constants
        used = self.outputs.union(*map(names_read, made.graph.node))
        made.graph.initializer.extend(
            numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items() if name in used
        )
        return made

    def _unstore(self) -> None:
        """Constants of fewer bits are float32 again, and the nodes that made them so are gone."""
        stored = {c.name: numpy_helper.to_array(c) for c in self.model.graph.initializer}
        made: set[str] = set()
        for name, values in stored.items():
            if name.endswith(INT8) and name.removesuffix(INT8) + SCALE in stored:
                plain = name.removesuffix(INT8)
                self.constants[plain] = (values * stored[plain + SCALE]).astype(np.float32)
                made |= {plain, f"{plain}/float"}
            elif name.endswith(FLOAT16) and values.dtype == np.float16:
                plain = name.removesuffix(FLOAT16)
                self.constants[plain] = values.astype(np.float32)
                made.add(plain)
            elif not (name.endswith(SCALE) and name.removesuffix(SCALE) + INT8 in stored):
                self.constants[name] = values
        for node in self.model.graph.node:
            if not made.intersection(node.output):
                kept = onnx.NodeProto()
                kept.CopyFrom(node)
                kept.name = kept.name or f"node{len(self.nodes)}"
                self.nodes.append(kept)

    def _resolve(self) -> None:
        """Names for the same constant become constants of their own, and so do transposed ones."""
        kept = []
        for node in self.nodes:
            source = node.input[0] if node.input else ""
            if node.op_type == "Identity" and source in self.constants:
                self.constants[node.output[0]] = self.constants[source]
            elif node.op_type == "Transpose" and self.constants.get(source, np.zeros(0)).ndim == 2:
                self.transposed[node.output[0]] = source
                kept.append(node)
            else:
                kept.append(node)
        self.nodes = kept

    def _fold(self) -> None:
        """Each normalisation that alone reads a convolution becomes part of its weights."""
        readers, makers, kept = self.readers, self.makers, []
        for node in self.nodes:
            conv = makers.get(node.input[0]) if node.op_type == "BatchNormalization" else None
            if conv is None or not self._foldable(conv, node, readers):
                kept.append(node)
                continue
            weight, bias = conv.input[1], conv.input[2] if len(conv.input) > 2 else ""
            scale, shift, mean, variance = (self.constants[name].astype(np.float64) for name in node.input[1:5])
            epsilon = attribute(node, "epsilon", 1e-5)
            by = scale / np.sqrt(variance + epsilon)
            before = self.constants[bias].astype(np.float64) if bias else 0.0
            vectors = np.stack([self.constants[name] for name in node.input[1:5]]).astype(np.float32)
            self.folded[weight] = Folded(node.input[1].rpartition(".")[0], vectors, epsilon)
            self.constants[weight] = (self.constants[weight] * by[:, None, None, None]).astype(np.float32)
            bias = bias or weight + BIAS
            self.constants[bias] = ((before - mean) * by + shift).astype(np.float32)
            del conv.input[2:]
            conv.input.append(bias)
            conv.output[0] = node.output[0]
        self.nodes = kept

    def _foldable(self, conv: onnx.NodeProto, norm: onnx.NodeProto, readers: dict[str, list[onnx.NodeProto]]) -> bool:
        known = [*norm.input[1:5], *conv.input[1:]]
        alone = all(len(readers[name]) == 1 for name in (conv.output[0], *conv.input[1:]))
        return (
            conv.op_type == "Conv"
            and alone
            and conv.output[0] not in self.outputs
            and all(name in self.constants for name in known)
            and self.constants[conv.input[1]].ndim == 4
        )


def attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    """The value of an attribute of a node."""
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def names_read(node: onnx.NodeProto) -> set[str]:
    """What a node reads, in the bodies of a loop, too."""
    found = set(node.input)
    for a in node.attribute:
        if a.type == onnx.AttributeProto.GRAPH:
            found |= {value.name for value in a.g.output}.union(*map(names_read, a.g.node))
    return found


def _plain_conv(node: onnx.NodeProto) -> bool:
    return set(attribute(node, "dilations", [1])) == {1} and attribute(node, "auto_pad", b"NOTSET") == b"NOTSET"


__all__ = ["BIAS", "Folded", "Layer", "Plain", "attribute", "names_read"]
