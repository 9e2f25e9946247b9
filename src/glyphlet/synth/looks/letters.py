"""Letters that lean, stand closer or further apart, and differ in size and place within a line."""

from __future__ import annotations

import math
import random

from glyphlet.errors import RecipeError
from glyphlet.synth.looks import LOOKS
from glyphlet.synth.looks.style import Look, Style, check, check_one

_SCALES = ("letter", "word", "line", "any")


@LOOKS.register
def slant(*, least: float = -12.0, most: float = 18.0) -> Look:
    """All letters lean by the same `least` to `most` degrees; above 0 to the right, as simulated italics."""
    check("slant", least, most, -45, 45)

    def look(style: Style, rng: random.Random) -> None:
        style.slant += rng.uniform(least, most)

    return look


@LOOKS.register
def tracking(*, least: float = -0.05, most: float = 0.4, change: float = 0.0) -> Look:
    """Letters `least` to `most` font sizes further apart; within a line each gap differs by up to `change` more or less."""
    check("tracking", least, most, -0.5, 4)
    check_one("tracking", "change", change, 0, 2)

    def look(style: Style, rng: random.Random) -> None:
        base = rng.uniform(least, most)
        own = [base + rng.uniform(-change, change) if change else base for _ in style.words]
        style.tracking = [a + b for a, b in zip(style.tracking, own, strict=True)] if style.tracking else own

    return look


@LOOKS.register
def scale(*, least: float = 0.6, most: float = 1.0, by: str = "any") -> Look:
    """Letters of different sizes in one line: from `least` to `most` font sizes, by `letter`, by `word`, changing evenly along
    the `line`, or `any` of these.
    """
    check("scale", least, most, 0.2, 3)
    if by not in _SCALES:
        raise RecipeError(f"look scale has by {by!r}", allowed=", ".join(_SCALES), next_step="correct it")

    def look(style: Style, rng: random.Random) -> None:
        kind = rng.choice(_SCALES[:3]) if by == "any" else by
        count = len(style)
        if kind == "letter":
            own = [rng.uniform(least, most) for _ in range(count)]
        elif kind == "word":
            each = [rng.uniform(least, most) for _ in range(max(style.words) + 1)]
            own = [each[word] for word in style.words]
        else:
            start, stop = rng.uniform(least, most), rng.uniform(least, most)
            own = [start + (stop - start) * i / max(1, count - 1) for i in range(count)]
        style.scale = [a * b for a, b in zip(style.scale, own, strict=True)] if style.scale else own

    return look


@LOOKS.register
def jitter(*, lift: float = 0.04, turn: float = 3.0, lean: float = 0.0, size: float = 0.05, drift: float = 0.0) -> Look:
    """Each letter up to `lift` font sizes above or below the baseline, turned by up to `turn` degrees, leaning by up to
    `lean` degrees more or less, and up to a share `size` larger or smaller. With `drift` the letters wander up and down
    as handwriting does, by about so many font sizes.
    """
    for name, value, high in (("lift", lift, 1), ("turn", turn, 45), ("lean", lean, 45), ("size", size, 0.5)):
        check_one("jitter", name, value, 0, high)
    check_one("jitter", "drift", drift, 0, 1)

    def look(style: Style, rng: random.Random) -> None:
        count = len(style)
        phase, pace = rng.uniform(0, 2 * math.pi), rng.uniform(0.3, 0.9)
        wander = rng.uniform(-drift, drift)
        style.lift = [rng.uniform(-lift, lift) + wander * math.sin(phase + pace * i) for i in range(count)]
        style.turn = [rng.uniform(-turn, turn) for _ in range(count)]
        style.lean = [rng.uniform(-lean, lean) for _ in range(count)]
        sizes = style.scale or [1.0] * count
        style.scale = [s * rng.uniform(1 - size, 1 + size) for s in sizes]

    return look
