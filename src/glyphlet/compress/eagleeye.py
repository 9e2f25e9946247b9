"""EagleEye: many smaller models are drawn, adapted and read with, and the best is the one to fine-tune.

Li et al. 2020, "EagleEye: fast sub-net evaluation for efficient neural network pruning", arXiv 2007.02491. Each group gets a
ratio by chance; a candidate that meets the budget gets statistics of its own (`adapt`), and its accuracy without any
fine-tuning says how well it will do after it. The best of N is taken.

The script of lightweight-OCR that is called so takes the first candidate that meets the budget instead, which `first` does
here, to compare. It also lets each candidate begin with the statistics of the one before. Here every candidate is made of
the full model, so that nothing depends on what was tried before.

    search    draw, read, keep in a file; gone on with from there
    drawn     the ratios of one try: a function of the seed and its number alone
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlet.compress.accuracy import Accuracy, Bench, digest_of
from glyphlet.compress.cost import Budget, Meter, shown
from glyphlet.compress.criteria import check_criterion
from glyphlet.compress.graph import Graph
from glyphlet.compress.prune import Pruned, Pruning, prune, wanted
from glyphlet.compress.record import Watch, check_same, read_record, write_record
from glyphlet.errors import CompressionError
from glyphlet.models.recognizer import Recognizer

KIND = "eagleeye"
TRIES = 200
"""Draws for each candidate that is wanted; after so many in vain the search ends."""


@dataclass(frozen=True)
class Drawing:
    """What is drawn.

    Args:
        candidates: N, how many that meet the budget are read with.
        low, high: between which each group's ratio is drawn, uniformly.
        criterion, round_to, seed, only, skip: as of `prune.Pruning`; the seed also decides the ratios.
        first: take the first candidate that meets the budget, whatever it reads.

    Raises:
        CompressionError: a value is out of range.
    """

    candidates: int = 50
    low: float = 0.0
    high: float = 0.95
    criterion: str = "l1"
    round_to: int = 1
    seed: int = 0
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    first: bool = False

    def __post_init__(self) -> None:
        check_criterion(self.criterion)
        if not 0 <= self.low < self.high < 1:
            raise CompressionError(
                f"ratios are to be drawn from {self.low} to {self.high}",
                allowed="from 0 or more to less than 1, the first below the second",
                next_step="leave them out for 0 to 0.95",
            )
        if self.candidates < 1:
            raise CompressionError(
                f"{self.candidates} candidates are wanted", allowed="1 or more", next_step="50 are a good number"
            )

    @property
    def wanted(self) -> int:
        """How many candidates end the search."""
        return 1 if self.first else self.candidates


@dataclass(frozen=True)
class Candidate:
    """A try that met the budget: its number, what it costs, and how it reads after adaptation."""

    number: int
    cost: float
    read: Accuracy


@dataclass(frozen=True)
class Searched:
    """What a search came to.

    Args:
        candidates: in the order in which they were drawn.
        tries: how many draws there were.
        full: cost of the full model.
        best: the one to fine-tune.
        pruned: its model, with its adapted statistics.
    """

    candidates: Sequence[Candidate]
    tries: int
    full: float
    best: Candidate
    pruned: Pruned


def drawn(names: Sequence[str], how: Drawing, number: int) -> dict[str, float]:
    """The ratios of one try, for each group."""
    generator = np.random.default_rng(zlib.crc32(f"{how.seed} {number}".encode()))
    return dict(zip(names, generator.uniform(how.low, how.high, len(names)).tolist(), strict=True))


def best_of(candidates: Sequence[Candidate], deciding: str = "word") -> Candidate:
    """The one that reads best; of equals the first."""
    return max(candidates, key=lambda candidate: (candidate.read.rank(deciding), -candidate.number))


class EagleEye:
    """Draws and reads candidates of one model.

    Args:
        model: the full model; it is left as it was.
        bench: adapts and reads.
        how: what is drawn.
        meter, budget: how the cost is measured, and what it may be.
        graph: the groups of the model, if they are known.
    """

    def __init__(
        self, model: Recognizer, bench: Bench, how: Drawing, meter: Meter, budget: Budget, graph: Graph | None = None
    ) -> None:
        self.model, self.bench, self.how, self.meter, self.budget = model, bench, how, meter, budget
        self.graph = graph or Graph.of(model)
        self.names = list(wanted(self.graph, Pruning(only=how.only, skip=how.skip)))

    def pruned(self, ratios: Mapping[str, float]) -> Pruned:
        """The smaller model of these ratios, made of the full one, with the full one's statistics."""
        how = self.how
        return prune(
            self.model, Pruning(0.0, ratios, how.criterion, "layer", how.round_to, how.seed, self.names), self.graph
        )

    def candidate(self, number: int) -> Candidate | None:
        """One try: adapted and read with, if it meets the budget."""
        smaller = self.pruned(drawn(self.names, self.how, number)).model
        cost = self.meter.cost(smaller, self.budget.kind)
        return Candidate(number, cost, self.bench.read(smaller)) if cost <= self.budget.most else None

    def _of(self) -> dict[str, Any]:
        how = self.how
        return {
            "model": digest_of(self.model), **self.bench.identity(),
            "groups": {name: self.graph[name].size for name in self.names},
            "budget": [self.budget.kind, self.budget.most], "width": self.meter.width, "drawn from": [how.low, how.high],
            "criterion": how.criterion, "round_to": how.round_to, "seed": how.seed,
        }  # fmt: skip

    def search(self, path: Path, watch: Watch | None = None, deciding: str = "word") -> Searched:
        """Draw until there are enough candidates, or go on with that.

        Args:
            path: the file that keeps them; written after each.
            watch: who follows.
            deciding: `word` accuracy, or `cer`.

        Raises:
            CompressionError: the budget is not met by any, or by the full model already; or the file is damaged or of
                something else.
            Interrupted: a signal came; everything is in the file.
        """
        watch = watch or Watch()
        full = self.meter.cost(self.model, self.budget.kind)
        least = self.meter.cost(self.pruned(dict.fromkeys(self.names, self.how.high)).model, self.budget.kind)
        self.budget.check(full, least, f"a share of {self.how.high} off every layer that takes part")
        values = self._begun(path, watch)
        found = [Candidate(c["number"], c["cost"], Accuracy(**c["read"])) for c in values["candidates"]]
        while len(found) < self.how.wanted and values["tries"] < TRIES * self.how.wanted:
            watch.progress(len(found), self.how.wanted)
            made = self.candidate(values["tries"])
            values["tries"] += 1
            if made is not None:
                found.append(made)
                values["candidates"].append({"number": made.number, "cost": made.cost, "read": made.read.as_dict()})
            if made is not None or watch.caught:
                write_record(path, KIND, values)
            watch.stop(f"{len(found)} of {self.how.wanted} candidates are kept in {path}")
        write_record(path, KIND, values)
        found = found[: self.how.wanted]  # the file may hold more
        if not found:
            raise self._unmet(values["tries"], least)
        best = best_of(found[:1] if self.how.first else found, deciding)
        pruned = self.pruned(drawn(self.names, self.how, best.number))
        self.bench.adapt(pruned.model)  # made anew: to the same statistics
        return Searched(found, values["tries"], full, best, pruned)

    def _begun(self, path: Path, watch: Watch) -> dict[str, Any]:
        of = self._of()
        if not path.exists():
            return {"of": of, "command": watch.command, "tries": 0, "candidates": []}
        values = read_record(path, KIND)
        check_same(path, values["of"], of)
        return values

    def _unmet(self, tries: int, least: float) -> CompressionError:
        return CompressionError(
            f"none of {tries:,} models that were drawn with ratios from {self.how.low} to {self.how.high} meets the target of "
            f"{self.budget}",
            allowed=f"a target that chance meets; a share of {self.how.high} off every layer has {shown(self.budget.kind, least)}",
            next_step="raise the target, or raise --min-ratio; glyphlet shrink prune with a sensitivity file does not draw",
        )


__all__ = ["KIND", "TRIES", "Candidate", "Drawing", "EagleEye", "Searched", "best_of", "drawn"]
