"""Batch normalisation of one value of each channel."""

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.image import Geometry
from glyphlet.models.layers.norm import BatchNorm
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec
from support import part


def filled(kind):
    torch.manual_seed(0)
    norm = kind(3)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    return norm


def test_of_many_values_it_is_torchs():
    ours, theirs = filled(BatchNorm), filled(nn.BatchNorm2d)
    for x in (torch.randn(2, 3, 1, 1), torch.randn(1, 3, 1, 2), torch.randn(4, 3, 5, 6)):
        assert torch.equal(ours(x), theirs(x))
    assert all(torch.equal(a, b) for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True))


def test_one_value_takes_the_running_statistics_and_leaves_them():
    norm, x = filled(BatchNorm), torch.randn(1, 3, 1, 1)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    y = norm(x)
    expected = (x[0, :, 0, 0] - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight
    assert y[0, :, 0, 0].tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    y.sum().backward()
    assert norm.bias.grad.tolist() == [1, 1, 1]
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())


@pytest.mark.parametrize(
    ("backbone", "image"),
    [
        (
            {"name": "glyph", "stem": 4, "rows": 1, "width": 4, "depth": 1, "stride": 8},
            {"width_step": 8, "min_width": 8},
        ),
        ({"name": "micro", "nh": 2}, {"height": 8, "width_step": 4, "min_width": 4}),
        ({"name": "vgg"}, {"width_step": 4, "min_width": 4}),
        ({"name": "mobilenetv3_small", "scale": 0.35, "attention": "ca"}, {"width_step": 4, "min_width": 4}),
        ({"name": "mobilenetv3_small", "scale": 0.35, "activation": "meta_acon"}, {"width_step": 4, "min_width": 4}),
        ({"name": "resnet18"}, {"width_step": 4, "min_width": 4}),
    ],
    ids=["glyph", "micro", "vgg", "coordinate attention", "meta-acon", "resnet18"],
)
def test_the_narrowest_line_trains_alone(backbone, image):
    model = build(
        ModelSpec(backbone=part(**backbone), neck=part("fold")), Geometry(**image), Charset.named("digits")
    ).train()
    line = torch.randn(1, model.geometry.channels, model.geometry.height, model.geometry.min_width)
    loss = model.head.loss(model(line), [[1]])
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
