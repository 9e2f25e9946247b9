"""Glyph: our own backbone, for reading and training on a CPU. Few rows soon, wide kernels along the line, no recurrence.

    image (C, H, W)
      -> two 3 x 3 convolutions of stride 2                     (stem, H/4, W/4)
      -> `rows` residual 3 x 3 convolutions                     (stem, H/4, W/4)
      -> 3 x 3 of stride (2, `stride` / 4), a residual 3 x 3    (2 stem, H/8, W/`stride`)
      -> every `merge` rows, 8 `merge` pixels, made one         (width, H/(8 merge), W/`stride`)
      -> `depth` blocks with a kernel of 1 x `kernel`           (width, H/(8 merge), W/`stride`)

Measured on short lines in fonts that were held back (benchmarks/glyph_design.py; the table is benchmarks/results/glyph_design.md):
dense convolutions in the 2-D part, since a CPU does more of their multiply-adds a millisecond than of depthwise ones; the rows merged
early, which leaves the plateau of CTC sooner; blocks in the manner of ConvNeXt (Liu et al. 2022, arXiv 2201.03545) along
the line, whose wide kernels see several characters and read better than a recurrent layer of the same time. Mixing
along the line instead of recurrence is SVTR's idea (Du et al. 2022, arXiv 2205.00159).

Read it in this order: `conv_bn`, `Residual`, `WideBlock`, `Glyph`, `glyph`.
"""

from __future__ import annotations

import torch
from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.backbones import BACKBONES
from glyphlet.models.layers.norm import BatchNorm
from glyphlet.models.options import within


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    """Convolution without bias and batch normalisation; padding keeps the size at stride 1.

    Unlike `layers.conv.conv_bn` it starts as PyTorch does. With the normal start of He et al. two seeds of the comparison on
    short lines read .830 and .810 of the validation lines, with this one .843 and .848.
    """
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), BatchNorm(outputs))


class Residual(nn.Module):
    """relu(x + normalised dense 3 x 3 convolution of x)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = conv_bn(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        return (x + self.layer(x)).relu()


class WideBlock(nn.Module):
    """Each channel along the line with a wide kernel, then all channels of a column: relu(x + f(x)).

    The last normalisation starts at 0, so that a block starts as the identity (Goyal et al. 2017, arXiv 1706.02677).
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.along = nn.Conv2d(width, width, (1, kernel), padding=(0, kernel // 2), groups=width, bias=False)
        self.norm = BatchNorm(width)
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.contract = conv_bn(2 * width, width, 1)
        nn.init.zeros_(self.contract.get_parameter("1.weight"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, width, H, T) to the same shape."""
        return (x + self.contract(self.expand(self.norm(self.along(x))).relu())).relu()


class Glyph(nn.Module):
    """The 2-D part, the merge, the blocks."""

    def __init__(
        self,
        in_channels: int,
        stem: int,
        rows: int,
        width: int,
        depth: int,
        kernel: int,
        stride: int = 4,
        merge: int = 4,
    ) -> None:
        super().__init__()
        self.channels = [width]
        self.strides = [(8 * merge, stride)]
        self.stem = nn.Sequential(
            conv_bn(in_channels, stem // 2, stride=2), nn.ReLU(), conv_bn(stem // 2, stem, stride=2), nn.ReLU()
        )
        self.rows = nn.Sequential(
            *(Residual(stem) for _ in range(rows)),
            conv_bn(stem, 2 * stem, stride=(2, stride // 4)),
            nn.ReLU(),
            Residual(2 * stem),
        )
        self.merge = nn.Sequential(
            nn.Conv2d(2 * stem, width, (merge, 1), (merge, 1), bias=False), BatchNorm(width), nn.ReLU()
        )
        self.blocks = nn.Sequential(*(WideBlock(width, kernel) for _ in range(depth)))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """(N, C, H, W) to one map (N, width, H/(8 merge), W/stride)."""
        return [self.blocks(self.merge(self.rows(self.stem(x))))]


@BACKBONES.register
def glyph(
    in_channels: int,
    *,
    stem: int = 32,
    rows: int = 2,
    width: int = 160,
    depth: int = 3,
    kernel: int = 11,
    stride: int = 4,
    merge: int = 4,
) -> Glyph:
    """Our own network; with the neck `fold` and a CTC head it has no recurrent layer.

    Args:
        in_channels: 1 or 3.
        stem: channels of the rows, even, 4 to 512.
        rows: residual convolutions at a quarter of the height, 0 to 16.
        width: channels of the merged row and so of the sequence, 4 to 2048.
        depth: blocks along the line, 0 to 64.
        kernel: how many time steps a block sees at once, odd, 1 to 63.
        stride: pixels of width to a time step, 4 or 8. Characters as wide as high, Chinese ones, do with 8, which
            halves the work of a head of thousands of classes.
        merge: rows at an eighth of the height that become one, 1 to 16: 4 for lines of 32 pixels, 8 for 64.

    Raises:
        RecipeError: an option is out of range.
    """
    limits = {"stem": (stem, 4, 512), "rows": (rows, 0, 16), "width": (width, 4, 2048), "depth": (depth, 0, 64),
              "kernel": (kernel, 1, 63), "merge": (merge, 1, 16)}  # fmt: skip
    for option, (value, low, high) in limits.items():
        within(f"model.backbone.{option}", value, low, high)
    for option, value, allowed, odd in (("stem", stem, "an even number", 0), ("kernel", kernel, "an odd number", 1)):
        if value % 2 != odd:
            raise RecipeError(f"model.backbone.{option} is {value}", allowed=allowed, next_step="correct the recipe")
    if stride not in (4, 8):
        raise RecipeError(f"model.backbone.stride is {stride}", allowed="4 or 8 pixels", next_step="correct the recipe")
    return Glyph(in_channels, stem, rows, width, depth, kernel, stride, merge)
