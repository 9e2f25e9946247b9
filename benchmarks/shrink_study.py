"""Does the accuracy after adaptive batch normalisation tell which smaller model will be the best after further training?

Candidates are drawn as `glyphlet shrink eagleeye` draws them, each is read with and without adaptation, and each is then trained
further alike. EagleEye (Li et al. 2020) takes the one that reads best after adaptation; the script of that name in lightweight-OCR
takes the first that meets the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from benchmarks.shrink_runs import ADAPT, Row, bench, further, narrow_graph, skipped
from benchmarks.shrink_task import WIDTH
from glyphlet.compress.cost import Budget, Meter
from glyphlet.compress.eagleeye import Drawing, EagleEye, drawn
from glyphlet.metrics import Z_95
from glyphlet.train.restore import restore_run

CANDIDATES = 15
LEFT = 0.3
"""Of the multiply-adds, that a candidate may have at most."""


@cache
def candidates(folder: Path) -> tuple[EagleEye, list[int]]:
    """The search on the narrow model of seed 1, and the numbers of its candidates."""
    full = restore_run(folder / "runs" / "narrow-whole-1").model
    graph = narrow_graph()
    how = Drawing(CANDIDATES, criterion="fpgm", only=["backbone"], skip=skipped(graph))
    meter = Meter(WIDTH)
    budget = Budget("macs", LEFT * meter.cost(full, "macs"))
    search = EagleEye(full, bench(folder, ADAPT), how, meter, budget, graph)
    return search, [c.number for c in search.search(folder / "candidates.json").candidates]


def candidate(place: int, folder: Path) -> Row:
    """A row of the study: the candidate before and after further training."""
    search, numbers = candidates(folder)
    pruned = search.pruned(drawn(search.names, search.how, numbers[place]))
    run = f"candidate-{place}"
    plain = search.bench.read(search.pruned(drawn(search.names, search.how, numbers[place])).model, adapted=False)
    row = further(pruned, restore_run(folder / "runs" / "narrow-whole-1"), run, 1, folder)
    return row | {"part": "study", "name": run, "number": numbers[place], "plain": plain.word}


def study(folder: Path) -> Iterator[tuple[str, Callable[[], Row]]]:
    """The rows of the study, by name."""
    for place in range(CANDIDATES):
        yield f"candidate-{place}", lambda place=place: candidate(place, folder)  # type: ignore[misc]


def ranks(values: Sequence[float]) -> list[float]:
    """The rank of each value from 1; equal ones have the mean of theirs.

    >>> ranks([0.2, 0.9, 0.2, 0.5])
    [1.5, 4.0, 1.5, 3.0]
    """
    return [sum(b < a for b in values) + (sum(b == a for b in values) + 1) / 2 for a in values]


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """The correlation of the ranks of two series; 0 where one of them is constant.

    >>> spearman([1, 2, 3], [10, 30, 20])
    0.5
    """
    a, b = ranks(first), ranks(second)
    middle = (len(a) + 1) / 2
    both = sum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    norm = math.sqrt(sum((x - middle) ** 2 for x in a) * sum((y - middle) ** 2 for y in b))
    return both / norm if norm else 0.0


def reach(correlation: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a rank correlation of so many pairs (Bonett and Wright 2000), by Fisher's transform.

    >>> [round(end, 2) for end in reach(0.5, 20)]
    [0.05, 0.78]
    """
    if abs(correlation) == 1:
        return correlation, correlation
    half = Z_95 * math.sqrt((1 + correlation**2 / 2) / (count - 3))
    return math.tanh(math.atanh(correlation) - half), math.tanh(math.atanh(correlation) + half)


def tells(rows: Sequence[Row], share: Callable[[Row], float]) -> list[tuple[str, float, float, float]]:
    """What tells the accuracy after further training how well: a name, the rank correlation, and its interval.

    `share` gives the accuracy of a row after further training.
    """
    after = [share(row) for row in rows]
    found = []
    for name, key in (
        ("accuracy after adaptation", "adapted"), ("accuracy without adaptation", "plain"), ("multiply-adds", "macs"),
    ):  # fmt: skip
        value = spearman([row[key] for row in rows], after)
        found.append((name, value, *reach(value, len(rows))))
    return found
