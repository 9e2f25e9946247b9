"""Weights stored as float16 or int8: half or a quarter of the file, and nothing but the weights is rounded."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from glyphlet import Reader
from glyphlet.charset import Charset
from glyphlet.errors import ExportError
from glyphlet.export import onnx as export_onnx
from glyphlet.export import parity, storage
from glyphlet.export.onnx import export_model, to_onnx
from glyphlet.export.storage import COARSE, SMALLEST, step_sizes, stored_as
from glyphlet.image import Geometry, prepare
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec
from support import part


def export(model, path, lines, weights):
    return export_model(model, path, lines, name="tiny", training={}, measured={}, weights=weights)


def constants(graph):
    """All constants of a graph and of the bodies of its loops."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from constants(attribute.g)


@pytest.mark.parametrize("head", ["ctc", "attention"])
def test_every_large_constant_is_rounded_and_the_others_are_not(head):
    spec = ModelSpec(backbone=part("micro", nh=8, depth=2), neck=part("bigru", hidden=16), head=part(head))
    graph = to_onnx(build(spec, Geometry(), Charset.named("digits")).eval())
    before = {c.name: numpy_helper.to_array(c) for c in constants(graph.graph)}
    made = stored_as("float16", graph)
    onnx.checker.check_model(made)
    after = {c.name: numpy_helper.to_array(c) for c in constants(made.graph)}
    rounded = {name.removesuffix("/float16") for name in after if name.endswith("/float16")}
    assert rounded == {name for name, v in before.items() if v.dtype == np.float32 and v.size >= SMALLEST}
    for name, values in before.items():
        if name in rounded:
            assert np.array_equal(after[f"{name}/float16"], values.astype(np.float16))
        else:
            assert np.array_equal(after[name], values)
    assert {c.name: numpy_helper.to_array(c).dtype for c in constants(graph.graph)} == {
        name: values.dtype for name, values in before.items()
    }  # the graph that was given stays


def test_what_float16_cannot_hold_stays(make_model):
    graph = to_onnx(make_model().eval())
    largest = max(graph.graph.initializer, key=lambda c: np.prod(c.dims))
    values = numpy_helper.to_array(largest).copy()
    values.flat[0] = 70_000.0
    largest.CopyFrom(numpy_helper.from_array(values, largest.name))
    assert largest.name in {c.name for c in stored_as("float16", graph).graph.initializer}


def test_the_file_says_what_rounding_changed(make_model, lines, tmp_path):
    model = make_model("bilstm")
    exact = export(model, tmp_path / "exact.onnx", lines, "float32")
    result = export(model, tmp_path / "half.onnx", lines, "float16")
    assert exact.rounding is None
    assert "rounding" not in Reader(tmp_path / "exact.onnx").metadata.parity
    rounding = result.rounding
    assert (rounding.weights, rounding.lines, rounding.texts_differing) == ("float16", 200, 0)
    assert 1e-6 < rounding.max_difference < 2e-3  # half of the last of 11 bits is 2.4e-4
    reader = Reader(tmp_path / "half.onnx")
    assert reader.metadata.parity == result.to_dict()
    assert (tmp_path / "half.onnx").stat().st_size < 0.75 * (tmp_path / "exact.onnx").stat().st_size
    line = prepare(lines[0], model.geometry)
    expected = Reader(tmp_path / "exact.onnx").logits([line])
    assert reader.logits([line]) == pytest.approx(expected, abs=float(2e-3 * np.abs(expected).max()))


def test_step_sizes_by_hand():
    values = np.array([[[0.5, -2.54], [0.1, 0.0]]] * 8, np.float32)
    values[3] = 0
    assert step_sizes(values).shape == (8, 1, 1)
    assert step_sizes(values)[:, 0, 0].tolist() == pytest.approx([0.02] * 3 + [1] + [0.02] * 4)
    assert step_sizes(np.ones((1, 6, 4), np.float32)).shape == (1, 6, 1)  # a recurrent layer: direction, gates, inputs
    assert step_sizes(np.ones((2, 3, 1, 4), np.float32)).shape == (2, 3, 1, 1)


