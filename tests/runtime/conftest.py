"""A hand-made model whose output is known: it reads grey levels.

Its one convolution takes the mean of each 4 columns and compares it with the grey level of each class: white is the
blank, and digit d is d tenths of white. A line of stripes therefore reads as the digits of its stripes.
"""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from glyphlet.charset import Charset
from glyphlet.image import Geometry
from glyphlet.runtime import bundle
from glyphlet.runtime.metadata import Metadata

LEVELS = np.array([1.0, *(d / 10 for d in range(10))], dtype=np.float32)
SHARPNESS = 2000.0
"""Neighbouring levels are 0.1 apart, so that the right class leads by 2000 * 0.1 ** 2 = 20 nats."""


def grey_graph(channels=1, height=32, classes=11, input_name="image"):
    weight = np.broadcast_to(2 * SHARPNESS * LEVELS[:classes, None, None, None], (classes, channels, height, 4))
    weight = (weight / (channels * height * 4)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", [input_name, "w", "b"], ["map"], strides=[height, 4]),
        helper.make_node("Squeeze", ["map", "axis"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["logits"], perm=[0, 2, 1]),
    ]
    weights = {"w": weight, "b": -SHARPNESS * LEVELS[:classes] ** 2, "axis": np.array([2])}
    graph = helper.make_graph(
        nodes,
        "grey",
        [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, ["N", channels, height, "W"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "T", classes])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def stripes(digits, height=32, gap=8):
    """uint8 (H, W): 8 white columns, then 8 columns of each digit's grey and `gap` white ones."""
    columns = [np.full(8, 255)]
    for digit in digits:
        columns += [np.full(8, round(25.5 * int(digit))), np.full(gap, 255)]
    return np.tile(np.concatenate(columns).astype(np.uint8), (height, 1))


@pytest.fixture(name="stripes")
def _stripes():
    return stripes


@pytest.fixture
def metadata():
    return Metadata("grey", Charset.named("digits"), Geometry(mean=0.0, std=1.0), time_stride=4)


@pytest.fixture
def write_model(tmp_path, metadata):
    """Writes a model file; `edit` may change the values of its description, `graph` replaces the graph."""

    def write(name="model.onnx", edit=None, graph=None, text=None):
        values = json.loads(metadata.to_json())
        if edit:
            edit(values)
        file = graph or grey_graph()
        file.producer_name = bundle.PRODUCER
        description = json.dumps(values) if text is None else text
        onnx.helper.set_model_props(
            file, {bundle.DESCRIPTION_KEY: description, bundle.DIGEST_KEY: bundle.UNSEALED.decode()}
        )
        path = tmp_path / name
        path.write_bytes(bundle.seal(file.SerializeToString()))
        return path

    return write


@pytest.fixture
def make_graph():
    return grey_graph


@pytest.fixture
def model(write_model):
    return write_model()
