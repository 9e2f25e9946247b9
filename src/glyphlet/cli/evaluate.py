"""`glyphlet evaluate`: how well a model file reads labelled lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model file, or the name of a model that ships.", show_default=False)],
    labels: Annotated[list[Path], typer.Argument(help="Labelled lines of any format.", show_default=False)],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write path<TAB>text of what was read.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page with the worst errors as pictures.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    ignore_case: Annotated[bool, typer.Option(help="Compare without regard to case.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Read labelled lines with a model file and compare: accuracies with their 95 % intervals, confusions, pictures.

    An image that cannot be read is reported on stderr and left out of the figures; the exit code is then 1.
    """
    from rich.console import Console
    from rich.progress import Progress

    from glyphlet.data.open import open_lines
    from glyphlet.errors import ImageError
    from glyphlet.evaluate.lines import evaluate_lines, pictures
    from glyphlet.evaluate.report import (
        confusion_section,
        gallery,
        score_figures,
        score_section,
        write_report,
    )  # fmt: skip
    from glyphlet.evaluate.scores import confusion_table, table, write_results
    from glyphlet.runtime.reader import Reader

    reader = Reader(model, threads=threads)
    lines = open_lines(labels)
    console = Console()
    unknown = reader.metadata.charset.unknown(lines.text(i) for i in range(len(lines)))
    if unknown:
        from glyphlet.charset import unknown_report

        typer.secho(
            f"glyphlet: {unknown_report(unknown, 'labels')}; these lines count as errors", err=True, fg="yellow"
        )
    hidden = as_json or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as progress:
        bar = progress.add_task("reading", total=len(lines))
        bad: list[ImageError] = []

        def leave_out(error: ImageError) -> None:
            bad.append(error)
            typer.secho(f"glyphlet: left out: {error}", err=True, fg="red")

        result = evaluate_lines(
            reader,
            lines,
            ignore_case=ignore_case,
            progress=lambda done: progress.update(bar, completed=done),
            on_error=leave_out,
        )
    if output is not None:
        write_results(output, result.results)
    if report is not None:
        shown = pictures(result.worst(48), lines)
        sections = [
            score_figures(result.scores), gallery(shown, "Worst errors"), score_section(result.scores),
            confusion_section(result.scores),
        ]  # fmt: skip
        write_report(report, f"{reader.metadata.name} on {', '.join(p.name for p in labels)}", sections)
    if as_json:
        typer.echo(json.dumps(result.scores.as_dict(), ensure_ascii=False))
    else:
        console.print(table(result.scores))
        if result.scores.confusions:
            console.print(confusion_table(result.scores))
    if bad:
        raise typer.Exit(1)
