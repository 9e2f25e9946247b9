"""Attention over channels: each channel of a map is multiplied with a weight between 0 and 1.

Sources: squeeze and excitation (Hu et al. 2018, arXiv 1709.01507) with the hard sigmoid of MobileNetV3; coordinate
attention (Hou et al. 2021, arXiv 2103.02907). The former has one weight a channel, the latter the product of one for each
row and one for each column, so it can point at places. Both take means over the whole width of a line, its padding included.
"""

from __future__ import annotations

import torch
from torch import nn

from glyphlet.models.layers.activation import hard_sigmoid
from glyphlet.models.layers.norm import BatchNorm


class SqueezeExcitation(nn.Module):
    """Mean over the map, 1x1 to a quarter of the channels, ReLU, 1x1 back, hard sigmoid; then multiplied with the map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // 4, 1)
        self.expand = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        means_NC11 = x.mean((2, 3), keepdim=True)
        return x * hard_sigmoid(self.expand(self.squeeze(means_NC11).relu()))


class CoordinateAttention(nn.Module):
    """Means of the rows and of the columns go through one narrow layer together, then each through its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = max(8, channels // 32)
        self.squeeze = nn.Sequential(nn.Conv2d(channels, middle, 1), BatchNorm(middle), nn.Hardswish())
        self.rows = nn.Conv2d(middle, channels, 1)
        self.columns = nn.Conv2d(middle, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        height = x.shape[2]
        rows_NCH1 = x.mean(3, keepdim=True)
        columns_NCW1 = x.mean(2, keepdim=True).transpose(2, 3)
        squeezed = self.squeeze(torch.cat([rows_NCH1, columns_NCW1], 2))
        rows = torch.sigmoid(self.rows(squeezed[:, :, :height]))
        columns = torch.sigmoid(self.columns(squeezed[:, :, height:].transpose(2, 3)))
        return x * rows * columns
