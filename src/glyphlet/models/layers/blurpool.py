"""Blurred pooling: a low-pass filter before the stride, so that a shift by one pixel changes little.

Source: "Making convolutional networks shift-invariant again" (Zhang 2019, arXiv 1904.11486). Max pooling is split into a
maximum of stride 1 and this. The 4 x 4 window is the outer product of the binomial coefficients 1 3 3 1, which sum to 8.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

_BINOMIAL = (1.0, 3.0, 3.0, 1.0)


class BlurPool(nn.Module):
    """Depthwise 4 x 4 binomial filter of stride 2; the border is repeated once before and twice behind."""

    window: torch.Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        line = torch.tensor(_BINOMIAL) / sum(_BINOMIAL)
        # A constant and no weight: it stands in no checkpoint.
        self.register_buffer("window", torch.outer(line, line).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, floor((H + 1) / 2), floor((W + 1) / 2))."""
        rows = torch.cat([x[:, :, :1], x, x[:, :, -1:], x[:, :, -1:]], 2)  # F.pad is exported as a dozen nodes
        padded = torch.cat([rows[..., :1], rows, rows[..., -1:], rows[..., -1:]], 3)
        return F.conv2d(padded, self.window, stride=2, groups=self.window.shape[0])

    def multiply_adds(self, output: torch.Tensor) -> int:
        """For an output of this shape."""
        return output.numel() * self.window[0].numel()


def max_blur_pool(channels: int) -> nn.Sequential:
    """A 2 x 2 maximum of stride 1, then `BlurPool`: even sizes are halved, as by max pooling."""
    return nn.Sequential(nn.MaxPool2d(2, 1), BlurPool(channels))
