"""How far the confidences of an evaluation can be relied on: rows for the terminal, plain values, sections of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from glyphlet.evaluate.aligned import Tally
from glyphlet.evaluate.plot import line_chart
from glyphlet.evaluate.report import Section, note_line, table_section
from glyphlet.evaluate.scores import Evaluation, percent, percent_range, plain_table
from glyphlet.evaluate.shares import reliability_chart
from glyphlet.reliability import (
    Bin,
    Threshold,
    accepted_errors,
    bins_for,
    expected_calibration_error,
    least_lines,
    reliability,
    threshold_for,
)

LIMITS = (0.01, 0.001)
"""Shares of errors among accepted lines that are asked for."""
_POINTS = 200
"""Points of a curve, at most."""
THRESHOLD_NAMES = ("Most errors", "Confidence", "Accepted", "Rejected", "Errors", "Bound")
_CALIBRATION_NOTE = (
    "Of the readings with a confidence of 90 %, nine of ten should be right: dots on the dashed line. A dot below it is a bin "
    "of readings that are surer than they should be. The bins hold about as many readings each; the bars are Wilson's 95 % "
    "intervals. ECE, the expected calibration error, is the mean distance of the dots from the line, weighted by their "
    "readings; chance alone puts it above 0."
)
_ACCEPTANCE_NOTE = (
    "Lines below a confidence go to a person; the others are accepted. The curve shows the errors among the accepted lines. "
    "Bound: the true share of errors is at most this, with 95 % confidence (Clopper and Pearson). Seen: the limit holds on these "
    "lines; promised: the bound keeps to it. The thresholds were chosen on these very "
    "lines, so other lines of the same kind may have somewhat more errors."
)


@dataclass(frozen=True)
class Calibrated:
    """The confidences of one set, for its lines or for its characters.

    Args:
        confidence, right: of each reading, (N,).
        bins: of equal mass.
        error: the expected calibration error.
    """

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    bins: tuple[Bin, ...]
    error: float

    @classmethod
    def of(cls, confidence: Sequence[float], right: Sequence[bool]) -> Calibrated | None:
        """Work the figures out; None where there are no readings."""
        if not confidence:
            return None
        confidences, rights = np.clip(np.asarray(confidence, np.float64), 0.0, 1.0), np.asarray(right, bool)
        bins = bins_for(len(confidences))
        error = expected_calibration_error(confidences, rights, bins)
        return cls(confidences, rights, reliability(confidences, rights, bins), error)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"ece": self.error, "readings": len(self.right), "bins": [asdict(found) for found in self.bins]}


@dataclass(frozen=True)
class Acceptance:
    """What the confidences of an evaluation are good for.

    Args:
        lines, characters: their calibration; that of characters is None where the readings have no characters.
        thresholds: for each of `LIMITS`, that which keeps to it on these lines, and that which can promise it.
    """

    lines: Calibrated
    characters: Calibrated | None
    thresholds: tuple[tuple[float, Threshold, Threshold], ...]

    @classmethod
    def of(cls, evaluation: Evaluation, tally: Tally) -> Acceptance:
        """Work it out."""
        rights = [evaluation.right(result) for result in evaluation.results]
        lines = Calibrated.of([result.confidence for result in evaluation.results], rights)
        assert lines is not None  # an evaluation has lines
        thresholds = tuple(
            (
                limit,
                threshold_for(lines.confidence, lines.right, limit),
                threshold_for(lines.confidence, lines.right, limit, promised=True),
            )
            for limit in LIMITS
        )
        return cls(lines, Calibrated.of(tally.confidence, tally.right), thresholds)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        thresholds = [
            {"most_errors": limit, **asdict(seen), "promised": asdict(promised)}
            for limit, seen, promised in self.thresholds
        ]
        characters = self.characters.as_dict() if self.characters else None
        return {"lines": self.lines.as_dict(), "characters": characters, "thresholds": thresholds}


def threshold_rows(found: Acceptance) -> list[tuple[str, ...]]:
    """What each threshold accepts and rejects, under `THRESHOLD_NAMES`."""
    rows = []
    for limit, seen, promised in found.thresholds:
        rows.append(_row(f"{_limit(limit)} seen", seen))
        rows.append(_row(f"{_limit(limit)} promised", promised))
    return rows


def _row(name: str, found: Threshold) -> tuple[str, ...]:
    if found.threshold is None:
        return name, "none", "0", f"{found.rejected:,}", "", ""
    lines = found.accepted + found.rejected
    return (
        name,
        f"{found.threshold:.6f}".rstrip("0").rstrip("."),
        f"{found.accepted:,}",
        f"{found.rejected:,} ({100 * found.rejected / lines:.1f} %)",
        f"{found.errors:,}",
        percent(found.upper),
    )


def promises(found: Acceptance) -> list[str]:
    """A sentence for each limit that cannot be promised."""
    told = []
    lines = len(found.lines.right)
    for limit, _, promised in found.thresholds:
        if promised.threshold is not None:
            continue
        least = least_lines(limit)
        if lines < least:
            told.append(
                f"{lines:,} lines are too few to promise at most {_limit(limit)} of errors: it takes {least:,} accepted "
                "lines without any error"
            )
        else:
            told.append(f"no threshold can promise at most {_limit(limit)} of errors on such lines")
    return told


def _limit(share: float) -> str:
    return f"{100 * share:g} %"


def calibration_rows(found: Acceptance) -> list[tuple[str, str, str]]:
    """The calibration errors: name, value, and of how many readings in how many bins."""
    rows = [("lines", found.lines)] + ([("characters", found.characters)] if found.characters else [])
    return [
        (f"Calibration error (ECE) of {name}", percent(c.error), f"{len(c.right):,} in {len(c.bins)} bins")
        for name, c in rows
    ]


def acceptance_tables(found: Acceptance) -> list[Table]:
    """Calibration errors and thresholds for the terminal."""
    return [
        plain_table("Confidence", ("Measure", "Value", "Readings"), calibration_rows(found)),
        plain_table("Thresholds of confidence", THRESHOLD_NAMES, threshold_rows(found)),
    ]


def calibration_section(found: Acceptance, title: str = "Calibration") -> Section:
    """Reliability diagrams of lines and characters."""
    charts = [reliability_chart(found.lines.bins, f"Lines, ECE {percent(found.lines.error)}")]
    if found.characters:
        charts.append(reliability_chart(found.characters.bins, f"Characters, ECE {percent(found.characters.error)}"))
    cards = "".join(f'<div class="card">{chart}</div>' for chart in charts)
    names = ("Confidence", "Lines", "Mean confidence", "Right", "95 % interval")
    rows = [
        (
            f"{b.low:.4f} to {b.high:.4f}",
            f"{b.count:,}",
            percent(b.confidence),
            percent(b.accuracy),
            percent_range(b.interval),
        )
        for b in found.lines.bins
    ]
    table = f"<details><summary>The bins of lines as a table</summary>{table_section('', names, rows).body}</details>"
    return Section(title, note_line(_CALIBRATION_NOTE) + f'<div class="grid charts">{cards}</div>{table}')


def acceptance_section(found: Acceptance, title: str = "Accepting confident lines") -> Section:
    """Thresholds, and the errors among accepted lines by how many are accepted."""
    _, accepted, errors = accepted_errors(found.lines.confidence, found.lines.right)
    chosen = np.unique(np.linspace(0, len(accepted) - 1, min(_POINTS, len(accepted))).round().astype(int))
    lines = len(found.lines.right)
    points = [(100 * float(accepted[i]) / lines, 100 * float(errors[i] / accepted[i])) for i in chosen]
    y_range = None if any(y for _, y in points) else (0.0, 1.0)  # an axis that fits no error reaches below 0
    labels = "Errors among accepted lines", "% of lines accepted", "% wrong"
    chart = line_chart({"errors": points}, *labels, y_range, from_zero=True)
    table = table_section("", THRESHOLD_NAMES, threshold_rows(found)).body
    told = "".join(note_line(f"{sentence[:1].upper()}{sentence[1:]}.") for sentence in promises(found))
    body = f'<div class="grid beside"><div class="card">{chart}</div><div>{table}{told}</div></div>'
    return Section(title, note_line(_ACCEPTANCE_NOTE) + body)


__all__ = [
    "LIMITS",
    "THRESHOLD_NAMES",
    "Acceptance",
    "Calibrated",
    "acceptance_section",
    "acceptance_tables",
    "calibration_rows",
    "calibration_section",
    "promises",
    "threshold_rows",
]
