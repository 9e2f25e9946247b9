"""Brightness and colour, the same for all pixels: everything that a table of 256 values can say.

`add`, `multiply` and `brightness` are those of imgaug as seed CRNNs use them. There they change an RGB image that is made
grey afterwards; on a grey line they draw for three channels all the same, so that the grey that comes out is distributed
as it is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import WEIGHTS, interleaved, look_up, quantile, separated
from glyphlet.effects.options import Range, Span, number, span, words

_RAMP = np.arange(256, dtype=np.float32)
Numbers = NDArray[np.float64]


@EFFECTS.register
def invert() -> Effect:
    """Swap dark and light: 255 - x. With `p` it makes half of the lines white on black."""
    return lambda line, random: 255 - line


def _drawn(line: Pixels, random: np.random.Generator, limits: Span, per_channel: float) -> Numbers:
    """One number for the line, or one for each of its channels."""
    if random.random() >= per_channel:
        return np.full(len(line), random.uniform(*limits))
    three = random.uniform(*limits, 3)
    return three if len(line) == 3 else np.array([three @ WEIGHTS])


def _pointwise(limits: Span, per_channel: float, table: Callable[[Any], Any]) -> Effect:
    """An effect that draws a number, or one a channel, and looks values up in the table made of it."""

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        return look_up(line, table(_drawn(line, random, limits, per_channel)[:, None]))

    return effect


@EFFECTS.register
def add(*, value: Range = (10, 60), per_channel: float = 0.5) -> Effect:
    """Add a number to every value.

    Args:
        value: which; a number, or from and to, -255 to 255.
        per_channel: the share of lines in which each channel gets a number of its own.

    Raises:
        RecipeError: an option is out of range.
    """
    share = number("add", "per_channel", per_channel, 0, 1)
    return _pointwise(span("add", "value", value, -255, 255), share, lambda v: _RAMP + np.rint(v))


@EFFECTS.register
def multiply(*, factor: Range = (0.75, 1.25), per_channel: float = 0.5) -> Effect:
    """Multiply every value by a number.

    Args:
        factor: which; a number, or from and to, 0 to 4.
        per_channel: the share of lines in which each channel gets a factor of its own.

    Raises:
        RecipeError: an option is out of range.
    """
    share = number("multiply", "per_channel", per_channel, 0, 1)
    return _pointwise(span("multiply", "factor", factor, 0, 4), share, lambda v: _RAMP * v)


SPACES = {
    "lab": (cv2.COLOR_RGB2LAB, cv2.COLOR_LAB2RGB, 0),
    "hsv": (cv2.COLOR_RGB2HSV, cv2.COLOR_HSV2RGB, 2),
}
"""To a colour space, back, and which of its channels is the brightness."""


@EFFECTS.register
def brightness(*, value: Range = (-50, 50), spaces: tuple[str, ...] = ("lab", "hsv")) -> Effect:
    """Add a number to the brightness alone, in a colour space drawn for each line.

    Args:
        value: which, on a scale of 255; a number, or from and to.
        spaces: one or more of lab, hsv.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("brightness", "value", value, -255, 255)
    known = words("brightness", "spaces", spaces, tuple(SPACES))

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        space, by = known[int(random.integers(len(known)))], round(random.uniform(low, high))
        if len(line) == 1:
            return look_up(line, _grey_table(space, by))
        there, back, channel = SPACES[space]
        planes = list(cv2.split(cv2.cvtColor(interleaved(line), there)))
        planes[channel] = cv2.LUT(planes[channel], np.clip(_RAMP + by, 0, 255).astype(np.uint8))
        return separated(cv2.cvtColor(cv2.merge(planes), back))

    return effect


@lru_cache(maxsize=512)
def _grey_table(space: str, by: int) -> NDArray[np.uint8]:
    """What becomes of 256 greys."""
    there, back, channel = SPACES[space]
    ramp = cv2.cvtColor(np.repeat(_RAMP.astype(np.uint8)[None, :, None], 3, 2), there).astype(np.int16)
    ramp[..., channel] += by
    return np.asarray(cv2.cvtColor(np.clip(ramp, 0, 255).astype(np.uint8), back)[0, :, 1], np.uint8)


@EFFECTS.register
def contrast(*, factor: Range = (0.35, 1.2), least: int = 40) -> Effect:
    """Lower (or raise) the contrast, and put the result anywhere between black and white where it fits.

    Args:
        factor: what differences are multiplied by; a number, or from and to.
        least: the darkest and the lightest parts stay at least so many grey levels apart, if they ever were.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("contrast", "factor", factor, 0.05, 4)
    number("contrast", "least", least, 0, 255)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        dark, light = quantile(line, 0.02), quantile(line, 0.98)
        spread = max(1, light - dark)
        by = max(random.uniform(low, high), min(1.0, least / spread))
        room = 255 - spread * by
        at = random.uniform(0, room) if room > 0 else room / 2
        # Between where the line was and anywhere: a pale line on grey, but not always.
        base = at + (min(max(room, 0.0), float(dark)) - at) * random.random() if room > 0 else at
        return look_up(line, (_RAMP - dark) * by + base)

    return effect


@EFFECTS.register
def gamma(*, gamma: Range = (0.6, 1.7)) -> Effect:
    """Raise every value to a power: below 1 it lightens the middle greys, above 1 it darkens them.

    Args:
        gamma: the exponent; a number, or from and to. Its logarithm is drawn evenly.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("gamma", "gamma", gamma, 0.1, 10)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        power = math.exp(random.uniform(math.log(low), math.log(high)))
        return look_up(line, 255 * (_RAMP / 255) ** power)

    return effect


@EFFECTS.register
def colour_jitter(
    *, brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.4, hue: float = 18.0
) -> Effect:
    """Change brightness, contrast, saturation and hue a little at once. On grey lines the last two do nothing.

    Args:
        brightness, contrast, saturation: largest change either way, as a share.
        hue: largest turn of the colour circle either way, in degrees.

    Raises:
        RecipeError: an amount is out of range.
    """
    amounts = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
    for option, value in amounts.items():
        number("colour_jitter", option, value, 0, 1)
    number("colour_jitter", "hue", hue, 0, 180)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        lighter, steeper, richer, turn = random.uniform(-1, 1, 4) * (*amounts.values(), math.radians(hue))
        if len(line) == 3:
            line = separated(cv2.transform(interleaved(line), _turned(1 + richer, turn)))
        middle = float(line.mean())
        return look_up(line, ((_RAMP - middle) * (1 + steeper) + middle) * (1 + lighter))

    return effect


_YIQ = np.array([WEIGHTS, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)])
_RGB = np.linalg.inv(_YIQ)


def _turned(richer: float, turn: float) -> Numbers:
    """The matrix from RGB to RGB that keeps greys, and scales and turns what is colour (in YIQ)."""
    c, s = richer * math.cos(turn), richer * math.sin(turn)
    return np.asarray(_RGB @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ _YIQ, np.float64)
