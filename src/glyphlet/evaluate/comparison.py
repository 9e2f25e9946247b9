"""Two models on the same lines: both scores, how sure the difference is, and the lines that tell the two apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.errors import LabelError
from glyphlet.evaluate.gallery import Picture, certainty, gallery
from glyphlet.evaluate.lines import picture_of
from glyphlet.evaluate.paired import Paired, compare, error_rate_difference
from glyphlet.evaluate.report import Section, note_line, table_section
from glyphlet.evaluate.scores import Evaluation, LineResult, percent, percent_range, plain_table
from glyphlet.metrics import Interval

_NAMES = ("Measure", "Value", "95 % interval")
PICTURES = 24
"""Lines in each gallery."""
_NOTE = (
    "Differences are the second model minus the first. Their intervals: of the word accuracy Bonett and Price's for pairs, of the "
    "CER a paired bootstrap over lines. The chance is McNemar's exact test: how often two models that are equally good "
    "would differ so much on such lines."
)


@dataclass(frozen=True)
class Comparison:
    """Two models on the same lines.

    Args:
        names: of both.
        first, second: the lines that both could read, in the same order.
        accuracy: the second's word accuracy against the first's.
        cer, cer_interval: the second's character error rate minus the first's.
        relabelled: labels that differ between the normal forms of the two models.
    """

    names: tuple[str, str]
    first: Evaluation
    second: Evaluation
    accuracy: Paired
    cer: float
    cer_interval: Interval
    relabelled: int

    @classmethod
    def of(cls, names: tuple[str, str], first: Evaluation, second: Evaluation) -> Comparison:
        """Compare two readings of one set of lines, on the lines that both have.

        Raises:
            LabelError: there is no such line.
        """
        both = {r.number for r in first.results} & {r.number for r in second.results}
        if not both:
            raise LabelError(
                f"{names[0]} and {names[1]} could not read a single line in common",
                allowed="lines that both can read",
                next_step="check what was left out",
            )
        first, second = _only(first, both), _only(second, both)
        cer, interval = error_rate_difference(first, second)
        relabelled = sum(a.truth != b.truth for a, b in zip(first.results, second.results, strict=True))
        return cls(names, first, second, compare(first, second), cer, interval, relabelled)

    def only(self, which: int) -> list[tuple[LineResult, LineResult]]:
        """The lines that only one of the two reads rightly, the most confident errors of the other first.

        Args:
            which: 0 for the first, 1 for the second.
        """
        models = self.first, self.second
        pairs = zip(self.first.results, self.second.results, strict=True)
        told = [p for p in pairs if models[which].right(p[which]) and not models[1 - which].right(p[1 - which])]
        return sorted(told, key=lambda pair: -pair[1 - which].confidence)

    def rows(self) -> list[tuple[str, str, str]]:
        """Measure, value and its 95 % interval."""
        (first, second), a, b, found = self.names, self.first.scores, self.second.scores, self.accuracy
        return [
            (f"Word accuracy, {first}", percent(a.word_accuracy), percent_range(a.word_interval)),
            (f"Word accuracy, {second}", percent(b.word_accuracy), percent_range(b.word_interval)),
            ("Difference", *_points(found.difference, found.interval)),
            (f"CER, {first}", percent(a.cer), percent_range(a.cer_interval)),
            (f"CER, {second}", percent(b.cer), percent_range(b.cer_interval)),
            ("Difference", *_points(self.cer, self.cer_interval)),
            (f"Lines that only {first} reads rightly", f"{found.lost:,}", ""),
            (f"Lines that only {second} reads rightly", f"{found.gained:,}", ""),
            ("Chance of so large a difference", f"{found.p:.2g}" if found.p >= 1e-4 else "below 0.0001", ""),
        ]

    def notes(self) -> list[str]:
        """What one should know beside the figures."""
        told = [f"{self.accuracy.lines:,} lines that both read"]
        if self.relabelled:
            told.append(
                f"{self.relabelled:,} labels differ between the normal forms of the two charsets; each model is compared with its own"
            )
        return told

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "models": list(self.names),
            "scores": [self.first.scores.as_dict(), self.second.scores.as_dict()],
            "word_accuracy": self.accuracy.as_dict(),
            "cer": {"difference": self.cer, "interval": asdict(self.cer_interval)},
            "relabelled": self.relabelled,
        }


def _only(evaluation: Evaluation, numbers: set[int]) -> Evaluation:
    """An evaluation of some of the lines."""
    kept = [result for result in evaluation.results if result.number in numbers]
    if len(kept) == len(evaluation.results):
        return evaluation
    return Evaluation.of(kept, ignore_case=evaluation.ignore_case)


def _points(difference: float, interval: Interval) -> tuple[str, str]:
    told = f"{100 * interval.low:+.2f} to {100 * interval.high:+.2f}" if interval.low < interval.high else "not known"
    return f"{100 * difference:+.2f} points", told


def distinct_names(models: Sequence[tuple[str, Path]]) -> tuple[str, str]:
    """What to call two models: by their own names, else by their files, else by their places.

    Args:
        models: name and file of both.

    >>> distinct_names([("net", Path("a/x.onnx")), ("net", Path("b/x.onnx"))])
    ('a/x.onnx', 'b/x.onnx')
    """
    candidates = [[name for name, _ in models], [path.name for _, path in models], [str(path) for _, path in models]]
    first, second = next((pair for pair in candidates if pair[0] != pair[1]), ["the first", "the second"])
    return first, second


def comparison_table(found: Comparison) -> Table:
    """The comparison for the terminal."""
    return plain_table(f"Compared on {'; '.join(found.notes())}", _NAMES, found.rows())


def comparison_sections(found: Comparison, lines: LineSet | Sequence[Sample]) -> list[Section]:
    """The comparison for a report: the figures, and the lines that only one reads rightly."""
    title = f"{found.names[0]} and {found.names[1]}"
    told = note_line(". ".join(sentence[:1].upper() + sentence[1:] for sentence in found.notes()) + ".")
    table = table_section(title, _NAMES, found.rows(), _NOTE).body
    return [Section(title, told + table), *(_gallery(found, which, lines) for which in (0, 1))]


def _gallery(found: Comparison, which: int, lines: LineSet | Sequence[Sample]) -> Section:
    pairs = found.only(which)
    shown = [made for pair in pairs[:PICTURES] if (made := _picture(found, pair, lines)) is not None]
    note = (
        f"{len(shown):,} of {len(pairs):,}, the most confident errors of {found.names[1 - which]} first."
        if pairs
        else ""
    )
    return gallery(shown, f"Only {found.names[which]} reads rightly", note)


def _picture(
    found: Comparison, pair: tuple[LineResult, LineResult], lines: LineSet | Sequence[Sample]
) -> Picture | None:
    image = picture_of(pair[0], lines)
    if image is None:
        return None
    remark = ", ".join(f"{name} {certainty(r.confidence)}" for name, r in zip(found.names, pair, strict=True))
    return Picture(
        image,
        pair[0].text,
        pair[0].truth,
        path=Path(pair[0].path).name,
        ignore_case=found.first.ignore_case,
        remark=remark,
        readings=((found.names[0], pair[0].text), (found.names[1], pair[1].text)),
    )


__all__ = ["PICTURES", "Comparison", "comparison_sections", "comparison_table", "distinct_names"]
