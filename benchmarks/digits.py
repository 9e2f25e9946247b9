"""Handwritten numbers: cross-entropy and a stop against CTC on one backbone, with and without a start on MNIST strings.

    python -m benchmarks.digits                          three seeds of every head, resumed from what is done already
    python -m benchmarks.digits --heads ctc --starts strings --seeds 1 --epochs 40    a longer training in the same table

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


def real(head: str, seed: int, epochs: int, start: Path | None) -> dict[str, Any]:
    """The recipe of real lines."""
    plain = values(head, seed, f"numbers-{head}")
    plain["data"] = {
        "train": [str(NUMBERS / "train.txt")],
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


def measure(head: str, started: bool, seed: int, epochs: int, work: Path) -> Row:
    """Train one row, and read the test lines once."""
    console = Console(file=sys.stderr)
    start = strings(head, work, console) if started else None
    longer = "" if epochs == EPOCHS else f"-{epochs}"
    folder = work / f"numbers-{head}-{'strings' if started else 'nothing'}-{seed}{longer}"
    job = run(recipe_from(real(head, seed, epochs, start), head), work, console, folder=folder)
    assert job.test is not None
    facts = Reader(job.model).metadata.training
    return {
        "head": head, "started": started, "seed": seed, "epochs": epochs, "parameters": facts["parameters"],
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


def of(rows: Sequence[Row], head: str, started: bool, epochs: int) -> list[Row]:
    """The rows of a cell, by seed."""
    cell = (head, started, epochs)
    return sorted(
        (r for r in rows if (r["head"], r["started"], r.get("epochs", EPOCHS)) == cell), key=lambda r: r["seed"]
    )


def table(rows: Sequence[Row]) -> str:
    """The results as Markdown."""
    lines = len(rows[0]["right"])
    text = [
        "# Handwritten numbers: cross-entropy against CTC, and a start on MNIST strings",
        "",
        f"Measured {date.today()}, {machine()}, 1 thread a training. Command: `python -m benchmarks.digits`",
        "",
        f"Exact match on the {lines} test lines of lectaurep_numbers in percent, for each seed, with the 95 % interval (Wilson) of "
        f"the mean for {lines} lines. Epochs are of {rows[0]['train_lines']:,} real lines; with a start, {STRINGS} epochs of {COUNT:,} "
        "MNIST strings came before. Differences are those of "
        f"{EPOCHS} epochs.",
        "",
        "| head | start | epochs | parameters | kB | each seed | mean [95 %] | CER | validation | seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lengths = sorted({EPOCHS, *(r.get("epochs", EPOCHS) for r in rows)})
    cells = {(h, s, e): own for e in lengths for h in HEADS for s in (False, True) if (own := of(rows, h, s, e))}
    for (head, started, epochs), own in cells.items():
        mean, count = share(own), len(own)
        ends = wilson(round(mean * lines), lines)
        text.append(
            f"| {TITLES[head]} | {'MNIST strings' if started else 'none'} | {epochs} | {own[0]['parameters']:,} | {own[0]['kilobytes']} "
            f"| {' '.join(f'{100 * share([r]):.1f}' for r in own)} "
            f"| {100 * mean:.1f} [{100 * ends.low:.1f}, {100 * ends.high:.1f}] | {sum(r['cer'] for r in own) / count:.3f} "
            f"| {sum(r['validation'] for r in own) / count:.3f} | {sum(r['seconds'] for r in own) / count:.0f} |"
        )
    text += ["", "| difference | points [95 %, paired] | seeds |", "|---|---|---|"]
    compared = [
        *((f"{h} over ctc, {'MNIST strings' if s else 'no start'}", ("ctc", s), (h, s)) for h in ("lstm", "attention") for s in (False, True)),
        *((f"{h}: MNIST strings over no start", (h, False), (h, True)) for h in HEADS),
    ]  # fmt: skip
    for title, first, second in compared:
        a, b = cells.get((*first, EPOCHS), []), cells.get((*second, EPOCHS), [])
        seeds = {r["seed"] for r in a} & {r["seed"] for r in b}
        if seeds:
            mean, half = difference(a, b)
            text.append(
                f"| {title} | {100 * mean:+.1f} [{100 * (mean - half):+.1f}, {100 * (mean + half):+.1f}] | {len(seeds)} |"
            )
    return "\n".join([*text, ""])


def main() -> None:
    """Train every row that is not there yet, and write the table after each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--heads", nargs="+", default=list(HEADS), choices=list(HEADS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--starts", nargs="+", default=["strings", "nothing"], choices=["strings", "nothing"])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of real lines")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-digits")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "digits.json"
    rows: list[Row] = json.loads(path.read_text()) if path.exists() else []
    for seed in options.seeds:
        for start in options.starts:
            for head in options.heads:
                started = start == "strings"
                if any(r["seed"] == seed for r in of(rows, head, started, options.epochs)):
                    continue
                rows.append(measure(head, started, seed, options.epochs, options.work))
                path.write_text(json.dumps(rows, indent=1) + "\n")
                (RESULTS / "digits.md").write_text(table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
