"""How fast `print` reads: milliseconds a line, cold start, memory, and where the time goes; beside Tesseract and RapidOCR.

    python -m benchmarks.read [--peers PYTHON] [--lines 200] [--turns 5]

PYTHON is an interpreter with tesserocr and rapidocr-onnxruntime; Debian's tesseract-ocr-eng must be installed. The lines are receipt lines
of ../shared/data (`train`; nothing is chosen by them, and their accuracy is not what is measured here), scaled to 48 rows by who reads
them. Engines take turns, so that a busy moment meets all of them; what is compared is the ratio of a turn. Times are from the array of an
image to its text, with all confidences. Run it alone on the machine: nothing else should load the cores.

The peak of the machine is measured with products of matrices on one thread: float32, and int8 as onnxruntime computes it (U8S8).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper
from rich.console import Console

from benchmarks.micro_table import machine
from benchmarks.peers import Engine, lines_of
from glyphlet.codec import CTCCodec
from glyphlet.decode.confidence import log_probabilities, telling_steps
from glyphlet.decode.greedy import best_paths, runs
from glyphlet.decode.greedy import decode as greedy
from glyphlet.files import replace_file
from glyphlet.image import decode, prepare, scale, stack
from glyphlet.models.recognizer import build
from glyphlet.models.summary import multiply_adds
from glyphlet.runtime.reader import Reader
from glyphlet.runtime.shipped import model_path
from glyphlet.train.start import load_model_file

RESULTS = Path(__file__).parent / "results" / "read.md"
MODEL = "print"
PARTS = 60
"""Lines of which each part is timed, so many times."""


def engines_rows(peers: str, paths: Sequence[str], turns: int) -> list[str]:
    """Milliseconds a line on one thread, each line alone, in turns."""
    engines = {"glyphlet": Engine("glyphlet", sys.executable)}
    if peers:
        engines |= {name: Engine(name, peers) for name in ("tesseract", "rapidocr")}
    hows = {"glyphlet": MODEL, "tesseract": "eng", "rapidocr": ""}
    seconds: dict[str, list[list[float]]] = {name: [] for name in engines}
    for _ in range(turns):
        for name, engine in engines.items():
            seconds[name].append(engine.read(hows[name], paths)["seconds"])
    rows = []
    for name, turned in seconds.items():
        every = 1000 * np.array(turned)
        ratios = [sum(one) / sum(own) for one, own in zip(turned, seconds["glyphlet"], strict=True)]
        said = "1" if name == "glyphlet" else f"{np.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        p50, p99 = np.median(every), np.quantile(every, 0.99)
        rows.append(f"| {name} | {every.mean():.2f} | {p50:.2f} | {p99:.2f} | {said} |")
    return rows


def bulk_rows(paths: Sequence[str], turns: int) -> list[str]:
    """Milliseconds a line where many are read with one call, with one thread and with all, and with other batches."""
    images = [decode(path, 3) for path in paths] * 3
    ways = [(1, 1), (1, 32), (2, 32), (os.cpu_count() or 1, 32)]
    ways = list(dict.fromkeys(ways))
    readers = {way: Reader(MODEL, threads=way[0]) for way in ways}
    seconds: dict[tuple[int, int], list[float]] = {way: [] for way in ways}
    for _ in range(turns):
        for way in ways:
            begin = time.perf_counter()
            readers[way].read(images, batch=way[1])
            seconds[way].append((time.perf_counter() - begin) / len(images))
    base = seconds[ways[0]]
    rows = []
    for (threads, batch), found in seconds.items():
        ratios = [own / one for one, own in zip(found, base, strict=True)]
        rows.append(
            f"| {threads} | {batch} | {1000 * np.median(found):.2f} | {np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |"
        )
    return rows


def milliseconds(run: Callable[[], Any], times: int = 15) -> float:
    """The median of some runs."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        found.append(time.perf_counter() - begin)
    return 1000 * float(np.median(found))


def parts(model: str, paths: Sequence[str]) -> dict[str, float]:
    """Where the time of a line goes, in milliseconds: the mean over lines of the median of each part."""
    reader = Reader(model, threads=1)
    geometry, codec, stride = reader.metadata.geometry, reader.metadata.codec, reader.metadata.time_stride
    assert isinstance(codec, CTCCodec)
    ctc = codec
    found: dict[str, list[float]] = {"preparation": [], "network": [], "decoding": [], "of it confidence": []}
    for path in paths[:PARTS]:
        pixels = decode(path, 3)
        line = prepare(pixels, geometry)
        images = scale(stack([line]), geometry)
        logits = reader.logits([line])
        path_, best, normalizers = best_paths(logits)
        labels = [[run.label for run, _ in one] for one in runs(path_, best)]
        telling = telling_steps(path_, best)
        run_network = lambda: reader._bundle.session.run(["logits"], {"image": images})  # noqa: B023, E731
        found["preparation"].append(milliseconds(lambda: scale(stack([prepare(pixels, geometry)]), geometry)))  # noqa: B023
        found["network"].append(milliseconds(run_network))
        found["decoding"].append(milliseconds(lambda: greedy(logits, ctc, [line], stride, [""])))  # noqa: B023
        found["of it confidence"].append(
            milliseconds(lambda: log_probabilities(logits, labels, normalizers, telling))  # noqa: B023
        )
    return {name: float(np.mean(values)) for name, values in found.items()}


