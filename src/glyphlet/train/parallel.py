"""Several processes that train one model: each computes a share of every update, and they add up what they found.

An update of n lines is the same with any number of processes. Each process adds up the gradients of its lines, weighted
as shares of all n; the sum over the processes is the gradient of the mean over all n lines, however unevenly they are
shared. Losses and right lines are summed along, so every process knows the figures of all.

Batch normalisation takes mean and variance over the lines of all processes (see `norm`). With `train.sync_norm: false`
each takes them over its own, and the running statistics are averaged after each update, weighted by lines, so that all
processes keep the same model.

    torchrun --nproc-per-node 2 -m glyphlet train RECIPE       or train.devices: 2
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from numpy.typing import NDArray
from torch import distributed, nn

from glyphlet.spec import TrainSpec
from glyphlet.train.norm import SharedNorm


class Replicas(DDPStrategy):
    """One model in each process; the training loop itself adds the gradients up.

    torch's DistributedDataParallel takes a plain mean over processes, waits for parameters that a loss does not reach,
    and wants a forward pass from a process that has no lines in an update.
    """

    def setup_module(self, module: nn.Module) -> Any:
        """The module as it is."""
        return module


def launch(spec: TrainSpec) -> Fabric:
    """Fabric for the device, precision and processes of a recipe; under `torchrun` as many processes as it started."""
    devices, nodes = spec.devices, 1
    if distributed.is_available() and distributed.is_torchelastic_launched():
        world, local = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
        devices, nodes = local, world // local
    settings: dict[str, Any] = {
        "accelerator": spec.accelerator,
        "devices": devices,
        "num_nodes": nodes,
        "precision": spec.precision,
    }
    fabric = Fabric(**settings)
    if isinstance(fabric.strategy, DDPStrategy):
        fabric = Fabric(**settings, strategy=Replicas(timeout=timedelta(hours=6)))  # the others wait for validations
    fabric.launch()
    return fabric


class Sums:
    """Adds up over the processes what each found in an update.

    Args:
        model: its gradients, and the running statistics of its batch normalisations.
        fabric: the processes.
    """

    def __init__(self, model: nn.Module, fabric: Fabric) -> None:
        self.fabric = fabric
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        # A `SharedNorm` has the same statistics everywhere.
        kind = nn.modules.batchnorm._BatchNorm
        self.norms = [m for m in model.modules() if isinstance(m, kind) and not isinstance(m, SharedNorm)]

    @property
    def alone(self) -> bool:
        """Whether there is one process only."""
        return self.fabric.world_size == 1

    def of(self, values: Sequence[float]) -> list[float]:
        """The sums of a few numbers."""
        if self.alone:
            return list(values)
        # On a GPU float64 travels as well; mps has no float64, and no second process either.
        sums = torch.tensor(values, dtype=torch.float64, device=self.fabric.device)
        distributed.all_reduce(sums)
        found: list[float] = sums.tolist()
        return found

    def most(self, value: int) -> int:
        """The largest of a whole number."""
        if self.alone:
            return value
        found = torch.tensor([value], device=self.fabric.device)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return int(found)

    @torch.no_grad()
    def gradients(self, share: float) -> None:
        """Sum gradients, and average running statistics.

        Args:
            share: of the update's lines, those of this process.
        """
        if self.alone:
            return
        found = torch.tensor([float(p.grad is not None) for p in self.parameters], device=self.fabric.device)
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
        # Frozen ones are in evaluation mode: they must not change by a rounding.
        statistics = [b for m in self.norms if m.training for b in (m.running_mean, m.running_var) if b is not None]
        pieces = [found, *(g.float() for g in grads), *(share * b for b in statistics)]
        flat = torch.cat([piece.reshape(-1) for piece in pieces])
        distributed.all_reduce(flat)
        summed = torch.split(flat, [piece.numel() for piece in pieces])
        reached = summed[0].tolist()
        for parameter, count, total in zip(self.parameters, reached, summed[1:], strict=False):
            # A parameter that no loss reached has no gradient, as with one process: an optimiser passes it over.
            parameter.grad = total.reshape(parameter.shape).to(parameter.dtype) if count else None
        for buffer, total in zip(statistics, summed[1 + len(grads) :], strict=True):
            buffer.copy_(total.reshape(buffer.shape))

    def arrays(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """The array of each process."""
        return [np.asarray(found) for found in self.objects(array)]

    def objects(self, value: Any) -> list[Any]:
        """The value of each process."""
        if self.alone:
            return [value]
        found: list[Any] = [None] * self.fabric.world_size
        distributed.all_gather_object(found, value)
        return found
