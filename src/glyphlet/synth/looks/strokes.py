"""Heavier strokes, outlines, and the shadow that letters throw."""

from __future__ import annotations

import math
import random

from glyphlet.synth.looks import LOOKS
from glyphlet.synth.looks.style import Look, Style, check, check_one


@LOOKS.register
def bold(*, least: float = 0.01, most: float = 0.04) -> Look:
    """Strokes that are `least` to `most` font sizes thicker on each side."""
    check("bold", least, most, 0, 0.2)

    def look(style: Style, rng: random.Random) -> None:
        style.bold += rng.uniform(least, most)

    return look


@LOOKS.register
def outline(*, least: float = 0.03, most: float = 0.08, hollow: float = 0.2) -> Look:
    """A rim of another colour, `least` to `most` font sizes wide; a share `hollow` of the lines has the rim alone."""
    check("outline", least, most, 0.01, 0.3)
    check_one("outline", "hollow", hollow, 0, 1)

    def look(style: Style, rng: random.Random) -> None:
        style.outline = rng.uniform(least, most)
        style.hollow = rng.random() < hollow

    return look


@LOOKS.register
def shadow(*, least: float = 0.04, most: float = 0.12, strength: float = 0.8) -> Look:
    """A copy of the letters behind them, `least` to `most` font sizes away in any direction, mostly to the lower right.

    Its strength is random up to `strength`. It stays as far from the ink as all that is behind the text.
    """
    check("shadow", least, most, 0, 0.5)
    check_one("shadow", "strength", strength, 0, 1)

    def look(style: Style, rng: random.Random) -> None:
        angle = math.radians(rng.gauss(45, 40))
        distance = rng.uniform(least, most)
        style.shadow = distance * math.cos(angle), distance * math.sin(angle)
        style.shadow_strength = rng.uniform(0.3, 1) * strength

    return look
