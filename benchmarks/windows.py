"""Long lines in windows against the same lines as a whole: text, logits, memory.

    python -m benchmarks.windows --recurrent FILE [--labels LABELS]

Lines of ../shared/data/sroie_lines (`train`) are joined into long ones, which `print` reads; FILE is a model with a recurrent layer, and
LABELS are the lines of its own that are joined for it. Each is read with windows of 4,096 pixels and as a whole. No test line is read.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

from benchmarks.peers import lines_of
from glyphlet.codec import CTCCodec
from glyphlet.data.open import open_lines
from glyphlet.decode.greedy import decode as greedy
from glyphlet.files import replace_file
from glyphlet.image import Geometry, Line, decode, prepare
from glyphlet.metrics import edit_distance
from glyphlet.runtime.reader import Reader
from glyphlet.runtime.windows import Windows

RESULTS = Path(__file__).parent / "results" / "windows.md"
WIDTH = 30_000
"""Pixels of a joined line, at least, at the model's height."""
LONG = 12


def joined(images: Sequence[tuple[NDArray[np.uint8], str]], geometry: Geometry) -> list[tuple[NDArray[np.uint8], str]]:
    """Lines of `WIDTH` pixels and more, each put together of as many as it takes, with a gap of half the height."""
    made, parts, texts, width = [], list[NDArray[np.uint8]](), list[str](), 0
    for pixels, text in images:
        scaled = geometry.scaled_width(pixels.shape[1], pixels.shape[0])
        image = Image.fromarray(pixels[:, :, 0]).resize((scaled, geometry.height), Image.Resampling.BILINEAR)
        level = int(np.median(np.asarray(image)[:, -3:]))
        parts += [np.asarray(image), np.full((geometry.height, geometry.height // 2), level, np.uint8)]
        texts.append(text)
        width += scaled + geometry.height // 2
        if width >= WIDTH:
            made.append((np.concatenate(parts, axis=1), "".join(texts)))
            parts, texts, width = [], [], 0
    return made[:LONG]


def row(name: str, reader: Reader, lines: Sequence[tuple[NDArray[np.uint8], str]]) -> str:
    """A row of the table."""
    windows = Windows(reader.logits, reader.metadata.geometry, reader.metadata.time_stride)
    codec, stride = reader.metadata.codec, reader.metadata.time_stride
    assert isinstance(codec, CTCCodec)
    differ, largest, edits, truths, whole_errors, window_errors = 0, 0.0, 0, 0, 0, 0
    for pixels, truth in lines:
        line: Line = prepare(pixels, reader.geometry)
        whole, parts = reader.logits([line]), windows.logits(line)
        largest = max(largest, float(np.abs(whole - parts).max() / np.abs(whole).max()))
        (one,), (two,) = (greedy(logits, codec, [line], stride, [""]) for logits in (whole, parts))
        differ += one.text != two.text
        edits += edit_distance(one.text, two.text)
        truths += len(truth)
        whole_errors += edit_distance(one.text.casefold(), truth.casefold())
        window_errors += edit_distance(two.text.casefold(), truth.casefold())
    view = "without end" if windows.view is None else f"{windows.view}"
    return (
        f"| {name} | {view} | {windows.margin} | {len(lines)} | {truths:,} | {largest:.1e} | {differ} | {edits} | "
        f"{100 * whole_errors / truths:.3f} | {100 * window_errors / truths:.3f} |"
    )


def memory(width: int, model: str) -> float:
    """MB that a process holds at most which reads one line of so many pixels."""
    code = f"import numpy as np; from glyphlet import Reader; r = Reader({model!r}, threads=1); r.read_one(np.full((32, {width}), 255, np.uint8))"
    code += "; print(next(row.split()[1] for row in open('/proc/self/status') if row.startswith('VmHWM')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(found.stdout) / 1024


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recurrent", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    options = parser.parse_args()
    receipts = [(decode(path, 1), text) for path, text in lines_of("sroie_lines", 2500)]
    own = [(decode(sample.source, 1), sample.text) for sample in open_lines(str(options.labels))]
    printed, other = Reader("print"), Reader(options.recurrent)
    rows = [
        row("`print` (convolutions)", printed, joined(receipts, printed.metadata.geometry)),
        row(f"{other.metadata.name} (BiLSTM)", other, joined(own, other.metadata.geometry)),
    ]
    held = [f"| {width:,} | {memory(width, 'print'):.0f} |" for width in (320, 8_000, 32_000, 200_000, 1_000_000)]
    text = "\n".join(
        [
            "# Long lines in windows",
            "",
            f"{date.today()}, `python -m benchmarks.windows`. Lines of {WIDTH:,} pixels and more, read as a whole and in windows of 4,096 pixels.",
            "What the gaps between the joined lines are read as counts as an error in both, so CER says only how the two ways differ.",
            "",
            "| Model | View, pixels | Margin | Lines | Characters | Largest difference of a logit | Texts that differ | Edits between them | CER whole, % | CER windows, % |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Memory of a process that reads one blank line with `print`, everything counted (Python, onnxruntime, the image):",
            "",
            "| Pixels wide | Most MB |",
            "|---|---|",
            *held,
            "",
        ]
    )
    replace_file(RESULTS, text.encode())
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
