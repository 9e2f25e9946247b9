"""Noise: every pixel draws for itself."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.options import Range, number, span, whole_span


def _added(line: Pixels, noise: NDArray[np.float32] | NDArray[np.int16]) -> Pixels:
    """The line plus (1 or C, H, W), rounded and clipped."""
    full = np.broadcast_to(noise, line.shape)
    return np.stack([cv2.add(a, b, dtype=cv2.CV_8U) for a, b in zip(np.ascontiguousarray(line), full, strict=True)])


def _shape(line: Pixels, random: np.random.Generator, per_channel: float) -> tuple[int, int, int]:
    """One plane of noise for all channels, or one for each."""
    apart = len(line) > 1 and random.random() < per_channel
    return (len(line) if apart else 1), line.shape[1], line.shape[2]


@EFFECTS.register
def gaussian_noise(
    *, sigma: Range = (0.0, 2.55), mean: Range = 0.0, absolute: bool = False, per_channel: float = 0.0
) -> Effect:
    """Add a normal deviate to every pixel.

    The defaults are imgaug's AdditiveGaussianNoise with scale (0, 0.01 * 255). The noise of the cross-entropy system's
    pretraining on MNIST is {sigma: 30, mean: 80, absolute: true}.

    Args:
        sigma: standard deviation in grey levels, drawn for each line; a number, or from and to.
        mean: of the deviates.
        absolute: add the absolute value of the deviates.
        per_channel: the share of lines in which each channel has noise of its own.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("gaussian_noise", "sigma", sigma, 0, 255)
    darkest, lightest = span("gaussian_noise", "mean", mean, -255, 255)
    number("gaussian_noise", "per_channel", per_channel, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        width, middle = random.uniform(low, high), random.uniform(darkest, lightest)
        noise = random.standard_normal(_shape(line, random, per_channel), dtype=np.float32)
        noise *= np.float32(width)
        noise += np.float32(middle)
        return _added(line, np.abs(noise) if absolute else noise)

    return effect


@EFFECTS.register
def add_elementwise(*, value: Range = (-20, -5), per_channel: float = 0.0) -> Effect:
    """Add a whole number to every pixel, drawn evenly for each: imgaug's AddElementwise.

    Args:
        value: from and to, both of which are drawn, too.
        per_channel: the share of lines in which each channel has numbers of its own.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = whole_span("add_elementwise", "value", value, -255, 255)
    number("add_elementwise", "per_channel", per_channel, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        return _added(line, random.integers(low, high + 1, _shape(line, random, per_channel), dtype=np.int16))

    return effect


@EFFECTS.register
def salt_and_pepper(*, share: Range = (0.001, 0.015)) -> Effect:
    """Make single pixels black or white.

    Args:
        share: how many of the pixels; a number, or from and to.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("salt_and_pepper", "share", share, 0, 0.5)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        most = round(random.uniform(low, high) / 2 * 65536)
        drawn = random.integers(0, 65536, line.shape[1:], dtype=np.uint16)
        new = line.copy()
        new[:, drawn < most] = 0
        new[:, drawn >= 65536 - most] = 255
        return new

    return effect


@EFFECTS.register
def speckle(*, sigma: Range = (0.02, 0.12)) -> Effect:
    """Multiply every pixel by a number near 1: grain that is strong where the line is light.

    Args:
        sigma: standard deviation of the numbers, drawn for each line.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("speckle", "sigma", sigma, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        gain = random.standard_normal(line.shape[1:], dtype=np.float32)
        gain *= np.float32(random.uniform(low, high))
        return _added(line, gain * line)

    return effect
