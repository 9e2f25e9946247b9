"""MobileNetV3 for lines of text: all strides but two act on the height alone.

Sources: Howard et al. 2019 (arXiv 1905.02244), as PaddleOCR 2.1 shapes it for recognition and YukSing12/lightweight-OCR
varies it. Every block is 1x1 expansion, depthwise convolution, attention, 1x1 projection without activation.

    maps    block 0  gives                                              for height 32
    tail    (2, 1)   one map, after a 1x1 convolution and a max pool    height 1, stride (32, 4)
    first   1        the first block of each of the last three stages   heights 8, 4, 2, columns by 2; for the pyramids
    last    1        the last block of each of the last three stages    the same

With `first` the other blocks of the last stage do nothing, neither in the training nor in a model file. They are built all
the same, because the published counts include them; `glyphlet models --json` reports them as `dead_parameters`.

Read it in this order: `SMALL`, `Block`, `MobileNetV3`, `mobilenetv3_small`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import nn

from glyphlet.models.backbones import BACKBONES
from glyphlet.models.layers.activation import ACTIVATIONS
from glyphlet.models.layers.attention import CoordinateAttention, SqueezeExcitation
from glyphlet.models.layers.conv import conv_bn
from glyphlet.models.options import one_of

SCALES = (0.35, 0.5, 0.75, 1.0, 1.25)
MAPS = ("tail", "first", "last")
ATTENTION = {"se": SqueezeExcitation, "ca": CoordinateAttention, "none": None}
PUBLISHED = "published"
"""The activation that the paper gives to each block."""


class Row(NamedTuple):
    """A block at scale 1: window, expanded and given channels, whether it has attention, activation, where a stage begins."""

    kernel: int
    expanded: int
    channels: int
    attention: bool
    activation: str
    stage: bool = False


SMALL = (
    Row(3, 16, 16, True, "relu", stage=True),
    Row(3, 72, 24, False, "relu", stage=True),
    Row(3, 88, 24, False, "relu"),
    Row(5, 96, 40, True, "hswish", stage=True),
    *[Row(5, 240, 40, True, "hswish")] * 2,
    Row(5, 120, 48, True, "hswish"),
    Row(5, 144, 48, True, "hswish"),
    Row(5, 288, 96, True, "hswish", stage=True),
    *[Row(5, 576, 96, True, "hswish")] * 2,
)
LARGE = (
    Row(3, 16, 16, False, "relu", stage=True),
    Row(3, 64, 24, False, "relu", stage=True),
    Row(3, 72, 24, False, "relu"),
    Row(5, 72, 40, True, "relu", stage=True),
    *[Row(5, 120, 40, True, "relu")] * 2,
    Row(3, 240, 80, False, "hswish"),
    Row(3, 200, 80, False, "hswish"),
    *[Row(3, 184, 80, False, "hswish")] * 2,
    Row(3, 480, 112, True, "hswish"),
    Row(3, 672, 112, True, "hswish"),
    Row(5, 672, 160, True, "hswish", stage=True),
    *[Row(5, 960, 160, True, "hswish")] * 2,
)


def scaled(channels: int, scale: float) -> int:
    """Channels times a scale, rounded to a multiple of 8, at least 8 and not more than a tenth below."""
    wanted = channels * scale
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


class Block(nn.Module):
    """Expansion, depthwise convolution, attention, projection; added to its input where `shortcut` says so."""

    def __init__(
        self, inputs: int, row: Row, *, stride: int, attention: type[nn.Module] | None, activation: str, shortcut: bool
    ) -> None:
        super().__init__()
        self.shortcut = shortcut and stride == 1 and inputs == row.channels
        depthwise = conv_bn(
            row.expanded, row.expanded, row.kernel, stride=(stride, 1), groups=row.expanded, activation=activation
        )
        self.layers = nn.Sequential(
            conv_bn(inputs, row.expanded, 1, activation=activation),
            depthwise,
            *([attention(row.expanded)] if attention and row.attention else []),
            conv_bn(row.expanded, row.channels, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C', H / stride, W)."""
        return x + self.layers(x) if self.shortcut else self.layers(x)


