"""Residual networks for lines of text: strides act on the height alone, except for two pools.

Sources: He et al. 2015 (arXiv 1512.03385) in the form "D" of He et al. 2018 (arXiv 1812.01187), with a stem of three 3x3
convolutions and shortcuts that take a mean before their 1x1 convolution, as PaddleOCR 2.1 shapes it for recognition
(`ResNet_vd`). lightweight-OCR's variant adds squeeze and excitation to every block before the sum.

    image 32 x W -> stem 32, 32, 64 -> max pool 16 x W/2 -> stages 16, 8, 4, 2 rows -> max pool 1 x W/4

Read it in this order: `Residual`, `basic_body`, `ResNet`, `resnet18`. Networks for square images are in
`resnet_imagenet.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from glyphlet.models.backbones import BACKBONES
from glyphlet.models.layers.attention import SqueezeExcitation
from glyphlet.models.layers.conv import Stride, conv_bn

STAGES = (64, 128, 256, 512)
"""Channels inside the blocks of each stage."""


class Residual(nn.Module):
    """ReLU of body plus shortcut."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C', H', W')."""
        return (self.body(x) + self.shortcut(x)).relu()


Body = Callable[[int, int, Stride], nn.Sequential]
"""Makes a block's body from its inputs, its inner channels and its stride."""


def basic_body(inputs: int, channels: int, stride: Stride) -> nn.Sequential:
    """Two 3x3 convolutions, the first with the stride."""
    return nn.Sequential(conv_bn(inputs, channels, 3, stride=stride, activation="relu"), conv_bn(channels, channels, 3))


def bottleneck_body(inputs: int, channels: int, stride: Stride) -> nn.Sequential:
    """1x1, 3x3 with the stride, 1x1 to four times the channels."""
    return nn.Sequential(
        conv_bn(inputs, channels, 1, activation="relu"),
        conv_bn(channels, channels, 3, stride=stride, activation="relu"),
        conv_bn(channels, 4 * channels, 1),
    )


GROWTH: dict[Body, int] = {basic_body: 1, bottleneck_body: 4}
"""The channels that a body gives, as a multiple of its inner ones."""


class ResNet(nn.Module):
    """Stem, four stages and a last pool: one map of stride (32, 4)."""

    def __init__(self, in_channels: int, body: Body, blocks: Sequence[int], se: bool) -> None:
        super().__init__()
        self.channels = [STAGES[-1] * GROWTH[body]]
        self.strides = [(32, 4)]
        self.stem = nn.Sequential(
            conv_bn(in_channels, 32, 3, activation="relu"),
            conv_bn(32, 32, 3, activation="relu"),
            conv_bn(32, 64, 3, activation="relu"),
            nn.MaxPool2d(3, 2, 1),
        )
        self.stages = nn.Sequential()
        inputs = 64
        for number, (channels, count) in enumerate(zip(STAGES, blocks, strict=True)):
            outputs = channels * GROWTH[body]
            stage = nn.Sequential()
            for first in [True] + [False] * (count - 1):
                stride = (2, 1) if first and number else (1, 1)
                layers = body(inputs, channels, stride)
                if se:
                    layers.append(SqueezeExcitation(outputs))
                stage.append(Residual(layers, _shortcut(inputs, outputs, stride) if first else nn.Identity()))
                inputs = outputs
            self.stages.append(stage)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, H, W) to one map (N, channels, H / 32, W / 4)."""
        return [self.pool(self.stages(self.stem(x)))]


def _shortcut(inputs: int, outputs: int, stride: tuple[int, int]) -> nn.Sequential:
    """Mean over the stride, then 1x1. The source has the 1x1 also where the first stage keeps its shape."""
    pool = [] if stride == (1, 1) else [nn.AvgPool2d(stride)]
    return nn.Sequential(*pool, conv_bn(inputs, outputs, 1))


@BACKBONES.register
def resnet18(in_channels: int, *, se: bool = False) -> ResNet:
    """ResNet-18 for lines, 512 channels at stride (32, 4); `se` adds squeeze and excitation to every block."""
    return ResNet(in_channels, basic_body, (2, 2, 2, 2), se)


@BACKBONES.register
def resnet34(in_channels: int, *, se: bool = False) -> ResNet:
    """ResNet-34 for lines, 512 channels at stride (32, 4); `se` as for `resnet18`."""
    return ResNet(in_channels, basic_body, (3, 4, 6, 3), se)


@BACKBONES.register
def resnet50(in_channels: int, *, se: bool = False) -> ResNet:
    """ResNet-50 for lines, 2,048 channels at stride (32, 4); `se` as for `resnet18`."""
    return ResNet(in_channels, bottleneck_body, (3, 4, 6, 3), se)
