"""Handwritten numbers: cross-entropy and a stop against CTC on one backbone, with and without a start on MNIST strings.

    python -m benchmarks.digits                          three seeds of every head, resumed from what is done already
    python -m benchmarks.digits --heads ctc --lines 300 --epochs 60                   with few real lines
    python -m benchmarks.digits --heads ctc --starts nothing --seeds 1 --epochs 30    a longer training

Needs ../shared/data/lectaurep_numbers (HTR-United/lectaurep-repertoires, CC BY 4.0) and ../shared/data/mnist.npz beside the
checkout. Everything but the head comes from the recipe `digits-numbers`: backbone, image, rendered lines. All rows see
as many real lines; those with a start saw strings of MNIST digits before, too, all seeds of a head the same start. A seed
decides the other first weights, the order and the effects, so rows of one seed are pairs. A tenth of `train` decides
which epoch is kept, and decided the rates below; `test` is read once by each model, through its file, when that is done.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.micro_table import RESULTS, machine
from glyphlet.job import REPORT, run
from glyphlet.metrics import Z_95, wilson
from glyphlet.runtime.reader import Reader
from glyphlet.spec import load_values, recipe_from

DATA = Path(__file__).parents[2] / "shared" / "data"
NUMBERS, MNIST = DATA / "lectaurep_numbers", DATA / "mnist.npz"
EPOCHS = 10
"""Epochs of real lines."""
STRINGS = 4
"""Epochs of MNIST strings before."""
COUNT = 8000
"""MNIST strings."""
HEADS: dict[str, dict[str, Any]] = {
    "ctc": {"neck": {"name": "fold"}, "head": {"name": "ctc"}, "train": {"lr": 0.003, "entropy": 0.1}},
    "lstm": {
        "neck": {"name": "latent", "features": 256, "columns": 8},
        "head": {"name": "lstm", "max_length": 10},
        "train": {"lr": 0.003, "entropy": 0},
    },
    "attention": {
        "neck": {"name": "fold"},
        "head": {"name": "attention", "hidden": 96, "max_length": 10},
        "train": {"lr": 0.003, "entropy": 0},
    },
}
"""What follows the backbone, and the rate and the confidence penalty that it was given."""
TITLES = {
    "ctc": "CTC",
    "lstm": "cross-entropy and stop, LSTM from one vector",
    "attention": "cross-entropy and stop, attention",
}
Row = dict[str, Any]


def values(head: str, seed: int, name: str) -> dict[str, Any]:
    """The recipe of MNIST strings for a head."""
    shipped = load_values("digits-numbers")
    chosen = HEADS[head]
    return shipped | {
        "name": name,
        "model": shipped["model"] | {"neck": chosen["neck"], "head": chosen["head"]},
        "data": shipped["data"]
        | {"train": shipped["data"]["train"] | {"glyphs": str(MNIST), "count": COUNT, "endless": False}},
        "train": shipped["train"]
        | {"threads": 1, "accelerator": "cpu", "workers": 0, "samples": 0, "seed": seed, "epochs": STRINGS}
        | chosen["train"],
    }


def labels(lines: int, work: Path) -> Path:
    """The label file of real lines to train on: all of `train` (0), or the first of a shuffled `train`."""
    if not lines:
        return NUMBERS / "train.txt"
    rows = (NUMBERS / "train.txt").read_text(encoding="utf-8").splitlines()
    random.Random(1).shuffle(rows)
    path = work / f"{lines}.txt"
    path.write_text("".join(f"{NUMBERS}/{row}\n" for row in rows[:lines]), encoding="utf-8")
    return path


def real(head: str, seed: int, epochs: int, train: Path, start: Path | None) -> dict[str, Any]:
    """The recipe of real lines."""
    plain = values(head, seed, f"numbers-{head}")
    plain["data"] = {
        "train": [str(train)],
        "test": [str(NUMBERS / "test.txt")],
        "validation_share": 0.1,
        "unalignable": "drop",
    }
    plain["train"] |= {"epochs": epochs}
    return plain | ({"start": {"path": str(start)}} if start else {})


def strings(head: str, work: Path, console: Console) -> Path:
    """The run folder of a model that was trained on MNIST strings; trained now, where there is none."""
    folder = work / f"strings-{head}"
    if not (folder / REPORT).exists():
        run(recipe_from(values(head, 1, f"strings-{head}"), head), work, console, folder=folder)
    return folder


def measure(head: str, started: bool, seed: int, epochs: int, lines: int, work: Path) -> Row:
    """Train one row, and read the test lines once."""
    console = Console(file=sys.stderr)
    start = strings(head, work, console) if started else None
    other = "" if (epochs, lines) == (EPOCHS, 0) else f"-{epochs}-{lines}"
    folder = work / f"numbers-{head}-{'strings' if started else 'nothing'}-{seed}{other}"
    job = run(recipe_from(real(head, seed, epochs, labels(lines, work), start), head), work, console, folder=folder)
    assert job.test is not None
    facts = Reader(job.model).metadata.training
    return {
        "head": head, "started": started, "seed": seed, "epochs": epochs, "lines": lines, "parameters": facts["parameters"],
        "train_lines": facts["train_lines"], "validation": job.outcome.best_accuracy,
        "best_epoch": job.outcome.best_epoch, "seconds": round(job.outcome.seconds),
        "cer": job.test.scores.cer, "kilobytes": round(job.model.stat().st_size / 1024),
        "right": "".join("01"[r.text == r.truth] for r in job.test.results),
    }  # fmt: skip


def share(rows: Sequence[Row]) -> float:
    """The share of test lines that rows read rightly, over all of them."""
    return sum(row["right"].count("1") for row in rows) / sum(len(row["right"]) for row in rows)


def difference(first: Sequence[Row], second: Sequence[Row]) -> tuple[float, float]:
    """How much more the second rows read than the first, paired by seed and line, and half of its 95 % interval.

    A line's difference is its mean over the seeds that both have; the interval is that of the mean over lines.
    """
    pairs = [(a["right"], b["right"]) for a in first for b in second if a["seed"] == b["seed"]]
    lines = [
        sum((y == "1") - (x == "1") for x, y in zip(column[::2], column[1::2], strict=True)) / len(pairs)
        for column in zip(*(text for pair in pairs for text in pair), strict=True)
    ]
    mean = sum(lines) / len(lines)
    variance = sum((x - mean) ** 2 for x in lines) / (len(lines) - 1)
    return mean, Z_95 * math.sqrt(variance / len(lines))


Cell = tuple[int, int, str, bool]
"""Real lines (0 is all), epochs, head, whether with a start."""


def cell(row: Row) -> Cell:
    """Where a row stands in the table."""
    return row.get("lines", 0), row.get("epochs", EPOCHS), row["head"], row["started"]


def of(rows: Sequence[Row], place: Cell) -> list[Row]:
    """The rows of a cell, by seed."""
    return sorted((row for row in rows if cell(row) == place), key=lambda row: row["seed"])


def table(rows: Sequence[Row]) -> str:
    """The results as Markdown."""
    lines = len(rows[0]["right"])
    text = [
        "# Handwritten numbers: cross-entropy against CTC, and a start on MNIST strings",
        "",
        f"Measured {date.today()}, {machine()}, 1 thread a training. Command: `python -m benchmarks.digits`",
        "",
        f"Exact match on the {lines} test lines of lectaurep_numbers in percent, for each seed, with the 95 % interval (Wilson) of "
        f"the mean for {lines} lines. With a start, {STRINGS} epochs of {COUNT:,} MNIST strings (a twentieth to validate) came before. Training lines are "
        "real ones, without those that decide which epoch is kept. Differences are paired by seed and line.",
        "",
        "| training lines | epochs | head | start | parameters | kB | each seed | mean [95 %] | CER | validation | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    order = list(HEADS)
    places = sorted({cell(row) for row in rows}, key=lambda p: (p[0], p[1], order.index(p[2]), p[3]))
    cells = {place: of(rows, place) for place in places}
    for (_, epochs, head, started), own in cells.items():
        mean, count = share(own), len(own)
        ends = wilson(round(mean * lines), lines)
        text.append(
            f"| {own[0]['train_lines']:,} | {epochs} | {TITLES[head]} | {'MNIST strings' if started else 'none'} "
            f"| {own[0]['parameters']:,} | {own[0]['kilobytes']} "
            f"| {' '.join(f'{100 * share([r]):.1f}' for r in own)} "
            f"| {100 * mean:.1f} [{100 * ends.low:.1f}, {100 * ends.high:.1f}] | {sum(r['cer'] for r in own) / count:.3f} "
            f"| {sum(r['validation'] for r in own) / count:.3f} | {sum(r['seconds'] for r in own) / count:.0f} |"
        )
    text += ["", "| training lines | epochs | difference | points [95 %] | seeds |", "|---|---|---|---|---|"]
    for amount, epochs in dict.fromkeys(place[:2] for place in places):
        compared = [
            *((f"{h} over ctc, {'MNIST strings' if s else 'no start'}", ("ctc", s), (h, s)) for h in order[1:] for s in (False, True)),
            *((f"{h}: MNIST strings over no start", (h, False), (h, True)) for h in order),
        ]  # fmt: skip
        for title, first, second in compared:
            a, b = (cells.get((amount, epochs, *side), []) for side in (first, second))
            seeds = {r["seed"] for r in a} & {r["seed"] for r in b}
            if seeds:
                mean, half = difference(a, b)
                reach = f"[{100 * (mean - half):+.1f}, {100 * (mean + half):+.1f}]"
                text.append(
                    f"| {a[0]['train_lines']:,} | {epochs} | {title} | {100 * mean:+.1f} {reach} | {len(seeds)} |"
                )
    return "\n".join([*text, ""])


def main() -> None:
    """Train every row that is not there yet, and write the table after each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--heads", nargs="+", default=list(HEADS), choices=list(HEADS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--starts", nargs="+", default=["strings", "nothing"], choices=["strings", "nothing"])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of real lines")
    parser.add_argument("--lines", type=int, default=0, help="real lines; 0 is all")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-digits")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "digits.json"
    rows: list[Row] = json.loads(path.read_text()) if path.exists() else []
    for seed in options.seeds:
        for start in options.starts:
            for head in options.heads:
                place = (options.lines, options.epochs, head, start == "strings")
                if any(row["seed"] == seed for row in of(rows, place)):
                    continue
                rows.append(measure(head, start == "strings", seed, options.epochs, options.lines, options.work))
                path.write_text(json.dumps(rows, indent=1) + "\n")
                (RESULTS / "digits.md").write_text(table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
