"""Rendered lines a second on one core, and the ratio to trdg 1.8.0 at equal effects.

    python -m venv trdg && trdg/bin/pip install trdg==1.8.0 pillow==9.5.0
    taskset -c 1 python -m benchmarks.synth_speed --trdg trdg/bin/python

Both render the same texts in the same four font files (DejaVu Sans and Serif, Liberation Sans and Serif) to lines about 32
pixels high with letters of the same size, in one process, into memory; nothing is encoded or written. They take turns. trdg asks Pillow for its default
layout engine, Raqm, for every character; since that alone may be what is slow, it is also measured with the basic
engine, which our renderer uses. Equal effects are (a) black on white, (b) a turn of up to 2 degrees, Gaussian noise
behind the text and a Gaussian blur of up to 1 pixel.

The other figures are lines a second of our renderer alone, at the settings that stand beside them.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

FONTS = Path("/usr/share/fonts/truetype")
FOUR = [
    str(FONTS / name)
    for name in (
        "dejavu/DejaVuSans.ttf", "dejavu/DejaVuSerif.ttf",
        "liberation/LiberationSans-Regular.ttf", "liberation/LiberationSerif-Regular.ttf",
    )
]  # fmt: skip
CHINESE = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc#2", "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc#2",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", "/usr/share/fonts/truetype/arphic/uming.ttc",
]  # fmt: skip
RESULT = Path(__file__).parent / "results" / "synth_speed.md"
BOTH = {"spacing": "proportional", "fonts": FOUR, "font_size": [24, 28]}
SAME = BOTH | {"font_size": [19, 20], "margins": [0.3, 0.4]}
"""Letters as large as trdg draws them in lines 32 pixels high, with margins that give lines as high."""
CAMERA = [
    {"name": "affine", "rotate": 2.0, "shear": 0.0, "scale": 0.0, "shift": 0.0},
    {"name": "gaussian_noise", "sigma": 10.0},
    {"name": "gaussian_blur", "sigma": [0.01, 1.0]},
]
EQUAL: dict[str, dict[str, Any]] = {
    "a": SAME | {"papers": ["#ffffff"]},
    "b": SAME | {"papers": ["#ebebeb"], "effects": CAMERA},
}
TRDG: dict[str, dict[str, Any]] = {
    "a": {"background_type": 1},
    "b": {"background_type": 0, "skewing_angle": 2, "random_skew": True, "blur": 1, "random_blur": True},
}
LOOKS = [
    {"name": "slant", "p": 0.3}, {"name": "shadow", "p": 0.3}, {"name": "tracking", "p": 0.3}, {"name": "outline", "p": 0.2},
    {"name": "scale", "p": 0.2}, {"name": "arc", "p": 0.2},
]  # fmt: skip
OURS: dict[str, tuple[str, dict[str, Any]]] = {
    "MicroOCR's set: 4 characters, Pillow's font": ("", {"text": "random"}),
    "plain, sizes 18 to 30": ("", {**BOTH, "font_size": [18, 30]}),
    "textured ground, random ink": ("", {**BOTH, "font_size": [18, 30], "background": "textured", "polarity": "both"}),
    "the same, with blur, noise and turn": (
        "", {**BOTH, "font_size": [18, 30], "background": "textured", "polarity": "both", "effects": CAMERA},
    ),
    "textured, six looks (slant, shadow, tracking, outline, scale, arc), each on 20 to 30 % of the lines": (
        "", {**BOTH, "font_size": [18, 30], "background": "textured", "polarity": "both", "looks": LOOKS},
    ),
    "5,990 Chinese characters, 4 fonts, 10 a line, sizes 24 to 32": (
        "chinese",
        {"spacing": "proportional", "fonts": CHINESE, "font_size": [24, 32], "text": "random", "min_length": 10, "max_length": 10},
    ),
}  # fmt: skip


def texts(count: int) -> list[str]:
    """Lines of 3 to 5 words of 2 to 9 letters, always the same."""
    rng = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxzETAOIN"
    lines = []
    for _ in range(count):
        words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(rng.randint(3, 5))]
        lines.append(" ".join(words))
    return lines


def time_ours(settings: dict[str, Any], charset: str, words: Path, lines: int, seed: int) -> tuple[float, float, float]:
    """Lines a second, and the mean width and height, after as many lines to warm up as are timed (fonts, cached letters)."""
    from glyphlet.charset import Charset
    from glyphlet.spec import SynthSpec
    from glyphlet.synth.render import RenderedSet

    values = {
        "text": "mix",
        "texts": [{"kind": "words", "path": str(words), "max_words": 1}],
        "count": 2 * lines,
        "seed": seed,
        **settings,
    }
    if values["text"] != "mix":
        del values["texts"]
    characters = Charset.from_text(charset) if charset else Charset.named("ascii")
    rendered = RenderedSet(SynthSpec.model_validate(values), characters)
    for i in range(lines):
        rendered[i]
    start = time.perf_counter()
    sizes = [rendered[i].image.size for i in range(lines, 2 * lines)]
    seconds = time.perf_counter() - start
    return lines / seconds, statistics.mean(w for w, _ in sizes), statistics.mean(h for _, h in sizes)


def inside_trdg(case: str, lines: int, basic: bool) -> None:
    """Run by trdg's own interpreter: print lines a second and the mean size."""
    from PIL import ImageFont  # of trdg's environment
    from trdg.generators import GeneratorFromStrings  # type: ignore[import-not-found]

    if basic:
        original = ImageFont.truetype
        ImageFont.truetype = lambda *a, **k: original(*a, **{**k, "layout_engine": 0})
    generator = GeneratorFromStrings(
        texts(200), count=2 * lines, fonts=FOUR, size=32, text_color="#000000", **TRDG[case]
    )
    for _ in range(lines):
        next(generator)
    start = time.perf_counter()
    sizes = [next(generator)[0].size for _ in range(lines)]
    seconds = time.perf_counter() - start
    print(json.dumps([lines / seconds, statistics.mean(w for w, _ in sizes), statistics.mean(h for _, h in sizes)]))


