"""Effects: what happens to lines on their way to a camera or a scanner. NumPy in, NumPy out.

An effect takes a line uint8 (C, H, W) and a NumPy generator, and returns a line of the same shape. Training applies them
to training lines only; the recipe lists them in order: `augment: [{name: shift, pixels: 4}]`.
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
EFFECTS.import_all(__name__, __path__)


def build_effects(specs: Sequence[PartSpec]) -> list[Effect]:
    """The effects of a recipe, in order.

    Raises:
        RecipeError: an effect or an option is unknown, or an option is out of range.
    """
    return [EFFECTS.build(spec.name, spec.options) for spec in specs]


def apply(effects: Sequence[Effect], pixels: Pixels, random: np.random.Generator) -> Pixels:
    """One line through all effects in order."""
    for effect in effects:
        pixels = effect(pixels, random)
    return pixels
