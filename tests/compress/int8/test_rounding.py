"""Weights to 7 bits."""

import numpy as np
import pytest

from glyphlet.compress.int8.observe import observe
from glyphlet.compress.int8.plain import Plain
from glyphlet.compress.int8.rounding import LARGEST, _carried, nearest, rounded
from support import part


def test_the_nearest_by_hand(model_of, graph_of):
    plain = Plain(graph_of(model_of({"backbone": part("micro", nh=4), "neck": part("fold")})))
    layer = next(layer for layer in plain.layers() if not layer.conv)
    weights = np.zeros_like(plain.constants[layer.name])
    weights[0, :3] = [1.0, -0.5, 0.249]
    plain.constants[layer.name] = weights
    whole, step = nearest(plain, layer)
    assert step[0] == pytest.approx(1 / 64)
    assert whole[0, :4].tolist() == [64, -32, 16, 0]


def test_no_sum_of_two_products_is_cut_off():
    """What processors without VNNI add in 16 bits."""
    assert 2 * 255 * LARGEST <= 2**15 - 1 < 2 * 255 * (LARGEST + 1)


def test_inputs_that_never_occur_together_are_rounded_to_the_nearest():
    weights = np.random.default_rng(0).normal(size=(5, 40))
    step = np.abs(weights).max(axis=1) / LARGEST
    assert (_carried(weights, np.eye(40), step) == np.rint(weights / step[:, None])).all()


@pytest.mark.parametrize("inputs", [3, 128, 129, 300])
def test_the_error_is_less_than_of_the_nearest(inputs):
    random = np.random.default_rng(inputs)
    seen = random.normal(size=(2000, 4)) @ random.normal(size=(4, inputs)) + 0.1 * random.normal(size=(2000, inputs))
    weights = random.normal(size=(6, inputs))
    step = np.abs(weights).max(axis=1) / 8
    carried = _carried(weights, seen.T @ seen, step)
    assert np.abs(carried).max() <= LARGEST
    nearest = np.rint(weights / step[:, None])

    def error(whole):
        return np.square(seen @ (weights - whole * step[:, None]).T).sum()

    assert error(carried) < (0.7 if inputs > 3 else 1.001) * error(nearest)


def test_an_input_that_is_always_0_changes_nothing():
    weights, moments = np.random.default_rng(1).normal(size=(2, 5)), np.eye(5)
    moments[2, 2] = 0
    assert np.isfinite(_carried(weights, moments, np.ones(2))).all()


def test_shapes_and_steps(model_of, graph_of, images):
    plain = Plain(graph_of(model_of({"backbone": part("glyph", stem=4, width=6, depth=1), "neck": part("fold")})))
    layers = plain.layers()
    seen = observe(plain, layers, images[:3])
    for layer in layers:
        whole, step = rounded(plain, layer, seen)
        weights = plain.constants[layer.name]
        assert (whole.shape, whole.dtype) == (weights.shape, np.int8)
        assert step.shape == (len(weights),)
        assert step == pytest.approx(np.abs(weights).reshape(len(weights), -1).max(axis=1) / LARGEST)
        assert np.abs(whole.astype(int)).max() <= LARGEST
        error = np.abs(whole * step.reshape(-1, *[1] * (weights.ndim - 1)) - weights).max()
        assert error < 3 * step.max()
