"""What `labels` should train: the micro network with an LSTM against `glyph`, on small sets of real lines.

    python -m benchmarks.labels_default
    python -m benchmarks.labels_default --seeds 1 2 3 --sets "300 numbers" "400 receipts"

Needs ../shared/data (lectaurep_numbers, sroie_lines, typewritten_lines) beside the checkout. All other settings are those of
the recipe `labels`. Lines to train on and lines to measure on are cut from `train`; `test` is left alone. A run that was
stopped is gone on with.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.fine_tune import shown
from benchmarks.micro_table import RESULTS, machine
from benchmarks.zoo import milliseconds
from glyphlet.data.open import open_lines
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.evaluate.paired import compare
from glyphlet.evaluate.scores import Evaluation
from glyphlet.job import REPORT, run
from glyphlet.runtime.reader import Reader
from glyphlet.spec import Recipe, load_values, recipe_from

DATA = Path(__file__).parents[2] / "shared" / "data"
SETS = {
    "300 numbers": ("lectaurep_numbers", 300, 800),
    "1500 numbers": ("lectaurep_numbers", 1500, 800),
    "400 receipts": ("sroie_lines", 400, 800),
    "500 typewritten": ("typewritten_lines", 500, 140),
}
"""Lines to train on (a fifth of them decides the epoch), and others to measure on."""
MICRO = {
    "backbone": {"name": "micro", "nh": 64, "depth": 2, "bias": True},
    "neck": {"name": "bilstm", "hidden": 64},
    "head": {"name": "ctc"},
}
GLYPH = {"backbone": {"name": "glyph"}, "neck": {"name": "fold"}, "head": {"name": "ctc"}}
NETWORKS: dict[str, tuple[dict[str, Any], float]] = {"micro": (MICRO, 0.005), "glyph": (GLYPH, 0.003)}


def cut(work: Path, name: str) -> tuple[Path, Path]:
    """Label files: lines to train on, lines to measure on."""
    folder, count, held = SETS[name]
    rows = (DATA / folder / "train.txt").read_text(encoding="utf-8").splitlines()
    random.Random(1).shuffle(rows)
    paths = work / f"{name}-train.txt".replace(" ", "-"), work / f"{name}-held.txt".replace(" ", "-")
    for path, part in zip(paths, (rows[:count], rows[-held:]), strict=True):
        path.write_text("".join(f"{DATA / folder}/{row}\n" for row in part), encoding="utf-8")
    return paths


def recipe(network: str, labels: Path, seed: int) -> Recipe:
    """The recipe `labels` with a network."""
    values, (model, lr) = load_values("labels"), NETWORKS[network]
    values["model"] = model
    values["data"] |= {"train": [str(labels)], "unalignable": "drop"}
    values["train"] |= {"lr": lr, "seed": seed, "threads": 1, "accelerator": "cpu", "samples": 0}
    return recipe_from(values, network)


def measured(folder: Path, held: Path) -> Evaluation:
    """The lines that were kept apart, read by a finished run's file."""
    return evaluate_lines(Reader(folder / "model.onnx", threads=1), open_lines(str(held)))


def row(work: Path, name: str, seed: int) -> dict[str, Any]:
    """Both networks on one set: trained, then measured on the same lines."""
    labels, held = cut(work, name)
    found, kept = {}, dict[str, Any](set=name, seed=seed, date=str(date.today()))
    for network in NETWORKS:
        folder = work / f"{name}-{network}-{seed}".replace(" ", "-")
        job = None
        if not (folder / REPORT).exists():
            job = run(recipe(network, labels, seed), work, Console(file=sys.stderr), folder=folder)
        found[network] = measured(folder, held)
        scores = found[network].scores
        kept[network] = {
            "exact": scores.word_accuracy, "interval": list(vars(scores.word_interval).values()), "cer": scores.cer,
            "seconds": job.outcome.seconds if job else None, "epochs": job.outcome.epochs if job else None,
            "kb": round((folder / "model.onnx").stat().st_size / 1024), "ms": milliseconds(Reader(folder / "model.onnx", threads=1), 320),
        }  # fmt: skip
    pair = compare(found["micro"], found["glyph"])
    return kept | {"difference": pair.difference, "difference_interval": list(vars(pair.interval).values())}


def table(rows: list[dict[str, Any]]) -> str:
    """The results as Markdown."""
    lines = [
        f"Measured {max(row['date'] for row in rows)}, {machine()}, 1 thread. Command: `python -m benchmarks.labels_default`",
        "",
        "Lines read exactly in percent, on lines of `train` that were kept apart; `glyph` at rate .003, the micro network at .005.",
        "",
        "| set | seed | micro [95 %] | glyph [95 %] | difference [95 %, paired] | CER | epochs | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: (list(SETS).index(row["set"]), row["seed"])):
        micro, glyph = row["micro"], row["glyph"]
        lines.append(
            f"| {row['set']} | {row['seed']} | {100 * micro['exact']:.1f} {shown(micro['interval'])} | "
            f"{100 * glyph['exact']:.1f} {shown(glyph['interval'])} | "
            f"{100 * row['difference']:+.1f} {shown(row['difference_interval'], '+')} | "
            f"{100 * micro['cer']:.1f}, {100 * glyph['cer']:.1f} | {micro['epochs']}, {glyph['epochs']} | "
            f"{micro['seconds']:.0f}, {glyph['seconds']:.0f} |"
        )
    times = {network: statistics.median(row[network]["ms"] for row in rows) for network in NETWORKS}
    sizes = {network: np.median([row[network]["kb"] for row in rows]) for network in NETWORKS}
    lines += [
        "",
        f"A line of 32 x 320 pixels takes {times['micro']:.2f} ms with micro, {times['glyph']:.2f} ms with glyph; the files "
        f"have {sizes['micro']:,.0f} and {sizes['glyph']:,.0f} kB (medians).",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-labels")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    file = RESULTS / "labels_default.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    for seed in options.seeds:
        for name in options.sets:
            if not any((found["set"], found["seed"]) == (name, seed) for found in rows):
                rows.append(row(options.work, name, seed))
                file.write_text(json.dumps(rows, indent=1) + "\n")
    (RESULTS / "labels_default.md").write_text(table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
