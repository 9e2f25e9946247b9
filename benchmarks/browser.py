"""The static site against Python: are the texts the same, and what does a line cost?

    python -m benchmarks.browser               writes benchmarks/results/browser.md

Needs Chromium, npm and the real lines in ../shared/data (their `train` parts: nothing is chosen here, but the test parts are not
touched). Both read the same decoded pixels, on one thread. The pages' patterns are compared on the same lines. As a yardstick of
rounding the table also says how many texts change in Python when onnxruntime joins no layers ("basic" optimisation).
"""

from __future__ import annotations

import base64
import functools
import http.server
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from glyphlet import Decoding, Reader, Reading
from glyphlet.decode.decoders import decode as decoded_by
from glyphlet.image import decode, prepare, scale, stack
from glyphlet.web.ortweb import VERSION
from glyphlet.web.site import build_site

DATA = Path(__file__).parents[2] / "shared" / "data"
RESULT = Path(__file__).parent / "results" / "browser.md"
SETS = (
    ("print", "sroie_lines"), ("print", "typewritten_lines"), ("print", "lectaurep_numbers"),
    ("digits", "lectaurep_numbers"), ("chinese", "ccpd_plates"),
)  # fmt: skip
LINES, RUNS, CHUNK = 200, 3, 20
PATTERN = r"\D*\d+([.,]\d{2})?\D*"
Pixels = NDArray[np.uint8]
_OPEN = """async () => {
    const ort = await import(new URL("onnxruntime-web/ort.js", document.baseURI));
    ort.env.wasm.numThreads = 1;
    const { Model } = await import(new URL("model.js", document.baseURI));
    const bytes = new Uint8Array(await (await fetch(new URL("model.onnx", document.baseURI))).arrayBuffer());
    window.model = await Model.open(ort, bytes);
}"""
_READ = """async ([lines, pattern]) => {
    const { patternDecoder } = await import(new URL("pattern.js", document.baseURI));
    const decoder = pattern ? patternDecoder(pattern, window.model.description) : undefined;
    const images = lines.map(([width, height, text]) => [Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), width, height]);
    const readings = [];
    const started = performance.now();
    for (const image of images) readings.push(await window.model.read(...image, decoder));
    return [performance.now() - started, readings];
}"""


@dataclass
class Row:
    """What was measured of one model on one set of lines."""

    model: str
    lines: str
    same: int
    total: int
    surest: float
    """The greatest confidence that Python has in a text that the browser reads otherwise; 0 where there is none."""
    under_pattern: int
    basic: int
    python: list[float]
    browser: list[float]

    def cells(self) -> str:
        """The row of the table."""
        ms = [
            f"{statistics.median(times):.1f} ({min(times):.1f} to {max(times):.1f})"
            for times in (self.python, self.browser)
        ]
        ratio = statistics.median(self.browser) / statistics.median(self.python)
        texts = [f"{count} of {self.total}" for count in (self.same, self.under_pattern, self.basic)]
        told = f"{self.surest:.2f}" if self.same < self.total else ""
        return f"| `{self.model}` | {self.lines} | {' | '.join(texts)} | {told} | {' | '.join(ms)} | {ratio:.1f} |"


def images(name: str) -> list[Pixels]:
    """Some lines of the `train` part of a set, uint8 (H, W, 3)."""
    rows = (DATA / name / "train.txt").read_text(encoding="utf-8").splitlines()
    chosen = random.Random(0).sample(rows, min(LINES, len(rows)))
    return [decode(DATA / name / row.split("\t")[0]) for row in chosen]


def in_browser(page: Any, lines: Sequence[Pixels], pattern: str = "") -> tuple[float, list[dict[str, Any]]]:
    """Milliseconds a line, and the readings."""
    spent, readings = 0.0, []
    for start in range(0, len(lines), CHUNK):
        sent = []
        for line in lines[start : start + CHUNK]:
            rgba = np.dstack([line, np.full(line.shape[:2], 255, np.uint8)])
            sent.append([line.shape[1], line.shape[0], base64.b64encode(rgba.tobytes()).decode()])
        ms, found = page.evaluate(_READ, [sent, pattern])
        spent += ms
        readings += found
    return spent / len(lines), readings


