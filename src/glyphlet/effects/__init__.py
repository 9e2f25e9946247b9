"""Effects: what happens to lines on their way to a camera or a scanner. NumPy in, NumPy out.

An effect takes a line uint8 (C, H, W), C 1 (grey) or 3 (RGB), and a NumPy generator, and returns a line of the same
shape. It never changes its input, and draws from that generator alone. Training applies effects to training lines only,
synthesis to rendered ones; a recipe lists them in order: `augment: [{name: shift, pixels: 4}]`. Every effect may have
`p`, the probability that it is applied to a line (1 by default).

    affine tia shift shape within    where the ink is: turned, warped, bent, spaced
    ink paper background             what is written with, and on
    light illumination blur noise    the camera: brightness, shadows, focus, grain, compression
    combine presets                  one of several, and the complete lists of others and of ours
    canvas options mls textures      what these are made of

OpenCV does the work, one plane at a time. It is called from many processes at once, so whoever starts those should call
`cv2.setNumThreads(0)` in each; nothing here sets it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from glyphlet.registry import Registry
from glyphlet.spec import PartSpec

Pixels = NDArray[np.uint8]
Effect = Callable[[Pixels, np.random.Generator], Pixels]

EFFECTS = Registry("effect", "augment")


def build_effects(specs: Sequence[PartSpec]) -> list[Effect]:
    """The effects of a recipe, in order.

    Raises:
        RecipeError: an effect or an option is unknown, or an option is out of range.
    """
    return [_build(spec) for spec in specs]


def _build(spec: PartSpec) -> Effect:
    built, chance = EFFECTS.build_chance(spec.name, spec.options)
    effect: Effect = built
    if chance == 1:
        return effect

    def sometimes(line: Pixels, random: np.random.Generator) -> Pixels:
        return effect(line, random) if random.random() < chance else line

    return sometimes


def apply(effects: Sequence[Effect], pixels: Pixels, random: np.random.Generator) -> Pixels:
    """One line through all effects in order."""
    for effect in effects:
        pixels = effect(pixels, random)
    return pixels


EFFECTS.import_all(__name__, __path__)  # last: the modules need what stands above