class MobileNetV3(nn.Module):
    """A stem of stride 2, the blocks, and for `tail` a wide 1x1 convolution and a max pool.

    Args:
        in_channels: 1 or 3.
        rows: the blocks at the scale asked for.
        wide: channels of the last convolution.
        maps: `tail`, `first` or `last`; see the module's page.
        attention: what the rows with attention get.
        activation: of all layers, or `PUBLISHED`.
        first_shortcut: whether block 0 has a shortcut where its stride is 1.
    """

    def __init__(
        self,
        in_channels: int,
        rows: Sequence[Row],
        wide: int,
        *,
        maps: str,
        attention: type[nn.Module] | None,
        activation: str,
        first_shortcut: bool,
    ) -> None:
        super().__init__()
        outer = "hswish" if activation == PUBLISHED else activation
        inputs = rows[0].channels
        self.stem = conv_bn(in_channels, inputs, 3, stride=2, activation=outer)
        self.blocks = nn.Sequential()
        for number, row in enumerate(rows):
            block = Block(
                inputs,
                row,
                stride=2 if row.stage and (number or maps == "tail") else 1,
                attention=attention,
                activation=row.activation if activation == PUBLISHED else activation,
                shortcut=bool(number) or first_shortcut,
            )
            self.blocks.append(block)
            inputs = row.channels
        self.taken = _taken(rows, maps)
        for dead in list(self.blocks)[self.taken[-1] + 1 :]:
            dead.requires_grad_(False)  # so that processes that train together do not wait for their gradients
        self.tail: nn.Sequential | None = None
        if maps == "tail":
            # The source pools 2 x 2 over a map of one row, which Paddle clips to that row and torch refuses.
            self.tail = nn.Sequential(conv_bn(inputs, wide, 1, activation=outer), nn.MaxPool2d((1, 2)))
            self.channels, self.strides = [wide], [(32, 4)]
        else:
            self.channels = [rows[i].channels for i in self.taken]
            self.strides = [(4, 2), (8, 2), (16, 2)]

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, H, W) to one map or three, each (N, channels, H / down, W / across)."""
        x = self.stem(x)
        maps = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taken:
                maps.append(x)
            if number == self.taken[-1]:
                break
        return maps if self.tail is None else [self.tail(maps[-1])]


def _taken(rows: Sequence[Row], maps: str) -> list[int]:
    """The blocks whose outputs are maps."""
    stages = [number for number, row in enumerate(rows) if row.stage]
    if maps == "first":
        return stages[1:]
    ends = [*(start - 1 for start in stages[2:]), len(rows) - 1]
    return ends if maps == "last" else ends[-1:]


def _build(
    in_channels: int,
    rows: Sequence[Row],
    wide: int,
    scale: float,
    maps: str,
    attention: str,
    activation: str,
    first_shortcut: bool,
) -> MobileNetV3:
    one_of("model.backbone.scale", scale, SCALES)
    one_of("model.backbone.maps", maps, MAPS)
    one_of("model.backbone.attention", attention, ATTENTION)
    one_of("model.backbone.activation", activation, (PUBLISHED, *ACTIVATIONS))
    return MobileNetV3(
        in_channels,
        [r._replace(expanded=scaled(r.expanded, scale), channels=scaled(r.channels, scale)) for r in rows],
        scaled(wide, scale),
        maps=maps,
        attention=ATTENTION[attention],
        activation=activation,
        first_shortcut=first_shortcut,
    )


@BACKBONES.register
def mobilenetv3_small(
    in_channels: int,
    *,
    scale: float = 1.0,
    maps: Literal["tail", "first", "last"] = "tail",
    attention: Literal["se", "ca", "none"] = "se",
    activation: str = PUBLISHED,
    first_shortcut: bool = True,
) -> MobileNetV3:
    """MobileNetV3-small for lines, 11 blocks.

    Args:
        in_channels: 1 or 3.
        scale: .35, .5, .75, 1 or 1.25 times the channels.
        maps: one map for a neck (`tail`), or three for a pyramid (`first`, `last`).
        attention: squeeze and excitation, coordinate attention, or none.
        activation: `published` (ReLU, later h-swish), or one for all layers: `relu`, `hswish`, `acon`, `meta_acon`.
        first_shortcut: block 0 has a shortcut. The source's FPN-A and B have none there, C and D have one. Without effect
            for `tail`, where block 0 halves the height.

    Raises:
        RecipeError: an option has another value.
    """
    return _build(in_channels, SMALL, 576, scale, maps, attention, activation, first_shortcut)


@BACKBONES.register
def mobilenetv3_large(
    in_channels: int,
    *,
    scale: float = 1.0,
    maps: Literal["tail", "first", "last"] = "tail",
    attention: Literal["se", "ca", "none"] = "se",
    activation: str = PUBLISHED,
    first_shortcut: bool = True,
) -> MobileNetV3:
    """MobileNetV3-large for lines, 15 blocks; the options are those of `mobilenetv3_small`."""
    return _build(in_channels, LARGE, 960, scale, maps, attention, activation, first_shortcut)
