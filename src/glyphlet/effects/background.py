"""Text on anything but white: textures and photos behind the ink of a line, which stays as legible as it was told to be.

No mask is cut. What is ink and what is ground is a matter of degree, so the new ground is *multiplied* with the line as
seen against its old ground: dark ink lets little of it through, soft edges let half of it, and paper all. Light ink on a
dark ground is the same in the negative. Which of the two it is, is found out for each line.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import WEIGHTS, Plane, ground, ink, inked, luma, quantile
from glyphlet.effects.options import Range, number, refuse, span, words
from glyphlet.effects.textures import SHARP, TEXTURES
from glyphlet.errors import ImageError
from glyphlet.image import decode

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
_LARGEST = 768
"""Photos are kept with at most so many pixels a side, and"""
_KEPT = 200
"""at most so many of a folder."""
Colours = NDArray[np.float32]
"""float32 (C, H, W)."""


@EFFECTS.register
def background(
    *,
    kinds: tuple[str, ...] = tuple(TEXTURES),
    folder: str = "",
    contrast: Range = (60, 230),
    busy: Range = (0.2, 0.8),
    colour: float = 0.6,
) -> Effect:
    """Lay a texture or a photo behind the text, whatever colours the text and its ground have.

    Args:
        kinds: which textures, one for each line: gradient, blobs, clouds, paper, stripes, shapes.
        folder: photos to cut grounds from, as often as all textures together; empty for none.
        contrast: grey levels between the ink and the ground on average; less where the ink is fainter than that.
        busy: how much the ground itself varies, as a share of that contrast. Textures with edges vary half as much.
        colour: how colourful it is at most, on RGB lines.

    Raises:
        RecipeError: an option is out of range, or the folder holds no image.
    """
    known = words("background", "kinds", kinds, tuple(TEXTURES))
    photos = _photo_paths(folder) if folder else ()
    low, high = span("background", "contrast", contrast, 1, 255)
    calm, wild = span("background", "busy", busy, 0, 1)
    number("background", "colour", colour, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        share, through, dark = transmission(line)
        if share is None:  # no ink that a ground could stand out against
            return line
        if through > 0.4:  # faint ink would bear a ground as faint as itself only; it is written over, so to speak
            often = min(3.5, math.log(random.uniform(0.15, 0.4)) / math.log(through))
            # OpenCV takes the columns of a line that is one pixel wide for channels, and leaves that axis out.
            share, through = np.asarray(cv2.pow(share, often), np.float32).reshape(line.shape), through**often
        kind = "photos" if photos and random.random() < 0.5 else known[int(random.integers(len(known)))]
        if kind == "photos":
            field = _cut_out(photos[int(random.integers(len(photos)))], line, random)
        else:
            field = TEXTURES[kind](height, width, random)[None]
        # `through` is how much of the ground shows through ink, so (1 - through) of it is the contrast.
        level = min(random.uniform(low, high) / (1 - through), 240.0)
        wanted = level * (1 - through)
        depth = wanted * random.uniform(calm, wild) * (0.5 if kind in SHARP else 1.0)
        depth = min(depth, level, 2 * (255 - level) + 40)
        texture = level + (field - np.float32(0.5)) * np.float32(depth)
        new = share * (_tinted(texture, colour, random) if len(line) == 3 else texture)
        new = np.clip(np.rint(new), 0, 255).astype(np.uint8)
        return np.asarray(new if dark else 255 - new, np.uint8)

    return effect


def transmission(line: Pixels) -> tuple[Colours | None, float, bool]:
    """A line as something that lets its ground shine through.

    Returns:
        How much of the ground each pixel shows, (C, H, W) from 0 to 1 (None when there is no ink); the same for the
        ink in luminance; whether the ink is dark. For light ink all of it is of the negative.
    """
    strength, dark = ink(line)
    marked = inked(strength)
    if not marked.any():
        return None, 1.0, dark
    seen = line if dark else 255 - line
    behind = ground(seen)
    grey = np.asarray(cv2.divide(luma(seen), luma(behind), scale=230), np.uint8)  # up to 1.1 fits
    through = quantile(grey[marked > 0], 0.25) / 230
    if through > 0.93:
        return None, 1.0, dark
    whole = grey.astype(np.float32) * np.float32(1 / 230)
    if len(line) == 1:
        return whole[None], through, dark
    # A channel tells as much of the ink as there is of it in the ground: black on green says nothing of red.
    apart = np.minimum(seen / np.maximum(behind, 1).astype(np.float32), np.float32(1.1), dtype=np.float32)
    return whole + (apart - whole) * (behind * np.float32(1 / 255)), through, dark


def _tinted(texture: Colours, colour: float, random: np.random.Generator) -> Colours:
    """Two colours of the same luminance, mixed as another look at the same texture has it."""
    if len(texture) == 3:
        return texture
    ends = random.uniform(-1, 1, (2, 3)) * colour * random.random() * 90
    ends -= (ends @ WEIGHTS)[:, None]
    low, high = float(texture.min()), float(texture.max())
    mix = (texture - np.float32(low)) * np.float32(1 / max(1.0, high - low))
    first, second = ends.astype(np.float32)[..., None, None]
    return np.asarray(np.clip(texture + first + (second - first) * mix, 0, 255), np.float32)


def _photo_paths(folder: str) -> tuple[Path, ...]:
    root = Path(folder)
    paths = sorted(p for p in root.rglob("*") if p.suffix.lower() in _SUFFIXES) if root.is_dir() else []
    if not paths:
        raise refuse("background", "folder", folder, f"a folder with {', '.join(sorted(_SUFFIXES))} files")
    return tuple(paths[:: -(-len(paths) // _KEPT)])


@lru_cache(maxsize=_KEPT)
def _photo(path: Path) -> Pixels | None:
    """A photo (H, W, 3), made smaller when it is large; None when it cannot be read."""
    try:
        pixels = decode(path)
    except ImageError:
        return None
    by = max(pixels.shape[:2]) / _LARGEST
    if by > 1:
        size = max(1, round(pixels.shape[1] / by)), max(1, round(pixels.shape[0] / by))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return pixels


def _cut_out(path: Path, line: Pixels, random: np.random.Generator) -> Colours:
    """A part of a photo in the shape of the line, (C, H, W), 0 to 1; grey where the photo cannot be read."""
    channels, height, width = line.shape
    photo = _photo(path)
    if photo is None:
        return np.full((channels, height, width), 0.5, np.float32)
    rows, columns = photo.shape[:2]
    by = min(rows / height, columns / width) * random.uniform(0.4, 1)
    tall, wide = max(1, min(rows, int(height * by))), max(1, min(columns, int(width * by)))
    y, x = int(random.integers(rows - tall + 1)), int(random.integers(columns - wide + 1))
    piece = cv2.resize(photo[y : y + tall, x : x + wide], (width, height), interpolation=cv2.INTER_AREA)
    grey: Plane = cv2.cvtColor(piece, cv2.COLOR_RGB2GRAY).astype(np.float32)
    low, high = (float(v) for v in np.percentile(grey, (2, 98)))
    found = piece.transpose(2, 0, 1).astype(np.float32) if channels == 3 else grey[None]
    return np.asarray(np.clip((found - low) / max(8.0, high - low), 0, 1), np.float32)
