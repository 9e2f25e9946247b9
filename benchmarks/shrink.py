"""What shrinking costs: ResNet-18 at a tenth of its multiply-adds, criteria against each other, EagleEye, sizes.

    python -m benchmarks.shrink                        everything that is not done yet; about two hours on one core
    python -m benchmarks.shrink --parts grid study     parts of it
    python -m benchmarks.shrink --sizes                the sizes of lightweight-OCR's 16 rows alone; a minute
    python -m benchmarks.shrink --files                model files of the headline's models, and times; the machine should rest
    python -m benchmarks.shrink --test                 reads the test lines, once, with every model that is done

Needs ../shared/data/mnist.npz beside the checkout. The lines are in `shrink_task`, what is trained in `shrink_runs`, the study of
EagleEye in `shrink_study`, the sizes in `shrink_sizes`, and the tables in `shrink_table`. A part of its own is one more entry
in `PARTS` and one more function in `shrink_table.TABLES`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.micro_table import RESULTS
from benchmarks.shrink_runs import Row, grid, headline
from benchmarks.shrink_sizes import ROWS, STORED, size_row
from benchmarks.shrink_study import study
from benchmarks.shrink_table import page
from benchmarks.shrink_task import PARITY, WIDEST, lines_of, prepared
from benchmarks.zoo import milliseconds
from glyphlet.data.open import open_lines
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.export.onnx import export_model
from glyphlet.runtime.reader import Reader
from glyphlet.train.restore import restore_run

KEPT = RESULTS / "shrink.json"
TURNS = 5
PARTS: dict[str, Callable[[Path], Iterator[tuple[str, Callable[[], Row]]]]] = {
    "headline": headline, "grid": grid, "study": study,
    "sizes": lambda folder: ((name, lambda name=name: size_row(name)) for name in ROWS),  # type: ignore[misc]
}  # fmt: skip
"""What there is to measure: for each part its rows by name, and what makes each."""


def recorded() -> list[Row]:
    """The rows that are done."""
    return list(json.loads(KEPT.read_text(encoding="utf-8"))) if KEPT.is_file() else []


def record(rows: list[Row]) -> None:
    """Keep the rows, and write the tables."""
    KEPT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    KEPT.with_suffix(".md").write_text(page(rows), encoding="utf-8")


def files(rows: list[Row], folder: Path) -> None:
    """The sizes of the headline's model files, each way to store the weights, and what a line takes: all take turns."""
    found = [row for row in rows if row["part"] == "headline" and "run" in row]
    times: dict[str, list[float]] = {row["name"]: [] for row in found}
    some = lines_of(folder).validation.some(PARITY).sources()
    for row in found:
        best = restore_run(folder / "runs" / row["run"])
        row["bytes"] = {}
        for kind in STORED:
            path = folder / "runs" / row["run"] / f"{kind}.onnx"
            export_model(best.model, path, some, name=row["name"], training=best.facts, measured=best.measured, weights=kind)  # fmt: skip
            row["bytes"][kind] = path.stat().st_size
    for _ in range(TURNS):
        for row in found:
            times[row["name"]].append(milliseconds(Reader(folder / "runs" / row["run"] / "float32.onnx"), WIDEST))
    for row in found:
        row["ms"] = {
            "median": statistics.median(times[row["name"]]), "low": min(times[row["name"]]), "high": max(times[row["name"]]),
        }  # fmt: skip


def test(rows: list[Row], folder: Path) -> Iterator[Row]:
    """Read the test lines with every model that has not read them; each row as it is done."""
    lines = open_lines(str(prepared(folder / "lines")["test"]))
    for row in rows:
        if "run" in row and "test" not in row:
            results = evaluate_lines(Reader(folder / "runs" / row["run"] / "model.onnx"), lines).results
            right = np.array([found.text == found.truth for found in results])
            row["test"], row["test_lines"] = int(right.sum()), len(right)
            row["test_right"] = np.packbits(right).tobytes().hex()
            yield row


def main() -> None:
    """Measure what is missing, and write the tables after each row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--only", nargs="+", help="names of rows, and no others")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-shrink")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--test", action="store_true")
    options = parser.parse_args()
    folder = options.folder.resolve()
    if options.files:
        rows = recorded()
        files(rows, folder)
        record(rows)
    elif options.test:
        rows = recorded()
        for _ in test(rows, folder):
            record(rows)
    else:
        for part in ["sizes"] if options.sizes else options.parts:
            for name, made in PARTS[part](folder):
                wanted = options.only is None or name in options.only
                if wanted and name not in {row["name"] for row in recorded()}:
                    row: dict[str, Any] = made()
                    print(json.dumps(row), file=sys.stderr, flush=True)
                    record([*recorded(), row])
    print(page(recorded()))


if __name__ == "__main__":
    main()
