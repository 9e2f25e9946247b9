"""Models in int8: trained on the strings of digits here, and those that ship, as they say of themselves.

A row is a model file quantised as `glyphlet shrink quantize` does, with half a point of word accuracy to lose. Ranges are taken from
training lines, the loss is measured on validation lines. The files that ship were quantised from runs that are not kept: what was measured then stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.shrink_runs import SEEN
from benchmarks.shrink_task import lines_of, recipe_of, shipped, trained
from glyphlet.compress.int8.quantize import LINES, Quantizing, quantize
from glyphlet.data.sample import Sample
from glyphlet.metrics import wilson
from glyphlet.runtime.reader import Reader

TRAINED = ("lightweight-fpn-d", "glyph", "micro-nh64-bilstm", "micro-nh16")
"""Recipes that are trained here."""
SHIPS = ("print", "digits")
"""Models that ship in int8."""
Row = dict[str, Any]


def quantised(
    name: str, file: Path, calibration: Sequence[Any], validation: Sequence[Sample], folder: Path, recurrent: str
) -> Row:
    """A row: one file quantised."""
    output = folder / f"{name.replace(' ', '-')}.onnx"
    found = quantize(file, output, calibration, validation, Quantizing(recurrent=recurrent))
    return {
        "part": "int8", "name": name, "lines": found.read[0].lines, "word": [r.word_accuracy for r in found.read],
        "low": found.read[1].low, "high": found.read[1].high, "cer": [r.cer for r in found.read], "changed": found.changed,
        "kb": list(found.kb), "ms": list(found.ms), "width": found.width, "layers": len(found.int8), "float": list(found.kept),
        "noise": found.noise_of_all, "date": str(date.today()),
    }  # fmt: skip


def here(name: str, folder: Path, recurrent: str = "float") -> Row:
    """A model that is trained on the strings of digits."""
    run = f"int8-{name}"
    if not (folder / "runs" / run / "model.onnx").exists():
        trained(recipe_of(run, shipped(name), folder, seen=SEEN), folder, run)
    task = lines_of(folder)
    validation = [line.sample for line in task.validation]
    what = f"{name} int8" if recurrent == "float" else f"{name} int8, {recurrent} LSTM"
    file = folder / "runs" / run / "model.onnx"
    return quantised(what, file, task.train.some(LINES).sources(), validation, folder, recurrent)


def ships(name: str) -> Row:
    """A model that ships, as its file says."""
    facts = Reader(name).metadata.measured["int8"]
    lines, word = facts["validation_lines"], facts["word_accuracy"]
    interval = wilson(round(lines * word[1]), lines)
    return {
        "part": "int8", "name": f"{name} int8", "lines": lines, "word": word, "low": interval.low, "high": interval.high,
        "cer": facts["cer"], "changed": facts["changed"], "kb": facts["kb"], "ms": facts["ms"], "width": facts["ms_width"],
        "layers": facts["layers"], "float": facts["float_layers"], "date": str(date.today()),
    }  # fmt: skip


def table(rows: Sequence[Row]) -> list[str]:
    """Before and after."""
    text = [
        "## Int8",
        "",
        "Model files in float32 quantised as `glyphlet shrink quantize` does it, ranges from 200 training lines, half a point of word accuracy to "
        f"lose at most. {', '.join(TRAINED)}: trained on {SEEN:,} of the strings of digits above; not converged. print and digits: the files "
        "that ship, as measured on their own validation lines when they were made: print from float32, without its stem and its head; digits from "
        "weights that were stored as int8 already, so its size hardly changes. Changed: lines that are read otherwise. In float: layers that could be in int8 and are not, for the sake of accuracy. Times are "
        "of the network for one line of the median width, one thread, both files taking turns.",
        "",
        "| model | kB | left | ms | ratio | word accuracy | after [95 %] | points | CER | after | changed | in int8 | in float |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        (kb, kb_after), (ms, ms_after), (word, word_after), (cer, cer_after) = (
            row[k] for k in ("kb", "ms", "word", "cer")
        )
        text.append(
            f"| {row['name']} | {kb:,.0f} | {kb_after:,.0f} ({100 * kb_after / kb:.0f} %) | {ms:.3f} | {ms / ms_after:.2f} | {word:.3f} | "
            f"{word_after:.3f} [{row['low']:.3f}, {row['high']:.3f}] | {100 * (word_after - word) + 0.0:+.2f} | {cer:.4f} | {cer_after:.4f} | "
            f"{row['changed']} of {row['lines']:,} | {row['layers']} | {', '.join(row['float']) or 'none'} |"
        )
    return text


def int8(folder: Path) -> Iterator[tuple[str, Callable[[], Row]]]:
    """What there is to quantise, by name, in order."""
    for name in TRAINED:
        yield f"{name} int8", lambda name=name: here(name, folder)  # type: ignore[misc]
    name = "micro-nh64-bilstm"
    yield f"{name} int8, dynamic LSTM", lambda: here(name, folder, "dynamic")
    for name in SHIPS:
        yield f"{name} int8", lambda name=name: ships(name)  # type: ignore[misc]


__all__ = ["int8", "quantised", "table"]
