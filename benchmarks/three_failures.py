"""The three failures that the author of the Chinese CRNN showed, before and after: other backgrounds, a scale and spacing
that change within a line, mixed languages.

    python -m benchmarks.three_failures                 all trainings, three seeds each, resumed from what is done
    python -m benchmarks.three_failures --seeds 1

Needs the Debian packages fonts-wqy-zenhei, fonts-arphic-uming, fonts-dejavu-core and fonts-liberation. All nets are the
same micro network with the same number of rendered lines, epochs and first weights. `plain` learns black text on white,
Chinese or Latin in a line, as a text is set. `effects` learns the mix of both in a line, on all kinds of ground, with the
effects of `augment`. `effects and looks` has, beside these, half of its lines rendered with letters of changing size and
distance, by the same looks as one of the test sets. The test sets are rendered by other means than the effects: grounds and inks by the renderer's own
papers, changing scale and spacing by its looks. A tenth of the training lines decides which epoch is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from rich.console import Console

from benchmarks.micro_table import RESULTS, machine
from glyphlet.charset import Charset
from glyphlet.data.rendered import RenderedLines
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.image import decode
from glyphlet.job import run
from glyphlet.metrics import wilson
from glyphlet.runtime.reader import Reader
from glyphlet.spec import recipe_from
from glyphlet.synth.render import RenderedSet

CHINESE = (
    "的一是为国个人中在于大有科属下和种市地区学斯尔年物时州位他部县会以西后主本上出之这了生亚名镇家不利化成子用口民德与南拉行克来代作特动多也美该分变其公可现所山东任第十北要法最政发图日教巴被员马加三自同"
    "建及业内长罗方文里道由事站军城示二对到都海球而进车省前阿理兰此体制士小表布高间天台路机新治电尼经场格过列能目定通世基期系性明华得工线联式两开设曾院产府安共立因使花战关赛数身队重合维当们原朝河金圣者"
)
LATIN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FONTS = [
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
]


def classes(text: str, low: int, high: int) -> dict[str, Any]:
    """Random characters of one script."""
    return {"kind": "pattern", "pattern": f"[{text}]{{{low},{high}}}"}


APART = [classes(CHINESE, 3, 8), classes(LATIN, 3, 10)]
JOINED = {
    "kind": "join", "parts": [classes(CHINESE, 1, 4), classes(LATIN, 1, 5)], "min_parts": 2, "max_parts": 3,
    "separators": [""],
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "text": "mix", "texts": APART, "fonts": FONTS, "font_size": [22, 30], "spacing": "proportional", "mixed_fonts": True,
    "papers": ["#ffffff"], "inks": ["#000000"],
}  # fmt: skip
LOOKS = [
    {"name": "tracking", "least": -0.05, "most": 0.7, "change": 0.4},
    {"name": "scale", "least": 0.5, "most": 1.0},
]
TESTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "backgrounds": {"background": "textured", "polarity": "both", "papers": [], "inks": []},
    "scale and spacing": {"looks": LOOKS},
    "mixed languages": {"texts": [JOINED]},
}  # fmt: skip
AUGMENT = [
    {"name": "scale_within", "p": 0.5},
    {"name": "letter_spacing", "p": 0.5},
    {"name": "background", "p": 0.5},
    {"name": "invert", "p": 0.3},
    {"name": "one_of", "p": 0.5, "effects": [{"name": "contrast"}, {"name": "gaussian_noise"}, {"name": "gaussian_blur"},
                                             {"name": "shadow"}, {"name": "ruled_lines"}]},
]  # fmt: skip
TRAININGS: dict[str, dict[str, Any]] = {
    "plain": {"train": {}, "augment": []},
    "effects": {"train": {"texts": [*APART, JOINED]}, "augment": AUGMENT},
    "effects and looks": {
        "train": {"texts": [*APART, JOINED], "looks": [{**look, "p": 0.5} for look in LOOKS]},
        "augment": AUGMENT,
    },
}
SHOWN = 4


def values(kind: str, seed: int, lines: int, epochs: int) -> dict[str, Any]:
    """A recipe as plain values."""
    return {
        "name": f"three-{kind.replace(' ', '-')}",
        "model": {"backbone": {"name": "micro", "nh": 48, "depth": 2}, "neck": {"name": "bilstm", "hidden": 64}},
        "image": {"height": 32, "channels": 1, "width_step": 16},
        "charset": {"text": "".join(sorted(LATIN + CHINESE))},
        "data": {"train": PLAIN | TRAININGS[kind]["train"] | {"count": lines}, "validation_share": 0.1},
        "augment": TRAININGS[kind]["augment"],
        "train": {"epochs": epochs, "batch": 32, "lr": 0.004, "entropy": 0.1, "seed": seed, "threads": 1, "workers": 0, "samples": 1},
    }  # fmt: skip


def test_set(name: str, charset: Charset, count: int) -> RenderedLines:
    """The lines of a test set."""
    spec = recipe_from({"data": {"train": PLAIN | TESTS[name] | {"count": count}}}, name).data.train
    assert not isinstance(spec, list)
    return RenderedLines(RenderedSet(spec, charset, "test"))


def measure(kind: str, seed: int, lines: int, epochs: int, test: int) -> dict[str, Any]:
    """Train once, and read all test sets through the model file."""
    with tempfile.TemporaryDirectory() as folder:
        job = run(recipe_from(values(kind, seed, lines, epochs), kind), Path(folder), Console(file=sys.stderr))
        reader = Reader(job.model)
        row: dict[str, Any] = {
            "training": kind, "seed": seed, "validation": job.outcome.best_accuracy, "epochs": job.outcome.epochs,
            "best_epoch": job.outcome.best_epoch, "seconds": round(job.outcome.seconds), "tests": {}, "read": {},
        }  # fmt: skip
        for name in TESTS:
            result = evaluate_lines(reader, test_set(name, reader.metadata.charset, test))
            scores = result.scores
            row["tests"][name] = {"right": round(scores.word_accuracy * test), "lines": test, "cer": scores.cer}
            row["read"][name] = [r.text for r in result.results[:SHOWN]]
    return row


def table(rows: list[dict[str, Any]], command: str) -> str:
    """The results as Markdown: a line for each training and test set, mean over the seeds, and the seeds apart."""
    seeds = sorted({row["seed"] for row in rows})
    text = [
        "# The three failures of the Chinese CRNN, before and after",
        "",
        f"Measured {date.today()}, {machine()}, 1 thread a training. Command: `{command}`",
        "",
        f"{len(seeds)} seeds: words right of {rows[0]['tests']['plain']['lines']} test lines for each seed, the interval of all, and "
        "the mean CER.",
        "",
        "| test set |" + "".join(f" {kind}: words | CER |" for kind in TRAININGS) + " better than plain in |",
        "|---|" + "---|---|" * len(TRAININGS) + "---|",
    ]
    found = {(row["training"], row["seed"]): row for row in rows}
    for name in TESTS:
        cells, per = [], {}
        for kind in TRAININGS:
            own = [found[kind, seed]["tests"][name] for seed in seeds if (kind, seed) in found]
            per[kind] = [t["right"] / t["lines"] for t in own]
            interval = wilson(sum(t["right"] for t in own), sum(t["lines"] for t in own))
            cells.append(f"{' '.join(f'{x:.3f}' for x in per[kind])} [{interval.low:.3f}, {interval.high:.3f}]")
            cells.append(f"{sum(t['cer'] for t in own) / len(own):.3f}")
        wins = [
            f"{kind}: {sum(b > a for a, b in zip(per['plain'], per[kind], strict=False))} of {len(per[kind])}"
            for kind in list(TRAININGS)[1:]
        ]
        text.append(f"| {name} | {' | '.join(cells)} | {', '.join(wins)} seeds |")
    text += [
        "",
        "| training | seed | validation words | best epoch of | seconds |",
        "|---|---|---|---|---|",
        *(
            f"| {r['training']} | {r['seed']} | {r['validation']:.3f} | {r['best_epoch']} of {r['epochs']} | {r['seconds']} |"
            for r in rows
        ),
    ]
    return "\n".join(text) + "\n"


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Test lines with what both trainings read, for the first seed that has both."""
    found = {(row["training"], row["seed"]): row for row in rows}
    seed = next(seed for _, seed in found if all((kind, seed) in found for kind in TRAININGS))
    charset = Charset.from_text("".join(sorted(LATIN + CHINESE)))
    font = ImageFont.truetype(FONTS[0], 17)
    columns = {"plain": 470, "effects": 740, "effects and looks": 1010}
    height, width = 44, 1280
    sheet = Image.new("RGB", (width, height * (len(TESTS) * SHOWN + 1)), "white")
    drawing = ImageDraw.Draw(sheet)
    for x, title in ((8, "line"), *((x, f"trained: {kind}") for kind, x in columns.items())):
        drawing.text((x, 12), title, "black", font)
    y = height
    for name in TESTS:
        lines = test_set(name, charset, SHOWN)
        for number in range(SHOWN):
            pixels = decode(lines.sample(number).source)
            image = Image.fromarray(pixels)
            image.thumbnail((440, height - 6))
            sheet.paste(image, (8, y + 3))
            truth = lines.text(number)
            for kind, x in columns.items():
                read = found[kind, seed]["read"][name][number]
                drawing.text((x, y + 12), read or "(nothing)", "#1a7f37" if read == truth else "#c0201f", font)
            y += height
        drawing.line((0, y, width, y), "#bbbbbb")
    sheet.save(path)


def main() -> None:
    """Train what is not done yet, and write table and picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--test", type=int, default=500)
    parser.add_argument("--trainings", nargs="+", default=list(TRAININGS), choices=list(TRAININGS))
    options = parser.parse_args()
    path = RESULTS / "three_failures.json"
    for seed in options.seeds:
        for kind in options.trainings:
            rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
            if any((row["training"], row["seed"]) == (kind, seed) for row in rows):
                continue
            row = measure(kind, seed, options.lines, options.epochs, options.test)
            rows = (
                json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
            )  # another process may have written
            rows = sorted([*rows, row], key=lambda r: (list(TRAININGS).index(r["training"]), r["seed"]))
            path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    rows = json.loads(path.read_text(encoding="utf-8"))
    if {row["training"] for row in rows} == set(TRAININGS):
        command = "python -m benchmarks.three_failures"
        (RESULTS / "three_failures.md").write_text(table(rows, command), encoding="utf-8")
        picture(rows, Path(__file__).parents[1] / "docs" / "pictures" / "three-failures.png")


if __name__ == "__main__":
    main()
