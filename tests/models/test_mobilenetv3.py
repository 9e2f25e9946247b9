"""MobileNetV3 for lines: sizes, maps, the shortcut of block 0, and which blocks do nothing."""

import itertools

import pytest
import torch

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.backbones.mobilenetv3 import LARGE, MAPS, SCALES, SMALL, scaled
from glyphlet.models.layers.activation import ACTIVATIONS, AconC, MetaAconC
from glyphlet.models.layers.attention import CoordinateAttention, SqueezeExcitation
from glyphlet.models.recognizer import build
from glyphlet.spec import ModelSpec
from support import part

KINDS = ("mobilenetv3_small", "mobilenetv3_large")


def network(kind="mobilenetv3_small", **options):
    torch.manual_seed(0)
    return BACKBONES.build(kind, options, 3).eval()


def shapes(model, height=32, width=64):
    with torch.no_grad():
        return [tuple(m.shape[1:]) for m in model(torch.zeros(1, 3, height, width))]


@pytest.mark.parametrize(
    ("channels", "scale", "expected"),
    [(16, 0.35, 8), (24, 0.35, 8), (40, 0.35, 16), (96, 0.35, 32), (576, 0.35, 200), (24, 0.75, 24), (960, 0.5, 480),
     (72, 0.5, 40), (16, 1.25, 24), (88, 1.0, 88)],
)  # fmt: skip
def test_channels_are_multiples_of_8_and_not_a_tenth_below(channels, scale, expected):
    assert scaled(channels, scale) == expected


