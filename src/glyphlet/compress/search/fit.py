"""The recogniser that fits a budget: candidates are measured, raced and halved within a time box, and the best is made ready.

    found = Fit(task, wish, folder, watch).search()

What has come out is kept in `fit.json` after each training, and the states of the trainings beside it. After Ctrl-C or a kill the same
search goes on. All is chosen on the validation lines; test lines are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glyphlet.compress.cost import Meter
from glyphlet.compress.search.clock import Clock
from glyphlet.compress.search.entrants import Entrant, Proposing
from glyphlet.compress.search.finish import COMPARED, Finish, Found
from glyphlet.compress.search.halving import Runner
from glyphlet.compress.search.limits import Cost, Gauge
from glyphlet.compress.search.plan import affordable
from glyphlet.compress.search.race import Race
from glyphlet.compress.search.rungs import Rungs
from glyphlet.compress.search.space import ladders
from glyphlet.compress.search.state import State, Wish, identity
from glyphlet.errors import CompressionError, Interrupted
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.train.guard import alone
from glyphlet.train.task import Task

FILE = "fit.json"
EACH = 3.0
"""Seconds of the time box for each candidate at the least; in a short one there are fewer."""
END, COMPARING = 5.0, 0.012
"""Seconds that the model file takes at the end, and for each line that it is compared on."""
NARROWER = {False: (0, 2), True: (0, 2, 4, 6)}
"""How many widths below the widest are tried; with a wanted accuracy also much narrower ones, for the smallest is wanted."""


@dataclass(frozen=True)
class Watching:
    """Who follows a search.

    Args:
        command: what goes on with it.
        say: called with a sentence when something has come out.
        tell: called with what is done now, the seconds that were spent and those that there are.
        caught: signals that came; the search then keeps what it has and stops.
    """

    command: str = "glyphlet fit"
    say: Callable[[str], None] = lambda sentence: None
    tell: Callable[[str, float, float], None] = lambda what, done, total: None
    caught: Sequence[int] = ()


@dataclass
class Fit:
    """One search.

    Args:
        task: the lines; its model only says how they are aligned.
        wish: what is wanted.
        folder: where everything is kept.
        watch: who follows.
        before: seconds that reading the lines has taken.

    Raises:
        CompressionError: the folder cannot be made, or holds another search.
    """

    task: Task
    wish: Wish
    folder: Path
    watch: Watching = field(default_factory=Watching)
    before: float = 0.0

    def __post_init__(self) -> None:
        try:
            (self.folder / "candidates").mkdir(parents=True, exist_ok=True)
            with alone(self.folder):
                pass
        except OSError as error:
            raise CompressionError(
                f"the folder {self.folder} cannot be written to: {error.strerror or error}",
                allowed="a folder that can be made and written to",
                next_step="choose another: -o FOLDER",
            ) from error
        task, wish = self.task, self.wish
        self.path = self.folder / FILE
        self.state = State.read(self.path, identity(task, wish), self.watch.command)
        self.clock = Clock(3600 * wish.hours, self.state.seconds + self.before)
        widths = np.sort(task.validation.widths)
        width = task.recipe.image.padded_width(wish.width) if wish.width else int(widths[len(widths) // 2])
        self.gauge = Gauge(Meter(width, task.recipe.name, _like_facts(task)), int8=wish.limits.ms is not None)
        self.batch = task.recipe.train.batch

    def search(self) -> Found:
        """Go through everything that there is time for.

        Raises:
            CompressionError: the limits cannot be met on this machine, or the time was too short for anything; the folder is of
                another search, or cannot be written to.
            Interrupted: a signal came; everything is kept.
        """
        with alone(self.folder):
            if not self.state.entrants:
                self._propose()
            self.race = Race(self.task, self.folder / "candidates")
            with self.race.open():
                runner = Runner(
                    self.race, self.wish.limits, self.gauge.cost, self.clock, self.watch.caught, self._write, self._over
                )
                rungs = Rungs(self.state, self.wish, runner, self.watch.say, self._stop)
                if not all(entrant.speed for entrant in self.state.entrants):
                    self._measure(rungs)
                self._keep_for_the_end()
                return self._finish(rungs.run() and rungs.smaller())

    def _write(self) -> None:
        self.state.seconds = self.clock.spent()
        self.state.write(self.path)

    def _stop(self) -> None:
        if self.watch.caught:
            self._write()
            raise Interrupted(
                f"interrupted; what has come out is kept in {self.folder}",
                self.watch.caught[0],
                next_step=f"go on with `{self.watch.command}`",
            )

    def _tell(self, what: str) -> None:
        self.watch.tell(what, self.clock.spent(), self.clock.seconds)

    def _over(self, what: str) -> bool:
        self._tell(what)
        return self.clock.over()

    # -- before the race --------------------------------------------------------------------------------------------

    def _propose(self) -> None:
        """Measure what networks cost, and take those that are worth a try."""
        task, wish = self.task, self.wish
        recipe, charset = task.recipe, task.model.codec.charset
        threads = torch.get_num_threads()

        def measured(model: Recognizer) -> Cost:
            self._tell("measuring what candidates cost")
            self._stop()
            return self.gauge.fresh(model)

        proposing = Proposing(
            lambda spec: build(spec, recipe.image, charset),
            measured,
            lambda ladder, width: ladder.spec(width, recipe.image, recipe.model.head),
            wish.limits,
            NARROWER[wish.least is not None],
        )
        torch.set_num_threads(1)
        try:
            found, notes = proposing.propose(ladders(wish.families))
        finally:
            torch.set_num_threads(threads)
        most = max(2, int(self.clock.left() / EACH))
        self.state.untried = [[note.partition(":")[0], note.partition(":")[2].strip()] for note in notes]
        self._leave_out(found, most)

    def _leave_out(self, found: list[Entrant], most: int) -> None:
        self.state.entrants = found[:most]
        self.state.untried += [[entrant.name, "no time"] for entrant in found[most:]]

    def _measure(self, rungs: Rungs) -> None:
        """Measure how fast each candidate is trained, and leave out those that there is no time for."""
        for entrant in self.state.entrants:
            self._tell(f"measuring how fast {entrant.name} is trained")
            entrant.speed = self.batch / self.race.seconds_an_update(entrant)
            self._stop_before_the_race()
        entrants = self.state.entrants
        self._keep_for_the_end()
        self._leave_out(entrants, affordable(rungs.paces(entrants), rungs.seconds(), rungs.most))
        self._write()

    def _stop_before_the_race(self) -> None:
        if self.watch.caught:
            for entrant in self.state.entrants:
                entrant.speed = 0.0  # all are measured together
            self._stop()

    def _keep_for_the_end(self) -> None:
        """Time to read the validation lines once more and to write the model file."""
        slowest = min(entrant.speed for entrant in self.state.entrants)
        lines = len(self.race.held())
        needed = END + COMPARING * min(COMPARED, lines) + lines / slowest  # three readings of them
        self.clock.keep = min(0.2 * self.clock.seconds, needed)

    # -- the end ----------------------------------------------------------------------------------------------------

    def _finish(self, done: bool) -> Found:
        """Make the chosen one ready; one whose file does not keep what was measured is dropped, and the next one taken."""
        finish = Finish(self.race, self.gauge, self.wish, self.folder)
        self._tell("writing the model file, and reading with it")
        found = finish.of(self.state, done)
        self.state.result = found.as_dict()
        self._write()
        return found


def _like_facts(task: Task) -> dict[str, Any]:
    """What a model file of these lines will say of its training, as long as it will be."""
    parts = ["transform", "backbone", "pyramid", "neck", "head"]
    return {
        "recipe": task.recipe.name, "parameters": 10**7, "train_lines": len(task.train), "epochs": 1000, "updates": 10**7,
        "seed": task.recipe.train.seed, "start": {"name": task.recipe.name, "parts": parts, "new_characters": 0},
    }  # fmt: skip


__all__ = ["EACH", "FILE", "NARROWER", "Fit", "Watching"]
