"""What each effect costs: microseconds a line of 32 x 280 pixels, grey and RGB, on one core.

    python -m benchmarks.effects_speed

Every effect runs with its defaults and `p` 1 on a few lines drawn here (dark and light text on even and uneven grounds), so
that the figures need no data. Every round makes the same draws; a figure is the mean over all lines of the fastest of
`--rounds` rounds, since other programs on the machine can only slow one down. The presets also say how many lines a
second one core can make.
"""

from __future__ import annotations

import argparse
import time
from datetime import date

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.micro_table import RESULTS, machine
from glyphlet.effects import EFFECTS, Effect, Pixels, build_effects
from glyphlet.effects.presets import PRESETS
from glyphlet.spec import PartSpec

SHAPE = (32, 280)
NEEDS = {"one_of", "some_of", "sequence"}
"""Combinations cost what their parts cost."""


def drawn(channels: int) -> list[Pixels]:
    """Eight lines of text, (C, H, W)."""
    random = np.random.default_rng(0)
    found = []
    for number in range(8):
        image = Image.new("L", SHAPE[::-1], 0)
        text = "".join(chr(random.integers(48, 123)) for _ in range(18))
        ImageDraw.Draw(image).text((8, 4), text, fill=255, font=ImageFont.load_default(20))
        ink = np.asarray(image, np.float32) / 255
        paper = 230 - number * 8 * np.linspace(0, 1, SHAPE[1], dtype=np.float32) + random.normal(0, number, SHAPE)
        line = paper * (1 - ink) + 40 * ink
        line = 255 - line if number % 2 else line
        tint = np.linspace(1, 0.8, channels, dtype=np.float32)[:, None, None]
        found.append(np.ascontiguousarray((line[None] * tint).clip(0, 255).astype(np.uint8)))
    return found


def microseconds(effect: Effect, lines: list[Pixels], rounds: int, repeats: int) -> float:
    """The mean time of one line in the fastest round."""
    times = []
    for _ in range(rounds + 1):  # the first fills the tables of kernels
        random = np.random.default_rng(0)
        start = time.perf_counter()
        for _ in range(repeats):
            for line in lines:
                effect(line, random)
        times.append((time.perf_counter() - start) / (repeats * len(lines)) * 1e6)
    return min(times[1:])


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    grey, rgb = drawn(1), drawn(3)
    singles, complete = [], []
    for name in sorted(set(EFFECTS) - NEEDS):
        (effect,) = build_effects([PartSpec(name=name)])
        first, second = (microseconds(effect, lines, arguments.rounds, arguments.repeats) for lines in (grey, rgb))
        singles.append(f"| `{name}` | {first:.0f} | {second:.0f} |")
        if name in PRESETS or name == "digits_affine":
            complete.append(f"| `{name}` | {1e6 / first:,.0f} | {1e6 / second:,.0f} |")
    text = "\n".join([
        f"Measured {date.today()}, {machine()}, OpenCV {cv2.__version__}, 1 thread. "
        "Command: `taskset -c 1 python -m benchmarks.effects_speed`",
        "", f"Lines of {SHAPE[0]} x {SHAPE[1]} pixels, effects with their defaults, each on every line; the fastest of {arguments.rounds} rounds.",
        "", "| preset | grey: lines/s a core | RGB: lines/s a core |", "|---|---|---|", *complete,
        "", "| effect | grey: microseconds a line | RGB: microseconds a line |", "|---|---|---|", *singles, "",
    ])  # fmt: skip
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "effects_speed.md").write_text(text)


if __name__ == "__main__":
    main()
