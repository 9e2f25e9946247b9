"""What the loader costs: a training step with it against the same step on batches that are already in memory.

    python -m benchmarks.loader

Two nets: micro nh 16 without augmentation (the cheapest step that Glyphlet has), and a net of the size and shape of CRNN
(8.3 million parameters) with all of RecAug on every line. Both kinds of update take turns on the same lines with the
same weights; a figure is the ratio of their seconds.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from benchmarks.micro_table import RESULTS, machine
from glyphlet.data.loader import Batch
from glyphlet.spec import Recipe, load_recipe, recipe_from
from glyphlet.train.loop import Training, make_fabric
from glyphlet.train.task import load_task


class CRNNBody(nn.Module):
    """Seven convolutions as in CRNN (Shi et al. 2015): (N, C, 32, W) to (N, 512, 1, W / 4)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels, self.strides = [512], [(32, 4)]
        layers: list[nn.Module] = []
        plan: list[tuple[int, bool, tuple[int, int] | None]] = [
            (64, False, (2, 2)), (128, False, (2, 2)), (256, True, None), (256, False, (2, 1)),
            (512, True, None), (512, False, (2, 1)), (512, True, (2, 1)),
        ]  # fmt: skip
        for out, norm, pool in plan:
            layers.append(nn.Conv2d(channels, out, 3, padding=1))
            layers += [nn.BatchNorm2d(out)] if norm else []
            layers.append(nn.ReLU(inplace=True))
            layers += [nn.MaxPool2d(pool, pool)] if pool else []
            channels = out
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to one row of features."""
        return self.layers(x)


class CRNNNeck(nn.Module):
    """Two bidirectional LSTMs of 256 units."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(512, 256, 2, batch_first=True, bidirectional=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 512, 1, T) to (N, T, 512)."""
        return self.lstm(x.squeeze(2).transpose(1, 2))[0]


def training(recipe: Recipe, folder: Path, crnn: bool) -> Training:
    """A training that is ready to make its first update."""
    torch.manual_seed(1)
    task = load_task(recipe)
    if crnn:
        task.model.backbone, task.model.neck = CRNNBody(recipe.image.channels), CRNNNeck()
        task.model.head.linear = nn.Linear(512, task.model.codec.classes)
    return Training(task, folder, make_fabric(recipe.train))


def taking_turns(training: Training, kept: list[list[Batch]], epoch: int) -> tuple[float, float]:
    """Seconds of an epoch's updates on batches in memory, and with the loader, update by update in turns.

    Whatever else the machine does then falls on both alike.
    """
    training.wrapped.train()
    training.progress.step = 0  # the schedule ends; the rate does not matter here
    fed = training.loader.epoch(epoch)
    taken = {"memory": 0.0, "loader": 0.0}
    for number, update in enumerate(kept):
        for source in ("memory", "loader") if number % 2 else ("loader", "memory"):
            begin = time.perf_counter()
            training.update(update if source == "memory" else next(fed))
            taken[source] += time.perf_counter() - begin
    return taken["memory"], taken["loader"]


def measure(recipe: Recipe, rounds: int, crnn: bool) -> dict[str, Any]:
    """Epochs of both kinds of update, after one that warms up."""
    with tempfile.TemporaryDirectory() as folder:
        trained = training(recipe, Path(folder), crnn)
        kept = list(trained.loader.epoch(0))
        taking_turns(trained, kept, 1)
        pairs = [taking_turns(trained, kept, epoch) for epoch in range(2, rounds + 2)]
        trained.loader.close()
    ratios = [loader / memory for memory, loader in pairs]
    return {
        "name": recipe.name,
        "lines": len(trained.task.train),
        "batch": recipe.train.batch,
        "workers": trained.loader.workers,
        "step_ms": 1000 * statistics.median(p[0] for p in pairs) / len(kept),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
    }


def recipes(lines: int) -> list[tuple[Recipe, bool]]:
    """The nets that are measured; the flag says which is the large one."""
    micro = load_recipe("demo", [f"data.train.count={lines}", "train.threads=0", "train.samples=0"])
    large = {
        "name": "crnn-size", "charset": {"name": "lowercase36"}, "image": {"height": 32, "channels": 1, "width_step": 4},
        "data": {"train": {"count": max(160, lines // 10), "min_length": 4, "max_length": 4, "background": "textured"}},
        "train": {"batch": 64, "samples": 0}, "augment": [{"name": "recaug", "each": 1.0}],
    }  # fmt: skip
    return [(micro, False), (recipe_from(large, "benchmarks.loader"), True)]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for recipe, crnn in recipes(options.lines):
        rows.append(measure(recipe, options.rounds, crnn))
        Console(file=io.StringIO()).print(rows[-1])
        print(json.dumps(rows[-1]))
    text = [
        "# What the loader costs a training step",
        "",
        f"Measured {date.today()}, {machine()}, {torch.get_num_threads()} threads. Command: `python -m benchmarks.loader`",
        "",
        "| net | augmentation | batch | step in memory, ms | with the loader / in memory: median | lowest to highest |",
        "|---|---|---|---|---|---|",
    ]
    for row, about in zip(rows, ("none", "RecAug on every line"), strict=True):
        text.append(
            f"| {row['name']} | {about} | {row['batch']} | {row['step_ms']:.1f} | **{row['ratio']:.3f}** | "
            f"{min(row['ratios']):.3f} to {max(row['ratios']):.3f} |"
        )
    (RESULTS / "loader.md").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
