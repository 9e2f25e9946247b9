"""Every recogniser on the same work: short lines, the same lines in the same number, the same settings.

    python -m benchmarks.zoo                     all models, seed 1, gone on with from what is done
    python -m benchmarks.zoo --seeds 1 2 3 --models glyph micro-nh64
    python -m benchmarks.zoo --times             times every model anew, all in one run; the machine should do nothing else
    python -m benchmarks.zoo --test              reads the test lines, once, with every model that is done

The task: lines of at most 96 pixels at height 32. They are rendered words, prices, dates and random characters in the
fonts of Debian packages (see `recipes/packages.txt`), dark on white, with those of the receipts and the typewritten pages that are short enough
(`../shared/data`, which this benchmark needs). Labels are in upper case, as those of the receipts are; the charset has 100
characters. A seventh of the fonts is kept back: lines in them, and a fifth of the real training lines, validate. All models see the
same number of lines (`--seen`) with the same optimiser; their own recipes give the parts, the colour and the geometry.

The table says what is not converged: a model whose training lines are read with less than `.95` word accuracy in its last
epoch. Orderings are claimed only for the pairs in `PAIRS` that have three seeds which agree, and an interval without 0.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
import unicodedata
import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.micro_table import RESULTS, machine
from glyphlet.charset import Charset
from glyphlet.data.lineset import LineSet
from glyphlet.data.open import open_lines
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.image import Geometry, prepare, scale, stack
from glyphlet.job import run
from glyphlet.metrics import wilson
from glyphlet.models.catalogue import recipe_charset
from glyphlet.models.recognizer import build
from glyphlet.models.summary import count_parameters, multiply_adds
from glyphlet.runtime.reader import Reader
from glyphlet.spec import Recipe, SynthSpec, load_recipe, recipe_from
from glyphlet.synth.dataset import write_set
from glyphlet.train.log import read_log
from glyphlet.train.restore import restore_run

SHARED = Path(__file__).parents[2] / "shared" / "data"
FONT_FOLDERS = [Path("/usr/share/fonts/truetype"), Path("/usr/share/fonts/opentype")]
LEFT_OUT = ("noto", "wqy", "arphic", "uming", "lxgw", "droid", "symbol", "dingbat", "d050000l", "math")
"""Fonts without Latin letters, or of signs."""
WIDEST = 96
"""Pixels at height 32. All lines are padded to it, so that an update is one batch."""
CHARACTERS = "".join(map(chr, range(32, 97))) + "{|}~" + "ÀÂÄÇÈÉÊËÎÏÔÖÙÛÜŒÆÑÁÍÓÚÅØ" + "€£§°«»–"
MODELS = (
    "glyph", "micro-nh16", "micro-nh64", "micro-nh64-bilstm", "micro-nh256", "crnn-37",
    "lightweight-baseline", "lightweight-ca", "lightweight-metaacon", "lightweight-fpn-a", "lightweight-fpn-a-blurpool",
    "lightweight-fpn-b", "lightweight-fpn-c", "lightweight-fpn-d", "lightweight-fpn-a-large", "lightweight-fpn-d-large",
    "lightweight-r18-48", "lightweight-r18-64", "lightweight-r18se-48", "lightweight-r18se-64", "rare", "star-net",
)  # fmt: skip
PAIRS = (
    ("lightweight-fpn-a", "lightweight-baseline"), ("lightweight-fpn-b", "lightweight-fpn-a"),
    ("lightweight-fpn-c", "lightweight-fpn-b"), ("lightweight-fpn-d", "lightweight-fpn-c"),
    ("lightweight-ca", "lightweight-baseline"), ("lightweight-fpn-a-blurpool", "lightweight-fpn-a"),
    ("lightweight-baseline", "rare"), ("glyph", "lightweight-fpn-d"), ("glyph", "crnn-37"), ("glyph", "micro-nh64-bilstm"),
)  # fmt: skip
"""Better and worse, as published or as we claim."""
LARGE = ("crnn-37", "lightweight-r18-48", "lightweight-r18-64", "lightweight-r18se-48", "lightweight-r18se-64")
"""Trained in bfloat16 where autocast allows it; all others in float32."""
CONVERGED = 0.95


def installed_fonts() -> list[str]:
    """The fonts with Latin letters that are installed, by path."""
    found = sorted(
        str(path)
        for folder in FONT_FOLDERS
        for path in folder.rglob("*")
        if path.suffix in (".ttf", ".otf") and not any(word in str(path).lower() for word in LEFT_OUT)
    )
    if len(found) < 50:
        raise SystemExit(f"{len(found)} fonts are installed, at least 50 are needed: see recipes/packages.txt")
    return found


def fonts() -> tuple[list[str], list[str]]:
    """The fonts to train on, and those that are kept back."""
    found = installed_fonts()
    random.Random(0).shuffle(found)
    return found[len(found) // 7 :], found[: len(found) // 7]


def listed_words(characters: str, *files: str, upper: bool = False) -> list[str]:
    """Words of at most 12 of these characters in texts beside the checkout, each once."""
    known = set(characters)
    texts = [(SHARED / "text" / name).read_text(encoding="utf-8") for name in files]
    found = {unicodedata.normalize("NFC", word.upper() if upper else word) for text in texts for word in text.split()}
    return sorted(word for word in found if len(word) <= 12 and set(word) <= known)


def rendered(count: int, used: Sequence[str], listed: Path, seed: int) -> SynthSpec:
    """Settings for rendered lines."""
    return SynthSpec.model_validate({
        "count": count, "seed": seed, "text": "mix", "fonts": list(used), "font_size": [28, 32], "spacing": "proportional",
        "uncovered": "drop",
        "texts": [
            {"kind": "words", "path": str(listed), "max_words": 1, "weight": 4},
            {"kind": "random", "min_length": 2, "max_length": 7, "weight": 2},
            {"kind": "prices", "weight": 1}, {"kind": "numbers", "weight": 1}, {"kind": "dates", "weight": 0.5},
        ],
    })  # fmt: skip


def prepared(folder: Path, count: int) -> dict[str, Path]:
    """The label files of the task; made once."""
    made = {name: folder / f"{name}.txt" for name in ("train", "validation", "test")}
    if all(path.is_file() for path in made.values()):
        return made
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "words.txt"
    listed.write_text("\n".join(listed_words(CHARACTERS, "en.txt", "de.txt", upper=True)), encoding="utf-8")
    used, held = fonts()
    charset = Charset.from_text("".join(dict.fromkeys(CHARACTERS)), case="upper")
    sets = {}
    for stream, (number, part, seed) in {
        "train": (count, used, 1), "validation": (2000, held, 2), "test": (2000, held, 3),
    }.items():  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some fonts lack some characters
            sets[stream] = write_set(
                rendered(number, part, listed, seed), charset, folder / stream, stream, overwrite=True
            )
    rows: dict[str, list[str]] = {name: short(labels) for name, labels in sets.items()}
    for name in ("sroie_lines", "typewritten_lines"):
        real = [row for row in short(SHARED / name / "train.txt") if fits(row, charset)]
        random.Random(0).shuffle(real)
        rows["validation"] += real[: len(real) // 5]
        rows["train"] += real[len(real) // 5 :]
        rows["test"] += [row for row in short(SHARED / name / "test.txt") if fits(row, charset)]
    for name, path in made.items():
        path.write_text("".join(f"{row}\n" for row in rows[name]), encoding="utf-8")
    return made


def short(labels: Path) -> list[str]:
    """`path<TAB>text` of the lines that are no wider than `WIDEST` and have steps enough for their text."""
    lines, geometry = open_lines(str(labels)), Geometry(width_step=4, min_width=4)
    found = []
    for number in range(len(lines)):
        sample = lines.sample(number)
        width = prepare(sample.source, geometry).scaled_width
        text = sample.text.upper()
        doubles = sum(a == b for a, b in itertools.pairwise(text))
        if width <= WIDEST and len(text) + doubles <= width // 4 and len(text) < 25:
            found.append(f"{Path(str(sample.source)).resolve()}\t{sample.text}")
    return found


def fits(row: str, charset: Charset) -> bool:
    """Whether the charset has every character of a label."""
    return all(char in charset for char in charset.normalize(row.partition("\t")[2]))


def settings(name: str, made: dict[str, Path], seed: int, epochs: int, lr: float) -> Recipe:
    """The recipe of a model for this task: its own parts and geometry, the same training."""
    own = load_recipe(name).dump()
    image = own["image"] | {"height": 32, "min_width": WIDEST, "width_step": WIDEST, "width": 0, "squeeze": 1.0}
    image = {key: value for key, value in image.items() if key in Geometry.__dataclass_fields__}
    return recipe_from(
        {
            "name": f"zoo-{name}", "model": own["model"], "image": image,
            "charset": {"text": "".join(dict.fromkeys(CHARACTERS)), "case": "upper"},
            "data": {"train": [str(made["train"])], "validation": [str(made["validation"])], "unknown": "drop", "unalignable": "drop"},
            "train": {
                "epochs": epochs, "batch": 16, "seed": seed, "optimizer": "adamw", "lr": lr, "weight_decay": 0.01,
                "schedule": "cosine", "warmup": 0.1, "clip": 5, "entropy": 0, "threads": 1, "workers": 0, "samples": 0,
                "accelerator": "cpu", "precision": "bf16-mixed" if name in LARGE else "32-true",
            },
        },
        f"zoo {name}",
    )  # fmt: skip


def train(name: str, made: dict[str, Path], seed: int, epochs: int, lr: float, runs: Path) -> dict[str, Any]:
    """One row: train (or go on), and measure."""
    folder = runs / f"{name}-{seed}"
    recipe = settings(name, made, seed, epochs, lr)
    job = run(recipe, runs, Console(stderr=True, width=150), folder=folder)
    rows = read_log(folder / "log.csv")
    model = restore_run(folder).model
    reader = Reader(job.model)
    return {
        "model": name, "seed": seed, "lr": lr, "epochs": epochs, "seen": epochs * len(open_lines(str(made["train"]))), "parameters": count_parameters(model),
        "file_kb": round(job.model.stat().st_size / 1024), "multiply_adds": multiply_adds(model, WIDEST),
        "ms": milliseconds(reader, WIDEST), "lines_per_second": statistics.median(float(r["lines_per_second"]) for r in rows),
        "train_accuracy": float(rows[-1]["train_accuracy"]), "validation": job.outcome.best_accuracy,
        "best_epoch": job.outcome.best_epoch, "date": str(date.today()),
    }  # fmt: skip


def milliseconds(reader: Reader, width: int) -> float:
    """The median time of the network for one line, on one thread."""
    geometry = reader.metadata.geometry
    line = prepare(np.full((geometry.height, width), 200, np.uint8), geometry)
    times = []
    for _ in range(60):
        begin = time.perf_counter()
        reader.logits([line])
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


def times(rows: list[dict[str, Any]], made: dict[str, Path], runs: Path, turns: int = 5) -> None:
    """Time the first seed of every model: reading a line, and training on a batch of 16. All take turns; the median counts."""
    firsts = {row["model"]: row for row in reversed(rows) if row["seed"] == 1}
    reading: dict[str, list[float]] = {name: [] for name in firsts}
    training: dict[str, list[float]] = {name: [] for name in firsts}
    torch.set_num_threads(1)
    lines = open_lines(str(made["train"]))
    for _ in range(turns):
        for name in firsts:
            reading[name].append(milliseconds(Reader(runs / f"{name}-1" / "model.onnx"), WIDEST))
            training[name].append(trained_lines(settings(name, made, 1, 1, 0.002), lines))
    for name, row in firsts.items():
        row["ms"], row["ms_turns"] = statistics.median(reading[name]), reading[name]
        row["lines_per_second"], row["lines_per_second_turns"] = statistics.median(training[name]), training[name]


def trained_lines(recipe: Recipe, lines: LineSet, batch: int = 16, updates: int = 3) -> float:
    """Lines a second of whole updates: forward, loss, backward, AdamW. One update goes before, unmeasured."""
    charset = recipe_charset(recipe)
    model = build(recipe.model, recipe.image, charset).train()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    samples = [lines.sample(number) for number in range(batch)]
    pixels = scale(stack([prepare(sample.source, recipe.image) for sample in samples]), recipe.image)
    images = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
    labels = [model.codec.encode(charset.normalize(sample.text)) for sample in samples]
    begin = 0.0
    for number in range(updates + 1):
        if number == 1:
            begin = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.train.precision == "bf16-mixed"):
            logits = model(images, labels if model.head.guided else None)
        optimizer.zero_grad()
        model.head.loss(logits.float(), labels).backward()
        optimizer.step()
    return updates * batch / (time.perf_counter() - begin)


def write(rows: list[dict[str, Any]]) -> None:
    """The table."""
    by_model: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_model.setdefault(row["model"], []).append(row)
    text = [
        "# Every recogniser on the same short lines",
        "",
        f"Measured {max(row['date'] for row in rows)}, {machine()}, 1 thread. Command: `python -m benchmarks.zoo`",
        "",
        f"{max(row['seen'] for row in rows):,} training lines seen by each. Accuracies are of whole lines, the best epoch of each seed. *: not converged "
        f"(training word accuracy below {CONVERGED} in the last epoch). †: trained in bfloat16 where autocast allows it, in half the time. "
        + (
            "Times are of seed 1, all models in one run, taking turns: the median turn (lowest to highest)."
            if all("ms_turns" in found[0] for found in by_model.values())
            else "Times were taken in and after each training of seed 1, beside other work, so they say little: up to three times too long."
        ),
        "",
        "| model | parameters | file kB | M multiply-adds | ms a line | training lines/s | train | validation, by seed | test |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name in sorted(by_model, key=lambda n: -statistics.mean(r["validation"] for r in by_model[n])):
        found = sorted(by_model[name], key=lambda r: r["seed"])
        first, trained = found[0], statistics.mean(r["train_accuracy"] for r in found)
        tests = [r["test"] for r in found if "test" in r]
        lines = found[0].get("test_lines", 0)
        text.append(
            f"| {name}{' †' if name in LARGE else ''} | {first['parameters']:,} | {first['file_kb']:,} | {first['multiply_adds'] / 1e6:.1f} | {timed(first, 'ms', 2)} | "
            f"{timed(first, 'lines_per_second', 0)} | {trained:.3f}{'' if trained >= CONVERGED else ' *'} | "
            f"{joined([r['validation'] for r in found])} | {interval(tests, lines)} |"
        )
    text += [
        "",
        "## Pairs",
        "",
        "The first minus the second on the same lines: on validation by seed, on the test lines with the 95 % interval over lines, each "
        "line taken with all its seeds. An ordering is claimed where three seeds agree and the interval leaves out 0.",
        "",
        "| first | second | validation, by seed | test | claimed |",
        "|---|---|---|---|---|",
    ]
    value = {(row["model"], row["seed"]): row for row in rows}
    for better, worse in PAIRS:
        seeds = sorted({r["seed"] for r in by_model.get(better, [])} & {r["seed"] for r in by_model.get(worse, [])})
        both = [(value[better, seed], value[worse, seed]) for seed in seeds]
        if both:
            text.append(f"| {better} | {worse} | {' | '.join(pair(both))} |")
    (RESULTS / "zoo.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def timed(row: dict[str, Any], key: str, digits: int) -> str:
    """A time, with the lowest and the highest of its turns where it was taken anew."""
    turns = row.get(f"{key}_turns")
    return f"{row[key]:.{digits}f}" + (f" ({min(turns):.{digits}f} to {max(turns):.{digits}f})" if turns else "")


def pair(both: list[tuple[dict[str, Any], dict[str, Any]]]) -> tuple[str, str, str]:
    """The differences of a pair by seed, on test lines, and what may be claimed."""
    gaps = [first["validation"] - second["validation"] for first, second in both]
    by_seed = " ".join(f"{gap:+.3f}" for gap in gaps)
    if not all("test_right" in row for row in itertools.chain(*both)):
        return by_seed, "", "not yet"
    differences = np.mean([bits(first).astype(int) - bits(second) for first, second in both], axis=0)
    mean, half = differences.mean(), 1.96 * differences.std(ddof=1) / len(differences) ** 0.5
    sure = len(both) >= 3 and abs(mean) > half and len({gap > 0 for gap in gaps}) == 1 and (gaps[0] > 0) == (mean > 0)
    claim = ("first is better" if mean > 0 else "second is better") if sure else "none"
    return by_seed, f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]", claim


def bits(row: dict[str, Any]) -> NDArray[np.bool_]:
    """Which test lines a row's model reads."""
    packed = np.frombuffer(bytes.fromhex(row["test_right"]), np.uint8)
    return np.unpackbits(packed, count=row["test_lines"]).astype(bool)


