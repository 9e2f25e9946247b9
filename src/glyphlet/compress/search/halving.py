"""One candidate through one rung: trained on from where it stood, or cut down to the limits first, and read with."""

from __future__ import annotations

import copy
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from glyphlet.compress.adapt import batches_of
from glyphlet.compress.search.clock import Clock
from glyphlet.compress.search.cut import cut
from glyphlet.compress.search.entrants import Entrant, Reading
from glyphlet.compress.search.limits import Cost, Limits
from glyphlet.compress.search.race import FALL, Race, Steady, averaged
from glyphlet.errors import CompressionError, TrainingError
from glyphlet.models.recognizer import Recognizer

ADAPT_LINES = 300
"""Training lines on which the statistics of a network that was cut are measured."""


@dataclass(frozen=True)
class Planned:
    """A rung.

    Args:
        number: from 0.
        names: of its candidates, the most promising first.
        end: updates from the first at which it ends.
        first: updates of the first rung, in which the confidence penalty fades.
        final: whether it is the last: the rate falls to 0.
    """

    number: int
    names: list[str]
    end: int
    first: int
    final: bool


@dataclass(frozen=True)
class Runner:
    """Runs candidates through rungs.

    Args:
        race: trains.
        limits: what those that are cut are cut to.
        measure: what a network costs.
        clock: how much time is left.
        caught: signals.
        written: called when something has come out that is to be kept.
        over: asked after each update, with what is done now, whether the time is over.
    """

    race: Race
    limits: Limits
    measure: Callable[[Recognizer], Cost]
    clock: Clock
    caught: Sequence[int]
    written: Callable[[], None]
    over: Callable[[str], bool]

    def run(self, entrant: Entrant, rung: Planned, end: int, what: str) -> None:
        """One candidate through a rung; where a signal came before its end, it is given nothing.

        Args:
            entrant: is given its reading, or why it failed.
            rung: the rung.
            end: updates from the first at which this candidate stops, `rung.end` or less.
            what: is done, in words.

        Raises:
            CompressionError: its state cannot be written, or the lines not be prepared.
        """
        begin = self.clock.spent()
        try:
            if rung.number and entrant.cut and entrant.weights is None:
                self.cut(entrant)
            training = self.race.training(entrant)
            fall = (round(end * (1 - FALL)), end) if rung.final else None
            recipe = self.race.task.recipe.train
            schedule = Steady(entrant.rate, recipe.entropy, rung.first, fall, entrant.begun)
            stand = self.race.run(training, end, schedule, lambda: self.over(what), self.caught)
            if not (math.isfinite(stand.loss) or self.caught):
                raise TrainingError(f"the loss of the validation lines is {stand.loss}")
        except (TrainingError, CompressionError) as error:
            if error.__cause__ is not None:  # a full disk or a worker that died is no fault of the candidate
                raise CompressionError(
                    error.problem,
                    allowed="room for the states of the trainings, and memory for the processes that prepare lines",
                    next_step="make some, then give the same command again",
                ) from error
            entrant.failed = error.problem
            self.written()
            return
        if self.caught:
            return
        seconds = self.clock.spent() - begin
        final = rung.final and not stand.stopped
        made = Reading(rung.number, stand.updates, seconds, stand.loss, stand.read, final)
        entrant.readings = [*(reading for reading in entrant.readings if reading.rung != rung.number), made]
        self.written()

    def cut(self, entrant: Entrant) -> None:
        """Prune a network that was trained for a rung to the limits; its training begins anew from what is left."""
        whole = self.race.training(entrant)
        with averaged(whole) as model:
            full = copy.deepcopy(model).cpu().eval()
        task = self.race.task
        smaller, cost = cut(full, self.limits, self.measure, batches_of(task, ADAPT_LINES, task.recipe.train.seed))
        entrant.spec, entrant.cost, entrant.weights = smaller.spec, cost, self.limits.weights(cost)
        entrant.begun = whole.progress.step
        shutil.rmtree(self.race.place(entrant), ignore_errors=True)  # of a cut that a kill came into
        begun = self.race.training(entrant, smaller)
        for name in ("step", "epoch", "batch"):
            setattr(begun.progress, name, getattr(whole.progress, name))
        begun.save("last.pt")
        self.written()


__all__ = ["ADAPT_LINES", "Planned", "Runner"]
