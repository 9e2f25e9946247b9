"""LSTM layers with int8 weights, whose inputs are quantised line by line while they are computed.

onnxruntime takes the range of the inputs from all lines of a batch together, so a line would be read otherwise beside others. A file
with such layers therefore asks its reader to read single lines (`runtime.metadata.SINGLE`). There is no such layer for GRU.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper

from glyphlet.compress.int8.plain import names_read
from glyphlet.errors import CompressionError
from glyphlet.runtime.bundle import INPUT


def lstm_nodes(model: onnx.ModelProto) -> list[str]:
    """The names of the LSTM layers of a graph, outside of loops."""
    return [node.name for node in model.graph.node if node.op_type == "LSTM"]


def with_dynamic_lstm(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with its LSTM layers in onnxruntime's dynamic int8, weights of 7 bits for each output.

    Raises:
        CompressionError: it has no LSTM layer.
    """
    nodes = lstm_nodes(model)
    if not nodes:
        raise CompressionError(
            "the model has no LSTM layer that could be quantised dynamically",
            allowed="--recurrent dynamic for a model with an LSTM neck; GRU layers are computed in float",
            next_step="leave out --recurrent",
        )
    model = _with_constants(model, sorted({n for x in model.graph.node if x.name in nodes for n in x.input[1:4] if n}))
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.onnx_quantizer import ONNXQuantizer
    from onnxruntime.quantization.quant_utils import QuantizationMode

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it advises a preparation that has been made
    try:
        quantizer = ONNXQuantizer(
            model, per_channel=True, reduce_range=True, mode=QuantizationMode.IntegerOps, static=False,
            weight_qType=QuantType.QInt8, activation_qType=QuantType.QUInt8, tensors_range=None,
            nodes_to_quantize=nodes, nodes_to_exclude=[], op_types_to_quantize=["LSTM"],
        )  # fmt: skip
        quantizer.quantize_model()
    finally:
        logging.disable(before)
    made: onnx.ModelProto = quantizer.model.model
    return made


def _with_constants(model: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    """The graph with tensors that depend on no input as constants, and without the nodes that made them."""
    held = {constant.name for constant in model.graph.initializer}
    names = [name for name in names if name not in held]
    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    del asked.graph.output[:]
    asked.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    if names:
        _keep_needed(asked)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        session: Any = ort.InferenceSession(asked.SerializeToString(), options, providers=["CPUExecutionProvider"])
        _, channels, height, _ = (d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim)
        # The weights are cut and joined anew for each line; the line does not matter.
        values = session.run(names, {INPUT: np.zeros((1, channels, height, 64), np.float32)})
    made = onnx.ModelProto()
    made.CopyFrom(model)
    kept = [node for node in made.graph.node if not set(names).intersection(node.output)]
    del made.graph.node[:]
    made.graph.node.extend(kept)
    if names:
        constants = zip(names, values, strict=True)
        made.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants)
    _keep_needed(made)
    return made


def _keep_needed(model: onnx.ModelProto) -> None:
    """Take out what no output depends on, but for the inputs."""
    needed, kept = {value.name for value in model.graph.output}, []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed |= names_read(node)
    constants = [constant for constant in model.graph.initializer if constant.name in needed]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(reversed(kept))
    model.graph.initializer.extend(constants)


__all__ = ["lstm_nodes", "with_dynamic_lstm"]
