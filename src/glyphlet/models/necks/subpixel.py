"""Subpixel: more time steps than the map has columns, for characters that are narrower than two of them.

CTC gives each character a step, and equal neighbours one between them. With a step for every 4 pixels a space beside a full stop or
an l has hardly one of its own, and is left out. Here a linear layer makes several steps of each column, as the sub-pixel convolution
of Shi et al. 2016 (arXiv 1609.05158) makes several pixels of one, along the line alone. Everything before it keeps its price.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from glyphlet.models.necks import NECKS
from glyphlet.models.necks.fold import fold_rows
from glyphlet.models.options import within


class Subpixel(nn.Module):
    """`fold_rows` of the deepest map, then `times` steps of each one. All of them begin as copies of it."""

    def __init__(self, features: int, times: int) -> None:
        super().__init__()
        self.times = times
        self.linear = nn.Linear(features, times * features)
        with torch.no_grad():
            self.linear.weight.copy_(torch.eye(features).repeat(times, 1))
            self.linear.bias.zero_()

    @property
    def features(self) -> int:
        """D, of each step."""
        return self.linear.out_features // self.times

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps (N, C, H, W) to (N, T = times * W, D = C * H)."""
        x_NTD = self.linear(fold_rows(maps[-1]))
        return x_NTD.reshape(x_NTD.shape[0], -1, self.features)

    def steps(self, time_steps: int) -> int:
        """`times` as many."""
        return self.times * time_steps


@NECKS.register
def subpixel(channels: Sequence[int], heights: Sequence[int], *, times: int = 2) -> Subpixel:
    """The deepest map with its rows as channels, each column as several time steps.

    Args:
        channels: of each map.
        heights: of each map.
        times: how many steps a column becomes; the pixels of a column must be a multiple of it.

    Raises:
        RecipeError: `times` is out of range.
    """
    within("model.neck.times", times, 2, 8)
    return Subpixel(channels[-1] * heights[-1], times)
