"""`glyphlet fit`: the recogniser that fits a budget."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glyphlet.cli.shrink_options import command, table_of
from glyphlet.cli.train import recipe_for

if TYPE_CHECKING:
    from glyphlet.compress.search.finish import Found
    from glyphlet.compress.search.fit import Fit
    from glyphlet.compress.search.state import Wish
    from glyphlet.spec import Recipe
    from glyphlet.train.task import Task


_SHOWN = (0, 1, 2, 3, 5, 6, 7, 8)
"""Columns of the table that a terminal of 80 characters has room for."""


def fit(
    source: Annotated[
        list[str],
        typer.Argument(help="Labelled lines of any format, or a recipe, as for `glyphlet train`.", show_default=False),
    ],
    max_kb: Annotated[float | None, typer.Option(help="The most kB of the model file.")] = None,
    max_ms: Annotated[
        float | None, typer.Option(help="The most measured ms for a line of --width, on one thread.")
    ] = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option(help="Take the smallest that reads this share of the validation lines without error: .99."),
    ] = None,
    hours: Annotated[float, typer.Option(help="The time box.")] = 1.0,
    folder: Annotated[Path, typer.Option("-o", "--output", help="Where everything is kept.")] = Path("fit"),
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a value of the recipe: image.height=48.", show_default=False),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(
            "--test", help="Labelled lines for the whole training, which reads them once.", show_default=False
        ),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(help="A backbone to choose from: glyph, micro, mobilenetv3_small. By default the first two."),
    ] = None,
    width: Annotated[
        int, typer.Option(min=0, help="Pixels of the line that is timed; 0 is the median of the validation lines.")
    ] = 0,
    finish: Annotated[
        bool, typer.Option("--finish", help="Then train the chosen one to the end, as the printed command does.")
    ] = False,
) -> None:
    """Find the recogniser that fits a budget: family, width, depth, pruning, and how its weights are stored.

    Candidates are measured on this machine, trained for a short time, and the best third of them for longer, and so on. All is chosen on
    the validation lines. After Ctrl-C or a kill the same command goes on. At the end stand a table, a page, a model file and the
    command that trains the chosen one to the end.
    """
    begin = time.monotonic()
    from rich.console import Console

    from glyphlet.compress.search.fit import Fit, Watching
    from glyphlet.compress.search.limits import Limits
    from glyphlet.compress.search.space import USUAL, ladders
    from glyphlet.compress.search.state import Wish
    from glyphlet.train.guard import signals

    wish = Wish(Limits(max_kb, max_ms), min_accuracy, hours, tuple(family or USUAL), width)
    ladders(wish.families)
    recipe = recipe_for(source, set_ or [], test or [])
    check(recipe)
    console = Console(highlight=False)
    with bar(console, wish.hours * 3600) as tell:
        task = lines_of(recipe, lambda what: tell(what, time.monotonic() - begin, wish.hours * 3600))
        with signals() as caught:
            watch = Watching(command(), lambda said: console.print(said, markup=False, soft_wrap=True), tell, caught)
            search = Fit(task, wish, folder, watch, time.monotonic() - begin)
            found = search.search()
    further = shlex.join(["glyphlet", "train", str(found.recipe)])
    report(search, found, further, console)
    if finish:
        from glyphlet.cli.train import report as trained
        from glyphlet.job import run
        from glyphlet.spec import load_recipe

        trained(run(load_recipe(found.recipe), folder / "runs", console), console)
    if not found.met:
        raise typer.Exit(1)


def check(recipe: Recipe) -> None:
    """Refuse a recipe that is bound to one network.

    Raises:
        CompressionError: it has a start, a teacher, or another head than CTC.
    """
    from glyphlet.errors import CompressionError

    bound = "start" if recipe.start else "teacher" if recipe.teacher else ""
    if bound:
        raise CompressionError(
            f"the recipe has a {bound}, which is one network, and fit compares many that begin anew",
            allowed="a recipe without start and teacher",
            next_step=f"leave out the section {bound}; fine-tune what fit has chosen",
        )
    if recipe.model.head.name != "ctc":
        raise CompressionError(
            f"the recipe has the head {recipe.model.head.name!r}",
            allowed="the head ctc, which all that fit compares have",
            next_step="set model.head={name: ctc}",
        )


def lines_of(recipe: Recipe, tell: Any) -> Task:
    """The lines of a recipe, checked against the time steps that all candidates have."""
    from glyphlet.spec import ModelSpec, PartSpec
    from glyphlet.train.task import load_task

    least = ModelSpec(backbone=PartSpec.model_validate({"name": "micro", "nh": 2}), head=recipe.model.head)
    return load_task(
        recipe.model_copy(update={"model": least}),
        lambda name, done, total: tell(f"reading and checking {name}: {done:,} of {total:,}"),
    )


@contextmanager
def bar(console: Any, seconds: float) -> Iterator[Any]:
    """The time box as a bar, with what is done now."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} % of the time"))
    with Progress(
        *columns, TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as shown:
        number = shown.add_task("", total=seconds)
        yield lambda what, done, total: shown.update(number, description=what, completed=min(done, total), total=total)


def report(search: Fit, found: Found, further: str, console: Any) -> None:
    """The table, the page, and what to do next."""
    from glyphlet.compress.search.page import out, rows, write_page

    state, wish, batch = search.state, search.wish, search.batch
    commands = {"Train it to the end": further, "Again": state.command}
    page = write_page(search.folder, state, found, wish, batch, commands)
    shown = [[row[place].removesuffix(" %") for place in _SHOWN] for row in rows(state, found, batch)]
    console.print(table_of(["candidate", "kB", "as", "ms", "lines", "words %", "CER %", "front"], shown, narrow=True))
    for name, why in out(state):
        console.print(f"not to the end: {name}: {why}", markup=False, soft_wrap=True)
    if not found.done:
        console.print(
            "the time was over before all was done; the same command with more --hours goes on", soft_wrap=True
        )
    if not found.read.correct:
        console.print(
            "not one validation line is read rightly: the time or the lines were too few. Next: more --hours, or the command below",
            style="yellow", markup=False, soft_wrap=True,
        )  # fmt: skip
    if not found.met:
        console.print(unmet(found, wish), style="yellow", markup=False, soft_wrap=True)
    costs = f"{found.kb:,.1f} kB, {found.ms:.3f} ms on one thread"
    for name, said in (
        ("chosen", f"{found.name}, {found.weights}: {found.read} on {found.read.lines:,} validation lines; {costs}"),
        ("page", str(page)),
        ("model", str(found.model)),
        ("train", further),
    ):
        console.print(f"{name:<6} {said}", markup=False, soft_wrap=True)


def unmet(found: Found, wish: Wish) -> str:
    """What was reached where it is less than was wanted, and what to do."""
    assert wish.least is not None
    limited = wish.limits.kb is not None or wish.limits.ms is not None
    return (
        f"a word accuracy of {wish.least:g} was not reached: the best is {found.name} with {found.read.word:.4f}, "
        f"{found.kb:,.1f} kB and {found.ms:.3f} ms. Next: train it to the end with the command below, "
        + ("raise the limits, " if limited else "")
        + "give more --hours or more lines"
    )
