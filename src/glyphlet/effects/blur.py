"""What a lens, a moving hand, a small picture or a compressed file does to sharp edges.

Sizes that follow the line are given for a line of 32 rows and grow with it, so that they mean the same at any height.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import each_plane, interleaved, separated
from glyphlet.effects.options import Range, span, whole_span

Kernel = NDArray[np.float32]


@EFFECTS.register
def average_blur(*, size: Range = (1, 3), across: Range = 3) -> Effect:
    """Replace every pixel by the mean of a rectangle around it.

    imgaug's AverageBlur with k = (3, (1, 3)): 3 columns and 1 to 3 rows, as the order in which imgaug hands them to
    OpenCV has it.

    Args:
        size: rows of the rectangle; a number, or from and to.
        across: its columns.

    Raises:
        RecipeError: an option is out of range.
    """
    rows, columns = whole_span("average_blur", "size", size, 1, 31), whole_span("average_blur", "across", across, 1, 31)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        kernel = int(random.integers(columns[0], columns[1] + 1)), int(random.integers(rows[0], rows[1] + 1))
        return each_plane(line, lambda plane: cv2.blur(plane, kernel))

    return effect


@EFFECTS.register
def gaussian_blur(*, sigma: Range = (0.3, 1.2), size: int = 0) -> Effect:
    """Blur by a bell curve.

    Args:
        sigma: its standard deviation in pixels; a number, or from and to.
        size: rows and columns that are looked at, an odd number; 0 takes as many as matter.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("gaussian_blur", "sigma", sigma, 0, 20)
    whole_span("gaussian_blur", "size", size, 0, 63)
    kernel = (size | 1, size | 1) if size else (0, 0)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        width = random.uniform(low, high)
        if width < 0.05:
            return line
        return each_plane(line, lambda plane: cv2.GaussianBlur(plane, kernel, width))

    return effect


@EFFECTS.register
def motion_blur(*, length: Range = (2, 5), angle: Range = (-180, 180)) -> Effect:
    """Blur along a line, as when the camera moves.

    Args:
        length: how far it moves in pixels, for a line 32 pixels high.
        angle: in which direction, in degrees; 0 is along the text.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("motion_blur", "length", length, 1, 32)
    first, last = span("motion_blur", "angle", angle, -180, 180)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        far = random.uniform(low, high) * line.shape[1] / 32
        kernel = _streak(round(4 * far) / 4, round(random.uniform(first, last) / 5) * 5)
        return each_plane(line, lambda plane: cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REPLICATE))

    return effect


@lru_cache(maxsize=1024)
def _streak(length: float, degrees: int) -> Kernel:
    """A line of this length through the middle, its points shared out among the four nearest pixels; sums to 1."""
    reach = max(1, math.ceil((length - 1) / 2 + 0.01))
    kernel = np.zeros((2 * reach + 2, 2 * reach + 2), np.float32)
    for at in np.linspace(-(length - 1) / 2, (length - 1) / 2, 4 * reach + 1):
        x, y = reach + at * math.cos(math.radians(degrees)), reach - at * math.sin(math.radians(degrees))
        i, j = math.floor(y), math.floor(x)
        near = np.outer([1 - (y - i), y - i], [1 - (x - j), x - j])
        kernel[i : i + 2, j : j + 2] += near.astype(np.float32)
    return np.asarray(kernel[:-1, :-1] / kernel[:-1, :-1].sum(), np.float32)


@EFFECTS.register
def defocus(*, radius: Range = (0.6, 1.6)) -> Effect:
    """Spread every point to a disc, as a lens does that is not in focus.

    Args:
        radius: of the disc in pixels, for a line 32 pixels high.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("defocus", "radius", radius, 0, 16)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        kernel = _disc(round(10 * random.uniform(low, high) * line.shape[1] / 32) / 10)
        return each_plane(line, lambda plane: cv2.filter2D(plane, -1, kernel, borderType=cv2.BORDER_REPLICATE))

    return effect


@lru_cache(maxsize=256)
def _disc(radius: float) -> Kernel:
    """A disc with soft edges; sums to 1."""
    reach = math.ceil(radius)
    at = np.arange(-reach, reach + 1)
    disc = np.clip(radius + 0.5 - np.hypot(at, at[:, None]), 0, 1)
    return np.asarray(disc / disc.sum(), np.float32)


@EFFECTS.register
def low_resolution(*, factor: Range = (1.3, 2.4)) -> Effect:
    """Make the line smaller, and large again: detail is lost for good. No line falls below 10 rows.

    Args:
        factor: how many times smaller.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("low_resolution", "factor", factor, 1, 16)
    ways = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        by, way = random.uniform(low, high), ways[int(random.integers(2))]
        rows = max(min(height, 10), round(height / by))
        small = max(1, round(width * rows / height)), rows

        def change(plane: Pixels) -> Any:
            return cv2.resize(
                cv2.resize(plane, small, interpolation=cv2.INTER_AREA), (width, height), interpolation=way
            )

        return each_plane(line, change)

    return effect


@EFFECTS.register
def jpeg(*, quality: Range = (40, 90)) -> Effect:
    """Compress as JPEG and decompress again.

    imgaug counts compression c from 0 to 100, which is quality round(1 + 99 (1 - c / 101)): its 10 to 30 is 90 to 71.

    Args:
        quality: as programs count it, 1 to 100; a number, or from and to.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = whole_span("jpeg", "quality", quality, 1, 100)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        grade = int(random.integers(low, high + 1))
        image = interleaved(line)
        if image.ndim == 3:  # OpenCV writes files from BGR
            image = image[:, :, ::-1]
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, grade])
        if len(line) == 1:
            return separated(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))
        return separated(cv2.imdecode(data, cv2.IMREAD_COLOR))[::-1].copy()

    return effect
