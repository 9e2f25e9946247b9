"""Glyph: our own backbone, for reading and training on a CPU. Height goes into channels early; the rest is 1-D.

    image (C, 32, W) -> two strided 3 x 3 convolutions -> (stem, 8, W/4) -> fold -> (8 stem, 1, W/4) -> 1 x 1 -> (width, 1, W/4)
      -> `depth` residual blocks of dense 1-D convolutions -> (width, 1, W/4)

Why it looks like this (first figures, 2026): on a CPU without VNNI dense convolutions do more multiply-adds a millisecond than
depthwise ones; a body that folds height early leaves the plateau of CTC after a third of the lines that a body with
strided height needs; recurrent layers cost several times their share of the work. The residual block is that of ResNet
(He et al. 2016, arXiv 1512.03385) in one dimension, the scale of its last normalisation starts at 0 (Goyal et al. 2017,
arXiv 1706.02677); dilations are those of temporal convolution networks (Bai et al. 2018, arXiv 1803.01271).

Read it in this order: `conv_bn`, `Block`, `Glyph`, `glyph`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.backbones import BACKBONES


def conv_bn(
    inputs: int, outputs: int, kernel: tuple[int, int], *, stride: int = 1, dilation: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution without bias and batch normalisation; padding keeps the size at stride 1."""
    padding = (kernel[0] // 2, dilation * (kernel[1] // 2))
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, (1, dilation), groups, bias=False), nn.BatchNorm2d(outputs)
    )


class Block(nn.Module):
    """x + f(x): two dense 1 x `kernel` convolutions, or one with `single`."""

    def __init__(self, width: int, kernel: int, dilation: int, convolutions: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            conv_bn(width, width, (1, kernel), dilation=dilation) for _ in range(convolutions)
        )
        nn.init.zeros_(self.layers[-1].get_parameter("1.weight"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, width, 1, T) to the same shape."""
        y = x
        for number, layer in enumerate(self.layers):
            y = layer(y)
            if number + 1 < len(self.layers):
                y = y.relu()
        return (x + y).relu()


class Glyph(nn.Module):
    """The stem, the fold, and the blocks."""

    def __init__(
        self, in_channels: int, stem: int, width: int, depth: int, kernel: int, dilations: Sequence[int], convolutions: int,
        height: int = 32,
    ) -> None:  # fmt: skip
        super().__init__()
        self.channels = [width]
        self.strides = [(height, 4)]
        self.stem = nn.Sequential(
            conv_bn(in_channels, stem // 2, (3, 3), stride=2), nn.ReLU(), conv_bn(stem // 2, stem, (3, 3), stride=2), nn.ReLU()
        )
        self.merge = nn.Sequential(conv_bn(stem * height // 4, width, (1, 1)), nn.ReLU())
        self.blocks = nn.Sequential(
            *(Block(width, kernel, dilations[i % len(dilations)], convolutions) for i in range(depth))
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, H, W) to one map (N, width, 1, W/4)."""
        x = self.stem(x)
        return [self.blocks(self.merge(x.flatten(1, 2).unsqueeze(2)))]
