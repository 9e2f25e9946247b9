"""The figures of an evaluation as sections of a report."""

from __future__ import annotations

from collections.abc import Mapping

from glyphlet.evaluate.report import Section, key_figures, table_section
from glyphlet.evaluate.scores import confusion_rows, percent, percent_range, score_rows
from glyphlet.metrics import Scores


def score_figures(scores: Scores, more: Mapping[str, str | tuple[str, str]] | None = None) -> Section:
    """The key figures of an evaluation with their intervals, and any others after them."""
    figures: dict[str, str | tuple[str, str]] = {
        "Word accuracy": (percent(scores.word_accuracy), percent_range(scores.word_interval)),
        "Character error rate": (percent(scores.cer), percent_range(scores.cer_interval)),
        "Similarity": (percent(scores.similarity), percent_range(scores.similarity_interval)),
        "Lines": (f"{scores.lines:,}", f"{scores.lines - scores.correct_lines:,} with errors"),
    }
    return key_figures(figures | dict(more or {}))


def score_section(scores: Scores, title: str = "Scores") -> Section:
    """All figures with their 95 % intervals."""
    return table_section(title, ("Measure", "Value", "95 % interval"), score_rows(scores))


def confusion_section(scores: Scores, count: int = 30, title: str = "Confusions") -> Section:
    """The most frequent confusions; a space is shown as `·`."""
    shown = confusion_rows(scores.confusions, count)
    note = f"{len(shown)} of {len(scores.confusions)} kinds, most frequent first. A space is shown as ·."
    return table_section(title, ("Truth", "Read", "Times"), shown, note if shown else "", signs=True)


__all__ = ["confusion_section", "score_figures", "score_section"]
