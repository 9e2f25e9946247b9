"""What the verbs of `glyphlet shrink` share: options, the run with its lines, targets, and what is written and said at the end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from glyphlet.compress.accuracy import Bench
    from glyphlet.compress.cost import Budget, Meter
    from glyphlet.compress.page import Outcome
    from glyphlet.train.restore import Restored

Run = Annotated[Path, typer.Argument(help="Run folder, or a .pt file in its checkpoints.", show_default=False)]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", help="Layers, or parts that hold some, that take part.", show_default=False),
]
Skip = Annotated[
    list[str] | None,
    typer.Option("--skip", help="Layers, or parts that hold some, that stay whole.", show_default=False),
]
Seed = Annotated[int, typer.Option(min=0, help="Of everything that is drawn by chance.")]
Adapt = Annotated[bool, typer.Option(help="Measure the statistics of batch normalisation anew.")]
AdaptLines = Annotated[int, typer.Option(help="Training lines to measure them on.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Other lines than the run's: data.validation=[labels.txt].", show_default=False),
]
By = Annotated[str, typer.Option(help="What decides: word (accuracy of whole lines) or cer.")]
MaxKb = Annotated[float | None, typer.Option(help="The target in kB of the float32 model file.")]
MaxMacs = Annotated[float | None, typer.Option(help="The target in multiply-adds for a line of --width.")]
MaxParams = Annotated[float | None, typer.Option(help="The target in parameters.")]
MaxMs = Annotated[float | None, typer.Option(help="The target in measured ms for a line of --width, on one thread.")]
Width = Annotated[
    int, typer.Option(min=0, help="Pixels of a line to count and to time; 0 is the median of the validation lines.")
]
_WIDTH = 128
"""Where there are no lines."""


def command() -> str:
    """The command that runs, as a shell takes it."""
    return shlex.join(["glyphlet", *sys.argv[1:]])


def budget_of(kb: float | None, macs: float | None, params: float | None, ms: float | None) -> Budget | None:
    """The target that is given.

    Raises:
        CompressionError: there are several.
    """
    from glyphlet.compress.cost import Budget
    from glyphlet.errors import CompressionError

    given = {kind: v for kind, v in (("kb", kb), ("macs", macs), ("params", params), ("ms", ms)) if v is not None}
    if len(given) > 1:
        raise CompressionError(
            f"{len(given)} targets are given: {', '.join(f'--max-{kind}' for kind in given)}",
            allowed="one of them",
            next_step="leave out the others",
        )
    return next((Budget(kind, value) for kind, value in given.items()), None)


def check_output(output: Path, suffix: str, run: Path, beside: tuple[str, ...] = ()) -> None:
    """Refuse a file to write that has another suffix, no folder, is one of the run's own, or whose report is another's file.

    Args:
        output: the file.
        suffix: that it must have.
        run: the run that is read.
        beside: suffixes of what is written with it.

    Raises:
        CompressionError: saying which.
    """
    from glyphlet.errors import CompressionError

    taken = [path for path in map(output.with_suffix, beside) if path.exists() and not output.exists()]
    problem = ""
    if output.suffix != suffix:
        problem = f"{output} does not end in {suffix}"
    elif not output.parent.is_dir():
        problem = f"there is no folder {output.parent}"
    elif output.is_dir():
        problem = f"{output} is a folder"
    elif output.resolve() == run.resolve() or (run / "checkpoints").resolve() == output.resolve().parent:
        problem = f"{output} is a checkpoint of the run itself, or would lie among them"
    elif taken:
        problem = f"{taken[0]}, which would be written beside {output}, is there already and not of it"
    if problem:
        raise CompressionError(
            problem,
            allowed=f"a {suffix} file in a folder that exists",
            next_step=f"write another file: -o small{suffix}",
        )


BESIDE = (".yaml", ".json", ".html")
"""What is written beside a smaller model: its recipe and its report."""


@dataclass(frozen=True)
class Ready:
    """A run that is ready to be shrunk: the full model, its lines (if there are any), and how costs are measured."""

    full: Restored
    bench: Bench | None
    meter: Meter


def ready(run: Path, settings: list[str], *, adapt: bool, lines: int, seed: int, width: int, need: bool) -> Ready:
    """Restore a run and read or render its lines.

    Args:
        run, settings, adapt, lines, seed, width: the options.
        need: whether the verb needs lines even if nothing is adapted.

    Raises:
        GlyphletError: the run or its lines are at fault.
    """
    from glyphlet.compress.accuracy import Bench, lines_of
    from glyphlet.compress.adapt import check_norms
    from glyphlet.compress.cost import Meter
    from glyphlet.errors import CompressionError
    from glyphlet.train.restore import restore_run

    full, bench = restore_run(run), None
    if adapt:
        check_norms(full.model)
    if full.recipe.data.train or settings:
        with bars() as progress:
            task = lines_of(full, settings, progress)
        full = replace(full, recipe=full.recipe.model_copy(update={"data": task.recipe.data}))
        bench = Bench.of(task, lines if adapt else None, seed)
    elif adapt or need:
        raise CompressionError(
            f"{run} names no lines to measure on",
            allowed="a run of `glyphlet train`, or lines given with --set",
            next_step="give some: --set 'data.train=[labels.txt]'" + ("" if need else ", or go on without: --no-adapt"),
        )
    pixels = full.model.geometry.padded_width(width) if width else bench.width() if bench else _WIDTH
    return Ready(full, bench, Meter(pixels, full.recipe.name, full.facts))


@contextmanager
def bars() -> Iterator[Any]:
    """Progress on a terminal: a function of what is done, how much of it, and how much there is."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        known: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in known:
                known[what] = shown.add_task(what, total=total)
            shown.update(known[what], completed=done, total=total)

        yield tell


def finish(output: Path, outcome: Outcome, full: Restored) -> None:
    """Write the checkpoint, its recipe and the report, and say what to do with them."""
    from rich.console import Console

    from glyphlet.compress.page import write_outcome
    from glyphlet.compress.store import save_pruned
    from glyphlet.evaluate.scores import write_whole

    recipe = output.with_suffix(".yaml")
    write_whole(recipe, save_pruned(output, outcome.pruned.model, full).to_yaml())
    further = shlex.join(["glyphlet", "train", str(recipe), "--start", str(output)])
    outcome = replace(outcome, commands={"Again": command(), "Train it further": further})
    write_outcome(output, outcome)
    console = Console(highlight=False)
    console.print(table_of(["", "full", "smaller", "left"], [list(row) for row in outcome.rows()]))
    if outcome.costs["ms"][1] > outcome.costs["ms"][0]:
        console.print("note   the smaller model is slower here; --round-to 8 may help", markup=False, soft_wrap=True)
    for name, said in (
        ("model", str(output)),
        ("report", f"{output.with_suffix('.html')}, {output.with_suffix('.json')}"),
        ("again", command()),
        ("train", further),
    ):
        console.print(f"{name:<6} {said}", markup=False, soft_wrap=True)


def table_of(names: list[str], rows: list[list[str]], title: str = "", *, narrow: bool = False) -> Any:
    """A table for the terminal; the first column to the left, the others to the right. A narrow one has no lines between them."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title or None, title_justify="left", box=box.SIMPLE if narrow else box.HEAVY_HEAD)
    for place, name in enumerate(names):
        made.add_column(name, justify="right" if place else "left", overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    return made
