"""`glyphlet shrink eagleeye`: the best of many smaller models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glyphlet.cli.shrink_options import (
    BESIDE,
    Adapt,
    AdaptLines,
    By,
    MaxKb,
    MaxMacs,
    MaxMs,
    MaxParams,
    Only,
    Run,
    Seed,
    Set,
    Skip,
    Width,
    bars,
    budget_of,
    check_output,
    command,
    finish,
    ready,
)


def eagleeye(
    run: Run,
    output: Annotated[Path, typer.Option("-o", "--output", help="The checkpoint to write.", show_default=False)],
    max_kb: MaxKb = None,
    max_macs: MaxMacs = None,
    max_params: MaxParams = None,
    max_ms: MaxMs = None,
    candidates: Annotated[int, typer.Option(help="How many that meet the target are read with.")] = 50,
    first: Annotated[
        bool, typer.Option("--first", help="Take the first that meets the target, as lightweight-OCR does; to compare.")
    ] = False,
    min_ratio: Annotated[float, typer.Option(help="The least share that is drawn for a layer.")] = 0.0,
    max_ratio: Annotated[float, typer.Option(help="The largest share that is drawn for a layer.")] = 0.95,
    width: Width = 0,
    by: By = "word",
    criterion: Annotated[str, typer.Option(help="What a channel matters: l1, l2, fpgm or random.")] = "l1",
    only: Only = None,
    skip: Skip = None,
    round_to: Annotated[int, typer.Option(help="The channels that stay are a multiple of this.")] = 1,
    seed: Seed = 0,
    adapt: Adapt = True,
    adapt_lines: AdaptLines = 1000,
    set_: Set = None,
) -> None:
    """Draw smaller models that meet a target by chance, and keep the one that reads best after adaptive batch normalisation.

    Candidates are kept in OUTPUT.candidates.json. After Ctrl-C or a kill the same command goes on. Beside the checkpoint a recipe that
    trains it further is written, and a report (.json, .html).
    """
    from glyphlet.compress.accuracy import check_deciding
    from glyphlet.compress.eagleeye import Drawing, EagleEye
    from glyphlet.compress.page import Outcome
    from glyphlet.compress.record import Watch
    from glyphlet.errors import CompressionError
    from glyphlet.train.guard import signals

    check_output(output, ".pt", run, BESIDE)
    check_deciding(by)
    budget = budget_of(max_kb, max_macs, max_params, max_ms)
    if budget is None:
        raise CompressionError(
            "there is no target",
            allowed="one of --max-kb, --max-macs, --max-params, --max-ms",
            next_step="say what the smaller model may cost",
        )
    how = Drawing(candidates, min_ratio, max_ratio, criterion, round_to, seed, only or (), skip or (), first)
    begun = ready(run, set_ or [], adapt=adapt, lines=adapt_lines, seed=seed, width=width, need=True)
    assert begun.bench is not None
    model = begun.full.model
    with bars() as tell, signals() as caught:
        watch = Watch(command(), lambda done, total: tell("candidates", done, total), caught)
        search = EagleEye(model, begun.bench, how, begun.meter, budget)
        found = search.search(output.with_suffix(".candidates.json"), watch, by)
    if len(found.candidates) < how.wanted:
        typer.secho(
            f"glyphlet: {found.tries:,} draws gave {len(found.candidates)} candidates of {how.wanted}",
            err=True,
            fg="yellow",
        )
    settings = {
        "target": str(budget), "by": by, "criterion": criterion, "seed": seed, "adapted": adapt, "first": first,
        "tries": found.tries, "taken": found.best.number, "width": begun.meter.width,
    }  # fmt: skip
    read = begun.bench.read(model, adapted=False), found.best.read
    costs = begun.meter.all(model, found.pruned.model)
    title = f"EagleEye{', first that passes' if first else ''}: {begun.full.recipe.name}"
    finish(output, Outcome(title, found.pruned, costs, read, {}, settings, found.candidates), begun.full)
