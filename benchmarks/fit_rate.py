"""The rate of `glyphlet fit`: does a training that goes on from rung to rung come as far as one that was planned as a whole?

    python -m benchmarks.fit_rate --updates 900 --seeds 1 2

Needs ../shared/data beside the checkout. Handwritten numbers, the part `train`, of which a fifth validates; `test` is left alone. The same
networks see the same lines in the same order:

    fit         the rate stays and falls in the last third; it is stopped and gone on with after a ninth and a third, as in three rungs
    no fall     the same without the fall
    onecycle    the schedule of the recipe `labels`, planned for all updates

Word accuracies are read with the moving average of the weights.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks.micro_table import RESULTS, machine
from glyphlet.cli.fit import lines_of
from glyphlet.cli.train import recipe_for
from glyphlet.compress.search.entrants import Entrant
from glyphlet.compress.search.limits import Cost
from glyphlet.compress.search.race import FALL, Race, Stand, Steady
from glyphlet.compress.search.space import by_name
from glyphlet.train.optim import Schedule
from glyphlet.train.task import Task

DATA = Path(__file__).parents[2] / "shared" / "data" / "lectaurep_numbers" / "train.txt"
NETWORKS = (("micro-4", 64), ("glyph-2", 48))
WAYS = ("fit", "no fall", "onecycle")


def schedule(way: str, task: Task, entrant: Entrant, updates: int) -> Any:
    """The rate of one way of training."""
    spec = task.recipe.train.model_copy(update={"lr": entrant.rate, "epochs": 1})
    if way == "onecycle":
        return Schedule(spec, updates)
    fall = (round(updates * (1 - FALL)), updates) if way == "fit" else None
    return Steady(entrant.rate, spec.entropy, updates // 9, fall)


def trained(race: Race, entrant: Entrant, way: str, updates: int) -> list[Stand]:
    """How it stands after a ninth, a third and all of the updates."""
    made = []
    for end in (updates // 9, updates // 3, updates):
        training = race.training(entrant)  # from where it was left
        made.append(race.run(training, end, schedule(way, race.task, entrant, updates), lambda: False))
    return made


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=900)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = ["charset.name=number", "data.unalignable=drop", "train.threads=1", "train.accelerator=cpu"]
    rows = []
    for seed in given.seeds:
        recipe = recipe_for([str(DATA)], [*settings, f"train.seed={seed}"], [])
        task = lines_of(recipe, lambda said: None)
        for name, width in NETWORKS:
            ladder = by_name(name)
            spec = ladder.spec(width, recipe.image, recipe.model.head)
            entrant = Entrant(ladder.named(width), spec, Cost({}, 0.0, 0), "float32", ladder.rate, speed=1.0)
            for way in WAYS:
                with tempfile.TemporaryDirectory() as folder:
                    stands = trained(Race(task, Path(folder)), entrant, way, given.updates)
                words = " | ".join(f"{stand.read.word:.3f}" for stand in stands)
                rows.append(f"| {entrant.name} | {seed} | {way} | {words} | {stands[-1].read.cer:.3f} |")
                print(rows[-1], flush=True)
    lines = given.updates * recipe.train.batch
    text = [
        "# The rate of `glyphlet fit`",
        "",
        f"Measured {date.today()}, {machine()}, 1 thread. Command: `python -m benchmarks.fit_rate --updates {given.updates} --seeds "
        f"{' '.join(map(str, given.seeds))}`",
        "",
        f"Handwritten numbers, {len(task.train):,} training and {len(task.validation):,} validation lines. Word accuracy after a ninth, a third and all of "
        f"{lines:,} lines, read with the moving average of the weights.",
        "",
        "| network | seed | rate | a ninth | a third | all | CER |",
        "|---|---|---|---|---|---|---|",
        *rows,
    ]
    (RESULTS / "fit_rate.md").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