def time_trdg(python: str, case: str, lines: int, basic: bool) -> tuple[float, float, float]:
    """The same for trdg, in its own environment."""
    command = [
        python,
        "-W",
        "ignore",
        __file__,
        "--inside",
        case,
        "--lines",
        str(lines),
        *(["--basic"] if basic else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rate, width, height = json.loads(done.stdout.splitlines()[-1])
    return rate, width, height


def spread(rates: list[float]) -> str:
    """Median, lowest and highest."""
    low, high = f"{min(rates):,.0f}", f"{max(rates):,.0f}"
    return (
        f"{statistics.median(rates):,.0f} ({low})"
        if low == high
        else f"{statistics.median(rates):,.0f} ({low} to {high})"
    )


def compare(python: str, words: Path, rounds: int, lines: int) -> list[str]:
    """The table of ratios."""
    rows = [
        "| effects | ours: lines/s | mean size | trdg: lines/s | mean size | ratio | trdg, basic layout: lines/s | ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    names = {"a": "(a) none: black on white", "b": "(b) turn, noise, blur"}
    for case, settings in EQUAL.items():
        found: dict[str, list[tuple[float, float, float]]] = {"ours": [], "trdg": [], "basic": []}
        for seed in range(rounds):
            found["ours"].append(time_ours(settings, "", words, lines, seed))
            found["trdg"].append(time_trdg(python, case, max(20, lines // 50), basic=False))
            found["basic"].append(time_trdg(python, case, max(20, lines // 20), basic=True))
        rates = {name: [rate for rate, _, _ in values] for name, values in found.items()}
        sizes = {name: f"{values[0][1]:.0f} x {values[0][2]:.0f}" for name, values in found.items()}
        ratios = {name: [a / b for a, b in zip(rates["ours"], rates[name], strict=True)] for name in ("trdg", "basic")}
        rows.append(
            f"| {names[case]} | {spread(rates['ours'])} | {sizes['ours']} | {spread(rates['trdg'])} | {sizes['trdg']} "
            f"| {spread(ratios['trdg'])} | {spread(rates['basic'])} | {spread(ratios['basic'])} |"
        )
        print(rows[-1], flush=True)
    return rows


def alone(words: Path, rounds: int, lines: int) -> list[str]:
    """The table of our own figures."""
    rows = ["| settings | lines/s on one core: median (lowest to highest) | mean size |", "|---|---|---|"]
    for name, (charset, settings) in OURS.items():
        if not all(Path(font.partition("#")[0]).exists() for font in settings.get("fonts", [])):
            continue
        characters = "".join(chr(0x4E00 + i) for i in range(5990)) if charset == "chinese" else ""
        extra = {"uncovered": "drop"} if charset else {}
        found = [time_ours(settings | extra, characters, words, lines, seed) for seed in range(rounds)]
        rows.append(f"| {name} | {spread([rate for rate, _, _ in found])} | {found[0][1]:.0f} x {found[0][2]:.0f} |")
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure, print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trdg", help="the Python of an environment with trdg 1.8.0 and Pillow 9.5")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=1500)
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--basic", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        inside_trdg(arguments.inside, arguments.lines, arguments.basic)
        return
    from benchmarks.micro_table import machine

    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder) / "texts.txt"
        lines = texts(200)
        words.write_text("\n".join(lines), encoding="utf-8")
        letters = statistics.mean(map(len, lines))
        table = compare(arguments.trdg, words, arguments.rounds, arguments.lines) if arguments.trdg else []
        own = alone(words, arguments.rounds, arguments.lines)
    head = (
        f"Measured {date.today()}, {machine()}, one process on one core, images in memory. Texts of {letters:.0f} characters on "
        f"average. Command: `taskset -c 1 python -m benchmarks.synth_speed --trdg PYTHON`. {arguments.rounds} rounds, taking "
        "turns; median (lowest to highest).\n"
    )
    RESULT.write_text(
        "\n".join([head, "## Ratio to trdg 1.8.0 (Pillow 9.5)\n", *table, "", "## Ours\n", *own, ""]), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
