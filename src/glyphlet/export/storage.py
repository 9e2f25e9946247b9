"""Weights stored as float16: half of the file, the same float32 arithmetic.

Each large float32 constant of a graph becomes a float16 one and a Cast to float32, which onnxruntime computes once, when it
loads the file. So a line takes the time it took before. What is lost is the rounding of the weights to 11 bits, which
`export_model` measures.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from glyphlet.runtime.bundle import HALF

SMALLEST = 1024
"""Values from which a constant is stored as float16. Vectors are not: the variances among them may be very small."""


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a graph whose large constants are float16, in the bodies of its loops, too."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    _halve(made.graph)
    return made


def _halve(graph: onnx.GraphProto) -> None:
    casts = []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < SMALLEST or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + HALF))
        casts.append(onnx.helper.make_node("Cast", [constant.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(graph.node)
    for node in nodes:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _halve(attribute.g)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])


__all__ = ["SMALLEST", "halved"]
