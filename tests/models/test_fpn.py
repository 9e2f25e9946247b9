"""The pyramids, by hand and in their shapes."""

import pytest
import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.pyramids import PYRAMIDS
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec
from support import part

STRIDES = [(4, 2), (8, 2), (16, 2)]


def pyramid(variant, channels=(1, 1, 1), **options):
    torch.manual_seed(0)
    return PYRAMIDS.build("fpn", {"variant": variant, **options}, list(channels), STRIDES).eval()


def summing(model):
    """The model with convolutions that add up the channels of the pixel in the middle, and no normalisation."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            middle = layer.kernel_size[0] // 2
            with torch.no_grad():
                layer.weight.zero_()
                layer.weight[:, :, middle, middle] = 1
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = 0.0
    return model


def joined(model, maps):
    """What stands before the last convolution: F5, P4, P3."""
    seen = {}
    model.last.register_forward_pre_hook(lambda layer, inputs: seen.update(joined=inputs[0]))
    with torch.no_grad():
        model(maps)
    return seen["joined"]


def up(x):
    return x.repeat_interleave(2, 2)


class TestByHand:
    f3, f4, f5 = (torch.rand(1, 1, rows, 4, generator=torch.Generator().manual_seed(rows)) for rows in (8, 4, 2))

    @pytest.mark.parametrize("variant", ["a", "b"])
    def test_a_and_b_carry_the_map_of_the_level_on(self, variant):
        f5, p4, p3 = joined(summing(pyramid(variant)), [self.f3, self.f4, self.f5]).split(1, 1)
        assert torch.equal(f5, self.f5)
        torch.testing.assert_close(p4, (up(self.f5) + self.f4)[:, :, ::2])
        torch.testing.assert_close(p3, (up(self.f4) + self.f3)[:, :, ::4])

    @pytest.mark.parametrize(("variant", "branches"), [("c", 1), ("d", 3)])
    def test_c_and_d_carry_the_joined_map_on(self, variant, branches):
        f5, p4, p3 = joined(summing(pyramid(variant)), [self.f3, self.f4, self.f5]).split(1, 1)
        assert torch.equal(f5, self.f5)
        q4 = branches * (up(self.f5) + self.f4)
        q3 = branches * (up(q4) + self.f3)
        torch.testing.assert_close(p4, q4[:, :, ::2])
        torch.testing.assert_close(p3, q3[:, :, ::4])

    def test_the_windows_of_d(self):
        model = pyramid("d", (2, 3, 4))
        kernels = [branch[0].kernel_size for branch in model.join4.branches]
        assert kernels == [(1, 1), (3, 3), (5, 5)]

    def test_deeper_channels_come_first(self):
        model = pyramid("c", (1, 1, 2))
        with torch.no_grad():
            model.join4[0].weight.copy_(torch.tensor([1.0, 2.0, 4.0])[None, :, None, None])
        model.join4[1].eps = 0.0
        f5 = torch.stack([torch.ones(1, 2, 4), torch.zeros(1, 2, 4)], 1)
        with torch.no_grad():
            q4 = model.join4(torch.cat([up(f5), torch.full((1, 1, 4, 4), 0.5)], 1))
        assert q4.unique().tolist() == [1 + 4 * 0.5]


@pytest.mark.parametrize("pool", ["max", "blur"])
@pytest.mark.parametrize("variant", ["a", "b", "c", "d"])
def test_shapes(variant, pool):
    model = pyramid(variant, (3, 4, 5), width=7, pool=pool)
    assert (model.channels, model.strides) == ([7], [(32, 4)])
    for rows in (2, 4):  # of the deepest map: lines of 32 and 64 rows
        maps = [torch.rand(2, c, rows * k, 12) for c, k in ((3, 4), (4, 2), (5, 1))]
        (found,) = model(maps)
        assert found.shape == (2, 7, rows // 2, 6)


@pytest.mark.parametrize(
    ("variant", "expected"),
    # join 4 and 3, strided 3x3 4 and 3, the last 1x1; norms have two numbers a channel
    [
        ("a", 9 * (9 * 4 + 7 * 3) + 12 * 6 + 2 * (4 + 3 + 6)),
        ("c", 9 * 4 + 7 * 3 + 9 * (4 * 4 + 3 * 3) + 12 * 6 + 2 * (2 * (4 + 3) + 6)),
        ("d", 35 * (9 * 4 + 7 * 3) + 9 * (4 * 4 + 3 * 3) + 12 * 6 + 2 * (4 * (4 + 3) + 6)),
    ],
)
def test_parameters(variant, expected):
    assert sum(p.numel() for p in pyramid(variant, (3, 4, 5), width=6).parameters()) == expected


class TestRefused:
    @pytest.mark.parametrize("wrong", [{"variant": "e"}, {"pool": "mean"}, {"width": 0}])
    def test_other_values(self, wrong):
        ((option, value),) = wrong.items()
        with pytest.raises(RecipeError, match=rf"model\.pyramid\.{option} is {value!r}"):
            PYRAMIDS.build("fpn", wrong, [1, 1, 1], STRIDES)

    @pytest.mark.parametrize(
        "backbone", [part("micro"), part("resnet18"), part("mobilenetv3_small", scale=0.35, maps="tail")]
    )
    def test_a_backbone_with_other_maps(self, backbone):
        spec = ModelSpec(backbone=backbone, pyramid=part("fpn"))
        with pytest.raises(RecipeError, match="is given maps of strides") as caught:
            build(spec, Geometry(channels=3), Charset.named("digits"))
        assert "maps: first" in caught.value.next_step
