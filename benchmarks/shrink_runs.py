"""What is trained, cut and trained further: ResNet-18 with and without SE at a tenth of the multiply-adds, and the criteria.

headline    whole, cut by sensitivities (FPGM) to a tenth, trained further; longer; with the whole model as a teacher
grid        four criteria, three shares, three seeds on a ResNet-18 of a quarter of the channels
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

from benchmarks.shrink_task import EPOCH, GEOMETRY, WIDTH, lines_of, recipe_of, shipped, trained
from glyphlet.charset import Charset
from glyphlet.compress.accuracy import Bench
from glyphlet.compress.adapt import batches_of
from glyphlet.compress.cost import Budget, Meter
from glyphlet.compress.fitting import Fitting, fitted
from glyphlet.compress.graph import Graph
from glyphlet.compress.prune import Pruned, Pruning, prune
from glyphlet.compress.sensitivity import Measuring, Sensitivity, measure
from glyphlet.compress.store import save_pruned
from glyphlet.compress.threshold import Found
from glyphlet.image import Geometry
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.spec import ModelSpec
from glyphlet.train.restore import Restored, restore_run

Row = dict[str, Any]
Store = Callable[[Row], None]
"""Keeps a row that is done."""
WHOLE = {"r18-64": "lightweight-r18-64", "r18se-64": "lightweight-r18se-64"}
KEEP = "backbone.stages.3.0.body.1.0"
"""The channels that the neck reads. The source skips them, and the inner layers of SE, too."""
TENTH = 0.1
SEEN, LONGER = 3 * EPOCH, 9 * EPOCH
ON = EPOCH
"""Lines on which the whole model is trained further; fewer than for the smaller ones, for want of time."""
RATIOS = (0.3, 0.6, 0.9)
"""At which a layer's loss is measured; the source takes 0.1, 0.2, ... 0.9."""
FEW, ADAPT = 300, 1000
"""Validation lines that tell the layers apart, and training lines for the statistics of a model that is kept."""
CRITERIA = ("fpgm", "l1", "l2", "random")
SHARES = (0.5, 0.7, 0.9)
"""Of the multiply-adds, that go."""
SEEDS = (1, 2, 3)
TUNED = EPOCH
"""Lines that a model of the grid is trained further on."""


@cache
def bench(folder: Path, lines: int, read: int | None = None) -> Bench:
    """Adapts to some training lines and reads all validation lines, or some."""
    task = lines_of(folder)
    validation = task.validation if read is None else task.validation.some(read)
    return Bench(task.recipe, validation, batches_of(task, lines))


def skipped(graph: Graph) -> list[str]:
    """The layers that stay whole."""
    return [name for name in graph.groups if name == KEEP or name.endswith(".squeeze")]


def cut_to(
    model: Recognizer, graph: Graph, curves: Mapping[str, Any], share: float, criterion: str
) -> tuple[Pruned, Found]:
    """The smaller model that these curves give for a share of the multiply-adds."""
    meter = Meter(WIDTH)
    budget = Budget("macs", share * meter.cost(model, "macs"))
    return fitted(curves, Fitting(model, graph, Pruning(criterion=criterion), meter, budget))


def whole(name: str, folder: Path) -> Row:
    """The whole model, trained from nothing."""
    run = f"{WHOLE[name]}-whole-1"
    row = trained(recipe_of(WHOLE[name], shipped(WHOLE[name]), folder, seen=SEEN, half=True), folder, run)
    return row | {"part": "headline", "name": f"{name} whole", "of": name, "how": "whole"}


def sensitive(name: str, full: Restored, graph: Graph, folder: Path) -> tuple[dict[str, Any], float]:
    """The curves of loss of a whole model, and the seconds that they took."""
    begin = time.perf_counter()
    how = Measuring("fpgm", RATIOS, only=["backbone"], skip=skipped(graph))
    with torch.autocast("cpu", torch.bfloat16):  # a third of the time
        found = measure(full.model, bench(folder, 160, FEW), folder / f"{name}-sensitivity.json", how, graph)
    return dict(found.curves()), time.perf_counter() - begin


def cut(name: str, folder: Path) -> Row:
    """The model at a tenth of the multiply-adds, with statistics of its own, before any further training."""
    full = restore_run(folder / "runs" / f"{WHOLE[name]}-whole-1")
    graph = Graph.of(full.model)
    curves, seconds = sensitive(name, full, graph, folder)
    pruned, _ = cut_to(full.model, graph, curves, TENTH, "fpgm")
    reads = bench(folder, ADAPT)
    plain, adapted = reads.read(pruned.model, adapted=False), reads.read(pruned.model)
    save_pruned(folder / f"{name}-cut.pt", pruned.model, full)
    return {
        "part": "headline", "name": f"{name} cut", "of": name, "how": "cut", "seconds": round(seconds),
        "macs": Meter(WIDTH).cost(pruned.model, "macs"), "parameters": Meter(WIDTH).cost(pruned.model, "params"),
        "plain": plain.word, "validation": adapted.word, "sizes": {n: list(s) for n, s in pruned.sizes.items()},
    }  # fmt: skip


