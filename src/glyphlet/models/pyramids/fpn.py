"""lightweight-OCR's pyramids: three maps of one width, joined at the height of the deepest.

Source: YukSing12/lightweight-OCR, FPN-A to D, after feature pyramid networks (Lin et al. 2016, arXiv 1612.03144) and
dynamic ones (Zhu et al. 2020, arXiv 2012.00779). F3, F4, F5 are 8, 4 and 2 rows high for lines of 32 rows; `up` repeats
every row; `,` stacks channels; f4 and f3 are 3x3 convolutions of stride (2, 1) and (4, 1).

    a, b    P4 = f4(up F5, F4)    P3 = f3(up F4, F3)
    c       P4 = f4(Q4)           P3 = f3(Q3)           Q4 = 1x1(up F5, F4)    Q3 = 1x1(up Q4, F3)
    d       as c, Q4 and Q3 each the sum of a 1x1, a 3x3 and a 5x5 convolution

The result of all is F5, P4, P3, then 1x1 to `width` channels, then a pool of 2 x 2. FPN-A and B are one pyramid, over the
first or the last map of each stage: the backbone's option `maps` decides that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.layers.blurpool import max_blur_pool
from glyphlet.models.layers.conv import conv_bn
from glyphlet.models.options import one_of, within
from glyphlet.models.pyramids import PYRAMIDS


class Branches(nn.Module):
    """The sum of three convolutions of windows 1, 3 and 5."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(conv_bn(inputs, outputs, kernel, activation="relu") for kernel in (1, 3, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C', H, W)."""
        first, second, third = (branch(x) for branch in self.branches)
        return first + second + third


class FPN(nn.Module):
    """Three maps to one of half the height and width of the deepest."""

    def __init__(
        self, channels: Sequence[int], stride: tuple[int, int], variant: str, width: int, pool: nn.Module
    ) -> None:
        super().__init__()
        c3, c4, c5 = channels
        self.channels = [width]
        self.strides = [(2 * stride[0], 2 * stride[1])]
        # a and b carry F4 on to the next level, c and d what was made of it.
        self.carries_joined = variant in ("c", "d")
        self.join4, joined4 = _join(variant, c5 + c4, c4)
        self.join3, joined3 = _join(variant, c4 + c3, c3)
        self.down4 = conv_bn(joined4, c4, 3, stride=(2, 1), activation="relu")
        self.down3 = conv_bn(joined3, c3, 3, stride=(4, 1), activation="relu")
        self.last = conv_bn(c5 + c4 + c3, width, 1, activation="hswish")
        self.pool = pool

    def forward(self, maps: list[torch.Tensor]) -> list[torch.Tensor]:
        """Maps (N, c3, 4h, w), (N, c4, 2h, w), (N, c5, h, w) to one (N, width, h / 2, w / 2)."""
        f3, f4, f5 = maps
        q4 = self.join4(torch.cat([_up(f5), f4], 1))
        q3 = self.join3(torch.cat([_up(q4 if self.carries_joined else f4), f3], 1))
        return [self.pool(self.last(torch.cat([f5, self.down4(q4), self.down3(q3)], 1)))]


def _up(x: torch.Tensor) -> torch.Tensor:
    """Each row twice."""
    return F.interpolate(x, scale_factor=(2.0, 1.0), mode="nearest")


def _join(variant: str, inputs: int, outputs: int) -> tuple[nn.Module, int]:
    """What is made of two stacked maps, and its channels."""
    if variant == "d":
        return Branches(inputs, outputs), outputs
    if variant == "c":
        return conv_bn(inputs, outputs, 1, activation="relu"), outputs
    return nn.Identity(), inputs


@PYRAMIDS.register
def fpn(
    channels: Sequence[int],
    strides: Sequence[tuple[int, int]],
    *,
    variant: Literal["a", "b", "c", "d"] = "d",
    width: int = 576,
    pool: Literal["max", "blur"] = "max",
) -> FPN:
    """lightweight-OCR's FPN-A to D over three maps of a `mobilenetv3` with `maps: first` or `last`.

    Args:
        channels: of the three maps, shallow to deep.
        strides: of the three maps.
        variant: `a` and `b` (the same here), `c` or `d`.
        width: channels of the result; published are 576 (small, scale 1) and 480 (large, scale .5).
        pool: a maximum of 2 x 2, or the blurred one, `layers.blurpool`.

    Raises:
        RecipeError: an option has another value, or the maps are not three of one width, each half as high.
    """
    one_of("model.pyramid.variant", variant, ("a", "b", "c", "d"))
    one_of("model.pyramid.pool", pool, ("max", "blur"))
    within("model.pyramid.width", width, 1, 4096)
    down, across = strides[0]
    if list(strides) != [(down, across), (2 * down, across), (4 * down, across)]:
        raise RecipeError(
            f"pyramid 'fpn' is given maps of strides {', '.join(str(s) for s in strides)}",
            allowed="three maps of one width, each half as high as the one before",
            next_step="set model.backbone to mobilenetv3_small or mobilenetv3_large with maps: first or maps: last",
        )
    return FPN(channels, strides[-1], variant, width, max_blur_pool(width) if pool == "blur" else nn.MaxPool2d(2))
