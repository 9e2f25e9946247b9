"""Seconds to word accuracy 1.0 at nh 16: our recipe against the settings of MicroOCR, in one run on the same lines.

    python -m benchmarks.micro_speed --seeds 1 2 3 4 5

Both train the same network from the same first weights through the same loop, taking turns, on one thread; so what
differs is the recipe alone. The source's settings are batch 8, Adam at 1e-4 with betas 0.5 and 0.999, weight decay 1e-3
on a loss that is summed over the batch (1.25e-4 on ours, a mean over 8 lines), a constant rate, no clipping, values from
0 to 1, black padding. Its defects are kept out: validation does not depend on the batch, nothing is dropped in silence.

A run ends when every validation line is read, or after `--limit` epochs: then its seconds are a lower bound.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.micro_table import RESULTS, first_epoch, machine, rendered
from glyphlet.job import run
from glyphlet.spec import Recipe, load_recipe

SOURCE = {
    "image": {"mean": 0.0, "std": 1.0, "padding": "black"},
    "train": {
        "optimizer": "adam", "lr": 1e-4, "betas": [0.5, 0.999], "weight_decay": 1.25e-4, "batch": 8,
        "schedule": "constant", "clip": 0, "entropy": 0.0,
    },
}  # fmt: skip


def measure(kind: str, seed: int, labels: dict[str, Any], work: Path, limit: int) -> dict[str, Any]:
    """Train once with our settings or the source's, to the first epoch that reads every validation line."""
    values = load_recipe("micro-nh16").dump()
    values["data"] |= labels
    values["train"] |= {"seed": seed, "threads": 1, "samples": 0}
    if kind == "source":
        values["image"] |= SOURCE["image"]
        values["train"] |= {**SOURCE["train"], "epochs": limit}
    job = run(Recipe.model_validate(values), work / "speed", Console(file=sys.stderr))
    reached = first_epoch(job, 1.0)
    assert job.test is not None
    return {
        "recipe": kind,
        "seed": seed,
        "reached": reached is not None,
        "epochs": int(reached["epoch"]) if reached else job.outcome.epochs,
        "seconds": round(reached["seconds"] if reached else job.outcome.seconds, 1),
        "best_validation": job.outcome.best_accuracy,
        "test": job.test.scores.word_accuracy,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The results as Markdown, with the ratio of each pair."""
    lines = [
        f"Measured {date.today()}, {machine()}, 1 thread. Command: `python -m benchmarks.micro_speed`",
        "",
        "| seed | ours: epochs | seconds | source: epochs | seconds | source / ours |",
        "|---|---|---|---|---|---|",
    ]
    ratios = []
    for seed in sorted({row["seed"] for row in rows}):
        pair = {row["recipe"]: row for row in rows if row["seed"] == seed}
        if len(pair) < 2:
            continue
        ours, source = pair["ours"], pair["source"]
        ratios.append(source["seconds"] / ours["seconds"])
        cells = [
            cell
            for row in (ours, source)
            for cell in (
                f"{row['epochs']}" if row["reached"] else f"not in {row['epochs']} ({row['best_validation']:.3f})",
                f"{row['seconds']}",
            )
        ]
        more = "" if source["reached"] else "more than "
        lines.append(f"| {seed} | " + " | ".join(cells) + f" | {more}{ratios[-1]:.1f} |")
    low, middle, high = np.min(ratios), np.median(ratios), np.max(ratios)
    lines += ["", f"Ratio: median {middle:.1f}, from {low:.1f} to {high:.1f}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Take turns, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--limit", type=int, default=120)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-micro-table")
    arguments = parser.parse_args()
    labels = rendered(arguments.work, load_recipe("micro-nh16"))
    rows: list[dict[str, Any]] = []
    for seed in arguments.seeds:
        rows.extend(measure(kind, seed, labels, arguments.work, arguments.limit) for kind in ("ours", "source"))
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "micro_speed.json").write_text(json.dumps(rows, indent=1))
        (RESULTS / "micro_speed.md").write_text(table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
