"""The modules of the page read as Python's reader does: in node, with onnxruntime-web."""

import random

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from glyphlet import Reader
from glyphlet.charset import Charset
from glyphlet.image import Geometry, decode
from glyphlet.runtime import bundle
from glyphlet.runtime.metadata import Metadata
from support import SHARED
from web.conftest import FIXTURE, readings_of, written

TEXTS = (
    "Total 12.50", "Invoice 0423", "036", "Straße 7", "a", "GST @ 6%", "Don't panic!", "2026-11-22", "Ångström 1/2",
    "The quick brown fox jumps over it", "MMMM WWWW", "iiii llll 1111", "(c) 1998-2004", "EUR 1.234,56", "x = y + z",
)  # fmt: skip


def assert_same(ours, theirs, confidence=1e-4):
    assert [reading.text for reading in ours] == [reading["text"] for reading in theirs]
    assert [reading.raw for reading in ours] == [reading["raw"] for reading in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert other["confidence"] == pytest.approx(one.confidence, abs=confidence)
        for sign, found in zip(one.characters, other["characters"], strict=True):
            assert found["char"] == sign.char
            assert found["confidence"] == pytest.approx(sign.confidence, abs=confidence)
            assert (found["left"], found["right"]) == pytest.approx((sign.left, sign.right))


@pytest.mark.parametrize(
    ("model", "confidence"), [(FIXTURE, 1e-4), ("print", 0.1), ("digits", 1e-4), ("chinese", 1e-4)]
)
def test_rendered_lines(node_reads, model, confidence):
    """int8 and float; a float layer before an int8 one may round otherwise, which moves confidences a little."""
    texts = TEXTS[:6] if model == "chinese" else TEXTS
    arrays = [written(text, 14 + 3 * number) for number, text in enumerate(texts)]
    reader = Reader(model)
    assert_same(readings_of(reader, arrays), node_reads(reader.path, arrays), confidence)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real lines lie beside the developers' checkouts")
def test_real_lines(node_reads):
    folder = SHARED / "sroie_lines"
    paths = [row.split("\t")[0] for row in (folder / "train.txt").read_text(encoding="utf-8").splitlines()]
    arrays = [decode(folder / path) for path in random.Random(1).sample(paths, 30)]
    reader = Reader("print")
    assert_same(readings_of(reader, arrays), node_reads(reader.path, arrays), 0.1)


@pytest.fixture
def sequence_model(tmp_path):
    """Writes `ab` and the stop, or `abb` without one where the image is bright, and knows no places."""
    steps = np.log([[[0.1, 0.7, 0.2], [0.05, 0.05, 0.9], [0.8, 0.1, 0.1]]]).astype(np.float32)
    bright = np.array([[[0, 0, 0], [0, 0, 0], [-9, 0, 9]]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "places"], ["column"]),
        helper.make_node("Mul", ["column", "bright"], ["more"]),
        helper.make_node("Add", ["more", "steps"], ["logits"]),
    ]
    weights = {"places": np.array([1, 2]), "bright": bright, "steps": steps}
    graph = helper.make_graph(
        nodes, "sequence",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 32, "W"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 3, 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )  # fmt: skip
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    file.producer_name = bundle.PRODUCER
    described = Metadata("sequence", Charset.from_text("ab"), Geometry(), time_stride=4, head="sequence").to_json()
    onnx.helper.set_model_props(file, {bundle.DESCRIPTION_KEY: described, bundle.DIGEST_KEY: bundle.UNSEALED.decode()})
    path = tmp_path / "sequence.onnx"
    path.write_bytes(bundle.seal(file.SerializeToString()))
    return path


def test_a_model_that_writes_character_after_character(node_reads, sequence_model):
    arrays = [np.full((32, 40, 3), grey, np.uint8) for grey in (0, 255)]
    ours, theirs = readings_of(Reader(sequence_model), arrays), node_reads(sequence_model, arrays)
    assert [reading.text for reading in ours] == ["ab", "abb"]
    for one, other in zip(ours, theirs, strict=True):
        assert (other["text"], other["raw"]) == (one.text, one.raw)
        assert other["confidence"] == pytest.approx(one.confidence, abs=1e-6)
        assert [(c["char"], c["left"], c["right"]) for c in other["characters"]] == [(c, None, None) for c in one.text]


def test_what_is_no_model_of_ours_is_refused(node, ort_folder, tmp_path):
    data = FIXTURE.read_bytes()
    unknown = data.replace(b'"kind": "none"', b'"kind": "nine"')
    start = unknown.rindex(bundle.MARKER)
    resealed = bundle.seal(unknown[:start] + bundle.UNSEALED + unknown[start + len(bundle.UNSEALED) :])
    for name, content in (("damaged", data[:90] + b"?" + data[91:]), ("unknown", resealed)):
        (tmp_path / f"{name}.onnx").write_bytes(content)
    program = tmp_path / "refuse.mjs"
    from glyphlet.web import PAGE

    program.write_text(f"""
import {{ readFileSync }} from "node:fs";
import {{ Model }} from {str(PAGE / "model.js")!r};
const found = [];
for (const name of ["damaged", "unknown"]) {{
  const bytes = new Uint8Array(readFileSync({str(tmp_path)!r} + `/${{name}}.onnx`));
  await Model.open({{}}, bytes).catch((error) => found.push(error.message));
}}
console.log(JSON.stringify(found));
""")
    damaged, unknown_message = node(program)
    assert damaged == "the model file is damaged: its content does not match its digest"
    assert "calibration nine" in unknown_message