def peak(kind: str) -> float:
    """Multiply-adds a second of a product of matrices on one thread, in thousands of millions."""
    size = 512
    left = np.random.default_rng(0).integers(0, 255, (size, size)).astype(np.uint8)
    inputs = [
        helper.make_tensor_value_info("a", TensorProto.UINT8 if kind == "int8" else TensorProto.FLOAT, [size, size])
    ]
    weight = np.random.default_rng(1).integers(-64, 64, (size, size)).astype(np.int8 if kind == "int8" else np.float32)
    node = helper.make_node("MatMulInteger" if kind == "int8" else "MatMul", ["a", "b"], ["c"])
    out = helper.make_tensor_value_info("c", TensorProto.INT32 if kind == "int8" else TensorProto.FLOAT, [size, size])
    graph = helper.make_graph([node], "peak", inputs, [out], [onnx.numpy_helper.from_array(weight, "b")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {"a": left if kind == "int8" else left.astype(np.float32)}
    best = min(milliseconds(lambda: session.run(None, given), 5) for _ in range(10))
    return size**3 / best / 1e6


def cold(path: str) -> tuple[float, float, float]:
    """A fresh process that reads one line: seconds to the text (median of 7), the same for Python with NumPy alone, MB held at most."""
    code = f"from glyphlet import Reader; print(Reader({MODEL!r}).read_one({path!r}).text)"
    code += "; print(next(row.split()[1] for row in open('/proc/self/status') if row.startswith('VmHWM')))"
    times: dict[str, list[float]] = {code: [], "import numpy": []}
    held = 0.0
    for _ in range(7):
        for source, found in times.items():
            begin = time.perf_counter()
            out = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout
            found.append(time.perf_counter() - begin)
            held = max(held, int(out.split()[-1]) / 1024) if out else held
    ours, numpy_alone = (float(np.median(found)) for found in times.values())
    return ours, numpy_alone, held


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default="", help="an interpreter with tesserocr and rapidocr-onnxruntime")
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    paths = [path for path, _ in lines_of("sroie_lines", options.lines)]
    load = os.getloadavg()[0]
    engine_rows, bulk = engines_rows(options.peers, paths, options.turns), bulk_rows(paths, options.turns)
    split = parts(MODEL, paths)
    start = load_model_file(model_path(MODEL))
    network = build(start.recipe.model, start.recipe.image, start.charset)
    widths = [prepare(decode(path, 1), start.recipe.image).pixels.shape[2] for path in paths[:PARTS]]
    rate = float(np.mean([multiply_adds(network, width) for width in widths])) / split["network"] / 1e6
    float_peak, int8_peak = peak("float32"), peak("int8")
    ours, numpy_alone, held = cold(paths[0])
    besides = (split["preparation"] + split["decoding"]) / split["network"]
    text = "\n".join(
        [
            "# How fast lines are read",
            "",
            f"{date.today()}, {machine()}, load {load:.1f} before. `python -m benchmarks.read --peers PYTHON`, {len(paths)} receipt lines,",
            f"{options.turns} turns, model `{MODEL}`, from the array to the text with its confidences.",
            "",
            "One line after the other, one thread:",
            "",
            "| Engine | Mean ms | p50 | p99 | Time, ours = 1 (least to most of the turns) |",
            "|---|---|---|---|---|",
            *engine_rows,
            "",
            "Many lines with one call (the same lines three times):",
            "",
            "| Threads | Batch | ms a line | Faster than one thread, batch 1 |",
            "|---|---|---|---|",
            *bulk,
            "",
            f"Where the time of a line goes (one thread, {PARTS} lines, ms): "
            + ", ".join(f"{name} {value:.2f}" for name, value in split.items())
            + f". Preparation and decoding together take {besides:.2f} of the network's time.",
            "",
            f"The network does {rate:.1f} thousand million multiply-adds a second: {100 * rate / float_peak:.0f} % of the {float_peak:.0f} of a float32",
            f"product of matrices on one thread here, {100 * rate / int8_peak:.0f} % of the {int8_peak:.0f} of one in int8.",
            "",
            f"A process that has read one line: {ours:.2f} s from its start (Python with NumPy alone: {numpy_alone:.2f}), {held:.0f} MB at most.",
            "",
        ]
    )
    replace_file(RESULTS, text.encode())
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
