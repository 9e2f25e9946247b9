"""Whole pages against Tesseract: rendered letters, receipts and two columns whose truth is known.

    python -m venv peers && peers/bin/pip install tesserocr
    python -m benchmarks.pages --peers peers/bin/python

Needs tesseract-ocr-eng, the fonts of `make packages` and ../shared/data beside the checkout. Each page goes through all engines before the
next one comes; each engine has a process of its own, with one thread. Tesseract reads with page mode 3 (finds columns itself) and with
6 (one block; for receipts it is the mode that its users take). Pages are drawn by `benchmarks/pages_render.py`; the settings of
`glyphlet.pages` were chosen on pages of other seeds in other fonts (`--tuning`).

CER: edits from the text of a page in reading order to its truth, by true characters; line breaks count as spaces, forms of quotation marks as one.
Lines: the share of true lines that have a found line with an overlap (intersection over union of the upright boxes) of .5 or more, one to one, and the
share of found lines that have a true one. Intervals: 95 %, bootstrap over pages.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.micro_table import RESULTS, machine
from benchmarks.pages_render import KEPT, TUNING, Truth, page, sentences
from benchmarks.peers import Engine, plain
from glyphlet.metrics import edit_distance

KINDS = ("letter", "letter-worn", "receipt", "receipt-worn", "columns", "columns-worn")
ENGINES = {
    "print": ("glyphlet", "print"),
    "tesseract, mode 3": ("tesseract", "3"),
    "tesseract, mode 6": ("tesseract", "6"),
}
FIRST_SEED = 8000
RESAMPLES = 2000
Box = tuple[float, float, float, float]


def overlap(a: Box, b: Box) -> float:
    """Intersection over union.

    >>> overlap((0, 0, 2, 2), (1, 0, 3, 2))
    0.3333333333333333
    """
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / max(1e-9, areas - width * height)


def matched(found: list[Box], truth: list[Box]) -> int:
    """How many found lines stand on a true one, one to one, the best overlaps first."""
    pairs = [(overlap(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(truth)]
    left, right, count = set(range(len(found))), set(range(len(truth))), 0
    for value, i, j in sorted(pairs, reverse=True):
        if value < 0.5:
            break
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            count += 1
    return count


def counts(answer: dict[str, Any], truth: Truth) -> dict[str, float]:
    """What is summed up over pages."""
    read, true = plain(answer["text"], "quotes"), plain(" ".join(truth.lines), "quotes")
    boxes = [tuple(box) for box in answer["boxes"]]
    return {
        "edits": edit_distance(read, true), "characters": len(true), "hits": matched(boxes, truth.boxes),
        "found": len(boxes), "lines": len(truth.lines), "seconds": answer["seconds"],
    }  # fmt: skip


def ratio(rows: list[dict[str, float]], above: str, below: str) -> str:
    """A share over all pages in percent, with its interval."""
    top, bottom = (np.array([row[key] for row in rows], float) for key in (above, below))
    drawn = np.random.default_rng(0).integers(0, len(rows), (RESAMPLES, len(rows)))
    low, high = np.percentile(100 * top[drawn].sum(axis=1) / bottom[drawn].sum(axis=1), (2.5, 97.5))
    return f"{100 * top.sum() / bottom.sum():.2f} [{low:.2f}, {high:.2f}]"


def spread(values: list[float], digits: int) -> str:
    """Median, lowest and highest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(results: dict[str, dict[str, list[dict[str, float]]]]) -> str:
    """The results as Markdown."""
    lines = [
        "# Whole pages against Tesseract",
        "",
        f"Measured {date.today()}, {machine()}, 1 thread each. Command: `python -m benchmarks.pages --peers PYTHON`",
        "",
        "Rendered pages in faces that `print` was not trained on and no setting was chosen on. `worn`: turned by up to 3 degrees, lit unevenly,",
        "noisy, JPEG. CER in percent of the whole page in reading order; recall and precision of lines in percent at an overlap of .5; 95 % intervals,",
        "bootstrap over pages. Seconds a page and Tesseract's time as a multiple of ours, page by page: median (lowest to highest).",
        "",
        "| pages | engine | CER | recall | precision | seconds a page | Tesseract takes, times ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, engines in results.items():
        own = [row["seconds"] for row in engines["print"]]
        for engine, rows in engines.items():
            took = [row["seconds"] for row in rows]
            faster = "" if engine == "print" else spread([b / a for a, b in zip(own, took, strict=True)], 1)
            lines.append(
                f"| {kind} ({len(rows)}) | {engine} | {ratio(rows, 'edits', 'characters')} | {ratio(rows, 'hits', 'lines')} | "
                f"{ratio(rows, 'hits', 'found')} | {spread(took, 2)} | {faster} |"
            )
    return "\n".join([*lines, ""])


def measured(kind: str, pages: int, tuning: bool, engines: dict[str, Engine]) -> dict[str, list[dict[str, float]]]:
    """The counts of each page, by engine."""
    texts, found = sentences(), {name: list[dict[str, float]]() for name in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(pages):
            truth = page(kind, number + (0 if tuning else FIRST_SEED), TUNING if tuning else KEPT, texts)
            path = Path(folder) / "page.png"
            truth.image.save(path, dpi=(truth.dpi, truth.dpi))
            for name, (engine, how) in ENGINES.items():
                (answer,) = engines[engine].read(how, [str(path)])["pages"]
                found[name].append(counts(answer, truth))
    return found


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default=sys.executable, help="an interpreter that has tesserocr")
    parser.add_argument("--pages", type=int, default=12, help="of each kind")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--tuning", action="store_true", help="pages to choose settings on; nothing is kept")
    options = parser.parse_args()
    pythons = {"glyphlet": sys.executable, "tesseract": options.peers}
    engines = {name: Engine(name, python, "page_engines.py") for name, python in pythons.items()}
    kept = RESULTS / "pages.json"
    results = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() and not options.tuning else {}
    for kind in options.kinds:
        results[kind] = measured(kind, options.pages, options.tuning, engines)
        print(table({kind: results[kind]}), file=sys.stderr)
    if options.tuning:
        return
    results = {kind: results[kind] for kind in KINDS if kind in results}
    kept.write_text(json.dumps(results) + "\n", encoding="utf-8")
    (RESULTS / "pages.md").write_text(table(results), encoding="utf-8")


if __name__ == "__main__":
    main()
