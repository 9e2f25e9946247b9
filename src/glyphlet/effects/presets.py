"""Complete augmentations under one name. Each is nothing but recipe data: `PRESETS` says what it is made of.

crnn_imgaug     the imgaug set of a CRNN for Chinese lines (CodeAchieveDream/crnn_model)
recaug          RecAug of PaddleOCR 2.1, as lightweight-OCR trains with
document        ours, mild: scans and screenshots
robust          ours: photos, signs, forms, packaging; the one to start with
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glyphlet.effects import EFFECTS, Effect
from glyphlet.effects.combine import sequence
from glyphlet.effects.options import number, refuse

Parts = list[dict[str, Any]]


def crnn_imgaug_parts() -> Parts:
    """With 0.7 exactly one of eight effects; else with 0.05 lighter, then inverted; else nothing."""
    eight: Parts = [
        {"name": "perspective", "scale": [0.002, 0.006]},
        {"name": "average_blur", "size": [1, 3], "across": 3},
        {"name": "add_elementwise", "value": [-20, -5]},
        {"name": "gaussian_noise", "sigma": [0, 2.55]},
        {"name": "jpeg", "quality": [71, 90]},
        {"name": "brightness", "value": [-50, 50], "spaces": ["lab", "hsv"]},
        {"name": "add", "value": [10, 60], "per_channel": 0.5},
        {"name": "multiply", "factor": [0.75, 1.25], "per_channel": 0.5},
    ]
    negative: Parts = [{"name": "add", "value": [10, 60], "per_channel": 0}, {"name": "invert"}]
    choices: Parts = [
        {"name": "one_of", "effects": eight},
        {"name": "sequence", "effects": negative},
        {"name": "sequence"},
    ]
    return [{"name": "one_of", "weights": [0.7, 0.3 * 0.05, 0.3 * 0.95], "effects": choices}]


def recaug_parts(each: float = 0.5, limit: float = 0.33) -> Parts:
    """Nine steps in order, all but the jitter with probability `each`."""
    return [
        {"name": "tia_distort", "p": each, "segments": [3, 6], "limit": limit},
        {"name": "tia_stretch", "p": each, "segments": [3, 6]},
        {"name": "tia_perspective", "p": each, "limit": min(limit, 0.5)},
        {"name": "crop", "p": each, "pixels": [1, 8]},
        {"name": "gaussian_blur", "p": each, "sigma": 1, "size": 5},
        {"name": "multiply", "p": each, "factor": [0.999, 1.001], "per_channel": 0},
        {"name": "jitter", "share": 0.01},
        {"name": "gaussian_noise", "p": each, "sigma": 0.5 * 0.1**0.5, "per_channel": 1},
        {"name": "invert", "p": each},
    ]


def document_parts(strength: float = 1.0) -> Parts:
    """A little of what scanners and printers do."""
    s = strength
    return [
        {"name": "affine", "p": 0.5, "rotate": 1 * s, "shear": 5 * s, "scale": 0.06 * s, "shift": 0.04 * s},
        {"name": "one_of", "p": min(1, 0.3 * s), "effects": [
            {"name": "letter_spacing", "amount": [-0.4, 0.2]},
            {"name": "scale_within", "across": 0.15, "down": 0.1},
            {"name": "curve", "amount": [0.01, 0.06]},
            {"name": "tia_stretch"},
        ]},
        {"name": "stroke", "p": min(1, 0.3 * s), "amount": [-0.35, 0.6]},
        {"name": "ruled_lines", "p": min(1, 0.05 * s)},
        {"name": "background", "p": min(1, 0.1 * s), "kinds": ["paper", "gradient", "blobs"], "contrast": [90, 220], "busy": [0.1, 0.4]},
        {"name": "one_of", "p": min(1, 0.4 * s), "effects": ["contrast", "gamma", "illumination"]},
        {"name": "colour_jitter", "p": min(1, 0.2 * s)},
        {"name": "one_of", "p": min(1, 0.3 * s), "effects": [
            {"name": "gaussian_blur", "sigma": [0.3, 0.9]},
            {"name": "low_resolution", "factor": [1.2, 1.8]},
        ]},
        {"name": "one_of", "p": min(1, 0.3 * s), "effects": [
            {"name": "gaussian_noise", "sigma": [1, 8]},
            {"name": "salt_and_pepper", "share": [0.001, 0.01]},
        ]},
        {"name": "jpeg", "p": min(1, 0.2 * s), "quality": [50, 95]},
        {"name": "invert", "p": min(1, 0.03 * s)},
    ]  # fmt: skip


def robust_parts(strength: float = 1.0) -> Parts:
    """Shape, ground, light, focus and noise, each in a part of the lines."""
    s = strength
    return [
        {"name": "affine", "p": 0.5, "rotate": 2 * s, "shear": 10 * s, "scale": 0.1 * s, "shift": 0.06 * s},
        {"name": "one_of", "p": min(1, 0.5 * s), "effects": [
            {"name": "tia_distort", "limit": 0.2},
            {"name": "tia_stretch"},
            {"name": "tia_perspective", "limit": 0.25},
            {"name": "perspective", "scale": [0.005, 0.02]},
            {"name": "scale_within"},
            {"name": "letter_spacing"},
            {"name": "curve"},
        ]},
        {"name": "stroke", "p": min(1, 0.2 * s)},
        {"name": "background", "p": min(1, 0.35 * s)},
        {"name": "one_of", "p": min(1, 0.15 * s), "effects": ["ruled_lines", "stains"]},
        {"name": "one_of", "p": min(1, 0.3 * s), "effects": ["illumination", "shadow"]},
        {"name": "one_of", "p": min(1, 0.4 * s), "effects": [{"name": "contrast", "least": 60}, "gamma"]},
        {"name": "colour_jitter", "p": min(1, 0.3 * s)},
        {"name": "invert", "p": min(1, 0.15 * s)},
        {"name": "one_of", "p": min(1, 0.35 * s), "effects": [
            "gaussian_blur", "motion_blur", "defocus", "low_resolution",
        ]},
        {"name": "one_of", "p": min(1, 0.35 * s), "effects": [
            {"name": "gaussian_noise", "sigma": [2, 8], "per_channel": 0.5},
            {"name": "salt_and_pepper"},
            {"name": "speckle", "sigma": [0.02, 0.07]},
        ]},
        {"name": "jpeg", "p": min(1, 0.25 * s)},
    ]  # fmt: skip


PRESETS: dict[str, Callable[..., Parts]] = {
    "crnn_imgaug": crnn_imgaug_parts,
    "recaug": recaug_parts,
    "document": document_parts,
    "robust": robust_parts,
}
"""What each preset is made of; called with its options."""


@EFFECTS.register
def crnn_imgaug() -> Effect:
    """The imgaug set of a CRNN for Chinese lines: one of eight effects in 70 % of the lines, inversion in 1.5 %."""
    return sequence(effects=crnn_imgaug_parts())


@EFFECTS.register
def recaug(*, each: float = 0.5, limit: float = 0.33) -> Effect:
    """RecAug of PaddleOCR 2.1: warps, crop, blur, brightness, jitter, noise and inversion, in this order.

    The numbers are the source's: its change of brightness (0.1 %) and its noise (0.16 grey levels) are all but invisible.

    Args:
        each: the probability of each step.
        limit: no point of a line moves up or down by more than this share of the height. At 1, as in the source, long lines
            fold over themselves, and an end may shrink to nothing.

    Raises:
        RecipeError: an option is out of range.
    """
    number("recaug", "each", each, 0, 1)
    number("recaug", "limit", limit, 0, 1)
    return sequence(effects=recaug_parts(each, limit))


@EFFECTS.register
def document(*, strength: float = 1.0) -> Effect:
    """Mild, for scans and screenshots: a little of what scanners, printers and paper do.

    Args:
        strength: multiplies how often things happen, and how far lines are turned and moved; above 0, up to 3.

    Raises:
        RecipeError: it is out of range.
    """
    return sequence(effects=document_parts(_strength("document", strength)))


@EFFECTS.register
def robust(*, strength: float = 1.0) -> Effect:
    """For photos, signs, forms and packaging: shape, ground, light, focus and noise; the one to start with.

    Args:
        strength: multiplies how often things happen, and how far lines are turned and moved; above 0, up to 3.

    Raises:
        RecipeError: it is out of range.
    """
    return sequence(effects=robust_parts(_strength("robust", strength)))


def _strength(effect: str, value: float) -> float:
    number(effect, "strength", value, 0, 3)
    if not value:
        raise refuse(effect, "strength", value, "above 0, up to 3; leave the effect out for none")
    return float(value)
