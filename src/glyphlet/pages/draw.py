"""A picture of a page with what was found on it, to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from glyphlet.pages.page import Page

BLOCKS = ((31, 97, 190), (190, 60, 31))
"""Colours of the lines of one block and of the next."""
WORD = (60, 160, 80)
UNREAD = (150, 150, 150)


def draw(page: Page, pixels: NDArray[np.uint8]) -> Image.Image:
    """The page with a frame around each line and word.

    Lines of a block have one colour and those of the next another, words are green, lines that were not read grey.

    Args:
        page: what was found.
        pixels: uint8 (H, W, 3) of the same page, turned upright.
    """
    image = Image.fromarray(pixels).convert("RGB")
    pen = ImageDraw.Draw(image)
    width = max(1, round(page.width / 1200))
    for number, block in enumerate(page.blocks):
        for line in block:
            for word in line.words:
                pen.rectangle(word.box, outline=WORD, width=width)
            colour = UNREAD if line.reason else BLOCKS[number % len(BLOCKS)]
            pen.line([*line.corners, line.corners[0]], colour, 2 * width)
    return image


__all__ = ["draw"]
