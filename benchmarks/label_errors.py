"""Which order of wrong lines brings wrong labels to the front: labels that were spoilt on purpose are looked for.

    python -m benchmarks.label_errors

Needs ../shared/data beside the checkout; of it the `train` parts alone are read. Of the labels one in twenty is spoilt: a
character replaced, left out or added, or the whole label that of another line. Lines that the model then reads
otherwise than their labels are put into each order. Five draws; the models are those that ship. Labels that are wrong
in the data itself count as right, so no order can reach 1.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.micro_table import RESULTS, machine
from glyphlet import Reader
from glyphlet.decode.confidence import log_probabilities
from glyphlet.evaluate.scores import LineResult
from glyphlet.evaluate.suspects import SURE, TIMES, Suspect
from glyphlet.image import decode, prepare
from glyphlet.metrics import edit_distance

SHARED = Path(__file__).parents[2] / "shared" / "data"
SETS = (("print", "typewritten_lines"), ("print", "sroie_lines"), ("digits", "lectaurep_numbers"))
DRAWS = 5
SHARE = 0.05


IMPOSSIBLE = 1e6
"""The logarithm that stands for a label that cannot be on the image."""


@dataclass(frozen=True)
class Wrong:
    """A line that is read otherwise than its label: whether that was spoilt, and what the orders know of it."""

    spoilt: bool
    confidence: float
    ratio: float
    suspect: Suspect


ORDERS: dict[str, Callable[[Wrong], float]] = {
    "confidence": lambda w: w.confidence,
    "ratio": lambda w: w.ratio,
    "confidence and ratio": lambda w: math.log(w.confidence) + w.ratio,
    "confidence and ratio, at most e^20": lambda w: math.log(w.confidence) + min(20.0, w.ratio),
    "ratio for each edit, as `evaluate` orders": lambda w: w.suspect.rank,
}


def spoil(label: str, others: list[str], random: np.random.Generator) -> str:
    """A label with one error, or that of another line."""
    at, kind = int(random.integers(len(label))), int(random.integers(4))
    other = others[int(random.integers(len(others)))]
    sign = other[int(random.integers(len(other)))]
    return [label[:at] + sign + label[at + 1 :], label[:at] + label[at + 1 :], label[:at] + sign + label[at:], other][
        kind
    ]


def found(model: str, name: str) -> list[list[Wrong]]:
    """The wrong lines of each draw."""
    reader = Reader(model)
    charset, codec = reader.metadata.charset, reader.metadata.codec
    rows = [row.split("\t", 1) for row in (SHARED / name / "train.txt").read_text(encoding="utf-8").splitlines()]
    pairs = [(path, charset.normalize(text)) for path, text in rows if text and not charset.unknown([text])]
    truths = [text for _, text in pairs]
    generators = [np.random.default_rng(seed) for seed in range(DRAWS)]
    draws: list[list[Wrong]] = [[] for _ in range(DRAWS)]
    for path, truth in pairs:
        image = decode(SHARED / name / path, reader.metadata.geometry.channels)
        reading = reader.read_one(image)
        labels = [spoil(truth, truths, g) if g.random() < SHARE else truth for g in generators]
        logits = reader.logits([prepare(image, reader.metadata.geometry)]).repeat(DRAWS + 1, axis=0)
        read, *logs = log_probabilities(logits, [codec.encode(text) for text in (reading.text, *labels)]).tolist()
        for draw, label, log in zip(draws, labels, logs, strict=True):
            if label != reading.text:
                result = LineResult(path, label, reading.text, reading.confidence)
                ratio = min(IMPOSSIBLE, read - log)
                suspect = Suspect(result, edit_distance(label, reading.text), ratio)
                draw.append(Wrong(label != truth, max(reading.confidence, 1e-300), ratio, suspect))
    return draws


def precision(lines: list[Wrong], order: Callable[[Wrong], float]) -> tuple[float, float]:
    """Average precision, and the share of spoilt labels among the first 20."""
    spoilt = np.array([line.spoilt for line in sorted(lines, key=order, reverse=True)])
    at_each = spoilt.cumsum() / np.arange(1, len(spoilt) + 1)
    return float(at_each[spoilt].mean()), float(spoilt[:20].mean())


def accused(lines: list[Wrong]) -> tuple[float, float]:
    """Precision and recall of the lines that `evaluate` calls likely label errors."""
    named = [w.spoilt for w in lines if w.confidence > SURE and w.suspect.rank >= math.log(TIMES)]
    return sum(named) / max(1, len(named)), sum(named) / sum(w.spoilt for w in lines)


def main() -> None:
    """Write `results/label_errors.md`."""
    told = [
        "# Likely label errors",
        "",
        f"Measured {date.today()}, {machine()}, 1 thread. Command: `python -m benchmarks.label_errors`",
        "",
        "One label in twenty of the `train` parts was spoilt; means of five draws, and the least and greatest of the five.",
        "`ratio`: the logarithm of how many times more probable the model thinks its reading than the label. Labels that are wrong in",
        "the data itself count as right here; on sroie_lines they are many, for its labels are in capitals whatever the line shows.",
        "The models were trained on lines of typewritten_lines and lectaurep_numbers, with their labels, so other lines will do worse.",
    ]
    for model, name in SETS:
        draws = found(model, name)
        wrong = statistics.mean(len(lines) for lines in draws)
        spoilt = statistics.mean(sum(line.spoilt for line in lines) for lines in draws)
        told += ["", f"## `{model}` on {name}", ""]
        told += [f"{wrong:.0f} wrong lines, {spoilt:.0f} of them with a spoilt label.", ""]
        told += ["| order | average precision | spoilt among the first 20 |", "|---|---|---|"]
        for title, order in ORDERS.items():
            values = [precision(lines, order) for lines in draws]
            told.append(f"| {title} | {_spread([v[0] for v in values])} | {_spread([v[1] for v in values])} |")
        shares = [accused(lines) for lines in draws]
        told += ["", f"Named as likely label errors: precision {_spread([s[0] for s in shares])}, recall "]
        told[-1] += f"{_spread([s[1] for s in shares])}."
    (RESULTS / "label_errors.md").write_text("\n".join(told) + "\n", encoding="utf-8")
    print("\n".join(told))


def _spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
