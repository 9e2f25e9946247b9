"""Adaptive batch normalisation: give a pruned model the running statistics of its own activations, without training.

After channels were removed, the means and variances of what is left are others than those that the layers have stored, and
a model reads badly for that alone. So the statistics are measured anew on some training lines, and only then is it told
how much a pruning cost (Li et al. 2020, EagleEye, arXiv 2007.02491).

    batches_of   some training lines, as the training sees them
    adapt        measure the statistics of a model on them
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from glyphlet.data.loader import Batch, LineLoader
from glyphlet.errors import CompressionError
from glyphlet.models.recognizer import Recognizer
from glyphlet.train.task import Task

LINES = 1000
"""Training lines to measure on, unless told otherwise."""


def batches_of(task: Task, lines: int = LINES, seed: int = 0) -> list[Batch]:
    """The first lines of a training's epoch, shuffled by a seed and with its effects: what the stored statistics are of.

    Args:
        task: a training's lines and settings.
        lines: about how many, at least 2; all that there are, if there are fewer. Whole updates are taken, so there may be
            up to `train.batch` more.
        seed: decides which.

    Returns:
        Batches of lines of equal width, which are kept in memory.

    Raises:
        CompressionError: fewer than two lines.
    """
    recipe, found, count = task.recipe, list[Batch](), 0
    loader = LineLoader(
        task.train, recipe.image, batch=recipe.train.batch, seed=seed, cache_mb=0,
        effects=recipe.augment, endless=task.endless, steps=task.model.steps,
    )  # fmt: skip
    for update in loader.epoch():
        found += update
        count += sum(len(batch.texts) for batch in update)
        if count >= lines:
            break
    if min(count, lines) < 2:
        some = "is 1 training line" if count == 1 else f"are {count} training lines"
        raise CompressionError(
            f"adaptive batch normalisation is to measure on {lines} of the training lines"
            if lines < 2
            else f"there {some} for adaptive batch normalisation to measure on",
            allowed="2 lines or more; some hundred are better",
            next_step="give more (data.train, --adapt-lines), or go on without: --no-adapt",
        )
    return found


def norms_of(model: nn.Module) -> list[_BatchNorm]:
    """The batch normalisations of a model that keep running statistics."""
    return [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]


def check_norms(model: nn.Module) -> None:
    """Refuse a model that has nothing to adapt.

    Raises:
        CompressionError: it has no batch normalisation.
    """
    if not norms_of(model):
        raise CompressionError(
            "this model has no batch normalisation to adapt",
            allowed="a model with batch normalisation, or no adaptation",
            next_step="go on without: --no-adapt",
        )


def adapt(model: Recognizer, batches: Sequence[Batch]) -> None:
    """Replace the running statistics of a model by those of some lines; nothing else of it changes.

    Each batch counts by the number of its values, so batches of equal size give the plain mean over the batches, as torch's
    `momentum=None` does. A layer that never sees more than one value of a channel at once keeps what it had. Everything but
    the normalisation is in evaluation mode, and so nothing is dropped; no gradient is computed.

    Args:
        model: it is changed; afterwards it is in evaluation mode.
        batches: as `batches_of` gives them.

    Raises:
        CompressionError: the model has no batch normalisation.
    """
    check_norms(model)
    with torch.no_grad(), _measuring(model.eval()):
        for batch in batches:
            if model.head.guided:
                model(batch.images, batch.labels)
            else:
                model(batch.images)


@contextmanager
def _measuring(model: nn.Module) -> Iterator[None]:
    """The normalisations of a model in training mode, each with a momentum that makes its statistics means over all values."""
    seen: dict[nn.Module, int] = {}

    def weigh(norm: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        values = inputs[0].numel() // inputs[0].shape[1]
        if values > 1:  # the first batch has momentum 1, which leaves nothing of the older statistics
            seen[norm] = seen.get(norm, 0) + values
            norm.momentum = values / seen[norm]

    norms = [(norm, norm.momentum, norm.register_forward_pre_hook(weigh)) for norm in norms_of(model)]
    try:
        for norm, _, _ in norms:
            norm.train()
        yield
    finally:
        for norm, momentum, hook in norms:
            norm.momentum = momentum
            hook.remove()
        model.eval()


__all__ = ["LINES", "adapt", "batches_of", "check_norms", "norms_of"]
