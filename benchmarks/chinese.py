"""The recipe `chinese`, as far as a core of a CPU gets in two hours, and its accuracy on rendered lines in faces held back.

    python -m benchmarks.chinese

Needs ../shared/data beside the checkout (text/zh.txt) and the fonts that the recipe names. The lines are rendered once and
kept, where the recipe renders new ones without end. The training has three stretches: the 1,000 most frequent characters, which
a small head learns quickly; all of them, in large letters and steps of 8 pixels; and the recipe as it is, with letters of all
sizes and steps of 4 pixels. Each starts from the one before with `start`. A run that was stopped is gone on with. No line of
screens is read here: `benchmarks.peers` does that, once.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.fine_tune import shown
from benchmarks.micro_table import RESULTS, machine
from glyphlet.charset import NAMED, Charset, normalize
from glyphlet.data.conversion.convert import convert
from glyphlet.data.rendered import RenderedLines
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.job import REPORT, run
from glyphlet.metrics import alignment, score
from glyphlet.runtime.reader import Reader
from glyphlet.spec import Recipe, SynthSpec, load_values, recipe_from
from glyphlet.synth.dataset import write_set
from glyphlet.synth.render import RenderedSet
from glyphlet.train.log import read_log
from glyphlet.train.restore import restore_run

DATA = Path(__file__).parents[2] / "shared" / "data"
LINES = 40_000
"""In each set of rendered lines."""
STRETCHES: dict[str, dict[str, Any]] = {
    "frequent": {"pools": [0], "epochs": 6, "lr": 0.004},
    "all": {"pools": [0, 1], "epochs": 3, "lr": 0.004},
    "whole": {"pools": list(range(2, 10)), "epochs": 2, "lr": 0.003},
}
FIRST = {"font_size": [13, 30], "margins": [0.02, 0.3]}
"""Lines of the first two stretches: large letters, cut close."""
FREQUENT = 1000


def values(work: Path) -> dict[str, Any]:
    """The recipe with the text where it lies here."""
    text = json.dumps(load_values("chinese"), ensure_ascii=False)
    changed: dict[str, Any] = json.loads(text.replace("data/zh.txt", str(work / "data" / "zh.txt")))
    return changed


def changed_lines(work: Path, **changes: Any) -> dict[str, Any]:
    """The settings of the recipe's training lines for a set that ends."""
    lines: dict[str, Any] = values(work)["data"]["train"]
    return lines | {"endless": False} | changes


def pool(work: Path, seed: int) -> Path:
    """An LMDB of rendered lines."""
    done = work / f"pool{seed}.lmdb"
    if not done.exists():
        kind = {} if seed in STRETCHES["whole"]["pools"] else FIRST
        spec = SynthSpec.model_validate(changed_lines(work, count=LINES, seed=seed, **kind))
        labels = write_set(spec, Charset.named("chinese"), work / f"pool{seed}")
        part = work / f"pool{seed}.part.lmdb"
        convert(labels, part)
        part.rename(done)
    return done


def frequent(work: Path) -> str:
    """ASCII, the signs, and the most frequent Chinese characters of the text."""
    counts = Counter((work / "data" / "zh.txt").read_text(encoding="utf-8"))
    chinese = [char for char in NAMED["chinese"] if char not in NAMED["ascii"] and "\u4e00" <= char <= "\u9fff"]
    signs = [char for char in NAMED["chinese"] if not "\u4e00" <= char <= "\u9fff"]
    return "".join(signs + sorted(chinese, key=lambda char: -counts[char])[:FREQUENT])


def recipe(work: Path, name: str, precision: str) -> Recipe:
    """The recipe of a stretch."""
    settings, changed = STRETCHES[name], values(work)
    changed["data"] = {
        "train": [str(pool(work, seed)) for seed in settings["pools"]],
        "validation_share": 0.01,
        "validation_most": 500,
        "unalignable": "drop",
        "unknown": "drop" if name == "frequent" else "error",
    }
    if name == "frequent":
        changed["charset"] = {"text": frequent(work)}
    else:
        changed["start"] = {"path": str(work / list(STRETCHES)[list(STRETCHES).index(name) - 1])}
    if name != "whole":
        changed["model"]["backbone"]["stride"] = 8
    changed["train"] |= {
        "epochs": settings["epochs"], "lr": settings["lr"], "threads": 1, "workers": 0, "accelerator": "cpu",
        "precision": precision, "cache_mb": 6000, "batch": 64,
    }  # fmt: skip
    return recipe_from(changed, name)


def stretch(work: Path, name: str) -> dict[str, Any]:
    """How a stretch went."""
    log = read_log(work / name / "log.csv")
    best = max(log, key=lambda row: (row["validation_accuracy"], -row["validation_loss"]))
    restored = restore_run(work / name)
    return {
        "characters": restored.model.codec.charset.size, "lines": restored.facts["train_lines"], "epochs": len(log),
        "seen": int(log[-1]["step"]) * 64, "seconds": log[-1]["seconds"], "exact": best["validation_accuracy"], "cer": best["validation_cer"],
    }  # fmt: skip


def group(char: str) -> str:
    """What kind of character it is."""
    if "\u4e00" <= char <= "\u9fff":
        return "common Chinese" if char in NAMED["chinese-common"] else "rare Chinese"
    return "space" if char == " " else "Latin, digits" if char.isascii() and char.isalnum() else "signs"


