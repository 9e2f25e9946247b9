"""Reading with a model that writes class after class: a hand-made one, and the fields of its readings."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from glyphlet import Decoding, GlyphletError, Reader
from glyphlet.charset import Charset
from glyphlet.image import Geometry
from glyphlet.runtime import bundle
from glyphlet.runtime.metadata import Metadata

STEPS = np.log([[[0.1, 0.7, 0.2], [0.05, 0.05, 0.9], [0.8, 0.1, 0.1], [0.2, 0.2, 0.6]]]).astype(np.float32)
"""Writes `ab`, the stop, and something that does not count, whatever the image."""


@pytest.fixture
def path(tmp_path):
    nodes = [
        helper.make_node("ReduceSum", ["image", "axes"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["zeros"]),
        helper.make_node("Unsqueeze", ["zeros", "places"], ["column"]),
        helper.make_node("Add", ["column", "steps"], ["logits"]),
    ]
    weights = {"axes": np.array([1, 2, 3]), "zero": np.float32(0), "places": np.array([1, 2]), "steps": STEPS}
    graph = helper.make_graph(
        nodes, "fixed",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 32, "W"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 4, 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )  # fmt: skip
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    file.producer_name = bundle.PRODUCER
    described = Metadata("fixed", Charset.from_text("ab"), Geometry(), time_stride=4, head="sequence").to_json()
    onnx.helper.set_model_props(file, {bundle.DESCRIPTION_KEY: described, bundle.DIGEST_KEY: bundle.UNSEALED.decode()})
    path = tmp_path / "fixed.onnx"
    path.write_bytes(bundle.seal(file.SerializeToString()))
    return path


def test_a_reading(path):
    (one, two) = Reader(path).read([np.full((32, 40), 200, np.uint8), np.full((32, 90), 100, np.uint8)])
    assert one.text == two.text == one.raw == "ab"
    assert one.confidence == pytest.approx(0.7 * 0.9 * 0.8)
    assert [character.char for character in one.characters] == ["a", "b"]
    assert [character.confidence for character in one.characters] == pytest.approx([0.7, 0.9])


def test_it_does_not_know_where_a_character_stands(path):
    reading = Reader(path).read_one(np.full((32, 40), 200, np.uint8))
    assert [(c.left, c.right) for c in reading.characters] == [(None, None)] * 2
    values = json.loads(json.dumps(reading.to_dict()))
    assert values["characters"][0] == {"char": "a", "confidence": pytest.approx(0.7), "left": None, "right": None}


def test_how_much_it_can_write(path):
    assert bundle.open_model(path).most == 3


def test_patterns_are_refused(path):
    with pytest.raises(
        GlyphletError,
        match=r"the model fixed.onnx writes character after character.*Allowed: a model with the head ctc",
    ):
        Reader(path, decoding=Decoding(pattern="a"))
    with pytest.raises(GlyphletError, match="Next: read without them"):
        Reader(path).using(Decoding())
