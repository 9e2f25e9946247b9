"""What else is on the paper: ruled lines, the boxes of a form, stains and spots, bits of the lines above and below."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import Plane, blend, columns, counted, ground, ink, inked, quantile, rows, rows_of
from glyphlet.effects.options import Range, number, span, whole_span
from glyphlet.effects.within import gaps

_SHIFT = 4
"""OpenCV draws at sixteenths of a pixel."""


@EFFECTS.register
def ruled_lines(*, strength: Range = (0.25, 0.9), boxes: float = 0.3) -> Effect:
    """Draw the lines of writing paper or of a form: below and above the text, and between its characters.

    Lines along the text stand in the upper sixth and the lower third, upright ones in gaps and margins and over the full
    height, so that none strikes a character out or looks like one.

    Args:
        strength: how much of the ink's own contrast a line has.
        boxes: the share of lines that get upright strokes, too.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("ruled_lines", "strength", strength, 0, 1)
    number("ruled_lines", "boxes", boxes, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        written, dark = ink(line)
        mask = np.zeros((height, width), np.uint8)
        thick = max(1, round(height / 32 * random.uniform(0.6, 2)))
        tilt = random.uniform(-0.04, 0.04) * height
        below, both = random.uniform(0.7, 0.98), random.random() < 0.4
        for share in (below, random.uniform(0.0, 0.16))[: 2 if both else 1]:
            _draw(mask, (0, share * height - tilt), (width, share * height + tilt), thick)
        if random.random() < boxes:
            _draw_boxes(mask, counted(inked(written), 0), thick, random)
        if random.random() < 0.2:  # dotted
            mask[:, (np.arange(width) // max(1, height // 12)) % 2 == 0] = 0
        hue = random.uniform(-40, 40, (len(line), 1, 1)) if len(line) == 3 else 0
        far = quantile(written, 0.97) * random.uniform(low, high)
        colour = ground(line).astype(np.float32) + (-far if dark else far) + hue
        over = np.clip(colour, 0, 255).astype(np.uint8)
        # Ink stays above the line: the darker of the two wins, or the lighter.
        over = np.minimum(line, over) if dark else np.maximum(line, over)
        return blend(line, over, mask.astype(np.float32) * np.float32(1 / 255))

    return effect


def _draw(mask: Pixels, start: tuple[float, float], end: tuple[float, float], thick: int) -> None:
    a, b = ((round(x * (1 << _SHIFT)), round(y * (1 << _SHIFT))) for x, y in (start, end))
    cv2.line(mask, a, b, 255, thick, cv2.LINE_AA, _SHIFT)


def _draw_boxes(mask: Pixels, profile: NDArray[np.integer], thick: int, random: np.random.Generator) -> None:
    """Upright strokes in some of the gaps and in the margins."""
    height, width = mask.shape
    marked = np.flatnonzero(profile)
    if not len(marked):
        return
    first, last = int(marked[0]), int(marked[-1]) + 1
    places = [first + (a + b) / 2 for a, b in gaps(profile[first:last], height) if b - a > thick + 2 + height // 16]
    places += [at for at in (first - 2.0 - thick, last + 2.0 + thick) if 0 <= at < width]
    share = random.uniform(0.3, 1)
    for at in places:
        if random.random() < share:
            _draw(mask, (at, -2), (at, height + 2), thick)


@EFFECTS.register
def stains(*, count: Range = (1, 3), size: Range = (0.08, 0.35), strength: Range = (0.2, 0.7)) -> Effect:
    """Spots of dirt or light, some with a rim as of coffee, over ground and ink alike; small ones may hide a little ink.

    Args:
        count: how many for every 8 heights of width; a number, or from and to.
        size: their radius as a share of the height. The larger, the fainter.
        strength: how much they hide, as a share.

    Raises:
        RecipeError: an option is out of range.
    """
    fewest, most = whole_span("stains", "count", count, 0, 20)
    small, large = span("stains", "size", size, 0.01, 2)
    low, high = span("stains", "strength", strength, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        number_of = round(int(random.integers(fewest, most + 1)) * max(1.0, width / (8 * height)))
        new = line
        for _ in range(min(number_of, 20)):
            radius = max(0.7, height * random.uniform(small, large) * random.uniform(0.4, 1))
            most_here = random.uniform(low, high) * min(1.0, 0.15 * height / radius)
            mask = _spot(height, width, radius, random)
            shade = int(random.integers(0, 256))
            colour = np.array([shade] * len(line)) + (random.integers(-30, 31, len(line)) if len(line) == 3 else 0)
            over = np.broadcast_to(np.clip(colour, 0, 255).astype(np.uint8)[:, None, None], line.shape)
            new = blend(new, over, mask * np.float32(most_here))
        return new

    return effect


def _spot(height: int, width: int, radius: float, random: np.random.Generator) -> Plane:
    """An ellipse with soft edges somewhere on the line, 0 to 1; a third of them are rims."""
    x, y = random.uniform(0, width), random.uniform(0, height)
    stretch, turn = math.exp(random.uniform(-0.5, 0.5)), random.uniform(0, math.pi)
    c, s = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    dx, dy = columns(width) - np.float32(x), rows(height) - np.float32(y)
    away = np.sqrt(np.square((dx * c + dy * s) * stretch) + np.square((dy * c - dx * s) / stretch)) / np.float32(radius)
    if random.random() < 0.33:
        return np.asarray(np.clip(1 - np.abs(away - 1) * 4, 0, 1) + 0.3 * (away < 1), np.float32).clip(0, 1)
    return np.asarray(np.clip((1.1 - away) * random.uniform(1.5, 6), 0, 1), np.float32)


@EFFECTS.register
def neighbours(*, inside: Range = (0.02, 0.18), both: float = 0.3) -> Effect:
    """Let the feet of a line above or the heads of a line below come into view, as where lines were cut apart coarsely.

    They are the line's own, from another place along it. Where the text leaves no room above or below, they are a few
    pixels that touch its edge.

    Args:
        inside: how far they reach in, in heights of the line; at most a third of the way to the middle of the text.
        both: the share of lines that have them on both sides.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("neighbours", "inside", inside, 0, 0.5)
    number("neighbours", "both", both, 0, 1)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        _, height, width = line.shape
        strength, dark = ink(line)
        first, last = rows_of(strength)
        above = random.random() < 0.5
        sides = (True, False) if random.random() < both else (above,)
        new = line.copy()
        for top in sides:
            room = first if top else height - last
            reach = round(min(height * random.uniform(low, high), room + (last - first) / 6))
            if not 0 < reach <= last - first:
                continue
            edge = line[:, last - reach : last] if top else line[:, first : first + reach]
            bit = np.roll(edge, int(random.integers(width // 4, 1 + width - width // 4)), axis=2)
            place = new[:, :reach] if top else new[:, height - reach :]
            place[:] = np.minimum(place, bit) if dark else np.maximum(place, bit)  # the ink of both is seen
        return new

    return effect
