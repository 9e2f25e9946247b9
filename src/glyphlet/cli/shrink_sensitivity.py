"""`glyphlet shrink sensitivity`: what a model loses when a layer is made narrower."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glyphlet.cli.shrink_options import (
    Adapt,
    AdaptLines,
    By,
    Only,
    Run,
    Seed,
    Set,
    Skip,
    bars,
    check_output,
    command,
    ready,
    table_of,
)


def sensitivity(
    run: Run,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The .json file to write, or to go on with.", show_default=False)
    ],
    criterion: Annotated[str, typer.Option(help="What a channel matters: l1, l2, fpgm or random.")] = "l1",
    ratio: Annotated[
        list[float] | None,
        typer.Option("--ratio", help="A share to measure; 0.1 to 0.9 by default.", show_default=False),
    ] = None,
    by: By = "word",
    only: Only = None,
    skip: Skip = None,
    seed: Seed = 0,
    adapt: Adapt = True,
    adapt_lines: AdaptLines = 1000,
    set_: Set = None,
) -> None:
    """Measure the loss of accuracy for each layer at shares of 0.1 to 0.9 of its channels.

    The file is written after each layer. After Ctrl-C or a kill the same command goes on. Both word accuracy and CER are measured;
    --by says which the table shows. A page with tables and plots stands beside the file (.html).
    """
    from rich.console import Console

    from glyphlet.compress.page import loss_rows, write_curves
    from glyphlet.compress.record import Watch
    from glyphlet.compress.sensitivity import RATIOS, Measuring, measure
    from glyphlet.train.guard import signals

    check_output(output, ".json", run)
    how = Measuring(criterion, tuple(sorted(ratio)) if ratio else RATIOS, seed, only or (), skip or (), by)
    begun = ready(run, set_ or [], adapt=adapt, lines=adapt_lines, seed=seed, width=0, need=True)
    assert begun.bench is not None
    with bars() as tell, signals() as caught:
        watch = Watch(command(), lambda done, total: tell("measuring", done, total), caught)
        found = measure(begun.full.model, begun.bench, output, how, watch=watch)
    page = output.with_suffix(".html")
    write_curves(page, found)
    console = Console(highlight=False)
    console.print(f"full model, adapted: {found.base}", markup=False, soft_wrap=True)
    names, rows = loss_rows(found, by)
    console.print(
        table_of(names, rows, f"Loss in % of the full model's {'word accuracy' if by == 'word' else '1 - CER'}")
    )
    for name, said in (("curves", f"{output}, {page}"), ("again", command())):
        console.print(f"{name:<6} {said}", markup=False, soft_wrap=True)
