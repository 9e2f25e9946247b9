"""Writes the measured figures into the pages of the models, from benchmarks/results/zoo.json.

    python docs/generate_models.py

A page has them between two comments, `<!-- figures -->` and `<!-- end of figures -->`. tests/test_docs.py fails when one is
out of date.
"""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path
from typing import Any

PAGES = Path(__file__).parent / "models"
RESULTS = PAGES.parents[1] / "benchmarks" / "results" / "zoo.json"
MODELS = {
    "glyph": ["glyph"],
    "micro": ["micro-nh16", "micro-nh64", "micro-nh64-bilstm", "micro-nh256"],
    "crnn": ["crnn-37"],
    "mobilenetv3": [
        "lightweight-baseline", "lightweight-ca", "lightweight-metaacon", "lightweight-fpn-a", "lightweight-fpn-a-blurpool",
        "lightweight-fpn-b", "lightweight-fpn-c", "lightweight-fpn-d", "lightweight-fpn-a-large", "lightweight-fpn-d-large",
    ],
    "resnet": ["lightweight-r18-48", "lightweight-r18-64", "lightweight-r18se-48", "lightweight-r18se-64"],
    "rare": ["rare"],
    "star": ["star-net"],
}  # fmt: skip
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
BUSY = " Times were taken\nbeside other work and may be up to three times too long."
HEAD = """\
Of the [comparison on equal work](../../benchmarks/results/zoo.md): the same {seen:,} short lines for every recogniser,
rendered and real, 101 classes, one thread of a 2-core CPU. `python -m benchmarks.zoo` makes them. Accuracy is of whole
validation lines, rendered in fonts that were held back or real, by seed.{times}
*: not converged, fewer than 95 % of the training lines are read in the last epoch.

| Recipe | Parameters | File kB | ms a line of 96 px | Training lines/s | Word accuracy |
|---|---|---|---|---|---|
"""


def figures(models: list[str], rows: list[dict[str, Any]]) -> str:
    """The table of a page; empty where nothing was measured."""
    lines = []
    for model in models:
        own = sorted((row for row in rows if row["model"] == model), key=lambda row: row["seed"])
        if own:
            speed = own[0]["lines_per_second"]
            words = " ".join(f"{row['validation']:.3f}" for row in own)
            trained = statistics.mean(row["train_accuracy"] for row in own)
            lines.append(
                f"| `{model}` | {own[0]['parameters']:,} | {own[0]['file_kb']:,} | {own[0]['ms']:.2f} | {speed:.0f} | "
                f"{words}{'' if trained >= 0.95 else ' *'} |\n"
            )
    return (
        HEAD.format(
            seen=rows[0]["seen"], times="" if all("ms_turns" in row for row in rows if row["seed"] == 1) else BUSY
        )
        + "".join(lines)
        if lines
        else ""
    )


def page(name: str) -> str:
    """A page with its figures."""
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    made = figures(MODELS[name], json.loads(RESULTS.read_text(encoding="utf-8")))
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{made}{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    for name in MODELS:
        (PAGES / f"{name}.md").write_text(page(name), encoding="utf-8")
