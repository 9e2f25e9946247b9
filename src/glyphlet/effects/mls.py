"""Moving least squares: an image bent so that a few points go where they are told to, and all others along with them.

For each place a similarity (turn, size, move) is fitted to the moves of all points, the near ones weighing more: Schaefer,
McPhail and Warren, "Image deformation using moving least squares", 2006. In complex numbers it is one line: with weights
w = 1 / |v - p|^2, weighted means p*, q* and the points seen from them p^, q^,

    f(v) = q* + (v - p*) sum(w conj(p^) q^) / sum(w |p^|^2).

It is computed on a coarse grid, and the moves between its nodes are interpolated.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from glyphlet.effects.canvas import Plane, columns, rows

Points = NDArray[np.complex128]
"""x + iy."""
_CELL = 16
"""About so many pixels lie between the nodes of the grid."""


def deform(places: Points, start: Points, end: Points) -> Points:
    """Where places go when the points `start` go to `end`.

    >>> deform(np.array([3 + 0j]), np.array([0j, 10, 5j]), np.array([1 + 0j, 11, 1 + 5j])).round(9)
    array([4.+0.j])
    """
    away = places[:, None] - start
    weight = 1 / (away.real**2 + away.imag**2 + 1e-9)
    weight /= weight.sum(1, keepdims=True)
    middle, target = weight @ start, weight @ end
    seen = start - middle[:, None]
    spread = (weight * (seen.real**2 + seen.imag**2)).sum(1)
    turned = (weight * seen.conj() * (end - target[:, None])).sum(1)
    return np.asarray(target + (places - middle) * turned / np.maximum(spread, 1e-12), np.complex128)


def origins(height: int, width: int, start: Points, end: Points) -> tuple[Plane, Plane]:
    """From where each pixel is fetched when the points `start` of an image go to `end`.

    Returns:
        x and y, float32 (H, W); exactly the pixel's own place when no point moves.
    """
    down, across = _between(height), _between(width)
    y, x = np.linspace(0, height - 1, down.shape[1]), np.linspace(0, width - 1, across.shape[1])
    nodes = (x + 1j * y[:, None]).ravel()
    # Rounded, since an origin a hair outside the image would count as outside.
    moves = np.round(deform(nodes, end, start) - nodes, 6).reshape(len(y), len(x))
    dx = down @ moves.real.astype(np.float32) @ across.T
    dy = down @ moves.imag.astype(np.float32) @ across.T
    return columns(width) + dx, rows(height) + dy


@lru_cache(maxsize=512)
def _between(pixels: int) -> NDArray[np.float32]:
    """Weights (pixels, nodes) that interpolate from nodes, the first and last of which lie on the outermost pixels."""
    nodes = max(2, -(-(pixels - 1) // _CELL) + 1)
    at = np.arange(pixels) * ((nodes - 1) / max(1, pixels - 1))
    weights = np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - np.arange(nodes))), np.float32)
    weights.flags.writeable = False
    return weights
