"""`glyphlet shrink`: smaller models out of trained ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glyphlet.cli.shrink_distill import distill
from glyphlet.cli.shrink_eagleeye import eagleeye
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
    budget_of,
    check_output,
    finish,
    ready,
)
from glyphlet.cli.shrink_quantize import quantize
from glyphlet.cli.shrink_sensitivity import sensitivity

if TYPE_CHECKING:
    from glyphlet.cli.shrink_options import Ready
    from glyphlet.compress.cost import Budget
    from glyphlet.compress.prune import Pruned, Pruning

app = typer.Typer(
    name="shrink",
    help="Make a trained model smaller or faster, and see what that costs.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
)


def prune(
    run: Run,
    output: Annotated[Path, typer.Option("-o", "--output", help="The checkpoint to write.", show_default=False)],
    ratio: Annotated[float | None, typer.Option(help="Share of the channels that go, 0 to less than 1.")] = None,
    sensitivity: Annotated[
        Path | None, typer.Option(help="A file of glyphlet shrink sensitivity, to meet a target by.")
    ] = None,
    max_kb: MaxKb = None,
    max_macs: MaxMacs = None,
    max_params: MaxParams = None,
    max_ms: MaxMs = None,
    width: Width = 0,
    by: By = "word",
    criterion: Annotated[
        str | None,
        typer.Option(help="What a channel matters: l1, l2, fpgm or random; l1, or that of --sensitivity, by default."),
    ] = None,
    scope: Annotated[
        str, typer.Option(help="layer takes the share from each layer, global from all channels together.")
    ] = "layer",
    only: Only = None,
    skip: Skip = None,
    round_to: Annotated[int, typer.Option(help="The channels that stay are a multiple of this.")] = 1,
    seed: Seed = 0,
    adapt: Adapt = True,
    adapt_lines: AdaptLines = 1000,
    set_: Set = None,
) -> None:
    """Remove channels: a share of them, or as many as a target needs.

    A target is met with the curves of a sensitivity file: one common threshold of loss for all layers, found by binary search. Beside
    the checkpoint a recipe that trains it further is written, and a report (.json, .html).
    """
    from glyphlet.compress.prune import Pruning

    check_output(output, ".pt", run, BESIDE)
    budget = budget_of(max_kb, max_macs, max_params, max_ms)
    check_wish(ratio, budget, sensitivity, scope)
    curves = _load(sensitivity, criterion)
    criterion = criterion or (curves.of["criterion"] if curves else "l1")
    how = Pruning(ratio or 0.0, {}, criterion, scope, round_to, seed, only or (), skip or ())  # type: ignore[arg-type]
    begun = ready(run, set_ or [], adapt=adapt, lines=adapt_lines, seed=seed, width=width, need=False)
    pruned, settings = _share(begun, how) if budget is None else _target(begun, how, budget, curves, by)
    read = None
    if begun.bench:
        read = begun.bench.read(begun.full.model, adapted=False), begun.bench.read(pruned.model)
    _finish(output, begun, pruned, read, settings | {"adapted": adapt})


def check_wish(ratio: float | None, budget: Budget | None, sensitivity: Path | None, scope: str) -> None:
    """Refuse a share together with a target, neither of them, and a target without curves.

    Raises:
        CompressionError: saying what belongs together.
    """
    from glyphlet.errors import CompressionError

    problem = ""
    if ratio is None and budget is None:
        problem = "nothing says how much is to go"
    elif ratio is not None and (budget or sensitivity):
        problem = "--ratio is given together with a target or a sensitivity file"
    elif budget and sensitivity is None:
        problem = "a target is given without a sensitivity file"
    elif budget and scope != "layer":
        problem = f"--scope {scope} is given together with a target"
    if problem:
        raise CompressionError(
            problem,
            allowed="--ratio, or --sensitivity with one of --max-kb, --max-macs, --max-params, --max-ms",
            next_step="give one of them; glyphlet shrink sensitivity RUN -o FILE makes the file",
        )


def _load(path: Path | None, criterion: str | None) -> Any:
    """The curves of a file, which must be of the criterion."""
    from glyphlet.compress.sensitivity import Sensitivity
    from glyphlet.errors import CompressionError

    found = Sensitivity.load(path) if path else None
    if found and criterion and criterion != found.of["criterion"]:
        raise CompressionError(
            f"{path} was measured by {found.of['criterion']!r}, and --criterion is {criterion!r}",
            allowed="the criterion of the file",
            next_step="leave out --criterion, or measure by it",
        )
    return found


def _share(begun: Ready, how: Pruning) -> tuple[Pruned, dict[str, Any]]:
    from glyphlet.compress.prune import prune as run

    settings = {"ratio": how.ratio, "criterion": how.criterion, "scope": how.scope, "seed": how.seed}
    return run(begun.full.model, how), settings


def _target(begun: Ready, how: Pruning, budget: Budget, found: Any, by: str) -> tuple[Pruned, dict[str, Any]]:
    from glyphlet.compress.fitting import Fitting, fitted
    from glyphlet.compress.graph import Graph
    from glyphlet.compress.prune import wanted

    found.check(begun.full.model, begun.bench)
    graph = Graph.of(begun.full.model)
    part = wanted(graph, how)
    curves = {name: curve for name, curve in found.curves(by).items() if name in part}
    pruned, fit = fitted(curves, Fitting(begun.full.model, graph, how, begun.meter, budget))
    settings = {"target": str(budget), "by": by, "criterion": how.criterion, "threshold": fit.threshold}
    return pruned, settings | {"share": fit.share, "ratios": dict(fit.ratios)}


def _finish(output: Path, begun: Ready, pruned: Pruned, read: Any, settings: dict[str, Any]) -> None:
    from glyphlet.compress.page import Outcome

    costs = begun.meter.all(begun.full.model, pruned.model)
    settings = settings | {"width": begun.meter.width}
    finish(output, Outcome(f"Pruned: {begun.full.recipe.name}", pruned, costs, read, {}, settings), begun.full)


for verb in (prune, sensitivity, eagleeye, quantize, distill):
    app.command()(verb)
