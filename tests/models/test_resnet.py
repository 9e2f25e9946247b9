"""Residual networks: published parameter counts, shapes, and a block by hand."""

import pytest
import torch
from torch import nn

from glyphlet.models.backbones import BACKBONES
from glyphlet.models.backbones.resnet import Residual, basic_body
from glyphlet.models.layers.attention import SqueezeExcitation
from glyphlet.models.summary import count_parameters, count_statistics

LINES = ("resnet18", "resnet34", "resnet50")
PHOTOS = ("resnet18_imagenet", "resnet50_imagenet")


def network(name, **options):
    torch.manual_seed(0)
    return BACKBONES.build(name, options, 3).eval()


@pytest.mark.parametrize("name", [*LINES, *PHOTOS])
def test_the_map_is_as_said(name):
    model = network(name)
    down, across = model.strides[0]
    with torch.no_grad():
        (found,) = model(torch.zeros(1, 3, 64, 96))
    assert found.shape == (1, model.channels[0], 64 // down, 96 // across)
    assert (down, across) == ((32, 32) if name in PHOTOS else (32, 4))


@pytest.mark.parametrize(
    ("name", "published", "classifier"),
    [("resnet18_imagenet", 11_689_512, 512), ("resnet50_imagenet", 25_557_032, 2048)],
)
def test_those_for_photographs_have_the_known_parameters_less_the_classifier(name, published, classifier):
    assert count_parameters(network(name)) == published - (classifier + 1) * 1000


def test_squeeze_and_excitation_adds_its_layers():
    more = count_parameters(network("resnet18", se=True)) - count_parameters(network("resnet18"))
    assert more == sum(2 * (c * c // 2 + c // 4 + c) for c in (64, 128, 256, 512)) == 12_364_963 - 12_014_403


def test_paddle_counts_the_statistics():
    assert count_statistics(network("resnet18")) == 2 * (32 + 32 + 64 + 5 * (64 + 128 + 256 + 512))


class TestBlocks:
    def test_a_stage_begins_with_a_mean_over_two_rows(self):
        model = network("resnet18")
        for number, stage in enumerate(model.stages):
            first, second = stage
            assert isinstance(second.shortcut, nn.Identity)
            pools = [layer for layer in first.shortcut if isinstance(layer, nn.AvgPool2d)]
            assert [pool.kernel_size for pool in pools] == ([(2, 1)] if number else [])
            # the first stage keeps its shape, and has a convolution in its shortcut all the same
            assert [m.kernel_size for m in first.shortcut.modules() if isinstance(m, nn.Conv2d)] == [(1, 1)]

    def test_the_shortcut_by_hand(self):
        first = network("resnet18").stages[1][0]
        x = torch.rand(1, 64, 4, 6)
        conv, norm = first.shortcut[1]
        means = (x[:, :, 0::2] + x[:, :, 1::2]) / 2
        expected = norm(torch.einsum("oi,nihw->nohw", conv.weight[:, :, 0, 0], means))
        torch.testing.assert_close(first.shortcut(x), expected, rtol=1e-4, atol=1e-5)

    def test_a_block_is_the_relu_of_the_sum(self):
        body = basic_body(4, 4, 1).eval()
        x = torch.randn(1, 4, 3, 5)
        torch.testing.assert_close(Residual(body, nn.Identity()).eval()(x), (body(x) + x).relu())

    def test_the_weights_of_channels_come_before_the_sum(self):
        for block in (b for stage in network("resnet18", se=True).stages for b in stage):
            assert isinstance(block.body[-1], SqueezeExcitation)

    def test_a_plain_shortcut_has_a_stride(self):
        strides = [stage[0].shortcut for stage in network("resnet18_imagenet").stages]
        assert isinstance(strides[0], nn.Identity)
        assert [s[0].stride for s in strides[1:]] == [(2, 2)] * 3
        first = network("resnet50_imagenet").stages[0][0].shortcut
        assert first[0].stride == (1, 1)  # to four times the channels

    def test_a_bottleneck_strides_in_its_3_x_3_convolution(self):
        body = network("resnet50").stages[1][0].body
        assert [layer[0].stride for layer in body] == [(1, 1), (2, 1), (1, 1)]
        assert [layer[0].kernel_size for layer in body] == [(1, 1), (3, 3), (1, 1)]
