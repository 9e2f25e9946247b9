"""What lies behind the text, and an ink that can be read on it.

Legibility is a rule, not luck: the luminance of the ink differs by at least `MIN_CONTRAST` from that of *every* pixel
of the background, so no blob or ruled line can hide a stroke. A background that leaves no room for such an ink is
faded towards white (for dark ink) or black (for light ink) just as far as needed. Luminance is Rec. 601 luma of the
stored values, 0.299 R + 0.587 G + 0.114 B, 0 to 255.

Random numbers come from `random.Random` alone, whose sequence is fixed for a seed, and the sums are of single pixels,
so the pixels are the same on every machine.
"""

from __future__ import annotations

import random
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Colour = tuple[int, int, int]
Pixels = NDArray[np.float32]

PLAIN: Colour = (150, 100, 50)
"""The colour of MicroOCR's generated set, RGB."""
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
MIN_CONTRAST = 80.0
"""Smallest difference in luminance between the ink and any pixel behind it, of 255."""
_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
_SLACK = 2.0  # what rounding to whole values may take away, on both sides


def luminance(pixels: NDArray[np.generic] | Colour) -> NDArray[np.float32]:
    """Rec. 601 luma of RGB values: (..., 3) -> (...), 0 to 255.

    >>> float(luminance((255, 255, 255)).round())
    255.0
    """
    rgb = np.asarray(pixels, np.float32)
    return np.asarray(rgb[..., 0] * _WEIGHTS[0] + rgb[..., 1] * _WEIGHTS[1] + rgb[..., 2] * _WEIGHTS[2])


def paper(
    kind: Literal["plain", "random", "textured"], width: int, height: int, dark: bool, rng: random.Random
) -> tuple[Image.Image, Colour]:
    """A background of `width` x `height` pixels, RGB, and an ink for it, RGB.

    Args:
        kind: as `SynthSpec.background`. `plain` has black or white ink, the others a random colour.
        width, height: in pixels.
        dark: whether the ink is darker than the background, or lighter.
        rng: where the random numbers come from.
    """
    if kind == "plain":
        return Image.new("RGB", (width, height), PLAIN), BLACK if dark else WHITE
    one = kind == "random"
    pixels = np.asarray([[_colour(rng)]], np.float32) if one else _texture(width, height, rng)
    pixels = _make_room(pixels, dark)
    light = luminance(pixels)
    ink = _ink(float(light.min()), float(light.max()), dark, rng)
    image = Image.fromarray(np.rint(pixels).astype(np.uint8))
    return image.resize((width, height), Image.Resampling.NEAREST) if one else image, ink


def _colour(rng: random.Random) -> Colour:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _make_room(pixels: Pixels, dark: bool) -> Pixels:
    """Fade (H, W, 3) pixels towards white or black until an ink of `MIN_CONTRAST` fits below or above them."""
    need = np.float32(MIN_CONTRAST + _SLACK)
    light = luminance(pixels)
    if dark:
        share = (need - light.min()) / (255 - light.min())
        return pixels + (255 - pixels) * share if share > 0 else pixels
    share = (light.max() - (255 - need)) / light.max()
    return pixels * (1 - share) if share > 0 else pixels


def _ink(darkest: float, lightest: float, dark: bool, rng: random.Random) -> Colour:
    """A random colour whose luminance is far enough below the darkest or above the lightest pixel."""
    colour = _colour(rng)
    if dark:
        limit = rng.uniform(0, darkest - MIN_CONTRAST - _SLACK)
        scale = min(1.0, limit / max(1.0, float(luminance(colour))))
        red, green, blue = (int(c * scale) for c in colour)
    else:
        limit = rng.uniform(0, 255 - lightest - MIN_CONTRAST - _SLACK)
        scale = min(1.0, limit / max(1.0, 255 - float(luminance(colour))))
        red, green, blue = (255 - int((255 - c) * scale) for c in colour)
    return red, green, blue


def _texture(width: int, height: int, rng: random.Random) -> Pixels:
    """A gradient or blobs between two near colours, often with ruled lines and noise: float32 (H, W, 3), 0 to 255."""
    start = np.asarray(_colour(rng), np.float32)
    change = np.asarray([rng.randint(-70, 70) for _ in range(3)], np.float32)
    field = _gradient(width, height, rng) if rng.random() < 0.5 else _blobs(width, height, rng)
    pixels: Pixels = start + field[..., None] * change
    if rng.random() < 0.4:
        _rule(pixels, rng)
    if rng.random() < 0.7:
        pixels += _noise(width, height, rng)[..., None]
    return np.clip(pixels, 0, 255)


def _gradient(width: int, height: int, rng: random.Random) -> Pixels:
    """A ramp from 0 to 1 in a random direction, (H, W)."""
    across, down = rng.uniform(-1, 1), rng.uniform(-1, 1)
    ramp = np.linspace(0, across, width, dtype=np.float32) + np.linspace(0, down, height, dtype=np.float32)[:, None]
    low, high = min(0.0, across) + min(0.0, down), max(0.0, across) + max(0.0, down)
    return (ramp - np.float32(low)) / np.float32(max(high - low, 0.01))


def _blobs(width: int, height: int, rng: random.Random) -> Pixels:
    """Soft spots about as large as the line is high, 0 to 1, (H, W)."""
    columns, rows = 2 + 2 * width // height, 3
    spots = Image.frombytes("L", (columns, rows), rng.randbytes(columns * rows))
    return np.asarray(spots.resize((width, height), Image.Resampling.BICUBIC), np.float32) / np.float32(255)


def _rule(pixels: Pixels, rng: random.Random) -> None:
    """Draw lines at equal distances into (H, W, 3) pixels: rows, as on writing paper, or rows and columns.

    They stand at least half the height apart; closer ones would hide the strokes of small characters.
    """
    height = pixels.shape[0]
    distance = rng.randint(max(6, height // 2), 2 * height)
    thickness = rng.randint(1, max(1, height // 20))
    shade = np.float32(rng.choice((-1, 1)) * rng.randint(20, 60))
    first = rng.randrange(min(distance, height))
    for k in range(thickness):
        pixels[first + k :: distance] += shade
    if rng.random() < 0.4:
        for k in range(thickness):
            pixels[:, first + k :: distance] += shade


def _noise(width: int, height: int, rng: random.Random) -> Pixels:
    """Grey noise in [-a, a] with a random strength a of 2 to 16, triangular in distribution, (H, W)."""
    values = np.frombuffer(rng.randbytes(2 * width * height), np.uint8).reshape(2, height, width).astype(np.float32)
    noise: Pixels = (values[0] - values[1]) * np.float32(rng.uniform(2, 16) / 255)
    return noise
