"""The work on which models are shrunk: strings of handwritten digits, cheap enough to train a ResNet-18 on one core.

Strings of 1 to 5 digits are set from MNIST's digits, on lines of at most 96 pixels at height 32, squeezed to 64. Training lines are
set from the first 50,000 of MNIST's training images, validation lines from its last 10,000, test lines from its test images. So no
digit of one kind of lines is in another.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from glyphlet.charset import Charset
from glyphlet.data.open import open_lines
from glyphlet.export.onnx import export_model
from glyphlet.image import Geometry, prepare
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters, multiply_adds
from glyphlet.spec import Recipe, SynthSpec, load_recipe, recipe_from
from glyphlet.synth.dataset import write_set
from glyphlet.train.log import read_log
from glyphlet.train.loop import fit
from glyphlet.train.restore import restore_run
from glyphlet.train.task import Task, load_task, start_from
from glyphlet.train.teacher import load_teacher

MNIST = Path(__file__).parents[2] / "shared" / "data" / "mnist.npz"
COUNTS = {"train": 30_000, "validation": 3_300, "test": 3_300}
"""Lines that are rendered; about a tenth is too wide and left out."""
KEPT = {"train": 24_000, "validation": 2_500, "test": 2_500}
EPOCH = 8_000
"""Training lines of an epoch: a third of all."""
PARITY = 100
"""Validation lines on which a model file is compared with the trained model, some more are made of these."""
WIDEST, WIDTH = 96, 64
"""Pixels of a line at height 32, and of what the network sees of it."""
GEOMETRY: dict[str, Any] = {
    "height": 32,
    "channels": 1,
    "width_step": WIDTH,
    "min_width": WIDTH,
    "squeeze": WIDEST / WIDTH,
    "padding": "edge",
}
BATCH = 16


def spec_of(count: int, glyphs: Path, seed: int) -> SynthSpec:
    """Settings of the rendered lines."""
    return SynthSpec.model_validate({
        "count": count, "seed": seed, "glyphs": str(glyphs), "text": "pattern", "pattern": "[0-9]{1,5}", "font_size": [22, 30],
        "spacing": "proportional", "margins": [0.02, 0.2], "background": "plain", "papers": ["#e0e0e0", "#c8c8c8"],
        "inks": ["#202020", "#404040"],
        "looks": [
            {"name": "tracking", "least": -0.12, "most": 0.02, "change": 0.05}, {"name": "slant", "least": -15, "most": 20},
            {"name": "jitter", "lift": 0.04, "turn": 6.0, "lean": 8.0, "size": 0.15, "drift": 0.06},
        ],
    })  # fmt: skip


def prepared(folder: Path) -> dict[str, Path]:
    """The label files `train`, `validation` and `test`; made once."""
    made = {name: folder / f"{name}.txt" for name in COUNTS}
    if all(path.is_file() for path in made.values()):
        return made
    folder.mkdir(parents=True, exist_ok=True)
    digits, apart = np.load(MNIST), folder / "apart.npz"
    images, labels = digits["x_train"], digits["y_train"]
    np.savez(apart, x_train=images[:50_000], y_train=labels[:50_000], x_test=images[50_000:], y_test=labels[50_000:])
    charset = Charset.named("digits")
    for name, (stream, glyphs, seed) in {
        "train": ("train", apart, 1), "validation": ("test", apart, 2), "test": ("test", MNIST, 3),
    }.items():  # fmt: skip
        labels_file = write_set(spec_of(COUNTS[name], glyphs, seed), charset, folder / name, stream, overwrite=True)
        rows = narrow(labels_file)[: KEPT[name]]
        assert len(rows) == KEPT[name], f"{len(rows)} lines of {name}"
        made[name].write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return made


def narrow(labels: Path) -> list[str]:
    """`path<TAB>text` of the lines that are no wider than `WIDEST`."""
    lines, geometry = open_lines(str(labels)), Geometry(width_step=4, min_width=4)
    samples = [lines.sample(number) for number in range(len(lines))]
    return [
        f"{Path(str(sample.source)).resolve()}\t{sample.text}"
        for sample in samples
        if prepare(sample.source, geometry).scaled_width <= WIDEST
    ]


def recipe_of(
    name: str,
    model: dict[str, Any],
    folder: Path,
    *,
    seen: int,
    seed: int = 1,
    lr: float = 0.002,
    half: bool = False,
    more: dict[str, Any] | None = None,
) -> Recipe:
    """A training of a model on the lines.

    Args:
        name: what the run is called.
        model: the recipe's section.
        folder: where the work is.
        seen: training lines, whole epochs of them.
        seed, lr: of the training.
        half: train in bfloat16 where autocast allows it.
        more: other sections: `start`, `teacher`.
    """
    made = prepared(folder / "lines")
    train = {
        "epochs": round(seen / EPOCH), "batch": BATCH, "seed": seed, "optimizer": "adamw", "lr": lr,
        "weight_decay": 0.01, "schedule": "cosine", "warmup": 0.1, "clip": 5, "entropy": 0, "threads": 1, "workers": 0,
        "samples": 0, "accelerator": "cpu", "precision": "bf16-mixed" if half else "32-true",
    }  # fmt: skip
    return recipe_from(
        {
            "name": name, "model": model, "image": GEOMETRY, "charset": {"name": "digits"}, "train": train,
            "data": {
                "train": [{"path": str(made["train"]), "weight": EPOCH / KEPT["train"]}], "validation": [str(made["validation"])],
                "unalignable": "drop",
            },
            **(more or {}),
        },
        name,
    )  # fmt: skip


def shipped(name: str) -> dict[str, Any]:
    """The model of a recipe that ships."""
    found: dict[str, Any] = load_recipe(name).dump()["model"]
    return found


@cache
def lines_of(folder: Path) -> Task:
    """All training and validation lines, checked once; what is trained has its own recipe and model in their place."""
    return load_task(recipe_of("lines", shipped("micro-nh2"), folder, seen=EPOCH))


def task_of(recipe: Recipe, folder: Path) -> Task:
    """The lines with another recipe and its model, whose first weights are those of the recipe's seed."""
    torch.manual_seed(recipe.train.seed)
    lines = lines_of(folder)
    model = build(recipe.model, recipe.image, Charset.named("digits"))
    teacher = load_teacher(recipe.teacher, model) if recipe.teacher else None
    return replace(lines, recipe=recipe, model=model, teacher=teacher)


def trained(recipe: Recipe, folder: Path, name: str) -> dict[str, Any]:
    """Train into a run folder, or go on with it, and write the model file; what came of it."""
    run = folder / "runs" / name
    task = task_of(recipe, folder)
    if not (run / "checkpoints" / "last.pt").exists():
        start_from(task)
    run.mkdir(parents=True, exist_ok=True)
    outcome = fit(task, run, Console(file=sys.stderr, width=150))
    best = restore_run(run)
    some = task.validation.some(PARITY).sources()
    export_model(best.model, run / "model.onnx", some, name=name, training=best.facts, measured=best.measured)
    return {
        "run": name, "seen": outcome.epochs * EPOCH, "seed": recipe.train.seed, "macs": multiply_adds(best.model, WIDTH),
        "parameters": count_parameters(best.model), "kb": (run / "model.onnx").stat().st_size / 1024,
        "train": float(read_log(run / "log.csv")[-1]["train_accuracy"]), "validation": outcome.best_accuracy,
        "seconds": round(outcome.seconds), "date": str(date.today()),
    }  # fmt: skip
