"""The graph in whole numbers: what onnxruntime makes of it, how near it comes, and that it holds what it must."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from glyphlet.compress.int8.fallback import logits_of, noise
from glyphlet.compress.int8.observe import observe
from glyphlet.compress.int8.plain import Plain
from glyphlet.compress.int8.rewrite import rewrite, shortened
from glyphlet.compress.int8.rounding import rounded
from support import part

MODELS = {
    "glyph": {"backbone": part("glyph", stem=16, width=24, depth=2), "neck": part("subpixel", times=2)},
    "micro": {"backbone": part("micro", nh=16, depth=2), "neck": part("bilstm", hidden=8)},
    "mobilenetv3": {
        "backbone": part("mobilenetv3_small", scale=0.35, maps="last"),
        "pyramid": part("fpn", variant="a", width=16),
        "neck": part("bigru", hidden=8),
    },
}


@pytest.fixture(scope="module", params=sorted(MODELS))
def ready(request, model_of, graph_of, images):
    plain = Plain(graph_of(model_of(MODELS[request.param])))
    layers = plain.layers()
    seen = observe(plain, layers, images[:8])
    layers = [layer for layer in layers if seen.positions[layer.name] > 1]
    return plain, layers, seen, {layer.name: rounded(plain, layer, seen) for layer in layers}


def test_it_comes_near(ready, images):
    plain, layers, seen, weights = ready
    made = rewrite(plain, layers, seen, weights)
    onnx.checker.check_model(made, full_check=True)
    assert 1e-9 < noise(logits_of(plain.graph(), images), logits_of(made, images)) < 0.05


def test_a_line_is_read_alike_beside_others(ready, images):
    plain, layers, seen, weights = ready
    made = rewrite(plain, layers, seen, weights)
    same = [image for image in images if image.shape == images[0].shape][:3]
    session = ort.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    together = session.run(None, {"image": np.concatenate(same)})[0]
    for one, expected in zip(same, together, strict=True):
        assert session.run(None, {"image": one})[0][0] == pytest.approx(
            expected, abs=float(1e-5 * np.abs(expected).max())
        )


def test_convolutions_run_in_whole_numbers(ready, tmp_path):
    plain, layers, seen, weights = ready
    options = ort.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(tmp_path / "run.onnx"), 4
    made = rewrite(plain, layers, seen, weights)
    ort.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    ran = [node.op_type for node in onnx.load(tmp_path / "run.onnx").graph.node]
    assert ran.count("QLinearConv") == sum(layer.conv for layer in layers)
    assert sum(kind.startswith("MatMulInteger") for kind in ran) == sum(not layer.conv for layer in layers)


def test_layers_that_are_left_out_keep_their_weights(ready):
    plain, layers, seen, weights = ready
    left = layers[1]
    made = rewrite(plain, [layer for layer in layers if layer is not left], seen, weights)
    constants = {c.name: numpy_helper.to_array(c) for c in made.graph.initializer}
    assert np.array_equal(constants[left.name], plain.constants[left.name])
    for layer in layers:
        if layer is not left:
            assert layer.name not in constants
            assert np.array_equal(constants[layer.name + "/quantized"], weights[layer.name][0])
            assert np.array_equal(constants[layer.name + "/step"], weights[layer.name][1])
    assert not any("running" in name for name in constants)


def test_short_names_change_nothing_else(ready, images):
    plain, layers, seen, weights = ready
    made = rewrite(plain, layers, seen, weights)
    short = shortened(made)
    onnx.checker.check_model(short, full_check=True)
    for a, b in zip(logits_of(made, images[:3]), logits_of(short, images[:3]), strict=True):
        assert np.array_equal(a, b)
    assert [c.name for c in short.graph.initializer] == [c.name for c in made.graph.initializer]
    assert short.ByteSize() < made.ByteSize()
    assert all(len(name) < 6 or name == "logits" for node in short.graph.node for name in node.output)


def test_no_layer_at_all_is_the_graph_in_float(ready, images):
    plain, _, seen, weights = ready
    assert noise(logits_of(plain.graph(), images[:2]), logits_of(rewrite(plain, [], seen, weights), images[:2])) < 1e-12
