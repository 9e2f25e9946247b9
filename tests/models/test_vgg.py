"""CRNN's convolutions, and the recurrent layers with a linear layer between them, against their published facts."""

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.backbones.vgg import vgg
from glyphlet.models.necks.recurrent import bigru, bilstm
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters, multiply_adds
from glyphlet.spec import ModelSpec
from support import part

NECK = part("bilstm", hidden=256, layers=2, project=256)


def crnn(classes=37, backbone=None, neck=NECK, **geometry):
    charset = Charset(tuple(chr(0x4E00 + i) for i in range(classes - 1)))
    spec = ModelSpec(backbone=backbone or part("vgg"), neck=neck)
    return build(spec, Geometry(**{"width_step": 4, **geometry}), charset)


@pytest.mark.parametrize(
    ("classes", "parameters"), [(37, 8_331_301), (5990, 11_385_190), (6736, 11_767_888), (7780, 12_303_460)]
)
def test_the_published_counts(classes, parameters):
    assert count_parameters(crnn(classes)) == parameters


@pytest.mark.parametrize(("width", "steps"), [(4, 2), (8, 3), (100, 26), (160, 41), (280, 71)])
def test_a_line_gets_a_step_more_than_a_quarter_of_its_width(width, steps):
    model = crnn(neck=part("fold")).eval()
    assert model.steps(width) == steps
    assert model(torch.zeros(1, 1, 32, width)).shape == (1, steps, 37)


def test_multiply_adds_by_hand():
    model = crnn()
    convolutions = (
        32 * 100 * 9 * 64 + 16 * 50 * 9 * 64 * 128 + 8 * 25 * 9 * (128 * 256 + 256 * 256)
        + 4 * 26 * 9 * (256 * 512 + 512 * 512) + 1 * 26 * 4 * 512 * 512
    )  # fmt: skip
    recurrent = 26 * (2 * 4 * 256 * (512 + 256) + 512 * 256 + 2 * 4 * 256 * (256 + 256))
    assert multiply_adds(model, 100) == convolutions + recurrent + 26 * 512 * 37


def test_the_layers_with_normalisation_are_those_of_the_source():
    names = [name for name, layer in vgg(1).layers.named_children() if isinstance(layer, nn.BatchNorm2d)]
    assert names == ["norm2", "norm4", "norm6"]


def test_a_higher_line_is_folded():
    model = crnn(neck=part("fold"), height=64)
    assert model.backbone(torch.zeros(1, 1, 64, 40))[0].shape == (1, 512, 3, 11)
    assert model(torch.zeros(1, 1, 64, 40)).shape == (1, 11, 37)


@pytest.mark.parametrize(("height", "reason"), [(16, "halves the rows four times"), (40, "takes 16 pixels to one")])
def test_a_height_of_which_nothing_would_be_left_is_refused(height, reason):
    with pytest.raises(RecipeError, match=rf"image\.height is {height}.*{reason}"):
        crnn(height=height)


def test_leaky():
    negative = -torch.ones(1)
    slopes = {
        leaky: {layer(negative.clone()).item() for name, layer in vgg(1, leaky=leaky).layers.named_children() if "relu" in name}
        for leaky in (False, True)
    }  # fmt: skip
    assert slopes[False] == {0.0}
    assert [round(slope, 6) for slope in slopes[True]] == [-0.2]


def test_the_published_first_weights():
    torch.manual_seed(0)
    layers = dict(vgg(1, published_init=True).layers.named_children())
    for number in range(7):
        weight = layers[f"conv{number}"].weight
        assert weight.std().item() == pytest.approx(0.02, rel=0.1)
        assert abs(weight.mean().item()) < 3 * 0.02 / weight.numel() ** 0.5
    assert layers["norm4"].weight.mean().item() == pytest.approx(1, abs=0.005)
    assert layers["norm4"].weight.std().item() == pytest.approx(0.02, rel=0.2)
    assert layers["norm4"].bias.abs().max() == 0
    assert dict(vgg(1).layers.named_children())["conv1"].weight.std() > 0.023  # torch's own: 1 / sqrt(3 * 64 * 9)


class TestProject:
    def maps(self):
        return [torch.randn(2, 6, 1, 7, generator=torch.Generator().manual_seed(1))]

    def test_without_it_the_state_dict_is_that_of_torch(self):
        neck = bilstm([6], [1], hidden=5, layers=2)
        assert set(neck.state_dict()) == {f"rnn.{name}" for name in nn.LSTM(6, 5, 2, bidirectional=True).state_dict()}

    @pytest.mark.parametrize("layers", [2, 3])
    def test_it_lies_between_the_layers_and_nowhere_else(self, layers):
        torch.manual_seed(0)
        neck = bigru([6], [1], hidden=5, layers=layers, project=4)
        assert neck.features == 10
        gru = lambda inputs: 2 * (3 * 5 * (inputs + 5) + 6 * 5)  # noqa: E731
        assert count_parameters(neck) == gru(6) + (layers - 1) * (gru(4) + 10 * 4 + 4)
        x = self.maps()[0].squeeze(2).transpose(1, 2)
        for number in range(layers):
            if number:
                x = neck.rnn.projections[number - 1](x)
            x = neck.rnn.layers[number](x)[0]
        torch.testing.assert_close(neck(self.maps()), x)

    def test_steps_alone_know_nothing_of_each_other(self):
        torch.manual_seed(0)
        neck = bilstm([6], [1], hidden=5, layers=2, project=4, over="step")
        (x,) = self.maps()
        changed = x.clone()
        changed[..., 0] += 1
        difference = (neck([changed]) - neck([x])).abs().amax((0, 2))
        assert difference[0] > 0
        assert difference[1:].max() == 0

    @pytest.mark.parametrize("options", [{"layers": 1, "project": 4}, {"layers": 2, "project": -1}])
    def test_what_it_cannot_be(self, options):
        with pytest.raises(RecipeError, match=r"model\.neck(\.project is -1| has project 4 and one layer)"):
            bilstm([6], [1], **options)
