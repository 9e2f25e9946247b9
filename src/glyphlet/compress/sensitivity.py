"""Sensitivity: what a model loses when a share of the channels of one group goes, for each group and some shares.

    measure        for each group and ratio: prune that group alone, adapt, read the validation lines (Li et al. 2017, arXiv
                   1608.08710, did it for single layers); kept in a file after each group, and gone on with from there
    Sensitivity    what was measured, as curves of loss; `fitting` makes a model of them

The loss is (base - accuracy) / base. Base is what the full model reads after the same adaptation, so that nothing but the
pruning is compared.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphlet.compress.accuracy import DECIDING, Accuracy, Bench, check_deciding, digest_of
from glyphlet.compress.criteria import check_criterion
from glyphlet.compress.graph import Graph
from glyphlet.compress.prune import Pruned, Pruning, prune, wanted
from glyphlet.compress.record import Watch, check_same, read_record, write_record
from glyphlet.compress.threshold import Curve
from glyphlet.errors import CompressionError
from glyphlet.models.recognizer import Recognizer

KIND = "sensitivity"
RATIOS = tuple(round(0.1 * step, 1) for step in range(1, 10))


@dataclass(frozen=True)
class Sensitivity:
    """What was measured.

    Args:
        path: the file.
        of: which model, lines and settings it is of.
        base: how the full model reads.
        points: for each group, by name, its ratios with the channels that stay and how the model then reads.
        command: what measured it.
    """

    path: Path
    of: Mapping[str, Any]
    base: Accuracy
    points: Mapping[str, Sequence[tuple[float, int, Accuracy]]]
    command: str = ""

    @classmethod
    def load(cls, path: Path) -> Sensitivity:
        """Read a finished file.

        Raises:
            CompressionError: it is missing, damaged, or not finished.
        """
        values = read_record(path, KIND)
        groups, ratios = values["of"]["groups"], values["of"]["ratios"]
        done = [name for name in groups if len(values["points"].get(name, [])) == len(ratios)]
        if len(done) < len(groups):
            raise CompressionError(
                f"{path} has {len(done)} of {len(groups)} layers: its measurement was interrupted",
                allowed="a file with all of them",
                next_step=f"go on with `{values['command']}`",
            )
        return cls._of(path, values)

    @classmethod
    def _of(cls, path: Path, values: Mapping[str, Any]) -> Sensitivity:
        points = {name: list(map(_point, found)) for name, found in values["points"].items()}
        return cls(path, values["of"], Accuracy(**values["base"]), points, values["command"])

    def check(self, model: Recognizer, bench: Bench | None = None) -> None:
        """Refuse curves of another model, or of other validation lines.

        Raises:
            CompressionError: they are.
        """
        now = {"model": digest_of(model)}
        if bench is not None:
            now["validation"] = bench.identity()["validation"]
        check_same(self.path, self.of, now)

    def to_lose(self, deciding: str = "word") -> float:
        """What the full model has of a measure: `word` accuracy, or `cer` for 1 - CER.

        Raises:
            CompressionError: nothing.
        """
        check_deciding(deciding)
        base = self.base.by(deciding)
        if base == 0:
            other = next(d for d in DECIDING if d != deciding)
            hint = f"measure by the other: --by {other}, or " if self.base.by(other) else ""
            raise CompressionError(
                f"the full model has {DECIDING[deciding]} 0 on the {self.base.lines} validation lines: it has nothing to lose",
                allowed="a model that reads some of them",
                next_step=f"{hint}train it further first",
            )
        return base

    def curves(self, deciding: str = "word") -> dict[str, Curve]:
        """The loss of each group at each ratio; `deciding` and what is raised as in `to_lose`."""
        base = self.to_lose(deciding)
        return {
            name: [(ratio, (base - found.by(deciding)) / base) for ratio, _, found in points]
            for name, points in self.points.items()
        }


def _point(values: Mapping[str, Any]) -> tuple[float, int, Accuracy]:
    return values["ratio"], values["channels"], Accuracy(**values["read"])


@dataclass(frozen=True)
class Measuring:
    """What is measured.

    Args:
        criterion, seed, only, skip: as of `prune.Pruning`.
        ratios: shares that go, rising.
        by: of which measure the full model must have something; the file always holds both.

    Raises:
        CompressionError: there is no such criterion, or the ratios are none.
    """

    criterion: str = "l1"
    ratios: Sequence[float] = RATIOS
    seed: int = 0
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    by: str = "word"

    def __post_init__(self) -> None:
        check_criterion(self.criterion)
        check_deciding(self.by)
        rising = all(a < b for a, b in zip([0, *self.ratios], self.ratios, strict=False))
        if not self.ratios or not rising or self.ratios[-1] >= 1:
            raise CompressionError(
                f"the ratios are {', '.join(map(str, self.ratios)) or 'none'}",
                allowed="ratios that rise from above 0 to less than 1",
                next_step="leave them out for 0.1 to 0.9",
            )


def measure(
    model: Recognizer,
    bench: Bench,
    path: Path,
    how: Measuring | None = None,
    graph: Graph | None = None,
    watch: Watch | None = None,
) -> Sensitivity:
    """Measure what each group of a model costs at each ratio, or go on with that.

    The same file comes out, bit for bit, whether it was interrupted or not (on one machine with one number of threads).

    Args:
        model: the full model; it is left as it was.
        bench: adapts and reads.
        path: the file that keeps what is measured; written after each group.
        how, graph, watch: settings, the groups of the model if they are known, and who follows.

    Raises:
        CompressionError: the full model has nothing to lose, or the file is damaged or of something else, or cannot be written.
        Interrupted: a signal came; everything is in the file.
    """
    how, graph, watch = how or Measuring(), graph or Graph.of(model), watch or Watch()
    names = list(wanted(graph, Pruning(only=how.only, skip=how.skip)))
    of = {
        "model": digest_of(model), **bench.identity(),
        "groups": {name: graph[name].size for name in names},
        "criterion": how.criterion, "seed": how.seed, "ratios": list(how.ratios),
    }  # fmt: skip
    values = _begun(path, of) or {"of": of, "command": watch.command, "points": {}}
    if "base" not in values:
        values["base"] = bench.read(copy.deepcopy(model)).as_dict()
        Sensitivity._of(path, values).to_lose(how.by)  # before an hour is spent
        write_record(path, KIND, values)
    for place, name in enumerate(names):
        points = values["points"].setdefault(name, [])
        for ratio in how.ratios[len(points) :]:
            watch.progress(place * len(how.ratios) + len(points), len(names) * len(how.ratios))
            smaller = prune(model, Pruning(ratio, {}, how.criterion, seed=how.seed, only=[name]), graph)
            points.append(_measured(smaller, name, ratio, points, values["base"], bench))
            whole = len(points) == len(how.ratios)
            if watch.caught or whole:
                write_record(path, KIND, values)
            watch.stop(f"{place + whole} of {len(names)} layers are measured and kept in {path}")
    watch.progress(len(names) * len(how.ratios), len(names) * len(how.ratios))
    return Sensitivity._of(path, values)


def _begun(path: Path, of: Mapping[str, Any]) -> dict[str, Any] | None:
    if not path.exists():
        return None
    values = read_record(path, KIND)
    check_same(path, values["of"], of)
    return values


def _measured(
    smaller: Pruned, name: str, ratio: float, before: Sequence[Any], base: Mapping[str, int], bench: Bench
) -> dict[str, Any]:
    """A point; a ratio that takes no more channels than the one before gives the same model, which is not read again."""
    full, channels = smaller.sizes[name]
    known = {full: base, **{point["channels"]: point["read"] for point in before}}
    read = known[channels] if channels in known else bench.read(smaller.model).as_dict()
    return {"ratio": ratio, "channels": channels, "read": dict(read)}


__all__ = ["KIND", "RATIOS", "Measuring", "Sensitivity", "measure"]
