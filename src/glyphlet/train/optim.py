"""Optimisers, learning rate schedules, and the moving average of the weights.

The rate is a pure function of the number of updates made, so that a resumed training needs no scheduler state.
"""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass

import torch
from torch import nn

from glyphlet.spec import TrainSpec


def build_optimizer(model: nn.Module, spec: TrainSpec, undecayed: Set[str] = frozenset()) -> torch.optim.Optimizer:
    """The optimiser of a recipe, over the parameters that are trained.

    Adam (arXiv 1412.6980), AdamW (decoupled decay, arXiv 1711.05101), SGD with Nesterov momentum, RMSprop, or Adadelta
    (arXiv 1212.5701). What the recipe does not set is as torch has it. All but AdamW add `weight_decay` times the weight
    to its gradient.

    Args:
        model: parameters without gradient are left out.
        spec: the training settings.
        undecayed: names of parameters that are not decayed, beside biases and normalisation (one dimension).
    """
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = [p for name, p in trained if p.ndim <= 1 or name in undecayed]
    decayed = [p for name, p in trained if p.ndim > 1 and name not in undecayed]
    groups = [{"params": decayed, "weight_decay": spec.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    if spec.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=spec.lr, momentum=spec.momentum, nesterov=spec.momentum > 0)
    if spec.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, lr=spec.lr, alpha=spec.alpha)
    if spec.optimizer == "adadelta":
        return torch.optim.Adadelta(groups, lr=spec.lr, rho=spec.rho)
    kind = torch.optim.AdamW if spec.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=spec.lr, betas=spec.betas)


@dataclass(frozen=True)
class Schedule:
    """The learning rate, the momentum and the confidence penalty at any update.

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

    def set(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Put rate and momentum of update number `step`, from 0, into an optimiser."""
        for group in optimizer.param_groups:
            group["lr"] = self.rate(step)
            if self.spec.optimizer == "sgd":
                group["momentum"] = self.momentum(step)

    def rate(self, step: int) -> float:
        """The learning rate of update number `step`, from 0.

        `cosine` rises linearly from 0 over the warm-up and falls as a half cosine to 0 (SGDR, arXiv 1608.03983).
        `onecycle` rises from a 25th and falls to a 250,000th of the peak, both as half cosines (arXiv 1708.07120).
        `cyclic` goes up and down in straight lines between two rates (arXiv 1506.01186).
        """
        spec, epoch = self.spec, step // self.steps_per_epoch
        if spec.schedule == "constant":
            return spec.lr
        if spec.schedule == "step":
            return spec.lr * spec.gamma ** (epoch // spec.step_every)
        if spec.schedule == "multistep":
            return spec.lr * spec.gamma ** sum(epoch >= m for m in spec.milestones)
        if spec.schedule == "cyclic":
            return spec.lr_low + (spec.lr - spec.lr_low) * self._height(step)
        warm = spec.warmup * self.total
        if spec.schedule == "cosine":
            return spec.lr * (step + 1) / warm if step + 1 < warm else spec.lr * _fall(step, warm, self.total)
        if step < warm:
            return spec.lr * (1 / 25 + (1 - 1 / 25) * (1 - _fall(step, 0, warm)))
        floor = 1 / 250_000
        return spec.lr * (floor + (1 - floor) * _fall(step, warm, self.total))

    def momentum(self, step: int) -> float:
        """The momentum of update number `step`: with `cyclic` it falls while the rate rises."""
        spec = self.spec
        if spec.schedule != "cyclic" or spec.momentum_low >= spec.momentum:
            return spec.momentum
        return spec.momentum - (spec.momentum - spec.momentum_low) * self._height(step)

    def _height(self, step: int) -> float:
        """How far a cyclic rate is up, 0 to 1."""
        spec = self.spec
        half = spec.cycle_updates or max(1, int(spec.cycle_epochs * self.steps_per_epoch))
        return 1 - abs(step % (2 * half) / half - 1)

    def entropy(self, step: int) -> float:
        """The weight of the confidence penalty: it falls linearly to 0 at `entropy_until` of all updates."""
        return self.spec.entropy * max(0.0, 1 - step / (self.spec.entropy_until * self.total))


def _fall(step: float, start: float, stop: float) -> float:
    """A half cosine from 1 at `start` to 0 at `stop`."""
    return 0.5 * (1 + math.cos(math.pi * (step - start) / max(1.0, stop - start)))


class Average:
    """An exponential moving average of a model's weights, and of the running statistics of its normalisation.

    The statistics are averaged like the weights that they belong to; what is not a fraction (counters) is taken as it is.
    The first updates weigh more, as (1 + n) / (10 + n) limits the decay after n of them, so that the first weights, drawn
    by chance, are soon forgotten.

    Args:
        model: its present weights are the first average.
        decay: what an update keeps of the average.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = model.state_dict()  # shares memory with the model
        self.weights: dict[str, torch.Tensor] = {name: value.clone() for name, value in self._live.items()}

    @torch.no_grad()
    def update(self, made: int) -> None:
        """Take in the present weights, after `made` updates in all."""
        decay = min(self.decay, (1 + made) / (10 + made))
        for name, value in self.weights.items():
            if value.is_floating_point():
                value.lerp_(self._live[name], 1 - decay)  # exact where both are equal, as for frozen weights
            else:
                value.copy_(self._live[name])

    def load(self, weights: dict[str, torch.Tensor]) -> None:
        """Take over an average that was saved."""
        for name, value in weights.items():
            self.weights[name].copy_(value)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and the average; a second call puts both back."""
        for name, value in self.weights.items():
            live = self._live[name]
            kept = live.clone()
            live.copy_(value)
            value.copy_(kept)
