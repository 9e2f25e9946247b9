"""What a beam, a pattern, a lexicon and a language model cost and bring on real lines.

    taskset -c 0 python -m benchmarks.decoders

Needs ../shared/data beside the checkout; nothing of a `test` split is read. Times are those of the processor for the one thread that
reads (`time.thread_time`), for the machine may run other work beside. The ways of reading take turns on each line; of the
turns of a line the median counts, and the ratio is to the greedy reading of the same line. The pixels are decoded before.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.micro_table import RESULTS, machine
from glyphlet import Decoding, Reader
from glyphlet.decode.ngram_count import count
from glyphlet.image import decode, prepare
from glyphlet.metrics import edit_distance

SHARED = Path(__file__).parents[2] / "shared" / "data"
WIDTH = 320
PATTERNS = (
    r"[A-Z]{2}\d{6}",
    ".*",
    r"\d{2}[-/]\d{2}[-/]\d{4}( \d{2}:\d{2}(:\d{2})?)?",
    "INV.+",
    "date",
    "iso6346",
    "luhn",
    "iban",
    "mrz-td3",
)
Pixels = NDArray[np.uint8]
Lines = list[tuple[Pixels, str]]


def lines_of(name: str, part: slice = slice(None), wanted: str = "") -> Lines:
    """Labelled lines of a training split, those whose whole text matches an expression."""
    rows = (SHARED / name / "train.txt").read_text(encoding="utf-8").splitlines()[part]
    pairs = [row.split("\t", 1) for row in rows]
    return [(decode(SHARED / name / path), text) for path, text in pairs if not wanted or re.fullmatch(wanted, text)]


def speed(turns: int, most: int) -> list[str]:
    """Rows: the time of each way of reading lines of 320 px as a ratio to the greedy reading."""
    plain = Reader("print")
    pixels = [
        image
        for name in ("sroie_lines", "typewritten_lines")
        for image in [p for p, _ in lines_of(name) if prepare(p, plain.metadata.geometry).pixels.shape[2] == WIDTH][
            :most
        ]
    ]
    ways = {"greedy": plain, "beam, no pattern": plain.using(Decoding())}
    ways |= {f"`{pattern.replace('|', chr(92) + '|')}`": plain.using(Decoding(pattern=pattern)) for pattern in PATTERNS}
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    milliseconds: dict[str, list[float]] = {name: [] for name in ways}
    for image in pixels:
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(turns):
            for name, reader in ways.items():
                start = time.thread_time()
                reader.read_one(image)
                taken[name].append(time.thread_time() - start)
        for name in ways:
            milliseconds[name].append(1000 * statistics.median(taken[name]))
            ratios[name].append(milliseconds[name][-1] / milliseconds["greedy"][-1])
    rows = [
        f"{len(pixels)} lines of {WIDTH} px, {turns} turns.",
        "",
        "| way | ms, median | times greedy: median | quarter to three quarters | 9 of 10 lines below |",
        "|---|---|---|---|---|",
    ]
    for name in ways:
        low, middle, high, most_of = np.quantile(ratios[name], [0.25, 0.5, 0.75, 0.9])
        rows.append(
            f"| {name} | {statistics.median(milliseconds[name]):.2f} | {middle:.2f} | {low:.2f} to {high:.2f} | {most_of:.2f} |"
        )
    return rows


def right(reader: Reader, lines: Lines, same: Callable[[str], str]) -> str:
    """Exact lines, CER, and how many were left empty."""
    readings = reader.read([pixels for pixels, _ in lines])
    truths = [same(text) for _, text in lines]
    texts = [same(reading.text) for reading in readings]
    exact = sum(a == b for a, b in zip(texts, truths, strict=True))
    errors = sum(edit_distance(a, b) for a, b in zip(texts, truths, strict=True))
    empty = sum(bool(reading.reason) for reading in readings)
    return f"{exact}/{len(lines)} | {100 * errors / sum(map(len, truths)):.2f} % | {empty}"


def gains(lines: int) -> list[str]:
    """Rows: what is read rightly with each way."""
    rows = ["| lines | model | way | exact | CER | empty |", "|---|---|---|---|---|---|"]

    def add(
        what: str, model: str, found: Lines, ways: Sequence[Decoding], same: Callable[[str], str] = str.casefold
    ) -> None:
        reader = Reader(model)
        for way in (None, *ways):
            rows.append(f"| {what} | {model} | {named(way)} | {right(reader.using(way), found, same)} |")
            print(rows[-1], file=sys.stderr)

    amount, day = r"\d+\.\d{2}", r"\d{2}[-/]\d{2}[-/]\d{4}"
    add("receipts: amounts", "print", lines_of("sroie_lines", wanted=amount), [Decoding(), Decoding(pattern=amount)])
    add(
        "receipts: dates",
        "print",
        lines_of("sroie_lines", wanted=day),
        [Decoding(pattern=day), Decoding(pattern="date")],
    )
    cut = 2500 - lines
    texts = [text for _, text in lines_of_labels("sroie_lines", slice(cut))]
    model = count(texts, 5)
    held = lines_of("sroie_lines", slice(cut, None))
    weights = [
        Decoding(lm=model, lm_weight=w, length_bonus=b) for w, b in ((0.25, 0.0), (0.5, 0.0), (0.5, 0.5), (1.0, 1.0))
    ]
    add(f"receipts: the last {lines} of train", "print", held, [Decoding(), *weights])
    known = set(texts)
    inside = [(pixels, text) for pixels, text in held if text in known]
    add("receipts: those of them that stand in the lexicon", "print", inside, [Decoding(lexicon=cases(known))])
    numbers = r"[\d ]+([.,/-][\d ]+)*[.,]?"
    add(
        f"register numbers: the last {lines} of train",
        "digits",
        lines_of("lectaurep_numbers", slice(-lines, None)),
        [Decoding(), Decoding(pattern=numbers)],
    )
    return rows


def cases(texts: set[str]) -> list[str]:
    """The labels are upper case though print is mixed: the usual ways to write each."""
    return sorted({way(text) for text in texts for way in (str.upper, str.lower, str.title, str.capitalize)})


def lines_of_labels(name: str, part: slice) -> list[tuple[str, str]]:
    """The labels of a training split, with their paths."""
    rows = (SHARED / name / "train.txt").read_text(encoding="utf-8").splitlines()[part]
    return [(path, text) for path, text in (row.split("\t", 1) for row in rows)]


def named(way: Decoding | None) -> str:
    """A way of reading, as a row calls it."""
    if way is None:
        return "greedy"
    if way.pattern:
        return f"pattern `{way.pattern}`".replace("|", "\\|")
    if isinstance(way.lexicon, list):
        return f"lexicon of {len(way.lexicon)} lines"
    return "beam" if way.lm is None else f"language model, weight {way.lm_weight}, bonus {way.length_bonus}"


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--most", type=int, default=25, help="lines of each set that are timed")
    parser.add_argument("--lines", type=int, default=500, help="lines at the end of train that accuracies are for")
    options = parser.parse_args()
    page = [
        "# Decoders",
        "",
        f"Measured {date.today()}, {machine()}, 1 thread. Command: `python -m benchmarks.decoders`",
        "",
        "## What they cost",
        "",
        "`print`. Times of the processor, for other work ran beside. The same lines under every pattern, most of which they do not match.",
        "",
        *speed(options.turns, options.most),
        "",
        "## What they bring",
        "",
        "Receipts are compared without regard to case. `print` has not seen them; `digits` was trained on lines of the register's `train`, so its rows are too good. The language model and the lexicon are made of the labels of the other receipts of `train`. Its weights are a sweep, not a choice: the best row was found on the lines that it is for.",
        "",
        *gains(options.lines),
        "",
    ]
    text = "\n".join(page)
    (RESULTS / "decoders.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
