"""From masks to pixels: shadow, outline, ink."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from glyphlet.synth.background import Colour, behind, opposite
from glyphlet.synth.fonts import Glyph, Mask
from glyphlet.synth.layout import Box, Setting, box, place
from glyphlet.synth.looks.style import Style


def stamp(
    glyphs: Sequence[Glyph], xs: Sequence[int], ys: Sequence[int], width: int, height: int
) -> tuple[Mask, list[int]]:
    """One mask of many glyphs.

    Returns:
        The mask, and the numbers of the glyphs that share inked pixels with one before them: they are not in it, since ink
        over ink is darker at the edges of letters than the darker of the two.
    """
    canvas = np.zeros((height, width), np.uint8)
    later: list[int] = []
    reach = 0  # nothing is inked from here on
    for i, drawn in enumerate(glyphs):
        mask = drawn.mask
        if mask is None:
            continue
        left, top = xs[i] + drawn.left, ys[i] + drawn.top
        right = left + mask.shape[1]
        part = canvas[top : top + mask.shape[0], left:right]
        if left >= reach:
            part[...] = mask
        elif np.minimum(part, mask).any() or any(_touch(glyphs, xs, ys, i, j) for j in later):
            later.append(i)
        else:
            np.maximum(part, mask, out=part)
        if right > reach:
            reach = right
    return canvas, later


def _touch(glyphs: Sequence[Glyph], xs: Sequence[int], ys: Sequence[int], i: int, j: int) -> bool:
    a, b = box(glyphs[i], xs[i], ys[i]), box(glyphs[j], xs[j], ys[j])
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def ink_line(image: Image.Image, setting: Setting, ink: Colour) -> None:
    """Draw the glyphs of a line in one colour."""
    mask, later = stamp(setting.glyphs, setting.xs, setting.ys, setting.width, setting.height)
    image.paste(ink, (0, 0), Image.fromarray(mask))
    for i in later:
        drawn = setting.glyphs[i]
        assert drawn.mask is not None
        image.paste(ink, box(drawn, setting.xs[i], setting.ys[i]), Image.fromarray(drawn.mask))


def ink_styled(
    image: Image.Image, setting: Setting, style: Style, size: int, ink: Colour, dark: bool, rng: random.Random
) -> None:
    """Draw shadow, outline, glyphs and rules of a line."""
    fill, rim = _merged(setting, setting.glyphs), _merged(setting, setting.rims) if setting.rims else None
    _rules(fill, setting, style, size)
    if style.shadow is not None:
        dx, dy = shadow_shift(style, size)
        thrown = _shifted(fill if rim is None else rim, dx, dy).astype(np.float32) * style.shadow_strength
        image.paste(behind(ink, dark), (0, 0), Image.fromarray(np.rint(thrown).astype(np.uint8)))
    if rim is not None and style.hollow:
        image.paste(ink, (0, 0), Image.fromarray(rim - np.minimum(rim, fill)))
        return
    if rim is not None:
        image.paste(opposite(ink, rng), (0, 0), Image.fromarray(rim))
    image.paste(ink, (0, 0), Image.fromarray(fill))


def _merged(setting: Setting, glyphs: Sequence[Glyph]) -> Mask:
    canvas = np.zeros((setting.height, setting.width), np.uint8)
    for drawn, x, y in zip(glyphs, setting.xs, setting.ys, strict=True):
        if drawn.mask is not None:
            left, top, right, bottom = box(drawn, x, y)
            part = canvas[top:bottom, left:right]
            np.maximum(part, drawn.mask, out=part)
    return canvas


def shadow_shift(style: Style, size: int) -> tuple[int, int]:
    """How far the shadow is away, in pixels to the right and downwards; at least one of them."""
    if style.shadow is None:
        return 0, 0
    dx, dy = (round(v * size) for v in style.shadow)
    return (dx, dy) if dx or dy else (1, 1)


def _shifted(mask: Mask, dx: int, dy: int) -> Mask:
    moved = np.zeros_like(mask)
    height, width = mask.shape
    moved[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = mask[
        max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)
    ]
    return moved


def rule_points(setting: Setting, style: Style, size: int, height: float) -> list[tuple[float, float]]:
    """A line along the baseline at a height above it, in pixels from the start of the baseline."""
    count = 2 if style.curve is None else max(3, round(setting.length / 4))
    points = []
    for i in range(count):
        x, y, angle = place(style, setting.length * i / (count - 1), setting.length, size)
        radians = np.radians(angle)
        points.append((x + float(np.sin(radians)) * height * size, y - float(np.cos(radians)) * height * size))
    return points


def _rules(fill: Mask, setting: Setting, style: Style, size: int) -> None:
    """Draw underlines and strikethroughs into a mask."""
    for rule in style.rules:
        layer = Image.new("L", (setting.width, setting.height))
        points = rule_points(setting, style, size, rule.height)
        moved = [(x + setting.left, y + setting.baseline) for x, y in points]
        ImageDraw.Draw(layer).line(moved, fill=255, width=rule_width(rule.thickness, size), joint="curve")
        np.maximum(fill, np.asarray(layer), out=fill)


def rule_width(thickness: float, size: int) -> int:
    """The thickness of a rule in pixels."""
    return max(1, round(thickness * size))


def room_of(setting: Setting, style: Style, size: int, ink: Box) -> Box:
    """The box around all that is drawn, before the line is moved into its image."""
    x0, y0, x1, y1 = ink
    for rule in style.rules:
        half = rule_width(rule.thickness, size) / 2 + 1
        for x, y in rule_points(setting, style, size, rule.height):
            x0, y0 = min(x0, int(np.floor(x - half))), min(y0, int(np.floor(y - half)))
            x1, y1 = max(x1, int(np.ceil(x + half))), max(y1, int(np.ceil(y + half)))
    dx, dy = shadow_shift(style, size)
    return x0 + min(0, dx), y0 + min(0, dy), x1 + max(0, dx), y1 + max(0, dy)
