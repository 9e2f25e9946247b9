"""Grounds to write on, made of random numbers: fields float32 (H, W) from 0 to 1.

Each is a function of a height, a width and a generator. `SHARP` are those with edges that a reader could take for
strokes; whoever lays them behind ink gives them less contrast.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from glyphlet.effects.canvas import Plane, columns, rows

Texture = Callable[[int, int, np.random.Generator], Plane]


def _spread(field: Plane) -> Plane:
    """From 0 to 1, whatever it was."""
    low, high = float(field.min()), float(field.max())
    return np.asarray((field - np.float32(low)) * np.float32(1 / max(1e-6, high - low)), np.float32)


def hills(height: int, width: int, cell: float, random: np.random.Generator) -> Plane:
    """Smooth random hills from about 0 to 1, one for every cell of so many pixels."""
    few = random.random((2 + round(height / cell), 2 + round(width / cell)), dtype=np.float32)
    return np.asarray(cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def gradient(height: int, width: int, random: np.random.Generator) -> Plane:
    """An even change of shade in some direction."""
    angle = random.uniform(0, 2 * math.pi)
    across = columns(width) * np.float32(math.cos(angle) / width)
    return _spread(across + rows(height) * np.float32(math.sin(angle) / height))


def blobs(height: int, width: int, random: np.random.Generator) -> Plane:
    """Soft spots about as large as the line is high."""
    return _spread(hills(height, width, height * random.uniform(0.4, 1.5), random))


def clouds(height: int, width: int, random: np.random.Generator) -> Plane:
    """Hills upon hills, each half as large and half as high: rock, water, concrete, leaves."""
    cell = height * random.uniform(0.6, 2)
    field = hills(height, width, cell, random)
    for octave in range(1, 4):
        finer = hills(height, width, max(1.5, cell / 2**octave), random)
        field = np.asarray(field + finer * np.float32(0.6**octave), np.float32)
    return _spread(field)


def paper(height: int, width: int, random: np.random.Generator) -> Plane:
    """Grain, and fibres that mostly run one way."""
    field = random.standard_normal((height, width), dtype=np.float32)
    long, short = int(random.integers(2, 6)), int(random.integers(1, 3))
    grain = np.asarray(cv2.blur(field, (long, short) if random.random() < 0.7 else (short, long)), np.float32)
    return _spread(np.clip(grain, -1.5, 1.5) + 1.5 * hills(height, width, 1.5 * height, random))


def stripes(height: int, width: int, random: np.random.Generator) -> Plane:
    """Stripes or checks of cloth, walls, forms and screens."""
    length, angle = height * random.uniform(0.15, 1.2), random.uniform(0, math.pi)
    phase, hard = random.uniform(0, 6), random.uniform(1, 6)

    def wave(turn: float) -> Plane:
        along = columns(width) * np.float32(math.cos(turn)) + rows(height) * np.float32(math.sin(turn))
        bent = np.sin(along * np.float32(2 * math.pi / length) + np.float32(phase)) * np.float32(hard)
        return np.asarray(np.clip(bent, -1, 1), np.float32)

    crossed = random.random() < 0.4
    return _spread(np.asarray(wave(angle) + wave(angle + math.pi / 2) if crossed else wave(angle), np.float32))


def shapes(height: int, width: int, random: np.random.Generator) -> Plane:
    """Discs, beams and polygons over each other, as of signs, windows and packaging."""
    canvas = np.full((height, width), random.uniform(0, 255), np.float32)
    for _ in range(int(random.integers(3, 5 + width // height))):
        shade = random.uniform(0, 255)
        x, y = random.uniform(0, width), random.uniform(-0.3, 1.3) * height
        reach = height * random.uniform(0.3, 1.5)
        if random.random() < 0.3:
            cv2.circle(canvas, (int(x), int(y)), int(reach / 2) + 1, shade, -1, cv2.LINE_8)
            continue
        turns = np.sort(random.uniform(0, 2 * math.pi, int(random.integers(3, 6))))
        points = np.column_stack([x + reach * np.cos(turns) * 1.5, y + reach * np.sin(turns)])
        cv2.fillPoly(canvas, [points.astype(np.int32)], shade)
    soft = cv2.GaussianBlur(canvas, (0, 0), height / 32 * random.uniform(0.5, 2))
    return _spread(np.asarray(soft, np.float32) + 12 * hills(height, width, 2, random))


TEXTURES: dict[str, Texture] = {f.__name__: f for f in (gradient, blobs, clouds, paper, stripes, shapes)}
"""By name, as an option lists them."""
SHARP = {"clouds", "stripes", "shapes", "photos"}
