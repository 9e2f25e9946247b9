"""The report of an evaluation: what goes on its page, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.evaluate.acceptance import Acceptance, acceptance_section, calibration_section
from glyphlet.evaluate.aligned import Tally
from glyphlet.evaluate.breakdown import by_character, by_length, by_width, character_section, size_section
from glyphlet.evaluate.comparison import Comparison, comparison_sections
from glyphlet.evaluate.confusion import matrix_section
from glyphlet.evaluate.figures import confusion_section, score_figures, score_section
from glyphlet.evaluate.gallery import Picture, gallery
from glyphlet.evaluate.lines import pictures
from glyphlet.evaluate.report import Section
from glyphlet.evaluate.scores import Evaluation, LineResult, percent
from glyphlet.evaluate.spaces import space_section
from glyphlet.evaluate.suspects import Suspects

SUSPECTS, ERRORS = 24, 60
"""Pictures in the galleries of likely label errors and of the other errors."""


@dataclass(frozen=True)
class Findings:
    """All that a page tells.

    Args:
        evaluation: what was read.
        tally: what stood against what.
        acceptance: what the confidences are good for.
        suspects: the likely label errors.
        comparison: with another model, where there is one.
    """

    evaluation: Evaluation
    tally: Tally
    acceptance: Acceptance
    suspects: Suspects
    comparison: Comparison | None = None


def evaluation_sections(found: Findings, lines: LineSet | Sequence[Sample]) -> list[Section]:
    """The sections of a report, for `report.write_report`.

    Args:
        found: what to tell.
        lines: the lines that were read, in the same order.
    """
    evaluation, pairs = found.evaluation, found.tally.pairs
    compared = comparison_sections(found.comparison, lines) if found.comparison else []
    return [
        score_figures(evaluation.scores, _figures(found)),
        *compared[:1],
        suspect_section(found, lines),
        error_section(found, lines),
        *compared[1:],
        matrix_section(pairs),
        confusion_section(evaluation.scores),
        size_section(by_length(evaluation), "Errors by length", "characters of the truth"),
        size_section(by_width(evaluation), "Errors by width", "pixels at the model's height"),
        character_section(by_character(pairs)),
        space_section(found.tally.spaces, evaluation.scores.lines),
        calibration_section(found.acceptance),
        acceptance_section(found.acceptance),
        score_section(evaluation.scores, "All figures"),
    ]


def _figures(found: Findings) -> dict[str, str | tuple[str, str]]:
    made: dict[str, str | tuple[str, str]] = {
        "Calibration error of lines": (
            percent(found.acceptance.lines.error),
            f"{len(found.acceptance.lines.bins)} bins",
        ),
    }
    for limit, seen, _ in found.acceptance.thresholds:
        share = seen.accepted / (seen.accepted + seen.rejected)
        said = f"from confidence {seen.threshold:.4f}; bound {percent(seen.upper)}" if seen.accepted else ""
        made[f"Accepted at {100 * limit:g} %"] = (percent(share), said)
    return made


def suspect_section(found: Findings, lines: LineSet | Sequence[Sample]) -> Section:
    """The likely label errors as pictures."""
    chosen = found.suspects.found[:SUSPECTS]
    remarks = {suspect.result.number: suspect.remark for suspect in chosen}
    shown = _pictures(found, [suspect.result for suspect in chosen], lines, remarks)
    note = f"{found.suspects.rule} {_counted(len(shown), len(found.suspects.found))}"
    if found.suspects.unwritable:
        note += (
            f" {found.suspects.unwritable:,} more confident readings are of labels with characters that the model cannot "
            "write; they are among the other errors."
        )
    return gallery(shown, "Likely label errors", note)


def error_section(found: Findings, lines: LineSet | Sequence[Sample]) -> Section:
    """The other errors as pictures, the most confident first."""
    named = {suspect.result.number for suspect in found.suspects.found}
    rest = [result for result in found.evaluation.errors() if result.number not in named]
    shown = _pictures(found, rest[:ERRORS], lines, {})
    return gallery(shown, "Errors by confidence", f"The most confident first. {_counted(len(shown), len(rest))}")


def _counted(shown: int, of: int) -> str:
    more = " -o FILE writes what was read of every line." if shown < of else ""
    return f"{shown:,} of {of:,} lines are shown.{more}"


def _pictures(
    found: Findings, results: Sequence[LineResult], lines: LineSet | Sequence[Sample], remarks: dict[int, str]
) -> list[Picture]:
    made = []
    for result in results:
        remark = remarks.get(result.number) or result.reason
        made += [
            replace(picture, raw="", ignore_case=found.evaluation.ignore_case, remark=remark)
            for picture in pictures([result], lines)
        ]
    return made


__all__ = ["ERRORS", "SUSPECTS", "Findings", "error_section", "evaluation_sections", "suspect_section"]
