"""Trains one candidate for some updates, from where it stood, and reads the validation lines with it.

The learning rate rises for a moment and then stays, so that it does not matter to a training how long it will be: it can be gone on with at
any time. What is read with is the moving average of the weights, which does for a constant rate what the fall of a rate does
for its end. In the last rung the rate falls to 0. (Constant rates with a fall at the end: Hägele et al. 2024, arXiv 2405.18392.)

All candidates see the same lines in the same order, with the same effects.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from glyphlet.compress.accuracy import Accuracy
from glyphlet.compress.search.entrants import Entrant
from glyphlet.data.check import CheckedLines
from glyphlet.data.loader import LineLoader, choose_workers
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.spec import Recipe
from glyphlet.train.checkpoint import LAST, load_checkpoint
from glyphlet.train.frozen import train_mode
from glyphlet.train.loop import Training, make_fabric
from glyphlet.train.task import Task
from glyphlet.train.validate import validate

WARM = 20
"""Updates in which the rate rises."""
FALL = 1 / 3
"""Share of all updates of a candidate in which the rate falls to 0 at the end."""
EMA = 0.99
"""Of the moving average, at most; see `train.ema`."""
KEPT = 60.0
"""Seconds after which the state is saved, so that a kill costs no more than that."""


@dataclass(frozen=True)
class Steady:
    """The rate and the confidence penalty at any update: what `train.optim.Schedule` is to an ordinary training.

    Args:
        base: the rate.
        penalty: the weight of the confidence penalty at the first update.
        fade: updates in which it fades to 0.
        fall: first and last update of the fall of the rate; None for none.
        begun: the update before which the optimiser was new.
    """

    base: float
    penalty: float
    fade: int
    fall: tuple[int, int] | None = None
    begun: int = 0

    def rate(self, step: int) -> float:
        """The learning rate of update number `step`, from 0.

        >>> [round(Steady(1.0, 0, 1, (100, 104)).rate(step), 2) for step in (0, 19, 50, 100, 102, 103)]
        [0.05, 1.0, 1.0, 1.0, 0.5, 0.25]
        """
        rising = min(1.0, (step - self.begun + 1) / WARM)
        if self.fall is None or step < self.fall[0]:
            return self.base * rising
        first, last = self.fall
        return self.base * rising * max(0.0, (last - step) / max(1, last - first))

    def entropy(self, step: int) -> float:
        """The weight of the confidence penalty."""
        return self.penalty * max(0.0, 1 - step / max(1, self.fade))

    def set(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Put the rate of update number `step` into an optimiser."""
        for group in optimizer.param_groups:
            group["lr"] = self.rate(step)


@dataclass
class Stand:
    """How far a training came: updates from the first, whether it was stopped before its end, and how it reads."""

    updates: int
    stopped: bool
    loss: float
    read: Accuracy


def trained_as(recipe: Recipe, entrant: Entrant) -> Recipe:
    """The recipe of a candidate in the race: that of the lines, with its network and its rate."""
    train = recipe.train.model_copy(
        update={"lr": entrant.rate, "ema": EMA, "accumulate": 1, "devices": 1, "samples": 0}
    )
    return recipe.model_copy(update={"model": entrant.spec, "train": train})


