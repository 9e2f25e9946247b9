"""`glyphlet evaluate`: how well a model file reads labelled lines."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glyphlet.cli.decoding_options import (
    Beam,
    DecodingOptions,
    LanguageModel,
    LanguageModelBonus,
    LanguageModelWeight,
    Lexicon,
    LexiconWords,
    Pattern,
)

if TYPE_CHECKING:
    from rich.console import Console

    from glyphlet.data.lineset import LineSet
    from glyphlet.errors import ImageError
    from glyphlet.evaluate.acceptance import Acceptance
    from glyphlet.evaluate.comparison import Comparison
    from glyphlet.evaluate.scores import Evaluation
    from glyphlet.runtime.reader import Reader

_TOLD = 20
"""Images that are named one by one when they cannot be read."""


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model file, or the name of a model that ships.", show_default=False)],
    labels: Annotated[list[Path], typer.Argument(help="Labelled lines of any format.", show_default=False)],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write path<TAB>text of what was read.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML page: figures, errors as pictures, confusions, calibration.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Another model: read the same lines with it, too, and compare the two.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    ignore_case: Annotated[bool, typer.Option(help="Compare without regard to case.")] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads; the cores that there are by default, at most 8.")
    ] = None,
    pattern: Pattern = None,
    lexicon: Lexicon = None,
    lexicon_words: LexiconWords = False,
    lm: LanguageModel = None,
    lm_weight: LanguageModelWeight = None,
    lm_bonus: LanguageModelBonus = None,
    beam: Beam = None,
) -> None:
    """Read labelled lines with a model file and compare: accuracies with their 95 % intervals, confusions, what confidences are worth.

    An image that cannot be read is reported on stderr and left out of the figures; the exit code is then 1. With --compare a
    second model reads the same lines, in the same way, and a paired test says whether chance alone makes the difference.
    """
    from rich.console import Console

    from glyphlet.cli.inputs import check_folder
    from glyphlet.data.open import open_lines
    from glyphlet.evaluate.acceptance import Acceptance
    from glyphlet.evaluate.aligned import tally
    from glyphlet.evaluate.comparison import Comparison, distinct_names
    from glyphlet.evaluate.scores import write_results
    from glyphlet.runtime.reader import Reader

    check_folder(output)
    check_folder(report)
    options = DecodingOptions(pattern, lexicon, lexicon_words, lm, lm_weight, lm_bonus, beam)
    decoding = options.decoding()
    readers = [Reader(path, threads=threads, decoding=decoding) for path in (model, compare) if path is not None]
    lines = open_lines(labels)
    console = Console()
    reading = _Reading(lines, ignore_case, console, hidden=as_json or not console.is_terminal)
    read = [reading.evaluation(reader) for reader in readers]
    counted = tally(read[0])
    acceptance = Acceptance.of(read[0], counted)
    compared = None
    if len(read) == 2:
        names = distinct_names([(reader.metadata.name, reader.path) for reader in readers])
        compared = Comparison.of(names, read[0], read[1])
    if as_json:
        _print_json(read[0], acceptance, compared)
    else:
        _print_tables(console, read[0], acceptance, compared)
    if output is not None:
        write_results(output, read[0].results)
    if report is not None:
        from glyphlet.evaluate.evaluation_page import Findings, evaluation_sections
        from glyphlet.evaluate.report import write_report
        from glyphlet.evaluate.suspects import suspects

        title = f"{readers[0].metadata.name} on {', '.join(p.name for p in labels)}"
        with reading.busy("writing the report"):
            found = Findings(read[0], counted, acceptance, suspects(readers[0], read[0], lines), compared)
            write_report(report, title, evaluation_sections(found, lines), _note(readers[0], read[0], lines, options))
    if reading.left_out:
        raise typer.Exit(1)


@dataclass
class _Reading:
    """Reads the lines with one model after the other; bad images are told once."""

    lines: LineSet
    ignore_case: bool
    console: Console
    hidden: bool
    left_out: set[str] = field(default_factory=set)

    def evaluation(self, reader: Reader) -> Evaluation:
        """Read all lines with a model, and show how far it is."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from glyphlet.evaluate.lines import evaluate_lines

        self._tell_unknown(reader)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        before = len(self.left_out)
        with Progress(*columns, console=self.console, transient=True, disable=self.hidden) as progress:
            bar = progress.add_task(f"reading with {reader.metadata.name}", total=len(self.lines))
            found = evaluate_lines(
                reader,
                self.lines,
                ignore_case=self.ignore_case,
                progress=lambda done: progress.update(bar, completed=done),
                on_error=self._leave_out,
            )
        if len(self.left_out) > max(before, _TOLD):
            _warn(f"{len(self.left_out):,} lines are left out", "red")
        empty = [result for result in found.results if result.reason]
        if empty:
            _warn(f"{len(empty):,} lines have an empty text; the first, {empty[0].path}: {empty[0].reason}")
        return found

    def busy(self, what: str) -> AbstractContextManager[object]:
        """Says on a terminal what is being done."""
        return nullcontext() if self.hidden else self.console.status(what)

    def _tell_unknown(self, reader: Reader) -> None:
        from glyphlet.charset import unknown_report

        unknown = reader.metadata.charset.unknown(self.lines.text(i) for i in range(len(self.lines)))
        if unknown:
            _warn(f"{unknown_report(unknown, 'labels')}; these lines count as errors of {reader.metadata.name}")

    def _leave_out(self, error: ImageError) -> None:
        if str(error) not in self.left_out and len(self.left_out) < _TOLD:
            _warn(f"left out: {error}", "red")
        self.left_out.add(str(error))


def _warn(message: str, colour: str = "yellow") -> None:
    typer.secho(f"glyphlet: {message}", err=True, fg=colour)


def _note(reader: Reader, found: Evaluation, lines: LineSet, options: DecodingOptions) -> str:
    """What was done, for the head of the page."""
    from datetime import datetime

    left_out = len(lines) - len(found.results)
    parts = [f"{datetime.now():%Y-%m-%d %H:%M}", f"model file {reader.path.name}"]
    parts += ["case is ignored"] if found.ignore_case else []
    parts += [f"decoded with {options.told()}"] if options.told() else []
    parts += [f"images that could not be read and are left out: {left_out:,}"] if left_out else []
    return "; ".join(parts) + "."


def _print_json(found: Evaluation, acceptance: Acceptance, compared: Comparison | None) -> None:
    plain = found.scores.as_dict() | {"confidence": acceptance.as_dict()}
    if compared:
        plain["comparison"] = compared.as_dict()
    typer.echo(json.dumps(plain, ensure_ascii=False))


def _print_tables(console: Console, found: Evaluation, acceptance: Acceptance, compared: Comparison | None) -> None:
    from glyphlet.evaluate.acceptance import acceptance_tables, promises
    from glyphlet.evaluate.comparison import comparison_table
    from glyphlet.evaluate.scores import confusion_table, table

    console.print(table(found.scores))
    if found.scores.confusions:
        console.print(confusion_table(found.scores))
    for made in acceptance_tables(acceptance):
        console.print(made)
    for sentence in promises(acceptance):
        console.print(sentence, style="yellow", highlight=False, markup=False, soft_wrap=True)
    if compared:
        console.print(comparison_table(compared))
