"""Two readings of the same lines: how much better one is, and whether chance alone could make the difference.

Only lines that one reads rightly and the other does not tell the two apart. Their numbers give an exact test (McNemar
1947, in its binomial form) and an interval of the difference (Bonett and Price 2012, an adjusted Wald interval).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from glyphlet.evaluate.report import Section, table_section
from glyphlet.evaluate.scores import Evaluation, LineResult, percent, percent_range
from glyphlet.metrics import RESAMPLES, Z_95, Interval

_SEED = 20_261_122
Rows = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Paired:
    """How two readings of the same lines differ in word accuracy.

    Args:
        lines: how many there are.
        gained: lines that only the second reads rightly.
        lost: lines that only the first reads rightly.
        difference: the second's accuracy minus the first's.
        interval: of the difference, 95 %.
        p: how often chance alone makes so large a difference, or a larger one (two-sided).
    """

    lines: int
    gained: int
    lost: int
    difference: float
    interval: Interval
    p: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def paired(gained: int, lost: int, lines: int) -> Paired:
    """The comparison from its counts.

    >>> found = paired(gained=2, lost=12, lines=200)
    >>> f"{found.difference:+.3f}, {found.interval.low:+.3f} to {found.interval.high:+.3f}, p {found.p:.4f}"
    '-0.050, -0.088 to -0.011, p 0.0129'
    """
    up, down = (gained + 1) / (lines + 2), (lost + 1) / (lines + 2)
    half = Z_95 * math.sqrt(max(0.0, up + down - (up - down) ** 2) / (lines + 2))
    interval = Interval(max(-1.0, up - down - half), min(1.0, up - down + half))
    return Paired(lines, gained, lost, (gained - lost) / lines, interval, _binomial(min(gained, lost), gained + lost))


def _binomial(few: int, n: int) -> float:
    """The chance that heads or tails come at most `few` times in `n` throws."""
    logs = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2) for k in range(few + 1)]
    return min(1.0, 2 * math.fsum(map(math.exp, logs)))


def compare(before: Evaluation, after: Evaluation) -> Paired:
    """Compare two readings of the same lines, line by line.

    Raises:
        ValueError: they are not of the same lines.
    """
    _same_lines(before, after)
    rights = [(before.right(a), after.right(b)) for a, b in zip(before.results, after.results, strict=True)]
    return paired(rights.count((False, True)), rights.count((True, False)), len(rights))


def error_rate_difference(before: Evaluation, after: Evaluation) -> tuple[float, Interval]:
    """The second's character error rate minus the first's, with its 95 % interval.

    The lines are drawn anew, with both of their readings, `metrics.RESAMPLES` times (a paired bootstrap: Bisani and Ney
    2004, "Bootstrap estimates for confidence intervals in ASR performance evaluation"). Where no resample differs from
    another, the interval has no width.

    Raises:
        ValueError: they are not of the same lines.
    """
    _same_lines(before, after)
    table = np.array(
        [_counts(before, a) + _counts(after, b) for a, b in zip(before.results, after.results, strict=True)]
    )
    lines, random = len(table), np.random.default_rng(_SEED)
    sums = np.array([np.bincount(random.integers(0, lines, lines), minlength=lines) @ table for _ in range(RESAMPLES)])
    drawn = _differences(sums)
    found = float(_differences(table.sum(axis=0)))
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    return found, Interval(min(low, found), max(high, found))


def _counts(evaluation: Evaluation, result: LineResult) -> tuple[int, int]:
    """The edits that a line needs, and its true characters."""
    return evaluation.edits(result), len(evaluation.fold(result.truth))


def _differences(sums: NDArray[Any]) -> NDArray[np.float64]:
    """Sums (..., 4) of edits and characters of both readings -> (...) the difference of the error rates."""
    first, second = (sums[..., i] / np.maximum(sums[..., i + 1], 1) for i in (0, 2))
    return np.asarray(second - first, np.float64)


def _same_lines(before: Evaluation, after: Evaluation) -> None:
    if [r.path for r in before.results] != [r.path for r in after.results]:
        raise ValueError("the two readings are of different lines")


def _rows(before: Evaluation, after: Evaluation, found: Paired) -> Rows:
    a, b, low, high = before.scores, after.scores, found.interval.low, found.interval.high
    return [
        ("Word accuracy before", percent(a.word_accuracy), percent_range(a.word_interval)),
        ("Word accuracy after", percent(b.word_accuracy), percent_range(b.word_interval)),
        ("Difference", f"{100 * found.difference:+.2f} %", f"{100 * low:+.2f} to {100 * high:+.2f} %"),
        ("Lines, only before right, only after", f"{found.lines:,}, {found.lost:,}, {found.gained:,}", ""),
        ("Chance of so large a difference", f"{found.p:.2g}", ""),
    ]


TITLE = "Old lines, before and after"
_NAMES = ("Measure", "Value", "95 % interval")


def paired_table(before: Evaluation, after: Evaluation) -> Table:
    """The comparison for the terminal."""
    made = Table(title=TITLE, title_justify="left")
    for number, name in enumerate(_NAMES):
        made.add_column(name, justify="right" if number else "left")
    for row in _rows(before, after, compare(before, after)):
        made.add_row(*row)
    return made


def paired_section(before: Evaluation, after: Evaluation) -> Section:
    """The comparison for a report."""
    return table_section(TITLE, _NAMES, _rows(before, after, compare(before, after)))
