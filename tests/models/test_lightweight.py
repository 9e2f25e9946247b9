"""The configurations of lightweight-OCR: exact totals, gradients, dead blocks, and what an export holds."""

import re

import numpy as np
import onnxruntime
import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.export.onnx import export_model, to_onnx
from glyphlet.image import Geometry
from glyphlet.models.catalogue import published_total, recipe_row
from glyphlet.models.layers.attention import SqueezeExcitation
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters, count_statistics, dead_parameters, part_costs
from glyphlet.runtime.bundle import INPUT
from glyphlet.spec import ModelSpec, load_recipe, recipe_from
from glyphlet.train.log import model_summary
from support import part

# Published totals, with batch normalisation as 4 numbers a channel and 3,939 classes; dead ones in our own counting.
PUBLISHED = {
    "lightweight-baseline": (1_538_241, 0),
    "lightweight-ca": (1_177_804, 0),
    "lightweight-metaacon": (1_872_841, 0),
    "lightweight-fpn-a": (1_638_145, 588_192),
    "lightweight-fpn-a-blurpool": (1_638_145, 588_192),
    "lightweight-fpn-b": (1_657_761, 0),
    "lightweight-fpn-c": (1_614_849, 0),
    "lightweight-fpn-d": (1_909_185, 0),
    "lightweight-fpn-a-large": (2_098_169, 413_360),
    "lightweight-fpn-d-large": (2_068_169, 0),
    "lightweight-r18-64": (12_014_403, 0),
    "lightweight-r18-48": (11_795_811, 0),
    "lightweight-r18se-64": (12_364_963, 0),
    "lightweight-r18se-48": (12_146_371, 0),
    "lightweight-r18-64-pruned": (2_215_209, 0),
    "lightweight-r18-48-pruned": (2_104_710, 0),
    "lightweight-r18se-64-pruned": (2_371_780, 0),
    "lightweight-r18se-48-pruned": (2_161_396, 0),
}
SMALL = {
    "baseline": ({}, None),
    "ca": ({"attention": "ca"}, None),
    "none": ({"attention": "none", "activation": "relu"}, None),
    "acon": ({"activation": "acon"}, None),
    "metaacon": ({"activation": "meta_acon"}, None),
    "fpn-a": ({"maps": "first", "first_shortcut": False}, {"variant": "a"}),
    "fpn-a-blur": ({"maps": "first", "first_shortcut": False}, {"variant": "a", "pool": "blur"}),
    "fpn-b": ({"maps": "last", "first_shortcut": False}, {"variant": "b"}),
    "fpn-c": ({"maps": "last"}, {"variant": "c"}),
    "fpn-d": ({"maps": "last"}, {"variant": "d"}),
    "fpn-d-ca-acon": ({"maps": "last", "attention": "ca", "activation": "meta_acon"}, {"variant": "d", "pool": "blur"}),
}
VARIANTS = [*SMALL, "large", "resnet18", "resnet18-se", "resnet18-imagenet"]


def variant(name):
    """A variant at its smallest scale, its statistics random so that no normalisation is an identity."""
    torch.manual_seed(0)
    pyramid, geometry = part("none"), Geometry(channels=3, mean=0.5, std=0.5)
    if name in SMALL:
        options, joined = SMALL[name]
        backbone = part("mobilenetv3_small", scale=0.35, **options)
        pyramid = part("fpn", width=64, **joined) if joined else pyramid
    elif name == "large":
        backbone = part("mobilenetv3_large", scale=0.35)
    elif name == "resnet18-imagenet":
        backbone, geometry = part("resnet18_imagenet"), Geometry(channels=3, width_step=32)
    else:
        backbone = part("resnet18", se=name.endswith("se"))
    neck = part("bigru", hidden=8, layers=2)
    model = build(ModelSpec(backbone=backbone, pyramid=pyramid, neck=neck), geometry, Charset.named("digits"))
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(layer.running_mean, std=0.1)
            torch.nn.init.uniform_(layer.running_var, 0.5, 2)
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
    return model.eval()