@dataclass
class Race:
    """What all candidates share: the lines, decoded once, and the device.

    Args:
        task: the lines; its model only says how they are aligned.
        folder: where the states of the candidates are kept.
        most: validation lines that are read.
    """

    task: Task
    folder: Path
    most: int = 2000
    fabric: Fabric = field(init=False)
    loader: LineLoader = field(init=False)
    validation: LineLoader = field(init=False)

    def __post_init__(self) -> None:
        task, spec = self.task, self.task.recipe.train
        self.fabric = make_fabric(spec.model_copy(update={"devices": 1}))
        busy = bool(task.recipe.augment or task.endless)
        threads = torch.get_num_threads() if self.fabric.device.type == "cpu" else 1
        self.loader = LineLoader(
            task.train, task.recipe.image, batch=spec.batch, seed=spec.seed, cache_mb=spec.cache_mb // 2,
            workers=choose_workers(None, busy, threads) if spec.workers == "auto" else spec.workers,
            effects=task.recipe.augment, endless=task.endless, steps=task.model.steps,
        )  # fmt: skip
        self.validation = LineLoader(self.held(), task.recipe.image, batch=spec.batch, cache_mb=spec.cache_mb // 2)

    def held(self) -> CheckedLines:
        """The validation lines that are read, evenly spread."""
        return self.task.validation.some(self.most)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Ends the processes that prepare lines."""
        with closing(self.loader), closing(self.validation):
            yield

    def place(self, entrant: Entrant) -> Path:
        """The folder of a candidate's state; one that is yet to be cut has another than afterwards."""
        return self.folder / (entrant.name if entrant.weights else f"{entrant.name}-whole")

    def training(self, entrant: Entrant, model: Recognizer | None = None) -> Training:
        """A training of a candidate, where it stood or at its beginning.

        Args:
            entrant: the candidate.
            model: its network with weights, to begin with; otherwise they are drawn from the recipe's seed.
        """
        recipe = trained_as(self.task.recipe, entrant)
        if model is None:
            torch.manual_seed(recipe.train.seed)
            model = build(recipe.model, recipe.image, self.task.model.codec.charset)
        made = Training(replace(self.task, recipe=recipe, model=model), self.place(entrant), self.fabric)
        made.loader, made.validation = self.loader, self.validation
        if (made.folder / "checkpoints" / LAST).exists():
            made.restore(load_checkpoint(made.folder / "checkpoints" / LAST))
        return made

    def run(
        self, training: Training, upto: int, schedule: Steady, stop: Callable[[], bool], caught: Sequence[int] = ()
    ) -> Stand:
        """Train up to a number of updates from the first, save, and read with the averaged weights.

        Args:
            training: of the candidate.
            upto: where it ends; nothing is trained if it is there already.
            schedule: rate and penalty.
            stop: asked after each update: whether the time is over.
            caught: signals; the state is then saved and a stand without anything read comes back.
        """
        made: Any = schedule
        training.schedule = made
        stopped = self._train(training, upto, stop, caught)
        training.save(LAST)
        if caught:
            return Stand(training.progress.step, True, 0.0, Accuracy(0, 0, 0, 0))
        return Stand(training.progress.step, stopped, *self.read(training))

    def _train(self, training: Training, upto: int, stop: Callable[[], bool], caught: Sequence[int]) -> bool:
        progress = training.progress
        train_mode(training.wrapped, training.frozen)
        saved = time.monotonic()
        while progress.step < upto:
            given = self.loader.epoch(progress.epoch, progress.batch)
            for update in given:
                training.update(update)
                progress.batch += 1
                progress.step += 1
                if caught or stop():
                    return progress.step < upto
                if time.monotonic() - saved > KEPT:
                    training.save(LAST)
                    saved = time.monotonic()
                if progress.step >= upto:
                    return False
            progress.epoch, progress.batch = progress.epoch + 1, 0
            progress.loss_sum, progress.right, progress.lines = 0.0, 0, 0
        return False

    def read(self, training: Training) -> tuple[float, Accuracy]:
        """The mean loss of a validation line, and how the averaged weights read them."""
        with averaged(training):
            found = validate(training.wrapped, training.model.head, self.validation, self.fabric.device, 0)
        scores = found.scores
        return found.loss, Accuracy(scores.lines, scores.correct_lines, scores.characters, scores.edits)

    def seconds_an_update(self, entrant: Entrant, updates: int = 3) -> float:
        """Measured with the first updates, the preparation of their lines included. Nothing of them is kept."""
        training = self.training(entrant)
        training.schedule = Steady(1e-9, 0.0, 1)  # type: ignore[assignment]
        given = self._again()
        training.update(next(given))  # the first one takes longer
        begin = time.perf_counter()
        for _ in range(updates):
            training.update(next(given))  # to prepare the lines takes time, too
        return (time.perf_counter() - begin) / updates

    def _again(self) -> Iterator[Any]:
        """Updates without end."""
        while True:
            yield from self.loader.epoch(0)


@contextmanager
def averaged(training: Training) -> Iterator[Recognizer]:
    """The network with its averaged weights for a while."""
    assert training.average is not None
    training.average.swap()
    try:
        yield training.model
    finally:
        training.average.swap()


__all__ = ["EMA", "FALL", "KEPT", "WARM", "Race", "Stand", "Steady", "averaged", "trained_as"]
