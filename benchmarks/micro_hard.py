"""The micro network on harder lines than MicroOCR's: backgrounds, polarity, fonts, lengths, Chinese, depth.

    python -m benchmarks.micro_hard                  all rows, resumed from what is done already
    python -m benchmarks.micro_hard --rows mixed-nh64

Needs the Debian packages fonts-dejavu-core and fonts-liberation (Latin), fonts-wqy-zenhei and fonts-arphic-uming
(Chinese). Lines are rendered from seeds; a tenth of the training lines decides which epoch is kept, and the test lines
(another random draw, the same fonts) are read once, through the model file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.micro_table import RESULTS, machine
from glyphlet.job import run
from glyphlet.metrics import wilson
from glyphlet.models.summary import count_parameters
from glyphlet.spec import Recipe, load_recipe
from glyphlet.train.log import read_log
from glyphlet.train.restore import restore_run

LATIN = [
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSerif-Italic.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf",
]
CHINESE = ["/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", "/usr/share/fonts/truetype/arphic/uming.ttc"]
MIXED = {
    "fonts": LATIN, "font_size": [20, 30], "background": "textured", "polarity": "both", "spacing": "proportional",
    "min_length": 1, "max_length": 10,
}  # fmt: skip
BASE: dict[str, Any] = {
    "nh": 64, "depth": 2, "neck": {"name": "fold"}, "count": 20_000, "epochs": 15, "lr": 0.005, "batch": 64,
    "synth": MIXED, "channels": 1,
}  # fmt: skip
BILSTM = {"name": "bilstm", "hidden": 64}
ROWS: dict[str, dict[str, Any]] = {
    "mixed-nh16": {"nh": 16, "lr": 0.01},
    "mixed-nh32": {"nh": 32},
    "mixed-nh64": {},
    "mixed-nh128": {"nh": 128, "lr": 0.003},
    "mixed-nh64-depth1": {"depth": 1},
    "mixed-nh64-depth4": {"depth": 4},
    "mixed-nh64-bilstm": {"neck": BILSTM},
    "long-nh64": {"synth": MIXED | {"min_length": 10, "max_length": 20}, "count": 10_000},
    "long-nh64-bilstm": {"synth": MIXED | {"min_length": 10, "max_length": 20}, "count": 10_000, "neck": BILSTM},
    "chinese3000-nh64": {
        "synth": {"fonts": CHINESE, "font_size": [24, 28], "spacing": "proportional", "min_length": 2, "max_length": 6},
        "chars": 3000, "count": 15_000, "epochs": 10, "lr": 0.003,
    },
}  # fmt: skip
TEXTS = "random characters, each as likely as any other: no language to lean on"


def common_chinese(count: int) -> str:
    """The first characters of GB 2312 level 1, which holds the 3,755 most common ones in the order of their sound."""
    chars = [
        bytes((a, b)).decode("gb2312") for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF) if (a, b) < (0xD7, 0xFA)
    ]
    return "".join(sorted(chars[:count]))


def recipe_for(name: str) -> Recipe:
    """The recipe of a row."""
    row = BASE | ROWS[name]
    values = load_recipe("micro-nh16").dump() | {"name": name, "published": {}, "description": TEXTS}
    values["model"] |= {"backbone": {"name": "micro", "nh": row["nh"], "depth": row["depth"]}, "neck": row["neck"]}
    values["image"] |= {"channels": row["channels"]}
    values["augment"] = [{"name": "shift", "pixels": 3}]
    if "chars" in row:
        values["charset"] = {"text": common_chinese(row["chars"])}
    values["data"]["train"] = row["synth"] | {"count": row["count"], "seed": 3}
    values["data"]["test"] = row["synth"] | {"count": 1000, "seed": 3}
    values["train"] |= {"epochs": row["epochs"], "lr": row["lr"], "batch": row["batch"], "threads": 1, "target": None}
    return Recipe.model_validate(values)


def measure(name: str, work: Path) -> dict[str, Any]:
    """Train one row and return its figures."""
    recipe = recipe_for(name)
    job = run(recipe, work, Console(file=sys.stderr))
    assert job.test is not None
    log = read_log(job.folder / "log.csv")
    scores = job.test.scores
    lengths: dict[str, list[bool]] = {}
    for result in job.test.results:
        lengths.setdefault("short" if len(result.truth) <= 5 else "long", []).append(result.text == result.truth)
    return {
        "name": name,
        "parameters": count_parameters(restore_run(job.folder).model),
        "onnx_kb": round(job.model.stat().st_size / 1024, 1),
        "epochs": job.outcome.epochs,
        "train_lines": int(0.9 * (BASE | ROWS[name])["count"]),
        "seconds": round(job.outcome.seconds),
        "train": log[-1]["train_accuracy"],
        "validation": log[-1]["validation_accuracy"],
        "before_last": log[-3]["validation_accuracy"] if len(log) > 2 else None,
        "test": scores.word_accuracy,
        "interval": [scores.word_interval.low, scores.word_interval.high],
        "cer": scores.cer,
        "cer_interval": [scores.cer_interval.low, scores.cer_interval.high],
        "by_length": {k: [sum(v) / len(v), *_ends(sum(v), len(v))] for k, v in sorted(lengths.items(), reverse=True)},
        "confusions": [[c.truth, c.read, c.count] for c in scores.confusions[:6]],
    }


def _ends(right: int, lines: int) -> tuple[float, float]:
    interval = wilson(right, lines)
    return interval.low, interval.high


def table(rows: list[dict[str, Any]]) -> str:
    """The results as Markdown."""
    lines = [
        f"Measured {date.today()}, {machine()}, 1 thread. Command: `python -m benchmarks.micro_hard`. One seed each.",
        "",
        "| lines and network | parameters | .onnx kB | training lines x epochs | seconds | train | test word accuracy [95 %] "
        "| 1-5 characters | 6 and more | CER | most frequent confusions (truth > read) |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        by = {k: f"{v[0]:.3f}" for k, v in row["by_length"].items()}
        low, high = row["interval"]
        confusions = ", ".join(f"{t or 'nothing'} > {r or 'nothing'} ({n})" for t, r, n in row["confusions"][:4])
        lines.append(
            f"| {row['name']} | {row['parameters']:,} | {row['onnx_kb']:,} | {row['train_lines']:,} x {row['epochs']} | {row['seconds']:,} "
            f"| {row['train']:.3f} | {row['test']:.3f} [{low:.3f}, {high:.3f}] | {by.get('short', '')} "
            f"| {by.get('long', '')} | {row['cer']:.4f} | {confusions} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the rows that are not in the results yet, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-micro-hard")
    arguments = parser.parse_args()
    store = RESULTS / "micro_hard.json"
    done: list[dict[str, Any]] = json.loads(store.read_text()) if store.is_file() else []
    for name in arguments.rows:
        if all(row["name"] != name for row in done):
            row = measure(name, arguments.work)
            # Two processes may share the rows of a table between them.
            done = [r for r in (json.loads(store.read_text()) if store.is_file() else []) if r["name"] != name] + [row]
            done.sort(key=lambda r: list(ROWS).index(r["name"]))
            RESULTS.mkdir(exist_ok=True)
            store.write_text(json.dumps(done, indent=1, ensure_ascii=False))
            (RESULTS / "micro_hard.md").write_text(table(done))
    print(table(done))


if __name__ == "__main__":
    main()
