"""Activations that PyTorch does not have, and all of them by name.

Sources: h-swish from MobileNetV3 (Howard et al. 2019, arXiv 1905.02244); ACON-C and Meta-ACON-C from "Activate or Not"
(Ma et al. 2021, arXiv 2009.04759). The hard sigmoid is the one of Paddle and ONNX, max(0, min(1, x/5 + 1/2)); that of
`torch.nn` has a slope of 1/6.

ACON-C is a smooth maximum of two lines p1 x and p2 x; beta says how sharp it is. At beta 0 it is their mean, for a large
beta their maximum. Both kinds start as a Swish, with p1 = 1 and p2 = 0.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from glyphlet.models.layers.norm import BatchNorm


def hard_sigmoid(x: torch.Tensor) -> torch.Tensor:
    """clip(0.2 x + 0.5, 0, 1)."""
    return (0.2 * x + 0.5).clamp(0, 1)


def acon(x_NCHW: torch.Tensor, p1_C: torch.Tensor, p2_C: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    """(p1 - p2) x sigmoid(beta (p1 - p2) x) + p2 x; beta is (C, 1, 1) or (N, C, 1, 1)."""
    difference = (p1_C - p2_C)[:, None, None] * x_NCHW
    return difference * torch.sigmoid(beta * difference) + p2_C[:, None, None] * x_NCHW


class AconC(nn.Module):
    """ACON-C with a learned beta for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.p1 = nn.Parameter(torch.ones(channels))
        self.p2 = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        return acon(x, self.p1, self.p2, self.beta[:, None, None])


class MetaAconC(nn.Module):
    """ACON-C with a beta that a small network makes of the mean over each channel's map, for each image anew."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        middle = max(16, channels // 16)
        self.p1 = nn.Parameter(torch.ones(channels))
        self.p2 = nn.Parameter(torch.zeros(channels))
        self.squeeze = nn.Conv2d(channels, middle, 1)
        self.squeeze_norm = BatchNorm(middle)
        self.expand = nn.Conv2d(middle, channels, 1)
        self.expand_norm = BatchNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        means_NC11 = x.mean((2, 3), keepdim=True)
        beta = torch.sigmoid(self.expand_norm(self.expand(self.squeeze_norm(self.squeeze(means_NC11)))))
        return acon(x, self.p1, self.p2, beta)


ACTIVATIONS: dict[str, Callable[[int], nn.Module]] = {
    "relu": lambda channels: nn.ReLU(inplace=True),
    "hswish": lambda channels: nn.Hardswish(),
    "acon": AconC,
    "meta_acon": MetaAconC,
}
"""Makers of activations; each is given the channels."""


def activation_layer(name: str, channels: int) -> nn.Module:
    """The activation of this name for (N, C, H, W)."""
    return ACTIVATIONS[name](channels)
