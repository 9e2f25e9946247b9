"""Which pixels are ink: uneven light is taken out, then each pixel is compared with its neighbourhood.

The ground is the brightest (on dark pages: the darkest) value around a pixel, smoothed. What is divided by it has the
ground at 255 everywhere. The threshold of a pixel follows Sauvola and Pietikäinen 2000 ("Adaptive document image
binarization"), with mean and deviation from box filters; what is far darker than the ground is ink in any case, so that
solid bars stay solid.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOW = 41
"""Side of the neighbourhood in pixels of the analysis image."""
SENSITIVITY = 0.3
DEVIATION = 128.0
"""Sauvola's k and R."""
SOLID = 0.35
"""Ink in any case: darker than this share of the ground."""
GROUND = 120
"""Pixels within which there is ground beside the ink."""


def is_dark(grey: NDArray[np.uint8]) -> bool:
    """Whether the page is light on dark: most pixels are nearer to its dark end than to its light one.

    Args:
        grey: uint8 (H, W).
    """
    small = cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA) if min(grey.shape) > 64 else grey
    low, high = np.percentile(small, (1, 99))
    return bool(high - low > 40 and np.mean(small < (low + high) / 2) > 0.6)


def flatten(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Divide by the ground, so that it is 255 under even and uneven light.

    Args:
        grey: uint8 (H, W), dark on light.

    Returns:
        uint8 (H, W).
    """
    height, width = grey.shape
    factor = max(1, min(8, min(height, width) // 8))
    small = cv2.resize(grey, (max(1, width // factor), max(1, height // factor)), interpolation=cv2.INTER_AREA)
    reach = max(3, GROUND // factor | 1)
    ground = cv2.dilate(small, np.ones((reach, reach), np.uint8))
    ground = cv2.erode(ground, np.ones((reach, reach), np.uint8))  # back to where the light changes
    ground = cv2.blur(ground, (reach, reach))
    ground = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(grey, np.maximum(ground, 1), scale=255), np.uint8)


def ink_of(flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Which pixels are ink.

    Args:
        flat: uint8 (H, W) as `flatten` gives it.

    Returns:
        uint8 (H, W): 255 is ink, 0 is ground.
    """
    values = flat.astype(np.float32)
    mean = np.asarray(cv2.boxFilter(values, -1, (WINDOW, WINDOW)), np.float32)
    squares = cv2.sqrBoxFilter(values, cv2.CV_32F, (WINDOW, WINDOW))
    deviation = np.asarray(squares, np.float32)  # in place from here: pages are large
    deviation -= mean * mean
    np.sqrt(np.maximum(deviation, 0, out=deviation), out=deviation)
    threshold = np.multiply(deviation, SENSITIVITY / DEVIATION, out=deviation)
    threshold += 1 - SENSITIVITY
    threshold *= mean
    np.maximum(threshold, SOLID * 255, out=threshold)
    return np.asarray(cv2.compare(values, threshold, cv2.CMP_LT), np.uint8)


__all__ = ["flatten", "ink_of", "is_dark"]
