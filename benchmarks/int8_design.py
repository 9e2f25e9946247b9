"""What each choice of `glyphlet shrink quantize` brings, on `print` and real lines; and whether other processors read the same.

    python -m benchmarks.int8_design --model float.onnx
    python -m benchmarks.int8_design --model float.onnx --emulator qemu-x86_64       also compares with an emulated Haswell, which has no VNNI

Measured on `print` as it shipped before it was computed in int8; the commit before that holds the file.

Ranges are taken from 60 typewritten lines and 60 of receipts, the noise is measured on 500 others; all are cut from `train` (../shared/data,
which this benchmark needs). The noise is the power by which logits differ from those of float32, as dB below their own. A line counts as changed when its
text is another than that of float32.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from benchmarks.micro_table import RESULTS, machine
from glyphlet.compress.int8.fallback import logits_of, noise
from glyphlet.compress.int8.observe import Observed, observe
from glyphlet.compress.int8.outcome import decibels
from glyphlet.compress.int8.plain import Plain
from glyphlet.compress.int8.rewrite import rewrite
from glyphlet.compress.int8.rounding import Rounded, nearest, rounded
from glyphlet.data.open import open_lines
from glyphlet.image import prepare, scale, stack
from glyphlet.runtime.bundle import INPUT, OUTPUT
from glyphlet.runtime.reader import Reader

SHARED = Path(__file__).parents[2] / "shared" / "data"
SETS = {"typewritten_lines": 200, "sroie_lines": 300}
CALIBRATION, TURNS, RUNS = 60, 5, 100
WIDTH = 320
Images = list[NDArray[np.float32]]


class _Lines(CalibrationDataReader):
    def __init__(self, images: Images) -> None:
        self.left = iter(images)

    def get_next(self) -> dict[str, Any] | None:
        """A line, or None behind the last one."""
        image = next(self.left, None)
        return None if image is None else {INPUT: image}


def by_onnxruntime(plain: Plain, images: Images) -> onnx.ModelProto:
    """The graph as onnxruntime's static quantiser makes it at its defaults, per channel."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(plain.graph(), before)
        quantize_static(
            before, after, _Lines(images), quant_format=QuantFormat.QDQ, per_channel=True, weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8, calibrate_method=CalibrationMethod.MinMax,
        )  # fmt: skip
        return onnx.load(after)


def variants(plain: Plain, images: Images) -> dict[str, Callable[[], onnx.ModelProto]]:
    """What is compared."""
    layers = plain.layers()
    seen: Observed = observe(plain, layers, images)

    def ours(weights: dict[str, Rounded]) -> onnx.ModelProto:
        return rewrite(plain, layers, seen, weights)

    return {
        "float32": plain.graph,
        "onnxruntime's static quantiser, 8 bits, ranges by min and max": lambda: by_onnxruntime(plain, images),
        "sums and logits in float32, nearest 8 bits": lambda: ours({x.name: nearest(plain, x, 127) for x in layers}),
        "the same, nearest 7 bits": lambda: ours({x.name: nearest(plain, x) for x in layers}),
        "the same, 7 bits by GPTQ": lambda: ours({x.name: rounded(plain, x, seen) for x in layers}),
    }


def texts(logits: list[NDArray[np.float32]]) -> list[bytes]:
    """What CTC writes, as classes."""
    found = []
    for one in logits:
        path = one[0].argmax(axis=-1)
        kept = path[np.flatnonzero(np.diff(path, prepend=-1))]
        found.append(kept[kept != 0].tobytes())
    return found


