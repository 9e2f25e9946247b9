"""What lies behind the text, and an ink that can be read on it.

Legibility is a rule, not luck: the luminance of the ink differs by at least `MIN_CONTRAST` from that of *every* pixel
of the background, so no blob or ruled line can hide a stroke. A background that leaves no room for such an ink is
faded towards white (for dark ink) or black (for light ink) just as far as needed. Luminance is Rec. 601 luma of the
stored values, 0.299 R + 0.587 G + 0.114 B, 0 to 255.

Random numbers come from `random.Random` alone, whose sequence is fixed for a seed, and the sums are of single pixels,
so the pixels are the same on every machine.
"""

from __future__ import annotations

import math
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet.spec import SynthSpec
from glyphlet.synth.photos import Photos

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


class Papers:
    """The backgrounds of a set.

    Args:
        spec: `background`, `papers`, `photos` and `inks` say what they are.

    Raises:
        GlyphletError: the folder of photos holds none.
    """

    def __init__(self, spec: SynthSpec) -> None:
        self._kind = spec.background
        self._colours = [_from_hex(value) for value in spec.papers]
        self._inks = [_from_hex(value) for value in spec.inks]
        self._photos = Photos(spec.photos) if spec.photos is not None else None

    def draw(self, width: int, height: int, dark: bool, rng: random.Random) -> tuple[Image.Image, Colour]:
        """A background in RGB, and an ink for it; arguments as of `paper`."""
        if self._kind != "gradient" and self._photos is None and not self._colours and not self._inks:
            return paper(self._kind, width, height, dark, rng)
        if self._photos is not None:
            pixels = self._photos.draw(width, height, rng)
        elif self._kind == "gradient":
            pixels = self._between(width, height, rng)
        elif self._kind == "textured":
            pixels = _texture(width, height, rng)
        else:
            plain = self._kind == "plain"
            colour = rng.choice(self._colours) if self._colours else PLAIN if plain else _colour(rng)
            pixels = np.asarray([[colour]], np.float32)
        pixels = _make_room(pixels, dark)
        light = luminance(pixels)
        darkest, lightest = float(light.min()), float(light.max())
        if self._inks:
            ink = _readable(rng.choice(self._inks), darkest, lightest, dark)
        elif self._kind == "plain":
            ink = BLACK if dark else WHITE
        else:
            ink = _ink(darkest, lightest, dark, rng)
        rounded = np.rint(pixels).astype(np.uint8)
        if rounded.shape[:2] == (1, 1):
            return Image.new("RGB", (width, height), tuple(int(v) for v in rounded[0, 0])), ink
        return _image(rounded), ink

    def _between(self, width: int, height: int, rng: random.Random) -> Pixels:
        """A gradient in any direction between two colours."""
        ends = [rng.choice(self._colours) if self._colours else _colour(rng) for _ in range(2)]
        start, stop = (np.asarray(end, np.float32) for end in ends)
        return start + _gradient(width, height, rng)[..., None] * (stop - start)


def paper(kind: str, width: int, height: int, dark: bool, rng: random.Random) -> tuple[Image.Image, Colour]:
    """A background of `width` x `height` pixels, RGB, and an ink for it, RGB.

    Args:
        kind: `plain`, `random` or `textured`, as `SynthSpec.background`. `plain` has black or white ink, the others a random colour.
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
    rounded = np.rint(pixels).astype(np.uint8)
    if one:
        return Image.new("RGB", (width, height), tuple(int(v) for v in rounded[0, 0])), ink
    return _image(rounded), ink


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    """A picture of (H, W, 3) pixels, put together of its colours."""
    return Image.merge("RGB", [Image.fromarray(np.ascontiguousarray(pixels[..., c])) for c in range(3)])


def opposite(ink: Colour, rng: random.Random) -> Colour:
    """A random colour that stands out from an ink, darker or lighter, as there is room."""
    light = float(luminance(ink))
    return _ink(light, light, light > 127, rng)


def behind(ink: Colour, dark: bool) -> Colour:
    """The darkest grey that may lie behind an ink: black, or, for ink that is darker than its background, one that is as
    much lighter as it must be.
    """
    if not dark:
        return BLACK
    value = min(255, math.ceil(float(luminance(ink)) + MIN_CONTRAST + _SLACK))
    return value, value, value


def _from_hex(value: str) -> Colour:
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)


def _colour(rng: random.Random) -> Colour:
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _make_room(pixels: Pixels, dark: bool) -> Pixels:
    """Fade (H, W, 3) pixels towards white or black until an ink of `MIN_CONTRAST` fits below or above them."""
    need = np.float32(MIN_CONTRAST + _SLACK)
    light = luminance(pixels)
    if (light.min() >= need) if dark else (255 - light.max() >= need):
        return pixels
    if dark:
        share = (need - light.min()) / (255 - light.min())
        return pixels + (255 - pixels) * share if share > 0 else pixels
    share = (light.max() - (255 - need)) / light.max()
    return pixels * (1 - share) if share > 0 else pixels


def _ink(darkest: float, lightest: float, dark: bool, rng: random.Random) -> Colour:
    """A random colour whose luminance is far enough below the darkest or above the lightest pixel."""
    colour = _colour(rng)
    room = darkest if dark else 255 - lightest
    return _limited(colour, rng.uniform(0, room - MIN_CONTRAST - _SLACK), dark)


def _readable(colour: Colour, darkest: float, lightest: float, dark: bool) -> Colour:
    """A given colour, made darker or lighter just as far as needed."""
    room = darkest if dark else 255 - lightest
    return _limited(colour, room - MIN_CONTRAST - _SLACK, dark)


def _limited(colour: Colour, limit: float, dark: bool) -> Colour:
    """A colour with a luminance of at most `limit`, or at least 255 - `limit`."""
    if dark:
        scale = min(1.0, limit / max(1.0, float(luminance(colour))))
        red, green, blue = (int(c * scale) for c in colour)
    else:
        scale = min(1.0, limit / max(1.0, 255 - float(luminance(colour))))
        red, green, blue = (255 - int((255 - c) * scale) for c in colour)
    return red, green, blue


def _texture(width: int, height: int, rng: random.Random) -> Pixels:
    """A gradient or blobs between two near colours, often with ruled lines and noise: float32 (H, W, 3), 0 to 255."""
    start = np.asarray(_colour(rng), np.float32)
    change = np.asarray([rng.randint(-70, 70) for _ in range(3)], np.float32)
    field = _gradient(width, height, rng) if rng.random() < 0.5 else _blobs(width, height, rng)
    planes = np.stack([start[c] + field * change[c] for c in range(3)])  # colour by colour, which is three times faster
    pixels: Pixels = np.moveaxis(planes, 0, -1)
    if rng.random() < 0.4:
        _rule(pixels, rng)
    if rng.random() < 0.7:
        pixels += _noise(width, height, rng)[..., None]
    return np.clip(pixels, 0, 255, out=pixels)


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