@pytest.mark.parametrize("head", ["ctc", "attention"])
def test_int8_is_off_by_half_a_step_at_most(head, monkeypatch):
    monkeypatch.setattr(storage, "COARSE", SMALLEST)
    spec = ModelSpec(backbone=part("micro", nh=8, depth=2), neck=part("bigru", hidden=16), head=part(head))
    graph = to_onnx(build(spec, Geometry(), Charset.named("digits")).eval())
    before = {c.name: numpy_helper.to_array(c) for c in constants(graph.graph)}
    made = stored_as("int8", graph)
    onnx.checker.check_model(made)
    after = {c.name: numpy_helper.to_array(c) for c in constants(made.graph)}
    whole = {name.removesuffix("/int8") for name in after if name.endswith("/int8")}
    assert whole == {n for n, v in before.items() if v.dtype == np.float32 and v.size >= SMALLEST and v.ndim > 1}
    for name in whole:
        stored, steps = after[f"{name}/int8"], after[f"{name}/scale"]
        assert (stored.dtype, np.abs(stored.astype(int)).max()) == (np.int8, 127)
        assert np.all(np.abs(stored * steps - before[name]) <= 0.501 * steps)
    assert {n: v.tolist() for n, v in after.items() if "/" not in n} == {
        n: v.tolist() for n, v in before.items() if n not in whole and "/" not in n
    }


def test_of_int8_small_constants_are_float16():
    spec = ModelSpec(backbone=part("glyph", width=64, depth=1))
    graph = to_onnx(build(spec, Geometry(), Charset.named("digits")).eval())
    sizes = {c.name: np.prod(c.dims) for c in constants(graph.graph) if len(c.dims) > 1}
    after = {c.name for c in constants(stored_as("int8", graph).graph)}
    coarse = {name for name in sizes if f"{name}/int8" in after}
    assert coarse == {name for name, size in sizes.items() if size >= COARSE}
    assert {n for n in sizes if f"{n}/float16" in after} == {n for n, s in sizes.items() if SMALLEST <= s < COARSE}
    assert coarse


def test_a_file_of_int8_is_smaller_and_reads_nearly_the_same(make_model, lines, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "COARSE", SMALLEST)
    model = make_model("bilstm")
    export(model, tmp_path / "exact.onnx", lines, "float32")
    rounding = export(model, tmp_path / "whole.onnx", lines, "int8").rounding
    assert (rounding.weights, rounding.lines) == ("int8", 200)
    assert rounding.texts_differing <= 4
    assert (tmp_path / "whole.onnx").stat().st_size < 0.65 * (tmp_path / "exact.onnx").stat().st_size
    line = prepare(lines[0], model.geometry)
    expected = Reader(tmp_path / "exact.onnx").logits([line])
    assert Reader(tmp_path / "whole.onnx").logits([line]) == pytest.approx(
        expected, abs=float(0.05 * np.abs(expected).max())
    )


def test_a_file_that_reads_otherwise_is_refused(make_model, lines, tmp_path, monkeypatch):
    def spoiled(weights, graph):
        made = stored_as(weights, graph)
        for constant in made.graph.initializer:
            if constant.name.endswith("/float16"):
                values = numpy_helper.to_array(constant)
                constant.CopyFrom(numpy_helper.from_array(-20 * values, constant.name))
        return made

    monkeypatch.setattr(export_onnx, "stored_as", spoiled)
    with pytest.raises(ExportError, match=r"with weights stored as float16 \d+ of 200 lines are read otherwise"):
        export(make_model("gru"), tmp_path / "m.onnx", lines, "float16")
    assert list(tmp_path.iterdir()) == []
    assert parity.ROUNDED == {"float16": 0.005, "int8": 0.02}


def test_unknown_weights(make_model, lines, tmp_path):
    with pytest.raises(ExportError, match="there are no weights 'int4'. Allowed: float32, float16, int8"):
        export(make_model(), tmp_path / "m.onnx", lines, "int4")
