"""Batch normalisation that also trains on a single value of a channel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


def alone(norm: nn.modules.batchnorm._BatchNorm, x: torch.Tensor) -> torch.Tensor:
    """x, normalised by the running statistics of `norm`, which stay as they are."""
    return F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, False, 0.0, norm.eps)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation (Ioffe and Szegedy 2015, arXiv 1502.03167) of (N, C, H, W).

    Lines of equal width share a batch. So a batch may hold a single line, and a narrow one may be down to one pixel of a map: one
    value of each channel has no variance. The running statistics are taken for it, in training, too, and are not changed.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to the same shape."""
        if self.training and x.numel() == x.shape[1]:
            return alone(self, x)
        return super().forward(x)


__all__ = ["BatchNorm", "alone"]