def in_python(reader: Reader, lines: Sequence[Pixels]) -> tuple[float, list[Reading]]:
    """Milliseconds a line, and the readings."""
    started = time.perf_counter()
    readings = [reader.read_one(line) for line in lines]
    return (time.perf_counter() - started) * 1000 / len(lines), readings


def without_joining(reader: Reader, lines: Sequence[Pixels]) -> list[str]:
    """The greedy texts when onnxruntime runs every layer as it stands in the file."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = ort.InferenceSession(str(reader.path), options, providers=["CPUExecutionProvider"])
    meta, texts = reader.metadata, []
    for line in lines:
        prepared = prepare(line, meta.geometry)
        (logits,) = session.run(["logits"], {"image": scale(stack([prepared]), meta.geometry)})
        texts.append(decoded_by(logits, meta.codec, [prepared], meta.time_stride, ["line"])[0].text)
    return texts


def measured(page: Any, model: str, name: str) -> Row:
    """One row."""
    lines, reader = images(name), Reader(model, threads=1)
    in_python(reader, lines[:CHUNK])
    in_browser(page, lines[:CHUNK])
    python, browser = [], []
    for _ in range(RUNS):  # in turns, so that both meet the same machine
        ms, ours = in_python(reader, lines)
        python.append(ms)
        ms, theirs = in_browser(page, lines)
        browser.append(ms)
    pairs = list(zip(ours, theirs, strict=True))
    other = [one.confidence for one, found in pairs if one.text != found["text"]]
    legal = in_python(reader.using(Decoding(pattern=PATTERN)), lines)[1]
    patterned = in_browser(page, lines, PATTERN)[1]
    greedy, plain = without_joining(reader, lines), [greedy_text(reader, line) for line in lines]
    return Row(
        model,
        name.replace("_", " "),
        len(lines) - len(other),
        len(lines),
        max(other, default=0.0),
        sum(one.text == found["text"] for one, found in zip(legal, patterned, strict=True)),
        sum(one == two for one, two in zip(greedy, plain, strict=True)),
        python,
        browser,
    )


def greedy_text(reader: Reader, line: Pixels) -> str:
    """The text before anything is rejected."""
    meta, prepared = reader.metadata, prepare(line, reader.metadata.geometry)
    return decoded_by(reader.logits([prepared]), meta.codec, [prepared], meta.time_stride, ["line"])[0].text


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Build the sites, read, write the table."""
    from playwright.sync_api import sync_playwright

    rows, sizes = [], []
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        for model in dict.fromkeys(model for model, _ in SETS):
            site = build_site(model, Path(root) / model)
            sizes.append(f"`{model}` {site.size / 1000:,.0f} kB")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=root))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for model, name in SETS:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/{model}/")
            page.evaluate(_OPEN)
            rows.append(measured(page, model, name))
            print(rows[-1].cells(), flush=True)
            page.close()
        told = f"Chromium {browser.version}, onnxruntime-web {VERSION}, Python with onnxruntime {ort.__version__}"
        browser.close()
        server.shutdown()
        server.server_close()
    RESULT.write_text(_page(rows, sizes, told), encoding="utf-8")


def _page(rows: list[Row], sizes: list[str], told: str) -> str:
    return f"""# The static site against Python

{date.today()}, `python -m benchmarks.browser`. 2 cores, x86-64 without VNNI. {told}, one thread each.
Lines of the `train` parts. *Same*: the text in the browser is Python's. *Pattern*: the same under the pattern
`{PATTERN.replace("|", chr(92) + "|")}`. *Basic*: Python's greedy text is the same when onnxruntime joins no layers, for comparison.
*Surest*: the greatest confidence of a text that is not the same. Milliseconds a line from decoded pixels to the reading, the median of
{RUNS} runs and their range; *ratio* is browser to Python.

| Model | Lines | Same | Pattern | Basic | Surest | Python, ms | Browser, ms | Ratio |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(row.cells() for row in rows)}

Size of a site, all files: {", ".join(sizes)}.
"""


if __name__ == "__main__":
    main()
