"""The level, smaller image that a page is analysed on, and the way back to the pixels of the page.

Coordinates are those of edges: pixel `i` reaches from `i` to `i + 1`. So a scale is a plain factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.page import Point

MOST_PIXELS = 4_000_000
"""Pixels of the image that is analysed; a larger page is made smaller for it. A4 at 212 dpi."""
_HALF = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])


@dataclass(frozen=True)
class View:
    """From the page to the level image and back.

    Args:
        matrix: float (3, 3), from pixels of the page to those of the level image.
        width, height: of the level image.
        scale: pixels of the level image for one of the page.
        angle: by which the page is askew, in degrees, clockwise.
    """

    matrix: NDArray[np.float64]
    width: int
    height: int
    scale: float
    angle: float

    @cached_property
    def back(self) -> NDArray[np.float64]:
        """The way back, float (3, 3)."""
        return np.asarray(np.linalg.inv(self.matrix), np.float64)

    def to_page(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (N, 2) of the level image as those of the page."""
        found: NDArray[np.float64] = points @ self.back[:2, :2].T + self.back[:2, 2]
        return found

    def boxes_to_page(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Boxes (N, 4) of the level image as the upright boxes around them on the page, (N, 4)."""
        corners = self.to_page(boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)).reshape(-1, 4, 2)
        return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


def view_of(width: int, height: int, angle: float = 0.0) -> View:
    """The view of a page of `width` x `height` pixels whose lines are askew by `angle` degrees."""
    scale = scale_of(width, height)
    turn = math.radians(angle)
    c, s = math.cos(turn) * scale, math.sin(turn) * scale
    matrix = np.array([[c, s, 0.0], [-s, c, 0.0], [0, 0, 1]])
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], float) @ matrix.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    matrix[:2, 2] = -low[:2]
    wide, high_ = (max(1, round(value)) for value in (high - low)[:2])
    return View(matrix, wide, high_, scale, angle)


def shrunk(image: NDArray[np.uint8], most: int = MOST_PIXELS) -> NDArray[np.uint8]:
    """An image of at most so many pixels.

    Args:
        image: uint8 (H, W) or (H, W, C).
        most: pixels.
    """
    height, width = image.shape[:2]
    scale = scale_of(width, height, most)
    if scale == 1:
        return image
    small = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)


def level(small: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """The page as its view shows it.

    Args:
        small: uint8 (H, W), the page as `shrunk` gives it.
        view: made for the whole page.

    Returns:
        uint8 (view.height, view.width).
    """
    if not view.angle:
        return small
    unscaled = view.matrix @ np.diag([1 / view.scale, 1 / view.scale, 1])
    return warped(small, unscaled, view.width, view.height)


def scale_of(width: int, height: int, most: int = MOST_PIXELS) -> float:
    """By which a page is made smaller to have at most so many pixels."""
    return min(1.0, math.sqrt(most / (width * height)))


def warped(pixels: NDArray[np.uint8], matrix: NDArray[np.float64], width: int, height: int) -> NDArray[np.uint8]:
    """An image in another frame; what lies outside repeats its rim.

    Args:
        pixels: uint8 (H, W) or (H, W, C).
        matrix: float (3, 3), from the image to the new frame, both in coordinates of edges.
        width, height: of the new frame.
    """
    centres = np.linalg.inv(_HALF) @ matrix @ _HALF
    return np.asarray(
        cv2.warpAffine(pixels, centres[:2], (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def points_of(array: NDArray[np.float64]) -> tuple[Point, ...]:
    """An array (N, 2) as plain points."""
    return tuple((float(x), float(y)) for x, y in array)


__all__ = ["MOST_PIXELS", "View", "level", "points_of", "scale_of", "shrunk", "view_of", "warped"]
