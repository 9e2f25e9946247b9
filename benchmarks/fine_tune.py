"""Fine-tuning: from a model of rendered numbers to real handwritten ones, and what becomes of the rendered ones.

    python -m benchmarks.fine_tune

Needs ../shared/data/lectaurep_numbers (HTR-United/lectaurep-repertoires, CC BY 4.0) beside the checkout. Lines to train on
and 800 lines to measure on are cut from its `train`; `test` is left alone. A run that was stopped is gone on with.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.micro_table import RESULTS, machine
from glyphlet.evaluate.paired import compare
from glyphlet.job import REPORT, Job, run
from glyphlet.metrics import Interval
from glyphlet.spec import Recipe, recipe_from

DATA = Path(__file__).parents[2] / "shared" / "data" / "lectaurep_numbers"
LINES = {"min_length": 1, "max_length": 5, "spacing": "proportional"}
MODEL = {
    "backbone": {"name": "micro", "nh": 64, "depth": 2},
    "neck": {"name": "bilstm", "hidden": 64},
    "head": {"name": "ctc"},
}
TRAIN = {"threads": 1, "accelerator": "cpu", "samples": 0, "lr": 0.005, "entropy": 0.1}
REPLAY = {"source": {"count": 4000, "seed": 3, **LINES}, "share": 0.5}
ROWS: dict[str, tuple[int, dict[str, Any] | None]] = {
    "300 from nothing": (300, None),
    "300 from the start": (300, {}),
    "300 with replay": (300, {"replay": REPLAY}),
    "1000 from nothing": (1000, None),
    "1000 from the start": (1000, {}),
    "1000 backbone frozen": (1000, {"freeze": ["backbone"]}),
    "1000 keep_weight 0.01": (1000, {"keep_weight": 0.01}),
    "1000 keep_weight 0.1": (1000, {"keep_weight": 0.1}),
    "1000 with replay": (1000, {"replay": REPLAY}),
}
"""How many real lines, and the section `start` of the recipe."""


def base() -> Recipe:
    """The recipe of the start: rendered lines only."""
    return recipe_from(
        {
            "name": "rendered-numbers",
            "model": MODEL,
            "charset": {"name": "number"},
            "augment": [{"name": "robust", "p": 0.5}],
            "data": {"train": {"count": 6000, "seed": 3, **LINES}, "unalignable": "drop"},
            "train": {**TRAIN, "epochs": 12, "batch": 64},
        },
        "base",
    )


def recipe(lines: Path, held: Path, start: Path, section: dict[str, Any] | None) -> Recipe:
    """The recipe of a row."""
    check = [{"count": 1000, "seed": 9, **LINES}]
    return recipe_from(
        {
            "name": "numbers",
            "model": MODEL,
            "charset": {"name": "number"},
            "augment": [{"name": "affine", "rotate": 3, "shear": 15, "scale": 0.15, "shift": 0.08}],
            "data": {"train": [str(lines)], "test": [str(held)], "unalignable": "drop"},
            "train": {**TRAIN, "epochs": 30, "batch": 32},
            "start": None if section is None else {"path": str(start), "check": check, **section},
        },
        "row",
    )


def cut(work: Path) -> dict[int, Path]:
    """Label files of the first lines of a shuffled `train`, and as 0 of 800 others."""
    rows = (DATA / "train.txt").read_text(encoding="utf-8").splitlines()
    random.Random(1).shuffle(rows)
    parts = {300: rows[:300], 1000: rows[:1000], 0: rows[-800:]}
    for count, part in parts.items():
        (work / f"{count}.txt").write_text("".join(f"{DATA}/{row}\n" for row in part), encoding="utf-8")
    return {count: work / f"{count}.txt" for count in parts}


def figures(job: Job) -> dict[str, Any]:
    """What is kept of a row."""
    assert job.test is not None
    kept = {
        "real": job.test.scores.word_accuracy,
        "real_interval": list(vars(job.test.scores.word_interval).values()),
        "seconds": job.outcome.seconds,
    }
    if job.old:
        before, after = job.old
        found = compare(before, after)
        kept["before"], kept["after"] = before.scores.word_accuracy, after.scores.word_accuracy
        kept["difference"], kept["interval"] = found.difference, list(vars(found.interval).values())
    return kept


def shown(interval: list[float], sign: str = "") -> str:
    """An interval of shares in percent."""
    ends = Interval(*interval)
    return f"[{100 * ends.low:{sign}.1f}, {100 * ends.high:{sign}.1f}]"


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The results as Markdown."""
    lines = [
        f"Measured {date.today()}, {machine()}, 1 thread, one seed. Command: `python -m benchmarks.fine_tune`",
        "",
        "Word accuracy in percent: on 800 real lines (read once, at the end), and on 1,000 rendered ones before and after.",
        "",
        "| real lines, start | real [95 %] | rendered before | after | difference [95 %, paired] | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        old = (
            f"{100 * row['before']:.1f} | {100 * row['after']:.1f} | "
            f"{100 * row['difference']:+.1f} {shown(row['interval'], '+')}"
            if "before" in row
            else "- | - | -"
        )
        lines.append(
            f"| {name} | {100 * row['real']:.1f} {shown(row['real_interval'])} | {old} | {row['seconds']:.0f} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Train the start, then every row that is not there yet, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-fine-tune")
    work: Path = parser.parse_args().work
    work.mkdir(parents=True, exist_ok=True)
    console, labels, start = Console(file=sys.stderr), cut(work), work / "start"
    if not (start / REPORT).exists():
        run(base(), work, console, folder=start)
    for name, (count, section) in ROWS.items():
        folder = work / name.replace(" ", "-")
        if not (folder / "row.json").exists():
            job = run(recipe(labels[count], labels[0], start, section), work, console, folder=folder)
            (folder / "row.json").write_text(json.dumps(figures(job)))
        done = {n: work / n.replace(" ", "-") / "row.json" for n in ROWS}
        rows = {n: json.loads(path.read_text()) for n, path in done.items() if path.exists()}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "fine_tune.md").write_text(table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
