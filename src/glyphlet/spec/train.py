"""The section that describes a training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from glyphlet.spec.parts import Strict

_Beta = Annotated[float, Field(ge=0, lt=1)]


class TrainSpec(Strict):
    """How a recogniser is trained."""

    epochs: int = Field(30, ge=1)
    batch: int = Field(64, ge=1)
    """Lines that go through the network for one update (see `accumulate`), over all devices."""
    seed: int = Field(1, ge=0, lt=2**63)
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop", "adadelta"] = "adamw"
    """`sgd` is with Nesterov momentum when `momentum` is above 0; `rmsprop` and `adadelta` are without momentum."""
    lr: float = Field(0.01, gt=0)
    """Peak learning rate. The loss is a mean over the lines of a batch."""
    betas: tuple[_Beta, _Beta] = (0.9, 0.999)
    momentum: float = Field(0.9, ge=0, lt=1)
    alpha: float = Field(0.99, ge=0, lt=1)
    """How much of the running mean of squared gradients an update keeps (rmsprop)."""
    rho: float = Field(0.9, ge=0, lt=1)
    """The same for adadelta, whose usual `lr` is 1."""
    weight_decay: float = Field(0.01, ge=0)
    """Decoupled for adamw (each update shrinks the weights), coupled for all others (L2: added to the gradient). Not
    applied to biases and normalisation."""
    accumulate: int = Field(1, ge=1)
    """Batches of lines whose gradients make one update: the update is that of `accumulate * batch` lines, in the memory
    of `batch`. An epoch has the same lines, in fewer updates; every count of updates is one of these."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Decay of an exponential moving average of the weights over the updates; 0 keeps none. The averaged weights are what
    is validated and exported. 0.999 averages over about the last thousand updates."""
    schedule: Literal["constant", "step", "multistep", "cosine", "onecycle", "cyclic"] = "onecycle"
    warmup: float = Field(0.3, ge=0, lt=1)
    """Share of all updates with a rising rate (cosine, onecycle)."""
    step_every: int = Field(10, ge=1)
    """Epochs between drops (step)."""
    milestones: list[int] = []
    """Epochs at whose end the rate drops (multistep)."""
    gamma: float = Field(0.1, gt=0, le=1)
    """Factor of each drop (step, multistep)."""
    lr_low: float = Field(0.001, ge=0)
    """The lower rate (cyclic); `lr` is the upper one."""
    cycle_epochs: float = Field(5.0, gt=0, le=1_000_000)
    """Epochs from the lower rate to the upper one, and as many back (cyclic)."""
    cycle_updates: int = Field(0, ge=0)
    """The same in updates; 0 leaves it to `cycle_epochs`."""
    momentum_low: float = Field(0.8, ge=0, lt=1)
    """The momentum at the upper rate (cyclic with sgd): it falls from `momentum` while the rate rises. As large as
    `momentum`, it stays."""
    clip: float = Field(5.0, ge=0)
    """Largest gradient norm; 0 switches clipping off."""
    entropy: float = Field(0.3, ge=0)
    """Weight of the confidence penalty (Pereyra et al. 2017, arXiv 1701.06548): the entropy of a line's outputs, summed
    over its steps, is subtracted from the loss. It keeps CTC from settling on an early, peaked alignment."""
    entropy_until: float = Field(0.6, gt=0)
    """Share of all updates after which the penalty has faded to 0, linearly."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    accelerator: str = "auto"
    devices: int | Literal["auto"] = 1
    sync_norm: bool = True
    """With several devices, batch normalisation takes mean and variance over the lines of all of them, so that they train
    exactly as one does; without it each device over its own, which saves two exchanges for each layer and batch."""
    threads: int = Field(0, ge=0, le=1024)
    """CPU threads; 0 leaves the choice to torch."""
    workers: Annotated[int, Field(ge=0, le=1024)] | Literal["auto"] = "auto"
    """Processes that decode, render and augment lines while the model computes; 0 does it in between. `auto`: as many
    as there are cores that the training does not use (`threads`), up to 8, when there are effects or endless lines."""
    cache_mb: int = Field(2048, ge=0)
    """Decoded lines are kept in memory up to this size."""
    patience: int = Field(0, ge=0)
    """Stop after this many epochs without a better validation result; 0 never."""
    target: float | None = Field(None, gt=0, le=1)
    """Stop once this word accuracy is reached on the validation lines in `target_epochs` epochs in a row; epochs in which
    the confidence penalty still acts do not count."""
    target_epochs: int = Field(1, ge=1)
    keep_every: int = Field(0, ge=0)
    """Keep a checkpoint of every n-th epoch; 0 keeps the best and the last only."""
    samples: int = Field(4, ge=0)
    """Validation lines whose `raw path => text | truth` is printed after each epoch."""