@pytest.mark.parametrize("name", PUBLISHED)
def test_totals(name):
    recipe = load_recipe(name)
    total, dead = PUBLISHED[name]
    assert (recipe.published["parameters"], recipe.published["classes"]) == (total, 3939)
    row = recipe_row(recipe, 320)
    assert (row["published_total"], row["dead_parameters"]) == (total, dead)
    model = build(recipe.model, recipe.image, Charset(tuple(chr(0x4E00 + i) for i in range(3938))))
    assert count_parameters(model) + count_statistics(model) == total  # the head alone was built anew for the row
    assert model.steps(320) == 80
    assert model.neck.rnn.num_layers == 2


class TestCounting:
    def recipe(self, **published):
        values = {
            "name": "x",
            "model": {"backbone": {"name": "mobilenetv3_small", "scale": 0.35}},
            "image": {"channels": 3},
        }
        return recipe_from({**values, "charset": {"name": "digits"}, "published": published}, "")

    def test_without_paddle_the_statistics_do_not_count(self):
        plain, paddle = (self.recipe(parameters=1, classes=7, **more) for more in ({}, {"counting": "paddle"}))
        model = build(plain.model, plain.image, Charset.from_text("abcdef"))
        assert published_total(plain) == count_parameters(model)
        assert published_total(paddle) == count_parameters(model) + count_statistics(model)

    def test_without_classes_the_recipe_s_own(self):
        recipe = self.recipe(parameters=1)
        model = build(recipe.model, recipe.image, Charset.named("digits"))
        assert published_total(recipe) == published_total(recipe, model) == count_parameters(model)
        assert published_total(self.recipe()) is None

    def test_another_counting_is_refused(self):
        with pytest.raises(RecipeError, match=r"published\.counting is 'keras'"):
            published_total(self.recipe(parameters=1, counting="keras"))


class TestGradients:
    @pytest.mark.parametrize("name", VARIANTS)
    def test_they_reach_every_parameter_that_is_not_dead(self, name):
        model = variant(name)
        for layer in model.modules():
            if isinstance(layer, SqueezeExcitation):
                torch.nn.init.ones_(layer.squeeze.bias)  # its ReLU may else be 0 for all of a few lines
        dead = dead_parameters(model)
        images = torch.rand(3, 3, 32, 96, generator=torch.Generator().manual_seed(1))
        model.head.loss(model(images), [[1], [2, 3], [4]]).backward()
        without = [(n, p.numel()) for n, p in model.named_parameters() if p.grad is None]
        assert sum(count for _, count in without) == dead
        assert {".".join(n.split(".")[:3]) for n, _ in without} == (
            {"backbone.blocks.9", "backbone.blocks.10"} if name.startswith("fpn-a") else set()
        )
        assert [n for n, p in model.named_parameters() if p.grad is not None and not p.grad.abs().max() > 0] == []

    def test_counting_the_dead_leaves_the_model_as_it_was(self):
        model = variant("fpn-a").train()
        model.neck.requires_grad_(False)
        before = [p.requires_grad for p in model.parameters()]
        values = {k: v.clone() for k, v in model.state_dict().items()}
        blocks = model.backbone.blocks
        assert dead_parameters(model) == count_parameters(blocks[9]) + count_parameters(
            blocks[10]
        )  # the neck is frozen only
        assert model.training
        assert [p.requires_grad for p in model.parameters()] == before
        assert all(torch.equal(v, values[k]) for k, v in model.state_dict().items())

    def test_a_step_of_training_moves_no_dead_weight(self):
        model = variant("fpn-a").train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
        before = {n: p.detach().clone() for n, p in model.named_parameters()}
        model.head.loss(model(torch.rand(2, 3, 32, 64)), [[1], [2]]).backward()
        optimizer.step()
        same = {n for n, p in model.named_parameters() if torch.equal(p, before[n])}
        assert same == {n for n in before if re.match(r"backbone\.blocks\.(9|10)\.", n)}


def test_a_training_says_what_is_dead():
    model = variant("fpn-a")
    rows = list(zip(*(column.cells for column in model_summary(model, 64).columns), strict=True))
    dead = dead_parameters(model)
    assert rows[-2][0::3] == ("of these dead", f"{dead:,}")
    assert rows[-1][2] == f"{-(-4 * (count_parameters(model) - dead) // 1024)} kB as float32"
    assert not any(
        row[0].endswith("dead")
        for row in zip(*(c.cells for c in model_summary(variant("fpn-b"), 64).columns), strict=True)
    )


