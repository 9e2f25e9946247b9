"""The curves of a training as a section of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from glyphlet.evaluate.plot import Point, line_chart
from glyphlet.evaluate.report import Section, note_line

_CURVES: tuple[tuple[str, str, dict[str, str], dict[str, Any]], ...] = (
    ("Loss", "loss", {"train_loss": "training", "validation_loss": "validation"}, {}),
    (
        "Word accuracy",
        "share of lines",
        {"train_accuracy": "training", "validation_accuracy": "validation"},
        {"y_range": (0.0, 1.0)},
    ),
    ("Learning rate", "rate", {"lr": "learning rate"}, {}),
    ("Speed", "lines a second", {"lines_per_second": "training"}, {"from_zero": True}),
    ("Waiting for data", "share of time", {"data_wait": "waiting"}, {"from_zero": True}),
)
"""Title, y label, names of the columns, and options of each chart."""


def training_curves(rows: Sequence[Mapping[str, object]], title: str = "Training") -> Section:
    """Loss (logarithmic where all are above 0), accuracy, learning rate and speed by epoch.

    Args:
        rows: one a logged epoch, as numbers or as the strings of a CSV file, with the keys epoch, train_loss,
            validation_loss, train_accuracy, validation_accuracy, lr, lines_per_second and data_wait. A key that is
            missing, or a value that is no number, is a gap; a chart without any value is left out.
        title: the heading.
    """
    charts = []
    for heading, y_label, columns, options in _CURVES:
        series = {name: _column(rows, key) for key, name in columns.items()}
        seen = [y for points in series.values() for _, y in points if y is not None and math.isfinite(y)]
        if heading == "Loss" and min(seen, default=0.0) > 0:  # the confidence penalty can take a loss below 0
            options = {"log_y": True}
        if seen:
            charts.append(f'<div class="card">{line_chart(series, heading, "epoch", y_label, **options)}</div>')
    return Section(title, f'<div class="grid charts">{"".join(charts)}</div>' if charts else note_line("No epochs."))


def _column(rows: Sequence[Mapping[str, object]], key: str) -> list[Point]:
    points = ((_number(row.get("epoch")), _number(row.get(key))) for row in rows)
    return [(x, y) for x, y in points if x is not None]


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


__all__ = ["training_curves"]