@pytest.mark.parametrize(("kind", "scale", "maps"), [*itertools.product(KINDS, SCALES, MAPS)])
def test_the_maps_are_as_said(kind, scale, maps):
    model = network(kind, scale=scale, maps=maps)
    expected = [(c, 32 // d, 64 // a) for c, (d, a) in zip(model.channels, model.strides, strict=True)]
    assert shapes(model) == expected
    assert [h for _, h, _ in expected] == ([1] if maps == "tail" else [8, 4, 2])


@pytest.mark.parametrize(
    ("kind", "scale", "maps", "channels"),
    [
        ("mobilenetv3_small", 1.0, "tail", [576]),
        ("mobilenetv3_small", 1.0, "first", [24, 40, 96]),
        ("mobilenetv3_small", 1.0, "last", [24, 48, 96]),
        ("mobilenetv3_large", 0.5, "tail", [480]),
        ("mobilenetv3_large", 0.5, "first", [16, 24, 80]),
        ("mobilenetv3_large", 0.5, "last", [16, 56, 80]),
    ],
)
def test_channels_of_the_maps(kind, scale, maps, channels):
    assert network(kind, scale=scale, maps=maps).channels == channels


@pytest.mark.parametrize(
    ("kind", "first", "last"), [(KINDS[0], [1, 3, 8], [2, 7, 10]), (KINDS[1], [1, 3, 12], [2, 11, 14])]
)
def test_the_maps_are_those_of_these_blocks(kind, first, last):
    assert network(kind, maps="first").taken == first
    assert network(kind, maps="last").taken == last
    assert network(kind, maps="tail").taken == last[-1:]


def test_the_blocks():
    assert (len(SMALL), len(LARGE)) == (11, 15)
    assert [sum(row.attention for row in rows) for rows in (SMALL, LARGE)] == [9, 8]
    assert [sum(row.activation == "relu" for row in rows) for rows in (SMALL, LARGE)] == [3, 6]


class TestTheLastPool:
    """Over a map of one row Paddle's 2 x 2 pool takes that row; torch's refuses."""

    def test_the_source_s_pool_would_be_refused(self):
        with pytest.raises(RuntimeError, match="too small"):
            torch.nn.functional.max_pool2d(torch.zeros(1, 1, 1, 8), 2)

    def test_it_takes_the_larger_of_two_columns(self):
        model = network(scale=0.35)
        seen = {}
        model.tail[0].register_forward_hook(lambda layer, inputs, output: seen.update(wide=output))
        with torch.no_grad():
            (pooled,) = model(torch.rand(2, 3, 32, 48))
        wide = seen["wide"]
        assert wide.shape == (2, 200, 1, 24)
        torch.testing.assert_close(pooled, torch.maximum(wide[..., 0::2], wide[..., 1::2]))

    def test_a_higher_image_has_more_rows(self):
        assert shapes(network(scale=0.35), height=64) == [(200, 2, 16)]
        geometry, charset = Geometry(channels=3, height=64), Charset.named("digits")
        model = build(ModelSpec(backbone=part("mobilenetv3_small", scale=0.35)), geometry, charset)
        assert model(torch.zeros(2, 3, 64, 40)).shape == (2, 10, 11)


class TestTheFirstShortcut:
    def test_without_it_block_0_is_its_layers_alone(self):
        x = torch.randn(1, 16, 4, 8)
        for shortcut in (False, True):
            block = network(maps="last", first_shortcut=shortcut).blocks[0]
            torch.testing.assert_close(block(x), block.layers(x) + (x if shortcut else 0))

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_changes_no_other_block(self, kind):
        rows = {"mobilenetv3_small": SMALL, "mobilenetv3_large": LARGE}[kind]
        for maps, first in itertools.product(MAPS, (False, True)):
            found = [block.shortcut for block in network(kind, maps=maps, first_shortcut=first).blocks]
            expected = [not row.stage and row.channels == before.channels for before, row in itertools.pairwise(rows)]
            assert found == [first and maps != "tail", *expected]


class TestDeadBlocks:
    @pytest.mark.parametrize(("kind", "dead"), [(KINDS[0], [9, 10]), (KINDS[1], [13, 14])])
    def test_with_the_first_blocks_the_end_of_the_last_stage_does_nothing(self, kind, dead):
        for maps in MAPS:
            model = network(kind, maps=maps)
            frozen = [i for i, block in enumerate(model.blocks) if not next(block.parameters()).requires_grad]
            assert frozen == (dead if maps == "first" else [])

    def test_they_change_no_map(self):
        model = network(scale=0.35, maps="first")
        x = torch.rand(1, 3, 32, 16)
        with torch.no_grad():
            before = model(x)
            for p in model.blocks[9:].parameters():
                p.fill_(float("nan"))
            after = model(x)
        assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


class TestOptions:
    def layers(self, kind, **options):
        return [type(m) for m in network(scale=0.35, **options).modules() if isinstance(m, kind)]

    def test_coordinate_attention_replaces_every_squeeze_and_excitation(self):
        kinds = (SqueezeExcitation, CoordinateAttention)
        assert self.layers(kinds) == [SqueezeExcitation] * 9
        assert self.layers(kinds, attention="ca") == [CoordinateAttention] * 9
        assert self.layers(kinds, attention="none") == []

    def test_an_activation_replaces_all_24(self):
        """Stem, twice in each of 11 blocks, and the last convolution."""
        kinds = (torch.nn.ReLU, torch.nn.Hardswish, AconC, MetaAconC)
        published = self.layers(kinds)
        assert (published.count(torch.nn.ReLU), published.count(torch.nn.Hardswish)) == (6, 18)
        for name, kind in zip(ACTIVATIONS, kinds, strict=True):
            assert self.layers(kinds, activation=name) == [kind] * 24

    @pytest.mark.parametrize(
        "wrong",
        [
            {"scale": 0.6},
            {"scale": -1.0},
            {"maps": "all"},
            {"attention": "cbam"},
            {"activation": "swish"},
            {"scale": 2},
        ],
    )
    def test_other_values_are_refused(self, wrong):
        ((option, value),) = wrong.items()
        with pytest.raises(RecipeError, match=rf"model\.backbone\.{option} is {value!r}") as caught:
            network(**wrong)
        assert caught.value.allowed
        assert caught.value.next_step

    def test_a_whole_number_is_a_scale(self):
        assert network(scale=1).channels == [576]

    def test_grey_images(self):
        model = BACKBONES.build("mobilenetv3_small", {"scale": 0.35}, 1)
        assert model(torch.zeros(2, 1, 32, 16))[0].shape == (2, 200, 1, 4)
