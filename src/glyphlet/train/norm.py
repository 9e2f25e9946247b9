"""Batch normalisation over the lines of all processes, so that several train exactly as one does.

torch's SyncBatchNorm is for GPUs alone. This one needs sums over the processes only, which gloo gives on a CPU, too. Every
process must pass every batch through the network then, in the same order, even one of which it has no line: it sends a
stand-in whose values do not count (`Presence`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed, nn

from glyphlet.models.layers.norm import alone


@dataclass
class Presence:
    """Whether the lines that are passed through the network count."""

    real: bool = True


class _Sum(torch.autograd.Function):
    """The sum of a tensor over the processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        summed = x.clone()
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        summed = grads[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(summed)
        return summed


class SharedNorm(nn.modules.batchnorm._BatchNorm):
    """A batch normalisation (Ioffe and Szegedy 2015, arXiv 1502.03167) with the parameters and statistics of another.

    Args:
        norm: the one that it takes the place of.
        presence: says whether this process's lines count.
    """

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm, presence: Presence) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        self._parameters, self._buffers = norm._parameters, norm._buffers
        self.presence = presence
        self.training = norm.training

    def _check_input_dim(self, x: torch.Tensor) -> None:
        """Any input with channels second."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, ...) to the same, with mean and variance over all processes in training; for one value of each channel
        in all of them with the running statistics, as in one process.
        """
        if not self.training:
            return super().forward(x)
        shape, dims = (1, -1, *[1] * (x.ndim - 2)), [0, *range(2, x.ndim)]
        values, real, here = x.float(), float(self.presence.real), x.numel() // x.shape[1]
        count = torch.full((1,), float(here), device=x.device)
        sums = _Sum.apply(real * torch.cat([count, values.sum(dims)]))
        n = sums[0].detach()
        if real * here <= 1 and float(n) <= 1:  # who has more knows without asking the device
            return alone(self, x)
        # In two passes: the mean of squares less the square of the mean would cancel digits.
        mean_C = sums[1:] / n
        centred = values - mean_C.view(shape)
        variance_C = _Sum.apply(real * centred.square().sum(dims)) / n
        self._track(mean_C.detach(), variance_C.detach() * n / (n - 1))
        y = centred * (variance_C + self.eps).rsqrt().view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(x.dtype)

    @torch.no_grad()
    def _track(self, mean_C: torch.Tensor, variance_C: torch.Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.mul_(1 - share).add_(mean_C, alpha=share)
        self.running_var.mul_(1 - share).add_(variance_C, alpha=share)


def share_norms(model: nn.Module, presence: Presence) -> None:
    """Put a `SharedNorm` in the place of each batch normalisation of a model; its state dict stays the same."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.modules.batchnorm._BatchNorm):
                setattr(module, name, SharedNorm(child, presence))
