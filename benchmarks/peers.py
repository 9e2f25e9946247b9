"""Our models against Tesseract and RapidOCR: the same real lines, one thread each, models loaded once, taking turns.

    apt-get install tesseract-ocr tesseract-ocr-eng tesseract-ocr-fra tesseract-ocr-chi-sim
    python -m venv peers && peers/bin/pip install tesserocr rapidocr-onnxruntime
    taskset -c 1 python -m benchmarks.peers --peers peers/bin/python

Needs ../shared/data beside the checkout. Every engine has a process of its own (`benchmarks/engines.py`), gets each line as an
array and gives its text. Of the turns the median counts; the lowest and the highest are shown. The pixels are decoded before the
clock starts, for all of them.

Tesseract reads with page mode 7 (a single line) and the languages of the set. RapidOCR (PP-OCRv4) recognises without
looking for lines first. Texts are compared in NFC, without spaces at their ends and with single ones between; `folded` ones without regard
to case; with `quotes`, all forms of a quotation mark or an apostrophe are one, since the truths and the models choose different ones.

The accuracies also go to the cards of the models that ship (`src/glyphlet/weights/cards.json`), with the time of a line of 32 x 320 pixels.

`--sets` measures some of them; the rows of the others stay. `--part N` reads N lines cut from the end of each `train` instead, prints the table and keeps nothing: for choosing models.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.micro_table import RESULTS, machine
from glyphlet.metrics import score
from glyphlet.runtime.shipped import CARDS, WEIGHTS

DATA = Path(__file__).parents[2] / "shared" / "data"
ENGINES = ("glyphlet", "tesseract", "rapidocr")
QUOTES = {"double": "``|''|[\u201c\u201d\u201e\u201f\u2033]", "single": "[\u2018\u2019\u201a\u201b\u2032\u00b4`]"}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SETS: dict[str, tuple[str, str, str]] = {
    "journal_lines": ("print", "eng", "quotes"),
    "document_lines": ("print", "eng+fra", "quotes"),
    "typewritten_lines": ("print", "fra", "quotes"),
    "sroie_lines": ("print", "eng", "folded quotes"),
    "lectaurep_numbers": ("digits", "eng", ""),
    "chinese_screen_lines": ("chinese", "chi_sim", ""),
}
"""Of each set our model, Tesseract's languages, and how texts are compared."""
READS = {
    "print": "printed lines, languages of Western Europe",
    "digits": "handwritten numbers, with . , - / : and spaces",
    "chinese": "printed Chinese (simplified), Latin letters, digits",
}
PUBLISHED = """
Published, not measured here: PP-OCRv6 tiny 4.3 MB and 2.4 ms a line; docTR's small CRNN 8.3 MB and .78 ms a line in batches of
64; on processors of other kinds, so these figures say no ratio.
"""


def lines_of(name: str, part: int) -> list[tuple[str, str]]:
    """Paths and texts of the test lines of a set, or of the last `part` lines of those to train on."""
    file = DATA / name / ("train.txt" if part else "test.txt")
    if not file.is_file():
        return []
    rows = file.read_text(encoding="utf-8").splitlines()[-part:]
    return [(str(DATA / name / path), text) for path, _, text in (row.partition("\t") for row in rows)]


def plain(text: str, how: str) -> str:
    """A text as it is compared.

    >>> plain(" ``Ab''  c\u2019s ", "folded quotes")
    '"ab" c\\'s'
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if "quotes" in how:
        text = re.sub(QUOTES["single"], "'", re.sub(QUOTES["double"], '"', text))
    return text.casefold() if "folded" in how else text


class Engine:
    """A process that reads lines.

    Args:
        name: one of `ENGINES`.
        python: an interpreter that has what the engine needs.
        script: beside this file, what answers.
    """

    def __init__(self, name: str, python: str, script: str = "engines.py") -> None:
        here, self.name = Path(__file__), name
        self.process = subprocess.Popen(
            [python, "-W", "ignore", str(here.with_name(script)), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(here.parents[1] / "src")},
        )  # fmt: skip

    def read(self, how: str, paths: Sequence[str]) -> dict[str, Any]:
        """`texts`, and the `seconds` that each took."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"how": how, "paths": list(paths)}) + "\n")
        self.process.stdin.flush()
        for row in self.process.stdout:
            if row.startswith("RESULT "):
                return dict(json.loads(row.removeprefix("RESULT ")))
        raise SystemExit(f"the engine ended: {self.name}")


