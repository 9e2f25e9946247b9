"""What a pruning or a measurement came to, as JSON and as one HTML page with tables and plots that needs nothing from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glyphlet.compress.accuracy import DECIDING, Accuracy
from glyphlet.compress.cost import KINDS, shown
from glyphlet.compress.eagleeye import Candidate
from glyphlet.compress.prune import Pruned
from glyphlet.compress.sensitivity import Sensitivity
from glyphlet.evaluate.plot import line_chart
from glyphlet.evaluate.report import Section, key_figures, preformatted, table_section, write_report
from glyphlet.evaluate.scores import percent, write_whole

_SERIES = 6
"""Layers in one plot."""


@dataclass(frozen=True)
class Outcome:
    """A smaller model, and what it was made of.

    Args:
        title: what was done.
        pruned: the smaller model.
        costs: for each kind, of the full and of the smaller model.
        read: how both read the validation lines; None where there are none.
        commands: what repeats it, and what trains the result further.
        settings: what decided it.
        candidates: those that were read with, if some were.
    """

    title: str
    pruned: Pruned
    costs: Mapping[str, tuple[float, float]]
    read: tuple[Accuracy, Accuracy] | None
    commands: Mapping[str, str]
    settings: Mapping[str, Any]
    candidates: Sequence[Candidate] = field(default_factory=list)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Costs and accuracies: name, full, smaller, and what is left of the first."""
        made = [
            (KINDS[kind], shown(kind, full).split(" ")[0], shown(kind, smaller).split(" ")[0], percent(smaller / full))
            for kind, (full, smaller) in self.costs.items()
        ]
        if self.read:
            for name, values in (
                ("word accuracy", [read.word for read in self.read]),
                ("CER", [read.cer for read in self.read]),
            ):
                made.append((name, percent(values[0]), percent(values[1]), ""))
        return made

    def as_dict(self) -> dict[str, Any]:
        """Everything but the weights."""
        read = [] if self.read is None else [{**r.as_dict(), "word_accuracy": r.word, "cer": r.cer} for r in self.read]
        return {
            "title": self.title,
            "commands": dict(self.commands),
            "settings": dict(self.settings),
            "costs": {kind: {"full": full, "smaller": smaller} for kind, (full, smaller) in self.costs.items()},
            "validation": dict(zip(("full", "smaller"), read, strict=False)),
            "channels": {name: {"full": a, "smaller": b} for name, (a, b) in self.pruned.sizes.items()},
            "candidates": [
                {"number": c.number, "cost": c.cost, "word_accuracy": c.read.word, "cer": c.read.cer}
                for c in self.candidates
            ],
        }


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Write `path` with the suffixes .json and .html.

    Raises:
        GlyphletError: they cannot be written.
    """
    write_whole(path.with_suffix(".json"), json.dumps(outcome.as_dict(), indent=1, ensure_ascii=False) + "\n")
    sections = [
        table_section("Before and after", ("", "full", "smaller", "left"), outcome.rows()),
        table_section(
            "Layers",
            ("Layer", "channels", "left", "removed"),
            [(n, str(a), str(b), percent(1 - b / a)) for n, (a, b) in outcome.pruned.sizes.items()],
        ),
    ]
    if outcome.candidates:
        sections.append(_candidates(outcome.candidates))
    sections += [preformatted(command, name) for name, command in outcome.commands.items()]
    write_report(path.with_suffix(".html"), outcome.title, sections)


def _candidates(candidates: Sequence[Candidate]) -> Section:
    series = {
        "word accuracy": [(float(i), c.read.word) for i, c in enumerate(candidates, 1)],
        "1 - CER": [(float(i), c.read.by("cer")) for i, c in enumerate(candidates, 1)],
    }
    chart = line_chart(series, "Candidates after adaptation", "candidate", "share", (0.0, 1.0))
    rows = [
        (str(i), str(c.number), f"{c.cost:,.1f}", percent(c.read.word), percent(c.read.cer))
        for i, c in enumerate(candidates, 1)
    ]
    table = table_section("", ("Candidate", "try", "cost", "word accuracy", "CER"), rows)
    return Section("Candidates", f'<div class="card">{chart}</div>{table.body}')


def loss_rows(found: Sensitivity, deciding: str) -> tuple[list[str], list[list[str]]]:
    """The losses as a table: the names of its columns, and a row for each layer."""
    curves = found.curves(deciding)
    ratios = [f"{ratio:g}" for ratio in found.of["ratios"]]
    rows = [[name, *(f"{100 * loss:.1f}" for _, loss in curve)] for name, curve in curves.items()]
    return ["Layer", *ratios], rows


def write_curves(path: Path, found: Sensitivity) -> None:
    """Write the page of a sensitivity; each measure that the full model has something of.

    Raises:
        GlyphletError: it cannot be written.
    """
    base = found.base
    figures = key_figures(
        {"Word accuracy": percent(base.word), "CER": percent(base.cer), "Lines": f"{base.lines:,}"},
        "The full model, adapted",
    )
    sections = [figures]
    for deciding, name in DECIDING.items():
        if base.by(deciding):
            sections += _losses(found, deciding, name)
    write_report(path, f"Sensitivity, {path.stem}", [*sections, preformatted(found.command, "Again")])


def _losses(found: Sensitivity, deciding: str, name: str) -> list[Section]:
    names, rows = loss_rows(found, deciding)
    note = f"Loss of {name} in % of that of the full model, when this share of the channels of one layer is gone."
    curves = [(group, [(0.0, 0.0), *curve]) for group, curve in found.curves(deciding).items()]
    charts = [
        line_chart(dict(curves[start : start + _SERIES]), f"Loss of {name}", "share removed", "loss", from_zero=True)
        for start in range(0, len(curves), _SERIES)
    ]
    drawn = "".join(f'<div class="card">{chart}</div>' for chart in charts)
    return [
        table_section(f"Loss of {name}", names, rows, note),
        Section(f"Curves of {name}", f'<div class="grid charts">{drawn}</div>'),
    ]


__all__ = ["Outcome", "loss_rows", "write_curves", "write_outcome"]
