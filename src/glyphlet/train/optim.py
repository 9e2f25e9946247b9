"""Optimisers and learning rate schedules.

The rate is a pure function of the number of updates made, so that a resumed training needs no scheduler state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from glyphlet.spec import TrainSpec


def build_optimizer(model: nn.Module, spec: TrainSpec) -> torch.optim.Optimizer:
    """Adam, AdamW (decoupled decay, arXiv 1711.05101) or SGD with Nesterov momentum.

    Biases and normalisation weights (one-dimensional parameters) are not decayed.
    """
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": spec.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    if spec.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=spec.lr, momentum=spec.momentum, nesterov=spec.momentum > 0)
    kind = torch.optim.AdamW if spec.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=spec.lr, betas=spec.betas)


@dataclass(frozen=True)
class Schedule:
    """The learning rate and the confidence penalty at any update.

    Args:
        spec: the training settings.
        steps_per_epoch: updates in an epoch.

    >>> Schedule(TrainSpec(lr=0.1, schedule="step", step_every=1, gamma=0.5, epochs=3), 10).rate(25)
    0.025
    """

    spec: TrainSpec
    steps_per_epoch: int

    @property
    def total(self) -> int:
        """All updates of the training."""
        return self.spec.epochs * self.steps_per_epoch

    def rate(self, step: int) -> float:
        """The learning rate of update number `step`, from 0.

        `cosine` rises linearly from 0 over the warm-up and falls as a half cosine to 0 (SGDR, arXiv 1608.03983).
        `onecycle` rises from a 25th and falls to a 250,000th of the peak, both as half cosines (arXiv 1708.07120).
        """
        spec, epoch = self.spec, step // self.steps_per_epoch
        if spec.schedule == "constant":
            return spec.lr
        if spec.schedule == "step":
            return spec.lr * spec.gamma ** (epoch // spec.step_every)
        if spec.schedule == "multistep":
            return spec.lr * spec.gamma ** sum(epoch >= m for m in spec.milestones)
        warm = spec.warmup * self.total
        if spec.schedule == "cosine":
            return spec.lr * (step + 1) / warm if step + 1 < warm else spec.lr * _fall(step, warm, self.total)
        if step < warm:
            return spec.lr * (1 / 25 + (1 - 1 / 25) * (1 - _fall(step, 0, warm)))
        floor = 1 / 250_000
        return spec.lr * (floor + (1 - floor) * _fall(step, warm, self.total))

    def entropy(self, step: int) -> float:
        """The weight of the confidence penalty: it falls linearly to 0 at `entropy_until` of all updates."""
        return self.spec.entropy * max(0.0, 1 - step / (self.spec.entropy_until * self.total))


def _fall(step: float, start: float, stop: float) -> float:
    """A half cosine from 1 at `start` to 0 at `stop`."""
    return 0.5 * (1 + math.cos(math.pi * (step - start) / max(1.0, stop - start)))
