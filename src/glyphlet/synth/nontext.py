"""Images that show no text: what a recogniser meets when a line finder, a camera or a user errs.

Blank and shaded paper, sensor noise, clouds of every roughness (noise whose spectrum falls with a power of the frequency, as that of
natural pictures does: Field 1987, "Relations between the statistics of natural images and the response properties of cortical
cells"), stripes, bar codes, ruled lines, shapes, blobs and scribbles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Rng = np.random.Generator
Pixels = NDArray[np.float64]
HEIGHTS = (16, 80)
"""Rows of an image, in pixels."""
RATIOS = (0.8, 14.0)
"""Its width, as a multiple of its height."""


def not_text(count: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Grey images without text, all kinds in turn.

    Args:
        count: how many.
        seed: equal numbers give equal images with the same version of NumPy and Pillow.

    Returns:
        uint8 (H, W), H from 16 to 79.
    """
    rng, kinds, made = np.random.default_rng(seed), list(MAKERS.values()), []
    for number in range(count):
        height = int(rng.integers(*HEIGHTS))
        width = max(8, int(height * rng.uniform(*RATIOS)))
        pixels = kinds[number % len(kinds)](height, width, rng)
        made.append(np.clip(pixels, 0, 255).astype(np.uint8))
    return made


def _blank(height: int, width: int, rng: Rng) -> Pixels:
    return np.full((height, width), rng.uniform(0, 255))


def _shaded(height: int, width: int, rng: Rng) -> Pixels:
    across = np.linspace(rng.uniform(0, 255), rng.uniform(0, 255), width)[None]
    return across + np.linspace(0, rng.uniform(-80, 80), height)[:, None]


def _grain(height: int, width: int, rng: Rng) -> Pixels:
    return rng.normal(rng.uniform(100, 255), rng.uniform(1, 8), (height, width))


def _noise(height: int, width: int, rng: Rng) -> Pixels:
    return rng.normal(rng.uniform(100, 255), rng.uniform(8, 80), (height, width))


def _clouds(height: int, width: int, rng: Rng) -> Pixels:
    spectrum = np.fft.fft2(rng.standard_normal((height, width)))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    frequency[0, 0] = 1
    made = np.fft.ifft2(spectrum / frequency ** rng.uniform(0.6, 2.0)).real
    made = (made - made.mean()) / max(float(made.std()), 1e-9)
    return np.asarray(made * rng.uniform(10, 70) + rng.uniform(60, 200))


def _stripes(height: int, width: int, rng: Rng) -> Pixels:
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 60)
    along = np.arange(width)[None] * np.cos(angle) + np.arange(height)[:, None] * np.sin(angle)
    return np.asarray(rng.uniform(60, 200) + rng.uniform(20, 90) * np.sign(np.sin(2 * np.pi * along / period)))


def _bars(height: int, width: int, rng: Rng) -> Pixels:
    bars = np.repeat(rng.integers(0, 2, width), rng.integers(1, 5, width))[:width]
    return np.tile(rng.uniform(150, 255) * (1 - 0.9 * bars), (height, 1))


def _drawn(draw: Callable[[ImageDraw.ImageDraw, int, int, int, Rng], None]) -> Callable[[int, int, Rng], Pixels]:
    """Something drawn at twice the size on plain paper, made smaller, with a little noise."""

    def made(height: int, width: int, rng: Rng) -> Pixels:
        paper = int(rng.uniform(100, 255))
        image = Image.new("L", (2 * width, 2 * height), paper)
        draw(ImageDraw.Draw(image), 2 * height, 2 * width, int(rng.uniform(0, paper - 60)), rng)
        small = np.asarray(image.resize((width, height), Image.Resampling.BOX), np.float64)
        return np.asarray(small + rng.normal(0, rng.uniform(0, 6), small.shape))

    return made


def _scribble(draw: ImageDraw.ImageDraw, height: int, width: int, ink: int, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 4))):
        turns = int(rng.integers(5, 40))
        corners = np.cumsum(rng.normal(0, height / 4, (turns, 2)), axis=0) % [[width, height]]
        at = np.linspace(0, turns - 1, 8 * turns)
        smooth = [np.convolve(np.interp(at, range(turns), corners[:, i]), np.ones(8) / 8, "same") for i in (0, 1)]
        draw.line(list(zip(*(axis.tolist() for axis in smooth), strict=True)), ink, int(rng.integers(1, 8)))


def _blobs(draw: ImageDraw.ImageDraw, height: int, width: int, ink: int, rng: Rng) -> None:
    for _ in range(int(rng.integers(2, 40))):
        draw.ellipse(_box(height, width, height / 4, rng), ink)


def _shapes(draw: ImageDraw.ImageDraw, height: int, width: int, ink: int, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 6))):
        shape = draw.rectangle if rng.random() < 0.5 else draw.ellipse
        inside = int(rng.uniform(0, 255)) if rng.random() < 0.5 else None
        shape(_box(height, width, width / 2, rng), inside, ink, int(rng.integers(1, 6)))


def _rules(draw: ImageDraw.ImageDraw, height: int, width: int, ink: int, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 5))):
        left = rng.uniform(0, height)
        draw.line([0, left, width, left + rng.normal(0, 4)], ink, int(rng.integers(1, 8)))


def _box(height: int, width: int, most: float, rng: Rng) -> list[float]:
    left, top = rng.uniform(0, width), rng.uniform(0, height)
    return [left, top, left + rng.uniform(1, most), top + rng.uniform(1, most)]


MAKERS: Mapping[str, Callable[[int, int, Any], Pixels]] = {
    "blank": _blank,
    "shaded": _shaded,
    "grain": _grain,
    "noise": _noise,
    "clouds": _clouds,
    "stripes": _stripes,
    "bars": _bars,
    "scribbles": _drawn(_scribble),
    "blobs": _drawn(_blobs),
    "shapes": _drawn(_shapes),
    "rules": _drawn(_rules),
}
"""The kinds, by name; each makes the pixels of an image of a height and a width."""


__all__ = ["HEIGHTS", "MAKERS", "RATIOS", "not_text"]
