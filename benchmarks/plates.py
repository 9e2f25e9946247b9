"""Licence plates: 480 real ones, from the second stretch of `benchmarks.chinese` and from nothing.

    python -m benchmarks.chinese
    python -m benchmarks.plates

Needs ../shared/data/ccpd_plates (detectRecog/CCPD, MIT) beside the checkout. 120 plates are cut from its `train`: they
choose the best row of either kind, and its best epoch. Then the chosen two are trained with two seeds, and read the
120 plates of `test` once. A run that was stopped is gone on with.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.chinese import DATA
from benchmarks.fine_tune import shown
from benchmarks.micro_table import RESULTS, machine
from glyphlet.data.open import open_lines
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.evaluate.paired import paired
from glyphlet.job import REPORT, run
from glyphlet.metrics import wilson
from glyphlet.models.summary import count_parameters
from glyphlet.runtime.reader import Reader
from glyphlet.spec import Recipe, load_values, recipe_from
from glyphlet.train.log import read_log
from glyphlet.train.restore import restore_run

PLATES = DATA / "ccpd_plates"
TRAIN = {
    "epochs": 60, "batch": 32, "lr": 0.004, "threads": 1, "workers": 0, "accelerator": "cpu", "samples": 0, "entropy": 0,
}  # fmt: skip
ROWS: dict[str, dict[str, Any]] = {
    "nothing, 4 pixels a step": {"model.backbone.stride": 4},
    "nothing, 8 pixels a step, width doubled": {"image.squeeze": 0.5},
    "nothing, 4 pixels a step, width doubled": {"model.backbone.stride": 4, "image.squeeze": 0.5},
    "Chinese, 8 pixels a step": {"start": {}, "train.epochs": 30},
    "Chinese, 8 pixels a step, width doubled": {"start": {}, "train.epochs": 30, "image.squeeze": 0.5},
    "nothing, 4 pixels a step, 180 epochs": {"model.backbone.stride": 4, "train.epochs": 180},
}
"""What differs from the recipe `chinese` without its lines, with the characters of the plates."""
SEEDS = (1, 2)


def cut(work: Path) -> dict[str, Path]:
    """Label files of 480 plates to train on and 120 to choose by."""
    rows = (PLATES / "train.txt").read_text(encoding="utf-8").splitlines()
    random.Random(1).shuffle(rows)
    for name, part in (("train", rows[120:]), ("held", rows[:120])):
        (work / f"{name}.txt").write_text("".join(f"{PLATES}/{row}\n" for row in part), encoding="utf-8")
    return {name: work / f"{name}.txt" for name in ("train", "held")}


def recipe(row: str, seed: int, labels: dict[str, Path], start: Path) -> Recipe:
    """The recipe of a row."""
    shipped = load_values("chinese")
    shipped["model"]["backbone"]["stride"] = 8  # as in the stretch that is started from
    values: dict[str, Any] = {
        "name": "plates",
        "model": shipped["model"],
        "image": {**shipped["image"], "width_step": 16},
        "augment": [{"name": "robust", "p": 0.8}],
        "data": {"train": [str(labels["train"])], "validation": [str(labels["held"])]},
        "train": {**TRAIN, "seed": seed},
    }
    for key, value in ROWS[row].items():
        *path, last = key.split(".")
        section = values
        for name in path:
            section = section[name]
        section[last] = {"path": str(start)} if key == "start" else value
    return recipe_from(values, row)


def trained(row: str, seed: int, labels: dict[str, Path], start: Path, work: Path) -> Path:
    """The run folder of a row, trained if it is not yet."""
    folder = work / f"{list(ROWS).index(row)}-{seed}"
    if not (folder / REPORT).exists():
        run(recipe(row, seed, labels, start), work, Console(file=sys.stderr), folder=folder)
    return folder


def chosen(kind: str, results: dict[str, Any]) -> str:
    """The row of a kind with the best held plates."""
    return max((row for row in ROWS if row.startswith(kind)), key=lambda row: results["rows"][row]["held"])


def read(folders: Sequence[Path]) -> dict[str, Any]:
    """What models of several seeds read of the test plates."""
    lines = open_lines(PLATES / "test.txt")
    right = [
        [r.text == r.truth for r in evaluate_lines(Reader(folder / "model.onnx"), lines).results] for folder in folders
    ]
    return {"right": [sum(part) for part in right], "lines": len(lines), "each": right}


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        f"Measured {date.today()}, {machine()}, 1 thread. Command: `python -m benchmarks.plates`",
        "",
        "480 plates to train on, effects `robust`; 60 epochs from nothing (or 180), 30 from the Chinese model. Held: the best epoch on 120 others of `train`, seed 1.",
        "",
        "| row | parameters | held, exact [95 %] | best epoch | seconds |",
        "|---|---|---|---|---|",
    ]
    for name, row in results["rows"].items():
        ends = wilson(round(row["held"] * 120), 120)
        lines.append(
            f"| {name} | {row['parameters']:,} | {100 * row['held']:.1f} {shown(list(vars(ends).values()))} | "
            f"{row['epoch']} | {row['seconds']:.0f} |"
        )
    if "test" in results:
        lines += ["", "The best row of either kind, two seeds, on the 120 plates of `test`, read once:", ""]
        lines += ["| row | exact by seed, of 120 | mean | [95 %] of seed 1 |", "|---|---|---|---|"]
        for name, row in results["test"].items():
            ends = wilson(row["right"][0], row["lines"])
            mean = sum(row["right"]) / len(row["right"]) / row["lines"]
            lines.append(
                f"| {name} | {', '.join(map(str, row['right']))} | {100 * mean:.1f} | "
                f"{100 * row['right'][0] / row['lines']:.1f} [{100 * ends.low:.1f}, {100 * ends.high:.1f}] |"
            )
        first, second = (row["each"][0] for row in results["test"].values())
        pairs = list(zip(first, second, strict=True))
        found = paired(pairs.count((False, True)), pairs.count((True, False)), len(pairs))
        lines += [
            "",
            f"Seed 1 of both on the same plates: {100 * found.difference:+.1f} points "
            f"[{100 * found.interval.low:+.1f}, {100 * found.interval.high:+.1f}], p {found.p:.3f} (McNemar).",
        ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Train the rows that are not there yet, choose, read the test plates, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-plates")
    parser.add_argument(
        "--start",
        type=Path,
        default=Path(tempfile.gettempdir()) / "glyphlet-chinese" / "all",
        help="The Chinese model.",
    )
    arguments = parser.parse_args()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    file, labels = RESULTS / "plates.json", cut(work)
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"rows": {}}

    def keep() -> None:
        file.write_text(json.dumps(results, indent=1, ensure_ascii=False))
        (RESULTS / "plates.md").write_text(table(results))

    there = [row for row in ROWS if "start" not in ROWS[row] or (arguments.start / REPORT).exists()]
    for row in there:
        if row not in results["rows"]:
            folder = trained(row, 1, labels, arguments.start, work)
            best = max(read_log(folder / "log.csv"), key=lambda r: (r["validation_accuracy"], -r["validation_loss"]))
            results["rows"][row] = {
                "parameters": count_parameters(restore_run(folder).model), "held": best["validation_accuracy"],
                "epoch": int(best["epoch"]), "seconds": best["seconds"],
            }  # fmt: skip
            keep()
    if "test" not in results and there == list(ROWS):
        found = {row: [trained(row, seed, labels, arguments.start, work) for seed in SEEDS]
                 for row in (chosen("nothing", results), chosen("Chinese", results))}  # fmt: skip
        results["test"] = {row: read(folders) for row, folders in found.items()}
        keep()
    print(table(results))


if __name__ == "__main__":
    main()
