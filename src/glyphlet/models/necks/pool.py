"""Pool: the mean over the rows of the deepest map; there is nothing to learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from glyphlet.models.necks import NECKS


class Pool(nn.Module):
    """The mean over rows."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps (N, C, H, W) to (N, T = W, D = C)."""
        return maps[-1].mean(2).transpose(1, 2)


@NECKS.register
def pool(channels: Sequence[int], heights: Sequence[int]) -> Pool:
    """The mean over the rows of the deepest map: D = C."""
    return Pool(channels[-1])