def tuned(name: str, how: str, folder: Path) -> Row:
    """A model trained further: `tuned`, `longer`, `taught` by the whole one; or the whole one itself, `on`."""
    run = f"{WHOLE[name]}-{how}-1"
    source = folder / "runs" / f"{WHOLE[name]}-whole-1"
    start = source if how == "on" else folder / f"{name}-cut.pt"
    more: dict[str, Any] = {"start": {"path": str(start)}}
    if how == "taught":
        more["teacher"] = {"path": str(source)}
    model = restore_run(start).recipe.model.model_dump(mode="json")
    seen = {"longer": LONGER, "on": ON}.get(how, SEEN)
    row = trained(recipe_of(run, model, folder, seen=seen, half=True, more=more), folder, run)
    return row | {"part": "headline", "name": f"{name} {how}", "of": name, "how": how}


def headline(folder: Path) -> Iterator[tuple[str, Callable[[], Row]]]:
    """What the headline needs, by name, in order."""
    for name in WHOLE:
        yield f"{name} whole", lambda name=name: whole(name, folder)  # type: ignore[misc]
    for how in ("tuned", "longer", "taught"):
        for name in WHOLE:
            if how == "tuned":
                yield f"{name} cut", lambda name=name: cut(name, folder)  # type: ignore[misc]
            yield f"{name} {how}", lambda name=name, how=how: tuned(name, how, folder)  # type: ignore[misc]
    yield "r18-64 on", lambda: tuned("r18-64", "on", folder)


def fresh(spec: dict[str, Any]) -> Recognizer:
    """A model with first weights."""
    torch.manual_seed(0)
    return build(ModelSpec.model_validate(spec), Geometry(**GEOMETRY), Charset.named("digits"))


@cache
def narrow() -> dict[str, Any]:
    """ResNet-18 and 64 BiGRU with a quarter of the channels."""
    full = fresh(shipped("lightweight-r18-64"))
    return prune(full, Pruning(0.75, only=["backbone"])).model.spec.model_dump(mode="json")


def narrow_whole(seed: int, folder: Path, on: bool = False) -> Row:
    """A narrow model trained from nothing, or the same trained further as the smaller ones are."""
    run = f"narrow-whole-{seed}"
    more = {"start": {"path": str(folder / "runs" / run)}} if on else None
    run, seen = (f"narrow-on-{seed}", TUNED) if on else (run, SEEN)
    row = trained(recipe_of(run, narrow(), folder, seen=seen, seed=seed, half=True, more=more), folder, run)
    return row | {"part": "grid", "name": run, "criterion": "on" if on else "whole", "share": 0.0}


@cache
def narrow_graph() -> Graph:
    """The groups of the narrow model, which are the same whatever its weights."""
    return Graph.of(fresh(narrow()))


@cache
def ratios_for(share: float, folder: Path) -> Mapping[str, float]:
    """The share of channels that each layer of the narrow model loses, for a share of the multiply-adds that stays.

    One common threshold on the curves of the whole ResNet-18. They are taken for all criteria, so that all leave the same sizes.
    """
    curves = Sensitivity.load(folder / "r18-64-sensitivity.json").curves()
    return cut_to(fresh(narrow()), narrow_graph(), curves, share, "l1")[1].ratios


def further(pruned: Pruned, full: Restored, run: str, seed: int, folder: Path) -> Row:
    """A smaller model of the narrow one, before and after further training."""
    adapted = bench(folder, ADAPT).read(pruned.model)
    start = folder / f"{run}.pt"
    save_pruned(start, pruned.model, full)
    model = pruned.model.spec.model_dump(mode="json")
    recipe = recipe_of(run, model, folder, seen=TUNED, seed=seed, half=True, more={"start": {"path": str(start)}})
    return trained(recipe, folder, run) | {"adapted": adapted.word}


def narrow_cut(criterion: str, share: float, seed: int, folder: Path) -> Row:
    """A row of the grid."""
    run = f"narrow-{criterion}-{round(100 * share)}-{seed}"
    full = restore_run(folder / "runs" / f"narrow-whole-{seed}")
    ratios = ratios_for(round(1 - share, 3), folder)
    how = Pruning(0.0, ratios, criterion, seed=seed, only=list(ratios))
    pruned = prune(full.model, how, narrow_graph())
    return further(pruned, full, run, seed, folder) | {
        "part": "grid", "name": run, "criterion": criterion, "share": share,
    }  # fmt: skip


def grid(folder: Path) -> Iterator[tuple[str, Callable[[], Row]]]:
    """What the comparison of criteria needs, by name, in order."""
    for seed in SEEDS:
        yield f"narrow-whole-{seed}", lambda seed=seed: narrow_whole(seed, folder)  # type: ignore[misc]
        yield f"narrow-on-{seed}", lambda seed=seed: narrow_whole(seed, folder, on=True)  # type: ignore[misc]
        for share in reversed(SHARES):
            for criterion in CRITERIA:
                name = f"narrow-{criterion}-{round(100 * share)}-{seed}"
                yield (
                    name,
                    lambda c=criterion, share=share, seed=seed: narrow_cut(c, share, seed, folder),  # type: ignore[misc]
                )