def figures(results: Sequence[LineResult]) -> dict[str, Any]:
    """What is kept of a set of lines: scores, the same with wide forms folded, and the share of each kind of character
    that is read.
    """
    found = Evaluation.of(results).scores
    folded = score(*([normalize(text, half_width=True) for text in part] for part in zip(*[(r.text, r.truth) for r in results], strict=True)))  # fmt: skip
    seen, right = Counter[str](), Counter[str]()
    for result in results:
        for read, true in alignment(result.text, result.truth):
            if true:
                seen[group(true)] += 1
                right[group(true)] += read == true
    return {
        "lines": found.lines, "exact": found.word_accuracy, "exact_interval": list(vars(found.word_interval).values()),
        "cer": found.cer, "cer_interval": list(vars(found.cer_interval).values()),
        "cer_folded": folded.cer, "exact_folded": folded.word_accuracy, "spaces": asdict(found.spaces),
        "read": {kind: [right[kind], count] for kind, count in seen.most_common()},
    }  # fmt: skip


def measure(work: Path, model: Path) -> dict[str, Any]:
    """A model: size, speed, and 1,000 lines in faces that were held back."""
    reader, spec = Reader(model), recipe_from(values(work), "chinese").data.test
    assert isinstance(spec, SynthSpec)
    charset = reader.metadata.charset
    rows: dict[str, Any] = {
        "bytes": reader.path.stat().st_size,
        "classes": charset.size + 1,
        "ms": milliseconds(reader, 320),
    }
    results: list[LineResult] = []
    for font in spec.fonts:
        half = spec.model_copy(update={"fonts": [font], "count": spec.count // len(spec.fonts)})
        part = evaluate_lines(reader, RenderedLines(RenderedSet(half, charset, "test"))).results
        rows[Path(font).stem] = figures(part)
        results += part
    rows["both"] = figures(results)
    return rows


def milliseconds(reader: Reader, width: int) -> float:
    """The median processor time of a line of 32 pixels in height, one thread; other trainings may run beside it."""
    line, times = np.random.default_rng(0).integers(0, 255, (32, width), np.uint8), []
    for _ in range(50):
        begin = time.process_time()
        reader.read([line])
        times.append(time.process_time() - begin)
    return round(1000 * float(np.median(times)), 2)


SETS = {
    "wqy-microhei": "500 lines, WenQuanYi Micro Hei",
    "LXGWWenKai-Regular": "500 lines, LXGW WenKai",
    "both": "both",
}
KINDS = ("common Chinese", "rare Chinese", "Latin, digits", "signs", "space")


NOTES = """\
The lines have faces that no stretch has seen, but sentences of the same text as the training lines. Letters of 8 to 30 pixels, with
much and with little room around them. The validation lines of a stretch are of its own kind and in faces that it trains on.
"""


def scored(label: str, row: dict[str, Any]) -> str:
    """A row of a table of scores."""
    read = [
        f"{100 * row['read'][kind][0] / row['read'][kind][1]:.1f} of {row['read'][kind][1]:,}" if kind in row["read"] else "-"
        for kind in KINDS
    ]  # fmt: skip
    return (
        f"| {label} | {100 * row['exact']:.1f} {shown(row['exact_interval'])} | {100 * row['cer']:.1f} "
        f"{shown(row['cer_interval'])} | {100 * row['exact_folded']:.1f}, {100 * row['cer_folded']:.1f} | "
        + " | ".join(read)
        + f" | {row['spaces']['missing']}, {row['spaces']['extra']} |"
    )


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        f"Measured {date.today()}, {machine()}, 1 thread beside other trainings, one seed. "
        "Command: `python -m benchmarks.chinese --precision bf16-mixed`",
        "",
        "| stretch | characters | training lines | epochs | lines seen | seconds | validation: exact | CER |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in results["stretches"].items():
        lines.append(
            f"| {name} | {row['characters']:,} | {row['lines']:,} | {row['epochs']} | {row['seen']:,} | "
            f"{row['seconds']:,.0f} | {100 * row['exact']:.1f} | {100 * row['cer']:.1f} |"
        )
    found = results["measured"]
    lines += [
        "",
        f"The model after the last stretch: {found['bytes']:,} bytes, {found['classes']:,} classes; a line of 32 x 320 pixels takes "
        f"{found['ms']:.1f} ms of processor time.",
        "",
        "| lines | exact [95 %] | CER [95 %] | exact, CER with wide forms folded | "
        + " | ".join(KINDS) + " | spaces missing, extra |",
        "|---|---|---|---|" + "---|" * (len(KINDS) + 1),
        *(scored(label, found[key]) for key, label in SETS.items()),
    ]  # fmt: skip
    return "\n".join([*lines, "", NOTES])


def main() -> None:
    """Train every stretch, then measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-chinese")
    parser.add_argument(
        "--precision", default="32-true", help="bf16-mixed is 1.7 times as fast on a processor that has it"
    )
    parser.add_argument(
        "--model", type=Path, help="the file that is measured, in the place of that of the last stretch"
    )
    parser.add_argument("--stretches", nargs="+", default=list(STRETCHES), choices=list(STRETCHES))
    arguments = parser.parse_args()
    work: Path = arguments.work
    (work / "data").mkdir(parents=True, exist_ok=True)
    if not (work / "data" / "zh.txt").exists():
        (work / "data" / "zh.txt").symlink_to(DATA / "text" / "zh.txt")
    console = Console(file=sys.stderr)
    for name in arguments.stretches:
        if not (work / name / REPORT).exists():
            run(recipe(work, name, arguments.precision), work, console, folder=work / name)
    if all((work / name / REPORT).exists() for name in STRETCHES):
        model = arguments.model or work / list(STRETCHES)[-1] / "model.onnx"
        results = {"stretches": {name: stretch(work, name) for name in STRETCHES}, "measured": measure(work, model)}
        (RESULTS / "chinese.json").write_text(json.dumps(results, indent=1, ensure_ascii=False))
        (RESULTS / "chinese.md").write_text(table(results))
        print(table(results))


if __name__ == "__main__":
    main()
