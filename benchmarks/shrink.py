"""What shrinking costs: ResNet-18 at a tenth of its multiply-adds, criteria against each other, EagleEye, sizes.

    python -m benchmarks.shrink                        everything that is not done yet; about two hours on one core
    python -m benchmarks.shrink --parts grid study     parts of it
    python -m benchmarks.shrink --sizes                the sizes of lightweight-OCR's 16 rows alone; a minute
    python -m benchmarks.shrink --files                model files of the headline's models, each way to store weights
    python -m benchmarks.shrink --times                times them; the machine should do nothing else
    python -m benchmarks.shrink --test                 reads the test lines, once, with every model that is done

Needs ../shared/data/mnist.npz beside the checkout. The lines are in `shrink_task`, what is trained in `shrink_runs`, the study of
EagleEye in `shrink_study`, int8 in `shrink_int8`, the sizes in `shrink_sizes`, and the tables in `shrink_table`. A part of its own is one more entry
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
from benchmarks.shrink_int8 import int8
from benchmarks.shrink_runs import Row, grid, headline
from benchmarks.shrink_sizes import ROWS, STORED, size_row
from benchmarks.shrink_study import study
from benchmarks.shrink_table import page
from benchmarks.shrink_task import WIDEST, lines_of, prepared
from benchmarks.zoo import milliseconds
from glyphlet.data.open import open_lines
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.export.onnx import export_model
from glyphlet.runtime.reader import Reader
from glyphlet.train.restore import restore_run

KEPT = RESULTS / "shrink.json"
TURNS = 5
FILED = 20
"""Lines on which the files are compared with the model; some hundred more are made of them."""
PARTS: dict[str, Callable[[Path], Iterator[tuple[str, Callable[[], Row]]]]] = {
    "headline": headline, "grid": grid, "study": study, "int8": int8,
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


def update(name: str, **values: Any) -> None:
    """Add to a row; another process may have added rows in the meantime."""
    rows = recorded()
    for row in rows:
        if row["name"] == name:
            row |= values
    record(rows)


def served(part: str = "headline") -> list[Row]:
    """The rows with a trained model of their own."""
    return [row for row in recorded() if row["part"] == part and "run" in row and row.get("how") != "on"]


def files(folder: Path) -> None:
    """Write the headline's model files, each way to store the weights, and note their sizes."""
    some = lines_of(folder).validation.some(FILED).sources()
    for row in served():
        best, sizes = restore_run(folder / "runs" / row["run"]), {}
        for kind in STORED:
            path = folder / "runs" / row["run"] / f"{kind}.onnx"
            export_model(
                best.model, path, some, name=row["name"], training=best.facts, measured=best.measured, weights=kind
            )
            sizes[kind] = path.stat().st_size
        update(row["name"], bytes=sizes)


def times(folder: Path) -> None:
    """Time the headline's model files for a line; all take turns."""
    turns: dict[str, list[float]] = {row["name"]: [] for row in served()}
    for _ in range(TURNS):
        for row in served():
            turns[row["name"]].append(milliseconds(Reader(folder / "runs" / row["run"] / "model.onnx"), WIDEST))
    for name, found in turns.items():
        update(name, ms={"median": statistics.median(found), "low": min(found), "high": max(found)})


def test(folder: Path) -> None:
    """Read the test lines with every model that has not read them."""
    lines = open_lines(str(prepared(folder / "lines")["test"]))
    for row in recorded():
        if "run" in row and "test" not in row:
            results = evaluate_lines(Reader(folder / "runs" / row["run"] / "model.onnx"), lines).results
            right = np.array([found.text == found.truth for found in results])
            bits = np.packbits(right).tobytes().hex()
            update(row["name"], test=int(right.sum()), test_lines=len(right), test_right=bits)


def main() -> None:
    """Measure what is missing, and write the tables after each row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--only", nargs="+", help="names of rows, and no others")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-shrink")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--test", action="store_true")
    options = parser.parse_args()
    folder = options.folder.resolve()
    steps = {"files": files, "times": times, "test": test}
    chosen = [step for name, step in steps.items() if getattr(options, name)]
    for step in chosen:
        step(folder)
    if not chosen:
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
