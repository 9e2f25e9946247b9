"""Ranges and moments, against what torch gives at the same layers."""

import numpy as np
import pytest
import torch

from glyphlet.compress.int8.observe import after, observe, steps
from glyphlet.compress.int8.plain import Plain
from support import part

GLYPH = {"backbone": part("glyph", stem=4, width=6, depth=1), "neck": part("fold")}


@pytest.fixture(scope="module")
def looked(model_of, graph_of, images):
    model = model_of(GLYPH)
    plain = Plain(graph_of(model))
    layers = {layer.name: layer for layer in plain.layers()}
    return model, plain, layers, observe(plain, list(layers.values()), images[:3])


def inputs_of(model, name, images):
    """What a module reads, from torch."""
    seen = []
    hook = model.get_submodule(name).register_forward_hook(lambda module, given, made: seen.append(given[0].numpy()))
    with torch.inference_mode():
        for image in images:
            model(torch.from_numpy(image))
    hook.remove()
    return seen


def test_moments_of_a_dense_convolution_of_one_column(looked, images):
    model, _, _, seen = looked
    rows = [x.transpose(0, 2, 3, 1).reshape(-1, 6) for x in inputs_of(model, "backbone.blocks.0.expand", images[:3])]
    expected = sum(r.T @ r for r in rows)
    assert seen.moments["backbone.blocks.0.expand.weight"][0] == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert seen.positions["backbone.blocks.0.expand.weight"] == max(map(len, rows))


@pytest.mark.parametrize(
    "name", ["backbone.stem.2.0", "backbone.rows.2.0", "backbone.merge.0", "backbone.blocks.0.along"]
)
def test_moments_of_kernels_and_groups(looked, images, name):
    model, _, _, seen = looked
    conv = model.get_submodule(name)
    expected = 0
    for x in inputs_of(model, name, images[:3]):
        unfolded = torch.nn.functional.unfold(torch.from_numpy(x), conv.kernel_size, 1, conv.padding, conv.stride)[0]
        grouped = (
            unfolded.reshape(conv.groups, -1, unfolded.shape[1]).transpose(1, 2).numpy()
        )  # groups, positions, inputs
        expected = expected + grouped.transpose(0, 2, 1) @ grouped
    found = seen.moments[f"{name}.weight"]
    assert found.shape == expected.shape
    if found.shape[0] > 1 or seen.positions[f"{name}.weight"] <= 400:  # otherwise some positions were looked at
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    else:
        assert np.diag(found[0]) == pytest.approx(
            np.diag(expected[0]) * found[0].trace() / expected[0].trace(), rel=0.3
        )


def test_a_relu_that_alone_reads_a_convolution_is_part_of_it(looked):
    _, plain, layers, seen = looked
    relu = after(plain, layers["backbone.stem.0.0.weight"])
    assert relu.endswith("Relu_output_0")
    assert seen.ranges[relu][0] == 0 < seen.ranges[relu][1]
    summed = after(plain, layers["backbone.rows.0.layer.0.weight"])  # a sum reads it
    assert seen.ranges[summed][0] < 0
    assert after(plain, layers["head.linear.weight"]) is None


@pytest.mark.parametrize(
    ("low", "high", "step", "zero"), [(0, 255, 1.0, 0), (-1, 1.55, 0.01, 100), (-2.55, 0, 0.01, 255)]
)
def test_steps_by_hand(low, high, step, zero):
    assert steps(low, high) == (pytest.approx(step), zero)


def test_a_tensor_that_is_always_0_has_a_step(images):
    assert steps(0.0, 0.0)[0] > 0
