"""Fold: the rows of the deepest map become channels; there is nothing to learn.

MicroOCR folds this way. Here the time axis keeps its length, where MicroOCR passes it through an adaptive pooling to
W/4 steps that is the identity after a stem of stride 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from glyphlet.models.necks import NECKS


def fold_rows(map_NCHW: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) to (N, T = W, D = C * H), channel-major: feature `c * H + h`."""
    return map_NCHW.flatten(1, 2).transpose(1, 2)


class Fold(nn.Module):
    """`fold_rows` of the deepest map."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps (N, C, H, W) to (N, T, D)."""
        return fold_rows(maps[-1])


@NECKS.register
def fold(channels: Sequence[int], heights: Sequence[int]) -> Fold:
    """The deepest map with its rows as channels: D = C * H."""
    return Fold(channels[-1] * heights[-1])
