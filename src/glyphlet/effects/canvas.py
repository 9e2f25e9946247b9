"""What effects share: planes and colours, what is ground and what is ink, and moving pixels about.

A line is written on a ground that nothing but the line itself tells of: white, dark, textured, unevenly lit. `ground`
takes away what is as narrow as a stroke, and of what is left takes the median of the neighbourhood. Whatever comes into
view when a line is moved is filled with the ground at that place, so no black corner and no smeared stroke shows up.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import Pixels

Plane = NDArray[np.float32]
"""float32 (H, W): a mask, a gain, or where each pixel comes from."""
WEIGHTS = (0.299, 0.587, 0.114)
"""ITU-R 601: how much red, green and blue count for grey."""


def interleaved(line: Pixels) -> Pixels:
    """(C, H, W) as OpenCV wants it: (H, W) grey or (H, W, 3) RGB, contiguous."""
    return np.ascontiguousarray(line[0]) if len(line) == 1 else _uint8(cv2.merge(list(np.ascontiguousarray(line))))


def separated(image: Any) -> Pixels:
    """(H, W) or (H, W, 3) as (C, H, W), contiguous."""
    if image.ndim == 2:
        return np.ascontiguousarray(image)[None]
    return np.stack(cv2.split(image))


def _uint8(array: Any) -> Pixels:
    """For the type checker: OpenCV says only that it returns an array."""
    assert array.dtype == np.uint8
    return array  # type: ignore[no-any-return]


def luma(line: Pixels) -> Pixels:
    """The grey of a line, (H, W)."""
    return (
        np.ascontiguousarray(line[0]) if len(line) == 1 else _uint8(cv2.cvtColor(interleaved(line), cv2.COLOR_RGB2GRAY))
    )


def each_plane(line: Pixels, change: Any) -> Pixels:
    """A function of (H, W) applied to every plane."""
    return np.stack([change(plane) for plane in np.ascontiguousarray(line)])


def look_up(line: Pixels, tables: Any) -> Pixels:
    """Replace every value by a table's.

    Args:
        line: (C, H, W).
        tables: 256 values, or 256 for each channel (C, 256); rounded and clipped to 0..255.
    """
    table = np.clip(np.rint(tables), 0, 255).astype(np.uint8)
    if table.ndim == 1:
        flat = np.ascontiguousarray(line).reshape(len(line) * line.shape[1], line.shape[2])
        return _uint8(cv2.LUT(flat, table)).reshape(line.shape)
    return np.stack([cv2.LUT(plane, values) for plane, values in zip(np.ascontiguousarray(line), table, strict=True)])


def lit(line: Pixels, gain: Plane) -> Pixels:
    """Every plane times a gain (H, W), clipped."""
    return each_plane(line, lambda plane: cv2.multiply(plane, gain, dtype=cv2.CV_8U))


def blend(line: Pixels, over: Pixels, mask: Plane) -> Pixels:
    """`line` where the mask (H, W) is 0, `over` where it is 1, both of them between."""
    mask = np.ascontiguousarray(np.broadcast_to(mask, line.shape[1:]))
    pairs = zip(np.ascontiguousarray(line), np.ascontiguousarray(over), strict=True)
    return np.stack([cv2.blendLinear(a, b, 1 - mask, mask) for a, b in pairs])


def quantile(values: Pixels, share: float) -> int:
    """The value that this share of all lies below or at."""
    counted = np.cumsum(np.bincount(values.ravel(), minlength=256))
    return int(np.searchsorted(counted, share * counted[-1]))


def ground(line: Pixels) -> Pixels:
    """What lies behind the ink at each place, a new array (C, H, W)."""
    return each_plane(line, _behind)


_ROWS = 16
"""Rows at which the ground is looked for: strokes are one or two pixels wide then, at any height of the line."""
_STROKE = np.ones((5, 5), np.uint8)


def _behind(plane: Pixels) -> Any:
    height, width = plane.shape
    rows = min(_ROWS, height)
    small = cv2.resize(plane, (max(1, round(width * rows / height)), rows), interpolation=cv2.INTER_AREA)
    around = cv2.blur(small, (5, 5))
    # Strokes are narrower than what is between them, so the rarer and larger deviations are on their side.
    dark = cv2.norm(cv2.subtract(around, small)) >= cv2.norm(cv2.subtract(small, around))
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE if dark else cv2.MORPH_OPEN, _STROKE)
    # Mirrored, since a median that repeats the outermost row would take ink there for ground.
    few = cv2.copyMakeBorder(np.ascontiguousarray(small[::2, ::2]), 2, 2, 2, 2, cv2.BORDER_REFLECT_101)
    few = np.ascontiguousarray(cv2.medianBlur(few, 5)[2:-2, 2:-2])
    return cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR)


def ink(line: Pixels) -> tuple[Pixels, bool]:
    """How far each pixel lies from the ground on the side where the ink is, (H, W), and whether the ink is dark."""
    grey = luma(line)
    behind = ground(grey[None])[0]
    darker, lighter = _uint8(cv2.subtract(behind, grey)), _uint8(cv2.subtract(grey, behind))
    dark = bool(cv2.norm(darker) >= cv2.norm(lighter))
    return (darker if dark else lighter), dark


def inked(strength: Pixels) -> Pixels:
    """1 where there is ink, 0 elsewhere, by Otsu's threshold; never what stands out by less than 16 grey levels."""
    threshold, _ = cv2.threshold(strength, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return _uint8(cv2.threshold(strength, max(16, threshold), 1, cv2.THRESH_BINARY)[1])


def counted(marked: Pixels, axis: int) -> NDArray[np.int32]:
    """How many pixels are ink in each column (axis 0) or row (axis 1)."""
    return np.asarray(cv2.reduce(marked, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S), np.int32).ravel()


def rows_of(strength: Pixels) -> tuple[int, int]:
    """The first row with ink, and the one after the last; all rows when there is none."""
    rows = np.flatnonzero(counted(inked(strength), 1))
    return (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, len(strength))


def border(line: Pixels) -> NDArray[np.float64]:
    """The median colour of the outermost pixels, one value a channel."""
    edge = np.concatenate([line[:, 0], line[:, -1], line[:, :, 0], line[:, :, -1]], axis=1)
    return np.asarray(np.median(edge, axis=1), np.float64)


def warp(line: Pixels, x: Plane, y: Plane) -> Pixels:
    """Fetch each pixel from (x, y) of the line; what lies outside is ground.

    Args:
        line: (C, H, W).
        x, y: the place of origin of each pixel, float32 (H, W), or (1, W) and (H, 1) when it is the same in all rows or
            columns.
    """
    shape = line.shape[1:]
    x, y = (np.ascontiguousarray(np.broadcast_to(v, shape)) for v in (x, y))
    new = ground(line)
    for source, target in zip(np.ascontiguousarray(line), new, strict=True):
        cv2.remap(source, x, y, cv2.INTER_LINEAR, dst=target, borderMode=cv2.BORDER_TRANSPARENT)
    return new


def columns(width: int) -> Plane:
    """0, 1, ... as a row (1, W)."""
    return np.arange(width, dtype=np.float32)[None]


def rows(height: int) -> Plane:
    """0, 1, ... as a column (H, 1)."""
    return np.arange(height, dtype=np.float32)[:, None]


def meander(random: np.random.Generator, length: int, knots: int) -> NDArray[np.float32]:
    """A smooth random curve of so many values, from -1 to 1, that bends at so many places."""
    drawn = random.uniform(-1, 1, (1, max(2, knots))).astype(np.float32)
    curve = cv2.resize(drawn, (length, 1), interpolation=cv2.INTER_CUBIC)[0]
    return np.asarray(np.clip(curve, -1, 1), np.float32)
