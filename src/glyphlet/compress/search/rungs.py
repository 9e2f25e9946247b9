"""Rung after rung within the time, and with a wanted accuracy the smaller candidates after that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from glyphlet.compress.search.entrants import Entrant
from glyphlet.compress.search.front import chosen, promoted
from glyphlet.compress.search.halving import Planned, Runner
from glyphlet.compress.search.plan import Pace, rung_ends, sizes
from glyphlet.compress.search.state import State, Wish

RUNGS = {False: 1.0, True: 0.65}
"""Share of the time for the rungs; with a wanted accuracy the rest is for smaller candidates than the one that has it."""


@dataclass(frozen=True)
class Rungs:
    """Takes the candidates of a state through the rungs, and keeps in it how far that came.

    Args:
        state: the candidates, and the rungs so far.
        wish: what is wanted.
        runner: trains; it has the lines and the clock.
        say: called with a sentence after each rung.
        stop: raises where a signal came.
    """

    state: State
    wish: Wish
    runner: Runner
    say: Callable[[str], None]
    stop: Callable[[], None]

    @property
    def most(self) -> int:
        """Updates of a whole training by the recipe."""
        race = self.runner.race
        return race.task.recipe.train.epochs * len(race.loader)

    @property
    def batch(self) -> int:
        """Lines of an update."""
        return self.runner.race.task.recipe.train.batch

    def paces(self, entrants: Sequence[Entrant]) -> list[Pace]:
        """What an update costs each, and reading the validation lines, a line of which is taken to be three times as quick."""
        held = len(self.runner.race.held())
        return [Pace(self.batch / entrant.speed, held / entrant.speed / 3) for entrant in entrants]

    def seconds(self) -> float:
        """That the rungs may take from now on."""
        return self.runner.clock.left() * RUNGS[self.wish.least is not None]

    def run(self) -> bool:
        """Run the rungs; whether all came to their end."""
        while rung := self.next():
            for place, name in enumerate(rung.names, 1):
                entrant = self.named(name)
                if entrant.failed or _has_run(entrant, rung):
                    continue
                if self.runner.clock.over():
                    return False
                self._run(
                    entrant,
                    rung,
                    self.end(entrant, rung),
                    f"rung {rung.number + 1}, {place} of {len(rung.names)}: {name}",
                )
            self._say(rung)
            if rung.final:
                return all(entrant.failed or _has_run(entrant, rung) for entrant in map(self.named, rung.names))
        return False

    def named(self, name: str) -> Entrant:
        """The candidate of a name."""
        return next(entrant for entrant in self.state.entrants if entrant.name == name)

    def next(self) -> Planned | None:
        """The rung that is not at its end, or the next one; None where no time or no candidate is left."""
        rungs = [Planned(**rung) for rung in self.state.rungs]
        alive, done = self.state.entrants, 0
        counts = sizes(len(alive))[len(rungs) :]
        if rungs:
            last = rungs[-1]
            racing = [self.named(name) for name in last.names]
            if last.final or not all(entrant.failed or _has_run(entrant, last) for entrant in racing):
                return last
            alive, done = promoted(racing, counts[0], self.wish.limits, self.wish.least), last.end
        if not alive or self.runner.clock.over():
            return None
        counts[0] = len(alive)
        ends = rung_ends(done, counts, self.paces(alive), self.seconds(), self.most)
        first = rungs[0].first if rungs else ends[0]
        made = Planned(len(rungs), [entrant.name for entrant in alive], ends[0], first, len(counts) == 1)
        self.state.rungs.append(asdict(made))
        self.runner.written()
        return made

    def end(self, entrant: Entrant, rung: Planned) -> int:
        """Where a candidate stops: at the end of the rung, or in the last rung at its share of the time that is left."""
        if not rung.final:
            return rung.end
        waiting = [e for e in map(self.named, rung.names) if not e.failed and not _has_run(e, rung)]
        needed = sum((rung.end - _updates(e)) / e.speed for e in waiting) * self.batch
        share = min(1.0, max(0.0, self.seconds()) / max(1e-6, needed))
        return _updates(entrant) + max(1, int(share * (rung.end - _updates(entrant))))

    def smaller(self) -> bool:
        """Bring smaller candidates than the one that has the wanted accuracy to their end, the most accurate first.

        Returns:
            Whether there was time for all of them.
        """
        least, limits, last = self.wish.least, self.wish.limits, Planned(**self.state.rungs[-1])
        while best := chosen(self.state.entrants, limits, least):
            if least is None or best.read is None or best.read.word < least:
                break
            size = limits.key(best.kb, best.ms)
            waiting = [
                e
                for e in self.state.entrants
                if e.last and e.weights and not e.failed and not e.last.final and limits.key(e.kb, e.ms) < size
            ]
            if not waiting:
                break
            entrant = max(waiting, key=_rank)
            if (last.end - _updates(entrant)) * self.batch / entrant.speed > self.runner.clock.left():
                return False
            self._run(entrant, last, last.end, f"a smaller one: {entrant.name}")
        return True

    def _run(self, entrant: Entrant, rung: Planned, end: int, what: str) -> None:
        before = _updates(entrant)
        self.runner.run(entrant, rung, end, what)
        self.stop()
        last = entrant.last
        if last and not entrant.failed and last.updates > before:
            entrant.speed = self.batch * (last.updates - before) / max(1e-3, last.seconds)

    def _say(self, rung: Planned) -> None:
        read = [entrant for entrant in map(self.named, rung.names) if entrant.last and not entrant.failed]
        if not read:
            return
        best = max(read, key=_rank)
        said = f"rung {rung.number + 1}: {len(read)} candidate{'s' if len(read) > 1 else ''}, {rung.end:,} updates ({rung.end * self.batch:,} lines); "
        self.say(f"{said}best {best.name}, {best.last.read if best.last else ''}")


def _rank(entrant: Entrant) -> tuple[float, float]:
    assert entrant.last
    return entrant.last.rank()


def _has_run(entrant: Entrant, rung: Planned) -> bool:
    return any(r.rung == rung.number and (r.final or r.updates >= rung.end) for r in entrant.readings)


def _updates(entrant: Entrant) -> int:
    return entrant.last.updates if entrant.last else 0


__all__ = ["RUNGS", "Rungs"]
