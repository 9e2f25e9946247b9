"""Pictures to look at: rows of line images beside each other, each row with a few words above it.

Words are drawn with a given font, or Pillow's own, in which other scripts than Latin are boxes; a font of the user's draws
what it covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from glyphlet.errors import GlyphletError

GAP = 6
"""Pixels between images."""
_GREY = (112, 112, 112)
_MOST = 60_000_000


@dataclass(frozen=True)
class Row:
    """Images side by side.

    Args:
        words: what stands above them.
        images: uint8 (C, H, W) each, C 1 or 3; sizes may differ.
    """

    words: str
    images: Sequence[NDArray[np.uint8]]


def sheet(rows: Sequence[Row], headings: Sequence[str] = (), font: str | None = None, zoom: int = 1) -> Image.Image:
    """Rows of images as one picture, RGB on grey; a column is as wide as the widest image in it.

    Args:
        rows: one or more; each has one image or more.
        headings: words above the columns.
        font: a font file for the words; Pillow's own by default.
        zoom: every pixel of an image becomes so many pixels on a side.

    Raises:
        GlyphletError: there is nothing to show, the font cannot be read, or the picture would be huge.
    """
    if not rows or any(not row.images for row in rows):
        raise GlyphletError("a sheet without images is empty", allowed="one row or more", next_step="give some lines")
    face, small = _face(font, 15), _face(None, 13)
    columns = max(len(row.images) for row in rows)
    widths = [max((zoom * r.images[c].shape[2] for r in rows if c < len(r.images)), default=0) for c in range(columns)]
    starts = [GAP + sum(widths[:c]) + c * GAP for c in range(columns)]
    heights = [zoom * max(image.shape[1] for image in row.images) + (22 if row.words else 0) + GAP for row in rows]
    width = max(160, starts[-1] + widths[-1] + GAP, *(GAP * 2 + int(face.getlength(row.words)) for row in rows))
    top = 20 if headings else GAP
    height = top + sum(heights) + GAP
    if width * height > _MOST:
        raise GlyphletError(
            f"the sheet would have {width} x {height} pixels",
            allowed=f"up to {_MOST:,} pixels",
            next_step="show fewer lines or versions, or a smaller height",
        )
    picture = Image.new("RGB", (width, height), _GREY)
    draw = ImageDraw.Draw(picture)
    for start, heading in zip(starts, headings, strict=False):
        draw.text((start, 2), heading, fill="white", font=small)
    for row, tall in zip(rows, heights, strict=True):
        at = top
        if row.words:
            draw.text((GAP, at), row.words, fill="white", font=face)
            at += 22
        for start, pixels in zip(starts, row.images, strict=False):
            picture.paste(_image(pixels, zoom), (start, at))
        top += tall
    return picture


def _image(pixels: NDArray[np.uint8], zoom: int) -> Image.Image:
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    return image.resize((zoom * image.width, zoom * image.height), Image.Resampling.NEAREST) if zoom > 1 else image


def _face(font: str | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if font is None:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(Path(font), size)
    except OSError as error:
        raise GlyphletError(
            f"{font} cannot be read as a font", allowed="a .ttf, .otf or .ttc file", next_step="check the path"
        ) from error
