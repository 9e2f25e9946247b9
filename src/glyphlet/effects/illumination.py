"""Light that does not fall evenly: a lamp at one side, the shadow of a hand."""

from __future__ import annotations

import math

import numpy as np

from glyphlet.effects import EFFECTS, Effect, Pixels
from glyphlet.effects.canvas import Plane, columns, lit, rows
from glyphlet.effects.options import Range, span


def _along(line: Pixels, angle: float) -> Plane:
    """How far each pixel lies in a direction, in heights of the line, seen from the centre."""
    _, height, width = line.shape
    x, y = (columns(width) - width / 2) / height, (rows(height) - height / 2) / height
    return np.asarray(x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle)), np.float32)


@EFFECTS.register
def illumination(*, depth: Range = (0.1, 0.5)) -> Effect:
    """Light that falls off evenly from one side to the other, or from a spot outwards.

    Args:
        depth: how much darker the darkest place is than the lightest, as a share.

    Raises:
        RecipeError: it is out of range.
    """
    low, high = span("illumination", "depth", depth, 0, 0.95)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        dark, angle = random.uniform(low, high), random.uniform(0, 2 * math.pi)
        field = _along(line, angle)
        if random.random() < 0.4:  # a spot: it is brightest somewhere inside
            field = np.square(field - np.float32(random.uniform(float(field.min()), float(field.max()))))
        field -= field.min()
        field *= np.float32(-dark / max(1e-6, float(field.max())))
        return lit(line, field + np.float32(1 + random.uniform(0, 0.2) * dark))

    return effect


@EFFECTS.register
def shadow(*, depth: Range = (0.2, 0.6), softness: Range = (0.05, 0.8)) -> Effect:
    """A shadow with soft edges over a part of the line: a band, or everything on one side of an edge.

    Args:
        depth: how much light it takes away, as a share.
        softness: how wide its edge is, in heights of the line.

    Raises:
        RecipeError: an option is out of range.
    """
    low, high = span("shadow", "depth", depth, 0, 0.95)
    sharp, soft = span("shadow", "softness", softness, 0, 10)

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        height = line.shape[1]
        # Edges mostly cross the line; one that runs along it would cover all of it or nothing.
        field = _along(line, random.uniform(-1.1, 1.1) + math.pi * int(random.integers(2)))
        edge = max(1 / height, random.uniform(sharp, soft))
        first, second = np.sort(random.uniform(float(field.min()), float(field.max()), 2))
        shade = _edge(field, first, edge)
        if random.random() < 0.5:
            shade = shade - _edge(field, max(second, first + 0.3), edge)
        return lit(line, 1 - np.float32(random.uniform(low, high)) * shade)

    return effect


def _edge(field: Plane, at: float, width: float) -> Plane:
    """0 below `at`, 1 above, and a ramp between."""
    return np.asarray(np.clip((field - np.float32(at)) / np.float32(width) + np.float32(0.5), 0, 1), np.float32)
