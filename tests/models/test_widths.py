"""Sizes of single layers: what is kept, by hand; models that are built narrower; sizes that make no sense."""

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.layers.blurpool import BlurPool
from glyphlet.models.layers.norm import BatchNorm
from glyphlet.models.recognizer import build
from glyphlet.models.widths import resize, size_of, take
from glyphlet.spec import ModelSpec, Recipe, recipe_from
from support import part

KEPT = torch.tensor([2, 0])


def numbered(layer):
    """All weights are different whole numbers."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.arange(parameter.numel()).reshape(parameter.shape))
    return nn.ModuleDict({"a": layer})


class TestTake:
    def test_filters_and_their_inputs(self):
        model = numbered(nn.Conv2d(3, 4, 1))
        take(model, "a.out_channels", KEPT)
        take(model, "a.in_channels", torch.tensor([1]))
        layer = model["a"]
        assert layer.weight[:, :, 0, 0].tolist() == [[7], [1]]
        assert layer.bias.tolist() == [2, 0]
        assert (layer.out_channels, layer.in_channels, layer.groups) == (2, 1, 1)

    def test_a_depthwise_filter_goes_with_its_channel(self):
        model = numbered(nn.Conv2d(3, 3, 1, groups=3, bias=False))
        take(model, "a.out_channels", KEPT)
        take(model, "a.in_channels", KEPT)
        layer = model["a"]
        assert layer.weight.flatten().tolist() == [2, 0]
        assert layer(torch.ones(1, 2, 1, 1)).flatten().tolist() == [2, 0]

    def test_linear_embedding_and_norm(self):
        linear, table, norm = numbered(nn.Linear(3, 3)), numbered(nn.Embedding(2, 3)), numbered(BatchNorm(3))
        norm["a"].running_mean.copy_(torch.tensor([4.0, 5, 6]))
        take(linear, "a.in_features", KEPT)
        take(table, "a.embedding_dim", KEPT)
        take(norm, "a.num_features", KEPT)
        assert linear["a"].weight.tolist() == [[2, 0], [5, 3], [8, 6]]
        assert linear["a"].bias.tolist() == [0, 1, 2]
        assert table["a"].weight.tolist() == [[2, 0], [5, 3]]
        assert norm["a"].bias.tolist() == [2, 0]
        assert norm["a"].running_mean.tolist() == [6, 4]
        assert (linear["a"].in_features, table["a"].embedding_dim, norm["a"].num_features) == (2, 2, 2)

    def test_a_tensor_of_a_module_of_ours(self):
        model = nn.ModuleDict({"a": BlurPool(3)})
        take(model, "a.window", KEPT)
        assert model["a"](torch.ones(1, 2, 4, 4)).shape == (1, 2, 2, 2)
        assert not isinstance(model["a"].window, nn.Parameter)
        assert model.state_dict() == {}

    def test_what_is_frozen_stays_frozen(self):
        model = numbered(nn.Linear(3, 3).requires_grad_(False))
        take(model, "a.in_features", KEPT)
        assert [p.requires_grad for p in model.parameters()] == [False, False]

    def test_units_of_a_recurrent_layer(self):
        """Of 2 units the second of each gate stays; the layer above reads the kept one of each direction."""
        model = nn.ModuleDict({"a": nn.GRU(1, 2, 2, bidirectional=True)})
        gru = model["a"]
        before = {name: value.clone() for name, value in gru.named_parameters()}
        take(model, "a.hidden_size", torch.tensor([[1], [0], [1], [1]]))
        assert gru.hidden_size == 1
        assert torch.equal(gru.weight_ih_l0, before["weight_ih_l0"][[1, 3, 5]])
        assert torch.equal(gru.bias_hh_l0_reverse, before["bias_hh_l0_reverse"][[0, 2, 4]])
        assert torch.equal(gru.weight_hh_l0_reverse, before["weight_hh_l0_reverse"][[0, 2, 4]][:, [0]])
        assert torch.equal(gru.weight_ih_l1, before["weight_ih_l1"][[1, 3, 5]][:, [1, 2]])
        assert gru(torch.zeros(3, 1, 1))[0].shape == (3, 1, 2)

    def test_inputs_of_a_recurrent_layer(self):
        model = nn.ModuleDict({"a": nn.LSTM(3, 1, 2, bidirectional=True)})
        before = model["a"].weight_ih_l0_reverse.detach().clone()
        take(model, "a.input_size", KEPT)
        assert torch.equal(model["a"].weight_ih_l0_reverse, before[:, [2, 0]])
        assert model["a"].weight_ih_l1.shape == (4, 2)
        assert model["a"](torch.zeros(3, 1, 2))[0].shape == (3, 1, 2)


WIDTHS = {
    "backbone.stem.0.out_channels": 3,
    "backbone.stem.1.num_features": 3,
    "backbone.blocks.0.depthwise.0.out_channels": 3,
    "backbone.blocks.0.depthwise.0.in_channels": 3,
    "backbone.blocks.0.depthwise.1.num_features": 3,
    "backbone.blocks.0.pointwise.0.out_channels": 2,
    "backbone.blocks.0.pointwise.0.in_channels": 3,
    "backbone.blocks.0.pointwise.1.num_features": 2,
    "head.linear.in_features": 16,
}


def narrow(widths, neck="fold", **options):
    spec = ModelSpec(backbone=part("micro", nh=4, depth=1), neck=part(neck, **options), widths=widths)
    return build(spec, Geometry(), Charset.named("digits"))


class TestBuild:
    def test_a_model_is_as_wide_as_said(self):
        model = narrow(WIDTHS)
        assert model.backbone.stem[0].weight.shape == (3, 1, 4, 4)
        assert model.backbone.blocks[0].depthwise[0].groups == 3
        assert model.head.linear.weight.shape == (11, 16)
        assert model(torch.zeros(1, 1, 32, 64)).shape == (1, 16, 11)
        assert model.training  # as it was built
        assert {axis: size_of(model, axis) for axis in WIDTHS} == WIDTHS

    def test_its_parts_say_what_they_give(self):
        assert narrow({}).backbone.channels == [4]
        model = narrow(WIDTHS)
        assert (model.backbone.channels, model.neck.features) == ([2], 16)

    def test_necks_that_use_their_width(self):
        steps = narrow({"neck.linear.out_features": 6, "head.linear.in_features": 3}, "subpixel")
        assert steps.neck.features == 3
        assert steps(torch.zeros(1, 1, 32, 64)).shape == (1, 32, 11)
        units = narrow({"neck.rnn.hidden_size": 2, "head.linear.in_features": 4}, "bilstm", over="step")
        assert units.neck.features == 4
        assert units(torch.zeros(1, 1, 32, 64)).shape == (1, 16, 11)

    def test_the_random_numbers_are_those_of_the_full_model(self):
        torch.manual_seed(0)
        full = narrow({})
        state = torch.get_rng_state()
        torch.manual_seed(0)
        model = narrow(WIDTHS)
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.equal(model.backbone.stem[0].weight, full.backbone.stem[0].weight[:3])

    def test_a_recipe_holds_them(self):
        recipe = Recipe(model=ModelSpec(widths=WIDTHS))
        assert recipe_from(recipe.dump(), "").model.widths == WIDTHS
        assert "backbone.stem.0.out_channels: 3\n" in recipe.to_yaml()

    @pytest.mark.parametrize(
        ("axis", "size", "problem"),
        [
            ("backbone.stm.0.out_channels", 3, "no layer 'backbone.stm.0' .did you mean 'backbone.stem.0'"),
            ("out_channels", 3, "has no size 'out_channels'|no layer ''"),
            ("backbone.stem.0.out_features", 3, "no size 'out_features' .*out_channels, in_channels"),
            ("backbone.stem.0.weight", 3, "no size 'weight'"),
            ("backbone.stem.2.p1", 3, "no size 'p1'"),
            ("backbone.stem.0.out_channels", 5, "out_channels 5, and the layer is built with 4. Allowed: 1 to 4"),
            ("backbone.stem.0.out_channels", 3, "do not fit each other or the model: .*running_mean"),
            ("head.linear.out_features", 10, "10 classes come out, and the charset has 11"),
        ],
    )
    def test_a_size_that_makes_no_sense_is_refused(self, axis, size, problem):
        with pytest.raises(RecipeError, match=problem):
            narrow({axis: size})

    @pytest.mark.parametrize("size", [0, -1, "many", 2.5])
    def test_a_size_is_a_number_from_1(self, size):
        with pytest.raises(RecipeError, match=r"model\.widths\.head.* is"):
            recipe_from({"model": {"widths": {"head.linear.in_features": size}}}, "r.yaml")

    def test_a_refused_size_changes_nothing(self):
        model = narrow({})
        with pytest.raises(RecipeError):
            resize(model, {"head.linear.in_features": 40})
        assert model.head.linear.weight.shape == (11, 32)
