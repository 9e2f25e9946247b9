"""MicroOCR's table of 18 networks, trained again with our recipes.

    python -m benchmarks.micro_table                          all rows, resumed from what is done already
    python -m benchmarks.micro_table --rows micro-nh16 --seeds 1 2 3 4 5

For each recipe `micro-nh*`: 5,000 training lines, 500 validation lines and 500 test lines are rendered as in the source
(4 of 62 characters on 120 x 30 pixels), with Pillow's own font. The column "epochs" counts to the first epoch after which
every validation line is read (0.996 of them for nh 2), as the source counted on its 500. The test lines are read once,
through the model file, when the training has ended.

Each row is trained on one thread, so that the seconds mean the same on any number of cores.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from glyphlet.charset import Charset
from glyphlet.job import Job, run
from glyphlet.models.catalogue import published_total
from glyphlet.models.recognizer import build
from glyphlet.models.summary import pth_kilobytes
from glyphlet.spec import Recipe, SynthSpec, load_recipe, shipped_recipes
from glyphlet.synth.dataset import write_set
from glyphlet.train.log import read_log

RESULTS = Path(__file__).parent / "results"
ROWS = [name for name in shipped_recipes() if name.startswith("micro-nh")]


def rendered(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Label files of 5,000 training, 500 validation and 500 test lines."""
    assert isinstance(recipe.data.train, SynthSpec)
    charset = Charset.named("alphanumeric")
    labels = {}
    for stream, count in (("train", 5000), ("validation", 500), ("test", 500)):
        spec = recipe.data.train.model_copy(update={"count": count})
        path = folder / stream / "labels.txt"
        labels[stream] = [str(path if path.is_file() else write_set(spec, charset, folder / stream, stream))]
    return labels


def first_epoch(job: Job, accuracy: float) -> dict[str, float] | None:
    """The row of the log of the first epoch that reaches a validation word accuracy."""
    return next((r for r in read_log(job.folder / "log.csv") if r["validation_accuracy"] >= accuracy), None)


def measure(name: str, seed: int, labels: dict[str, Any], work: Path, threads: int) -> dict[str, Any]:
    """Train one row and return its figures."""
    recipe = load_recipe(name)
    values = recipe.dump()
    values["data"] |= labels
    values["train"] |= {"seed": seed, "threads": threads, "samples": 0}
    job = run(Recipe.model_validate(values), work / "runs", Console(file=sys.stderr))
    assert job.test is not None
    reached = first_epoch(job, recipe.published["word_accuracy"])
    model = build(recipe.model, recipe.image, Charset.named("alphanumeric"))
    return {
        "name": name,
        "seed": seed,
        "parameters": published_total(recipe),
        "pth_kb": pth_kilobytes(model),
        "onnx_kb": round(job.model.stat().st_size / 1024, 1),
        "epochs": int(reached["epoch"]) if reached else None,
        "updates": int(reached["step"]) if reached else None,
        "seconds": round(reached["seconds"], 1) if reached else None,
        "of_epochs": recipe.train.epochs,
        "best_validation": job.outcome.best_accuracy,
        "test": job.test.scores.word_accuracy,
        "test_low": job.test.scores.word_interval.low,
        "test_high": job.test.scores.word_interval.high,
        "published": recipe.published,
    }


def table(rows: list[dict[str, Any]], threads: int) -> str:
    """The results as Markdown."""
    lines = [
        f"Measured {date.today()}, {machine()}, {threads} thread. Command: `python -m benchmarks.micro_table`",
        "",
        "| network | seed | parameters | .pth kB (published) | .onnx kB | epochs (published) | updates | seconds |"
        " test word accuracy [95 %] |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        p = row["published"]
        epochs = f"{row['epochs']} of {row['of_epochs']}" if row["epochs"] else f"not in {row['of_epochs']}"
        lines.append(
            f"| {row['name']} | {row['seed']} | {row['parameters']:,} | {row['pth_kb']:,} ({p['pth_kb']:,}) "
            f"| {row['onnx_kb']:,} | {epochs} ({p['epochs']:,}) | {row['updates'] or ''} | {row['seconds'] or ''} "
            f"| {row['test']:.3f} [{row['test_low']:.3f}, {row['test_high']:.3f}] |"
        )
    return "\n".join(lines) + "\n"


def machine() -> str:
    """The processor and the versions that matter."""
    import torch

    cpu = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = f"{len(names)} cores {names[0]}" if names else cpu
    return f"{cpu}, Python {platform.python_version()}, torch {torch.__version__}"


def stored(path: Path) -> list[dict[str, Any]]:
    """The rows that are done."""
    rows: list[dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else []
    return rows


def main() -> None:
    """Measure the rows that are not in the results yet, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=ROWS, choices=ROWS)
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-micro-table")
    arguments = parser.parse_args()
    store = RESULTS / "micro_table.json"
    RESULTS.mkdir(exist_ok=True)
    labels = rendered(arguments.work, load_recipe("micro-nh16"))
    for name in arguments.rows:
        for seed in arguments.seeds:
            if any((row["name"], row["seed"]) == (name, seed) for row in stored(store)):
                continue
            row = measure(name, seed, labels, arguments.work, arguments.threads)
            done = [*stored(store), row]  # read again: two processes may share the rows between them
            done.sort(key=lambda row: (ROWS.index(row["name"]), row["seed"]))
            store.write_text(json.dumps(done, indent=1))
            (RESULTS / "micro_table.md").write_text(table(done, arguments.threads))
    print(table(stored(store), arguments.threads))


if __name__ == "__main__":
    main()