def joined(values: Sequence[float]) -> str:
    """Accuracies side by side."""
    return " ".join(f"{value:.3f}" for value in values)


def interval(tests: list[int], lines: int) -> str:
    """Right test lines by seed as accuracies, and the interval of all."""
    if not tests:
        return ""
    found = wilson(sum(tests), lines * len(tests))
    return f"{joined([right / lines for right in tests])} [{found.low:.3f}, {found.high:.3f}]"


def recorded(kept: Path) -> list[dict[str, Any]]:
    """The rows that are done."""
    return list(json.loads(kept.read_text())) if kept.is_file() else []


def main() -> None:
    """Train what is missing, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--seen", type=int, default=40_000, help="training lines that each model sees")
    parser.add_argument(
        "--lines", type=int, default=26_000, help="rendered training lines, before the wide ones are left out"
    )
    parser.add_argument("--lr", type=float, default=0.002)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "glyphlet-zoo")
    parser.add_argument("--times", action="store_true", help="time every model anew, taking turns")
    parser.add_argument("--test", action="store_true", help="read the test lines with every model that is done")
    options = parser.parse_args()
    made = prepared(options.folder, options.lines)
    count = len(made["train"].read_text(encoding="utf-8").splitlines())
    epochs = max(1, round(options.seen / count))
    kept = RESULTS / "zoo.json"
    rows = recorded(kept)
    done = {(row["model"], row["seed"]) for row in rows}
    runs = options.folder / "runs"
    for seed in options.seeds:
        for name in options.models:
            if (name, seed) not in done:
                row = train(name, made, seed, epochs, options.lr, runs)
                print(json.dumps(row), file=sys.stderr)
                rows = [*recorded(kept), row]  # another process may have added its own
                kept.write_text(json.dumps(rows, indent=1) + "\n")
                write(rows)
    if options.times:
        times(rows, made, runs)
        kept.write_text(json.dumps(rows, indent=1) + "\n")
    if options.test:
        lines = open_lines(str(made["test"]))
        for row in rows:
            if "test" not in row:
                file = runs / f"{row['model']}-{row['seed']}" / "model.onnx"
                results = evaluate_lines(Reader(file), lines, ignore_case=True).results
                right = np.array([found.text == found.truth for found in results])
                row |= {
                    "test": int(right.sum()),
                    "test_lines": len(right),
                    "test_right": np.packbits(right).tobytes().hex(),
                }
                kept.write_text(json.dumps(rows, indent=1) + "\n")
    if rows:
        write(rows)


if __name__ == "__main__":
    main()
