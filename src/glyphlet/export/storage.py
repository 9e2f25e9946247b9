"""Weights stored with fewer bits, and the same float32 arithmetic: half of the file as float16, a quarter as int8.

Each large float32 constant of a graph becomes

    float16   NAME/float16, and a Cast to float32
    int8      NAME/int8, whole numbers from -127 to 127, a Cast to float32, and a product with NAME/scale: one step size for
              each output channel, so that the largest weight of a channel is 127 steps

Of int8 alone the constants of fewer than `COARSE` values are stored as float16. They are the first convolutions, whose rounding goes through
everything after them: of `print` (574 thousand weights, 25 thousand of them in these) it changed 12 of 440 texts with, and 7 without.

onnxruntime computes the float32 constants once, when it loads the file. So a line takes the time it took before. What is lost is the rounding
of the weights, to 11 bits or to half a step; `export_model` measures it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from glyphlet.runtime.bundle import FLOAT16, INT8, SCALE

SMALLEST = 1024
"""Values from which a constant is stored with fewer bits. Vectors are not: the variances among them may be very small."""
COARSE = 10_000
"""Values from which a constant is stored as int8 where that is asked for; smaller ones become float16."""
CHANNELS = 8
"""At least as many step sizes has a constant in int8, if its leading dimensions give them."""
Stored = tuple[list[onnx.TensorProto], list[onnx.NodeProto]]
"""What replaces a constant, and the nodes that make it again."""


def stored_as(weights: str, model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a graph whose large constants are stored as `float16` or `int8`, in the bodies of its loops, too."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    _replace(made.graph, KINDS[weights])
    return made


def step_sizes(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The step of each channel: an array that `values` can be divided by.

    Channels are the leading dimensions, as many as it takes to have `CHANNELS` of them; the last one is never among them.
    """
    axes = 1
    while axes < values.ndim - 1 and np.prod(values.shape[:axes]) < CHANNELS:
        axes += 1
    largest = np.abs(values).max(axis=tuple(range(axes, values.ndim)), keepdims=True)
    return np.where(largest > 0, largest / 127, 1).astype(np.float32)


def _as_float16(name: str, values: NDArray[np.float32]) -> Stored | None:
    if np.abs(values).max() > np.finfo(np.float16).max:
        return None
    made = numpy_helper.from_array(values.astype(np.float16), name + FLOAT16)
    return [made], [_to_float(made.name, name)]


def _as_int8(name: str, values: NDArray[np.float32]) -> Stored | None:
    if values.ndim < 2:
        return None
    if values.size < COARSE:
        return _as_float16(name, values)
    steps = step_sizes(values)
    whole = numpy_helper.from_array(np.rint(values / steps).astype(np.int8), name + INT8)
    cast = f"{name}/float"
    product = onnx.helper.make_node("Mul", [cast, name + SCALE], [name])
    return [whole, numpy_helper.from_array(steps, name + SCALE)], [_to_float(whole.name, cast), product]


def _to_float(name: str, made: str) -> onnx.NodeProto:
    return onnx.helper.make_node("Cast", [name], [made], to=onnx.TensorProto.FLOAT)


KINDS: dict[str, Callable[[str, NDArray[np.float32]], Stored | None]] = {"float16": _as_float16, "int8": _as_int8}


def _replace(graph: onnx.GraphProto, kind: Callable[[str, NDArray[np.float32]], Stored | None]) -> None:
    first, more = [], []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        large = values.dtype == np.float32 and values.size >= SMALLEST
        stored = kind(constant.name, values) if large else None
        if stored is not None:
            constant.CopyFrom(stored[0][0])
            more += stored[0][1:]
            first += stored[1]
    graph.initializer.extend(more)
    nodes = list(graph.node)
    for body in _bodies(nodes):
        _replace(body, kind)
    del graph.node[:]
    graph.node.extend([*first, *nodes])


def _bodies(nodes: list[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield attribute.g


__all__ = ["CHANNELS", "COARSE", "KINDS", "SMALLEST", "step_sizes", "stored_as"]