class TestMultiplyAdds:
    def test_by_hand(self):
        """A pyramid over maps of 8, 4 and 2 rows and 16 columns, then its pool of 8 columns."""
        costs = {cost.part: cost for cost in part_costs(variant("fpn-c"), 32)}
        c3, c4, c5 = 8, 16, 32
        joins = 4 * 16 * (c5 + c4) * c4 + 8 * 16 * (c4 + c3) * c3
        downs = 2 * 16 * 9 * (c4 * c4 + c3 * c3)
        assert costs["pyramid"].multiply_adds == joins + downs + 2 * 16 * (c5 + c4 + c3) * 64
        assert costs["pyramid"].output == (64, 1, 8)
        assert costs["neck"].multiply_adds == 8 * (2 * 3 * 8 * (64 + 8) + 2 * 3 * 8 * (16 + 8))

    def test_a_blurred_pool_costs_16_a_value(self):
        plain, blurred = (
            next(c for c in part_costs(variant(name), 32) if c.part == "pyramid") for name in ("fpn-a", "fpn-a-blur")
        )
        assert blurred.multiply_adds - plain.multiply_adds == 64 * 8 * 16

    def test_attention_counts_its_layers(self):
        with_se, without = (
            build(
                ModelSpec(backbone=part("mobilenetv3_small", scale=0.35, attention=attention)),
                Geometry(channels=3),
                Charset.named("digits"),
            )
            for attention in ("se", "none")
        )
        costs = [part_costs(model, 64)[0].multiply_adds for model in (with_se, without)]
        rows = [layer for layer in with_se.modules() if isinstance(layer, SqueezeExcitation)]
        assert costs[0] - costs[1] == sum(2 * layer.squeeze.weight.numel() for layer in rows)


class TestExport:
    @pytest.mark.parametrize("name", VARIANTS)
    def test_lines_of_any_number_and_width(self, name):
        model = variant(name)
        session = onnxruntime.InferenceSession(to_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"])
        step = model.geometry.width_step
        for count, width in ((1, step), (3, 64), (2, 416)):
            images = torch.rand(count, 3, 32, width, generator=torch.Generator().manual_seed(width)) * 2 - 1
            with torch.no_grad():
                expected = model(images).numpy()
            (found,) = session.run(None, {INPUT: images.numpy()})
            assert found.shape == (count, model.steps(width), 11)
            assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()

    @pytest.mark.parametrize("name", ["baseline", "fpn-a-blur"])
    def test_the_parity_check(self, name, tmp_path):
        random = np.random.default_rng(0)
        lines = [random.integers(0, 256, (30, width, 3), dtype=np.uint8) for width in (40, 70, 120)]
        result = export_model(variant(name), tmp_path / "m.onnx", lines, name=name, training={}, measured={})
        assert (result.lines, result.texts_differing) == (200, 0)
        assert result.widths > 10

    def test_dead_blocks_are_left_out(self):
        model = variant("fpn-a")
        held = sum(int(np.prod(w.dims)) for w in to_onnx(model).graph.initializer)
        living = count_parameters(model) - dead_parameters(model)
        assert dead_parameters(model) > 0.2 * count_parameters(model)
        statistics = sum(value.numel() for name, value in model.named_buffers() if "running" in name)
        assert held < living + statistics < count_parameters(model)  # and there is nothing else

    @pytest.mark.slow
    @pytest.mark.parametrize("name", PUBLISHED)
    def test_every_recipe_passes_the_parity_check(self, name, tmp_path):
        recipe = load_recipe(name)
        torch.manual_seed(0)
        model = build(recipe.model, recipe.image, Charset.named("ascii"))
        random = np.random.default_rng(0)
        lines = [random.integers(0, 256, (32, width, 3), dtype=np.uint8) for width in (40, 90, 200)]
        result = export_model(model, tmp_path / "m.onnx", lines, name=name, training={}, measured={})
        assert result.texts_differing == 0
        row = recipe_row(recipe, 320)
        kilobytes = (tmp_path / "m.onnx").stat().st_size / 1024
        statistics = sum(value.numel() for name, value in model.named_buffers() if "running" in name) / 256
        assert row["file_kb"] * 0.97 < kilobytes < row["file_kb"] + statistics + 150  # the graph and the description
