"""Our own backbone: counts and a block by hand, what a step sees, heights, bad options, export."""

import numpy as np
import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.export.onnx import export_model
from glyphlet.image import Geometry
from glyphlet.models.backbones.glyph import WideBlock, glyph
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters, dead_parameters, multiply_adds
from glyphlet.runtime.reader import Reader
from glyphlet.spec import ModelSpec, load_recipe
from support import part

SMALL = {"stem": 8, "rows": 1, "width": 12, "depth": 2, "kernel": 5}


def recogniser(height=32, **options):
    torch.manual_seed(0)
    spec = ModelSpec(backbone=part("glyph", **options), neck=part("fold"))
    return build(spec, Geometry(height=height), Charset.named("digits"))


def expected(stem=32, rows=2, width=160, depth=3, kernel=11, merge=4, channels=1):
    """The parameters by the formula of docs/models/glyph.md."""
    first = 9 * channels * stem // 2 + stem + 9 * stem // 2 * stem + 2 * stem
    second = rows * (9 * stem**2 + 2 * stem) + 18 * stem**2 + 4 * stem + 36 * stem**2 + 4 * stem
    merged = merge * 2 * stem * width + 2 * width
    block = kernel * width + 2 * width + 4 * width**2 + 2 * width + 2 * width
    return first + second + merged + depth * block


@pytest.mark.parametrize(
    "options", [{}, SMALL, {"stem": 16, "rows": 0, "depth": 0}, {"kernel": 7, "width": 64}, {"merge": 8}]
)
def test_parameters_by_formula(options):
    assert count_parameters(glyph(1, **options)) == expected(**options)
    assert count_parameters(glyph(3, **options)) == expected(**options, channels=3)


def test_multiply_adds_by_hand():
    model = recogniser(**SMALL)
    pixels = 16 * 32, 8 * 16, 4 * 16
    rows = pixels[0] * 9 * 4 + pixels[1] * 9 * 4 * 8 + pixels[1] * 9 * 64 + pixels[2] * 9 * (8 * 16 + 16 * 16)
    line = 16 * (4 * 16 * 12 + 2 * (5 * 12 + 4 * 12 * 12) + 12 * 11)
    assert multiply_adds(model, 64) == rows + line


def test_no_parameter_is_dead():
    assert dead_parameters(recogniser(**SMALL)) == 0


def test_a_block_starts_as_the_identity():
    x = torch.rand(2, 6, 1, 9)
    torch.testing.assert_close(WideBlock(6, 5).eval()(x), x)


def test_a_block_by_hand():
    block = WideBlock(1, 3).eval()
    with torch.no_grad():
        block.along.weight.copy_(torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 1, 3))
        block.expand.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
        block.expand.bias.zero_()
        block.contract[0].weight.copy_(torch.tensor([0.5, 0.25]).view(1, 2, 1, 1))
        block.contract[1].weight.fill_(1.0)
    x = torch.tensor([1.0, -1.0, 2.0]).view(1, 1, 1, 3)
    along = torch.tensor([2 * 1 + 3 * -1.0, 1 + 2 * -1 + 3 * 2.0, -1 + 2 * 2.0])  # -1, 5, 3
    by_hand = (x.flatten() + torch.where(along > 0, 0.5 * along, -0.25 * along)).relu()
    torch.testing.assert_close(block(x).flatten(), by_hand, atol=1e-4, rtol=1e-4)  # the epsilons of two normalisations


@pytest.mark.parametrize("height", [32, 64, 96])
def test_a_higher_line_has_more_rows(height):
    model = glyph(1, **SMALL).eval()
    assert model(torch.zeros(1, 1, height, 40))[0].shape == (1, 12, height // 32, 10)
    assert recogniser(height, **SMALL).eval()(torch.zeros(1, 1, height, 40)).shape == (1, 10, 11)


def test_more_rows_become_one():
    model = glyph(1, **SMALL, merge=8).eval()
    assert model(torch.zeros(1, 1, 64, 40))[0].shape == (1, 12, 1, 10)
    assert recogniser(64, **SMALL, merge=8).eval()(torch.zeros(1, 1, 64, 40)).shape == (1, 10, 11)


def test_another_height_is_refused():
    with pytest.raises(RecipeError, match="a multiple of 32"):
        recogniser(48, **SMALL)
    with pytest.raises(RecipeError, match="a multiple of 64"):
        recogniser(32, **SMALL, merge=8)


def test_a_step_sees_as_far_as_the_page_says():
    """2 steps a side for each block of kernel 5, 1 for each 3 x 3 convolution at a quarter of the width, and the stem's."""
    model = glyph(1, **SMALL).double().eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.ones_(layer.weight)
    image = torch.rand(1, 1, 32, 160, dtype=torch.float64, requires_grad=True)
    model(image)[0][..., 20].sum().backward()
    seen = image.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    steps = 2 * 2 + 3  # two blocks; a residual, the strided one, a residual
    assert 80 - 4 * steps - 3 <= seen.min()
    assert seen.max() <= 80 + 4 * steps + 3
    assert seen.min() < 80 - 4 * (steps - 1)
    assert seen.max() > 80 + 4 * (steps - 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stem": 7}, "stem is 7.*an even number"),
        ({"kernel": 4}, "kernel is 4.*an odd number"),
        ({"width": 2}, "width is 2.*from 4 to 2048"),
        ({"depth": 65}, "depth is 65"),
        ({"rows": -1}, "rows is -1"),
        ({"merge": 17}, "merge is 17.*from 1 to 16"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(RecipeError, match=message):
        glyph(1, **options)


def test_the_file_reads_as_the_model_at_any_width(tmp_path):
    rng = np.random.default_rng(0)
    lines = [rng.integers(0, 255, (32, width), np.uint8) for width in (8, 33, 200)]
    export_model(recogniser(**SMALL).eval(), tmp_path / "m.onnx", lines, name="glyph", training={}, measured={})
    assert len(Reader(tmp_path / "m.onnx").read(lines)) == 3


def test_a_stride_of_eight_halves_the_steps():
    four, eight = recogniser(**SMALL), recogniser(stride=8, **SMALL)
    assert [model.steps(64) for model in (four, eight)] == [16, 8]
    assert eight(torch.zeros(2, 1, 32, 64)).shape == (2, 8, 11)
    assert count_parameters(eight) == count_parameters(four)
    with pytest.raises(RecipeError, match="stride is 6. Allowed: 4 or 8 pixels"):
        glyph(1, stride=6)


def test_the_chinese_recipe_has_thousands_of_classes_in_five_megabytes():
    recipe = load_recipe("chinese")
    model = build(recipe.model, recipe.image, recipe.charset.resolve([]))
    assert (model.codec.classes, count_parameters(model)) == (6959, 315_120 + 6959 * 129)
    assert (model.steps(320), dead_parameters(model)) == (80, 0)