def measured(
    name: str, lines: list[tuple[str, str]], engines: dict[str, Engine], models: dict[str, str], turns: int
) -> dict[str, Any]:
    """A row for each engine on a set."""
    model, languages, how = SETS[name]
    hows = {"glyphlet": models.get(model, model), "tesseract": languages, "rapidocr": ""}
    truths = [plain(text, how) for _, text in lines]
    texts: dict[str, list[str]] = {}
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(turns):
        for engine, process in engines.items():
            found = process.read(hows[engine], [path for path, _ in lines])
            texts[engine] = [plain(text, how) for text in found["texts"]]
            seconds[engine].append(sum(found["seconds"]))
    scores = {}
    for engine in engines:
        of_it = score(texts[engine], truths)
        scores[engine] = {
            "exact": of_it.word_accuracy, "exact_interval": [of_it.word_interval.low, of_it.word_interval.high],
            "cer": of_it.cer, "cer_interval": [of_it.cer_interval.low, of_it.cer_interval.high],
        }  # fmt: skip
    return {
        "set": name, "date": str(date.today()), "model": model, "lines": len(lines), "scores": scores, "seconds": seconds,
        "compared": how,
    }  # fmt: skip


def table(rows: list[dict[str, Any]], turns: int) -> str:
    """The results as Markdown."""
    lines = [
        "# Against Tesseract and RapidOCR on real lines",
        "",
        f"Measured {' and '.join(sorted({row['date'] for row in rows}))}, {machine()}, 1 thread each, {turns} turns. "
        "Command: `python -m benchmarks.peers`",
        "",
        "Exact: lines without an error, in percent; CER: wrong characters in percent; with 95 % intervals. Times are the median turn (lowest to highest).",
        "`as fast`: lines a second as a multiple of Tesseract's and of RapidOCR's, turn by turn, median (lowest to highest).",
        "",
        "| lines | engine | exact | CER | ms a line | as fast as Tesseract | as fast as RapidOCR |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        for engine, found in row["scores"].items():
            own = [1000 * turn / row["lines"] for turn in row["seconds"][engine]]
            ratios = [
                spread([b / a for a, b in zip(row["seconds"][engine], row["seconds"].get(other, []), strict=False)], 1)
                if engine == "glyphlet" and other in row["seconds"] else ""
                for other in ("tesseract", "rapidocr")
            ]  # fmt: skip
            label = f"{row['set']} ({row['lines']})" + (f", {row['compared']}" if row["compared"] else "")
            lines.append(
                f"| {label} | {row['model'] if engine == 'glyphlet' else engine} | {share(found, 'exact')} | {share(found, 'cer')} | "
                f"{spread(own, 2)} | {' | '.join(ratios)} |"
            )
    return "\n".join([*lines, PUBLISHED])


def cards(rows: list[dict[str, Any]], engine: Engine) -> dict[str, Any]:
    """What is said of each model that was measured."""
    found: dict[str, Any] = {}
    for row in rows:
        own = row["scores"]["glyphlet"]
        card = found.setdefault(
            row["model"], {"reads": READS[row["model"]], "ms": milliseconds(engine, row["model"]), "accuracy": []}
        )
        card["accuracy"].append(
            {
                "set": row["set"],
                "lines": row["lines"],
                "exact": own["exact"],
                "cer": own["cer"],
                "compared": row["compared"],
            }
        )
    return found


def milliseconds(engine: Engine, model: str) -> float:
    """The median time of a line of 32 x 320 pixels, from its array to its text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.png"
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 320), np.uint8)).save(path)
        return round(1000 * statistics.median(engine.read(model, [str(path)] * 200)["seconds"]), 2)


def share(found: dict[str, Any], key: str) -> str:
    """A share with its interval, in percent."""
    low, high = found[f"{key}_interval"]
    return f"{100 * found[key]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def spread(values: Sequence[float], digits: int) -> str:
    """Median, lowest and highest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--peers", default=sys.executable, help="an interpreter that has tesserocr and rapidocr-onnxruntime"
    )
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=ENGINES)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument(
        "--models", nargs="*", default=[], metavar="NAME=FILE", help="model files in the place of those that ship"
    )
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--part", type=int, default=0, metavar="N", help="the last N lines of train; nothing is kept")
    options = parser.parse_args()
    models = dict(given.split("=", 1) for given in options.models)
    engines = {name: Engine(name, sys.executable if name == "glyphlet" else options.peers) for name in options.engines}
    rows = []
    for name in options.sets:
        if lines := lines_of(name, options.part):
            rows.append(measured(name, lines, engines, models, options.turns))
            print(table(rows[-1:], options.turns), file=sys.stderr)
    if options.part:
        print(table(rows, options.turns))
        return
    kept = RESULTS / "peers.json"
    before = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else []
    rows += [row for row in before if row["set"] not in {found["set"] for found in rows}]
    rows.sort(key=lambda row: list(SETS).index(row["set"]))
    if "glyphlet" in engines and not models:
        file = WEIGHTS / CARDS
        known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        file.write_text(json.dumps(known | cards(rows, engines["glyphlet"]), indent=1) + "\n", encoding="utf-8")
    kept.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "peers.md").write_text(table(rows, options.turns), encoding="utf-8")


if __name__ == "__main__":
    main()
