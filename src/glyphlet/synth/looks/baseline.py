"""Baselines that are not straight, and lines drawn along the text."""

from __future__ import annotations

import math
import random

from glyphlet.synth.looks import LOOKS
from glyphlet.synth.looks.style import Curve, Look, Point, Rule, Style, check


@LOOKS.register
def arc(*, least: float = 10.0, most: float = 60.0) -> Look:
    """The line is bent into a part of a circle of `least` to `most` degrees, upwards or downwards. Letters are turned with
    it. A short line on a wide arc is bent less, so that the radius is never below two font sizes.
    """
    check("arc", least, most, 0, 180)

    def look(style: Style, rng: random.Random) -> None:
        style.curve = _circle(math.radians(rng.uniform(least, most)), rng.choice((-1, 1)))

    return look


def _circle(angle: float, side: int) -> Curve:
    """An arc of a circle with its middle at the middle of the line; side 1 has its ends lower."""

    def curve(place: float, length: float) -> Point:
        radius = max(length / max(angle, 1e-6), 2.0)
        here = (place - length / 2) / radius
        return length / 2 + radius * math.sin(here), side * radius * (1 - math.cos(here)), side * math.degrees(here)

    return curve


@LOOKS.register
def wave(*, least: float = 0.05, most: float = 0.25, longest: float = 12.0) -> Look:
    """The baseline goes up and down by `least` to `most` font sizes, in waves of 4 to `longest` font sizes."""
    check("wave", least, most, 0, 2)
    check("wave", 4, longest, 4, 1000, names="shortest and longest")

    def look(style: Style, rng: random.Random) -> None:
        height, pace = rng.uniform(least, most), 2 * math.pi / rng.uniform(4, longest)
        phase = rng.uniform(0, 2 * math.pi)

        def curve(place: float, length: float) -> Point:
            slope = height * pace * math.cos(phase + pace * place)
            return place, height * math.sin(phase + pace * place), math.degrees(math.atan(slope))

        style.curve = curve

    return look


@LOOKS.register
def underline(*, least: float = 0.03, most: float = 0.08) -> Look:
    """A line below the text, `least` to `most` font sizes thick."""
    check("underline", least, most, 0.01, 0.3)

    def look(style: Style, rng: random.Random) -> None:
        style.rules.append(Rule(-rng.uniform(0.08, 0.3), rng.uniform(least, most)))

    return look


@LOOKS.register
def strikethrough(*, least: float = 0.03, most: float = 0.07) -> Look:
    """A line through the text, `least` to `most` font sizes thick."""
    check("strikethrough", least, most, 0.01, 0.3)

    def look(style: Style, rng: random.Random) -> None:
        style.rules.append(Rule(rng.uniform(0.2, 0.42), rng.uniform(least, most)))

    return look