def timed(models: dict[str, bytes]) -> dict[str, list[float]]:
    """The median time of each turn in ms, one thread, all taking turns."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    sessions = {
        name: ort.InferenceSession(data, options, providers=["CPUExecutionProvider"]) for name, data in models.items()
    }
    line = {INPUT: np.zeros((1, 1, 32, WIDTH), np.float32)}
    found: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(TURNS):
        for name, session in sessions.items():
            times = []
            for _ in range(RUNS):
                begin = time.perf_counter()
                session.run([OUTPUT], line)
                times.append(time.perf_counter() - begin)
            found[name].append(1000 * float(np.median(times)))
    return found


def emulated(models: dict[str, bytes], images: Images, emulator: str) -> dict[str, float]:
    """Of each model the largest difference between the logits here and on an emulated Haswell, as a share of the largest."""
    script = (
        "import sys, numpy as np, onnxruntime as ort\n"
        "options = ort.SessionOptions(); options.intra_op_num_threads = 1; options.log_severity_level = 4\n"
        "session = ort.InferenceSession(sys.argv[1], options, providers=['CPUExecutionProvider'])\n"
        "images = np.load(sys.argv[2])\n"
        "np.savez(sys.argv[3], *[session.run(None, {'image': images[k]})[0] for k in images.files])\n"
    )
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        np.savez(root / "images.npz", *images)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        for name, data in models.items():
            (root / "model.onnx").write_bytes(data)
            python = [
                str(Path(sys.executable).resolve()),
                "-c",
                script,
                *(str(root / f) for f in ("model.onnx", "images.npz")),
            ]
            logits = []
            for prefix, out in (([], "here.npz"), ([emulator, "-cpu", "Haswell"], "there.npz")):
                subprocess.run(
                    [*prefix, *python, str(root / out)], check=True, env=environment, stderr=subprocess.DEVNULL
                )
                with np.load(root / out) as held:
                    logits.append([held[key] for key in held.files])
            pairs = list(zip(*logits, strict=True))
            found[name] = max(float(np.abs(a - b).max()) for a, b in pairs) / max(
                float(np.abs(a).max()) for a, _ in pairs
            )
    return found


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emulator", help="qemu-x86_64 of Debian's package qemu-user")
    parser.add_argument(
        "--model", default="print", help="a model file in float; `print` has shipped in int8 since this was measured"
    )
    options = parser.parse_args()
    emulator = options.emulator
    if emulator and not shutil.which(emulator):
        raise SystemExit(f"{emulator} is not installed: apt install qemu-user")
    reader = Reader(options.model)
    if "int8" in reader.metadata.measured:
        raise SystemExit(f"{options.model} is computed in int8 already: give a file in float with --model")
    geometry = reader.metadata.geometry
    calibration, judged = [], []
    for name, count in SETS.items():
        lines = open_lines(str(SHARED / name / "train.txt"))
        images = [scale(stack([prepare(lines.sample(n).source, geometry)]), geometry) for n in range(len(lines))]
        calibration += images[:CALIBRATION]
        judged += images[-count:]
    plain = Plain(onnx.load(reader.path))
    made = {name: make() for name, make in variants(plain, calibration).items()}
    data = {name: model.SerializeToString() for name, model in made.items()}
    logits = {name: logits_of(model, judged) for name, model in made.items()}
    exact, read = logits["float32"], texts(logits["float32"])
    ms = timed(data)
    apart = emulated(data, judged[:40], emulator) if emulator else {}
    table = [
        "# What each choice of the int8 quantiser brings", "",
        f"Measured {date.today()}, {machine()}, 1 thread. Command: `python -m benchmarks.int8_design --model FLOAT.onnx{' --emulator qemu-x86_64' if emulator else ''}`", "",
        f"`print` on {len(judged)} real lines of `train`. Milliseconds of the network for a line of {WIDTH} px: the median of {TURNS} turns (lowest to highest). "
        "The last column: the largest difference of a logit between this processor and an emulated Haswell, which has no VNNI, as a share of the largest logit, on 40 lines.", "",
        "| | logits above the noise | lines changed | kB | ms | without VNNI |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, model in made.items():
        changed = sum(a != b for a, b in zip(read, texts(logits[name]), strict=True))
        above = "" if name == "float32" else decibels(noise(exact, logits[name]))
        table.append(
            f"| {name} | {above} | {changed if above else ''} | {len(model.SerializeToString()) / 1024:.0f} | {np.median(ms[name]):.2f} "
            f"({min(ms[name]):.2f} to {max(ms[name]):.2f}) | {f'{apart[name]:.1e}' if name in apart else ''} |"
        )
    text = "\n".join(table) + "\n"
    (RESULTS / "int8_design.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
