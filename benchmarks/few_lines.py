"""From a model that ships to one's own 50, 150 and 500 lines, against training from nothing on the same lines.

    python -m benchmarks.few_lines --sets receipts numbers
    python -m benchmarks.few_lines --sets typewritten --start RUN      RUN: `print` before it saw any typewritten line

Needs ../shared/data beside the checkout. Everything is as `glyphlet train labels.txt` and `glyphlet train labels.txt --start MODEL`
do it. Lines to train on (a fifth of them decides the epoch) and lines to measure on are cut from `train`; `test` is left alone.
The column `unchanged` is the start itself, without any of the lines. `print` has not been trained on receipts; `digits` and `print`
have been on lines of the sets `numbers` and `typewritten`: those need a start from before that. A run that was stopped is gone on with.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.fine_tune import shown
from benchmarks.micro_table import RESULTS, machine
from glyphlet.cli.train import recipe_for
from glyphlet.data.open import open_lines
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.evaluate.paired import compare
from glyphlet.evaluate.scores import Evaluation
from glyphlet.job import REPORT, run
from glyphlet.runtime.reader import Reader

DATA = Path(__file__).parents[2] / "shared" / "data"
SETS = {
    "typewritten": ("typewritten_lines", "print", 140, False),
    "receipts": ("sroie_lines", "print", 800, True),
    "numbers": ("lectaurep_numbers", "digits", 800, False),
}
"""Of each set its folder, the model to start from, how many lines measure, and whether case counts for nothing."""
COUNTS = (50, 150, 500)
SETTINGS = ["train.threads=1", "train.accelerator=cpu", "train.samples=0", "data.unalignable=drop", "data.unknown=drop"]


def cut(work: Path, name: str, count: int) -> tuple[Path, Path]:
    """Label files: lines to train on, lines to measure on."""
    folder, _, held, _ = SETS[name]
    rows = (DATA / folder / "train.txt").read_text(encoding="utf-8").splitlines()
    random.Random(1).shuffle(rows)
    paths = work / f"{name}-{count}.txt", work / f"{name}-held.txt"
    for path, part in zip(paths, (rows[held : held + count], rows[:held]), strict=True):
        path.write_text("".join(f"{DATA / folder}/{row}\n" for row in part), encoding="utf-8")
    return paths


def trained(work: Path, labels: Path, start: Path | None, seed: int) -> tuple[Path, float]:
    """The model file, and the seconds of the training."""
    folder = work / f"{labels.stem}-{'start' if start else 'nothing'}-{seed}"
    if not (folder / REPORT).exists():
        recipe = recipe_for([str(labels)], [*SETTINGS, f"train.seed={seed}"], [], start)
        run(recipe, work, Console(file=sys.stderr), folder=folder)
    with (folder / "log.csv").open(encoding="utf-8", newline="") as rows:
        return folder / "model.onnx", float(list(csv.DictReader(rows))[-1]["seconds"])


def row(work: Path, name: str, count: int, seed: int, start: Path) -> dict[str, Any]:
    """One set in one size: from nothing, from the start, and the start unchanged, on the same lines."""
    labels, held = cut(work, name, count)
    files: dict[str, tuple[Path, float | None]] = {
        "nothing": trained(work, labels, None, seed), "start": trained(work, labels, start, seed), "unchanged": (start / "model.onnx" if start.is_dir() else start, None),
    }  # fmt: skip
    found = {how: read(file, held, SETS[name][3]) for how, (file, _) in files.items()}
    kept = dict[str, Any](set=name, count=count, seed=seed, date=str(date.today()))
    for how, evaluation in found.items():
        scores = evaluation.scores
        kept[how] = {
            "exact": scores.word_accuracy, "interval": [scores.word_interval.low, scores.word_interval.high],
            "cer": scores.cer, "seconds": files[how][1],
        }  # fmt: skip
    pair = compare(found["nothing"], found["start"])
    return kept | {"difference": pair.difference, "difference_interval": [pair.interval.low, pair.interval.high]}


def read(model: Path, held: Path, ignore_case: bool) -> Evaluation:
    """The lines that were kept apart."""
    return evaluate_lines(Reader(model), open_lines(str(held)), ignore_case=ignore_case)


def table(rows: list[dict[str, Any]]) -> str:
    """The results as Markdown."""
    lines = [
        "# From a model that ships to one's own lines",
        "",
        f"Measured {max(row['date'] for row in rows)}, {machine()}, 1 thread. Command: `python -m benchmarks.few_lines`",
        "",
        "Lines read exactly, and CER, in percent, on lines of `train` that were kept apart; both as `glyphlet train` does it with labels alone.",
        "The starts are `print` and `digits` before they saw any line of the set. CER: unchanged, from nothing, from the start; seconds of the two trainings.",
        "",
        "| set | lines | seed | start unchanged | from nothing [95 %] | from the start [95 %] | difference [95 %, paired] | CER | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: (list(SETS).index(row["set"]), row["count"], row["seed"])):
        nothing, start = row["nothing"], row["start"]
        seconds = f"{nothing['seconds']:.0f}, {start['seconds']:.0f}"
        lines.append(
            f"| {row['set']} | {row['count']} | {row['seed']} | {100 * row['unchanged']['exact']:.1f} | "
            f"{100 * nothing['exact']:.1f} {shown(nothing['interval'])} | {100 * start['exact']:.1f} {shown(start['interval'])} | "
            f"{100 * row['difference']:+.1f} {shown(row['difference_interval'], '+')} | "
            f"{100 * row['unchanged']['cer']:.1f}, {100 * nothing['cer']:.1f}, {100 * start['cer']:.1f} | {seconds} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["receipts"])
    parser.add_argument("--counts", nargs="+", type=int, default=list(COUNTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--start", help="a model, a checkpoint or a run folder in the place of the model that ships")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-few")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    file = RESULTS / "few_lines.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    for seed in options.seeds:
        for name in options.sets:
            for count in options.counts:
                if not any((found["set"], found["count"], found["seed"]) == (name, count, seed) for found in rows):
                    start = Path(options.start or SETS[name][1])
                    rows.append(row(options.work, name, count, seed, start))
                    file.write_text(json.dumps(rows, indent=1) + "\n")
    (RESULTS / "few_lines.md").write_text(table(rows), encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
