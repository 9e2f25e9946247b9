"""The micro network: a patch stem and a few depthwise/pointwise blocks at constant width.

Source: MicroOCR (williamlzw/MicroOCR, commit 854468c). With `nh` channels, `depth` blocks, biases and RGB input it has
51 nh + depth (nh^2 + 15 nh) parameters before neck and head; grey input takes 32 nh off.

Read it in this order: `conv_bn_gelu`, `MicroBlock`, `Micro`, `micro`.
"""

from __future__ import annotations

import torch
from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.layers.norm import BatchNorm


def conv_bn_gelu(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, bias: bool
) -> nn.Sequential:
    """Convolution, batch normalisation, exact GELU; padding keeps the size at stride 1 and is 0 otherwise."""
    padding = kernel // 2 if stride == 1 else 0
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=bias),
        BatchNorm(outputs),
        nn.GELU(),
    )


class MicroBlock(nn.Module):
    """x -> pointwise(x + depthwise(x)); the residual spans the depthwise half only."""

    def __init__(self, nh: int, bias: bool) -> None:
        super().__init__()
        self.depthwise = conv_bn_gelu(nh, nh, 3, groups=nh, bias=bias)
        self.pointwise = conv_bn_gelu(nh, nh, 1, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, nh, H, W) to the same shape."""
        return self.pointwise(x + self.depthwise(x))


class Micro(nn.Module):
    """A 4 x 4 patch stem of stride 4, then `depth` blocks."""

    def __init__(self, in_channels: int, nh: int, depth: int, bias: bool) -> None:
        super().__init__()
        self.channels = [nh]
        self.strides = [(4, 4)]
        self.stem = conv_bn_gelu(in_channels, nh, 4, stride=4, bias=bias)
        self.blocks = nn.Sequential(*(MicroBlock(nh, bias) for _ in range(depth)))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, H, W) to one map (N, nh, H/4, W/4)."""
        return [self.blocks(self.stem(x))]


@BACKBONES.register
def micro(in_channels: int, *, nh: int = 16, depth: int = 2, bias: bool = True) -> Micro:
    """MicroOCR's network.

    Args:
        in_channels: 1 or 3.
        nh: channels of every layer, 1 to 4096.
        depth: number of blocks, 0 to 64.
        bias: biases in the convolutions (MicroOCR's versions from 28960f8 on have none).

    Raises:
        RecipeError: `nh` or `depth` is out of range.
    """
    for option, value, low, high in (("nh", nh, 1, 4096), ("depth", depth, 0, 64)):
        if not isinstance(value, int) or not low <= value <= high:
            raise RecipeError(
                f"model.backbone.{option} is {value!r}",
                allowed=f"a whole number from {low} to {high}",
                next_step="correct the recipe",
            )
    return Micro(in_channels, nh, depth, bias)
