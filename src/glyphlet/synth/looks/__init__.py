"""Looks: how letters are changed while they are drawn, which no effect on the finished image could do.

A look is built from its options and called for each line with its `Style`, which it changes, and a source of random
numbers. A recipe lists looks in order: `looks: [{name: slant}, {name: shadow, p: 0.3}]`. Every look may have `p`, the
probability that a line has it (1 by default). Boxes stay true: they are computed from what is drawn.

    style       what looks change
    strokes     bold, outline, shadow
    letters     slant, tracking, scale, jitter
    baseline    arc, wave, underline, strikethrough
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from glyphlet.registry import Registry
from glyphlet.spec import PartSpec
from glyphlet.synth.looks.style import Look, Style

LOOKS = Registry("look", "looks")


def build_looks(specs: Sequence[PartSpec]) -> list[Look]:
    """The looks of a recipe, in order.

    Raises:
        RecipeError: a look or an option is unknown, or an option is out of range.
    """
    return [_build(spec) for spec in specs]


def _build(spec: PartSpec) -> Look:
    built, chance = LOOKS.build_chance(spec.name, spec.options)
    look: Look = built
    if chance == 1:
        return look

    def sometimes(style: Style, rng: random.Random) -> None:
        if rng.random() < chance:
            look(style, rng)

    return sometimes


LOOKS.import_all(__name__, __path__)  # last: the modules need what stands above
