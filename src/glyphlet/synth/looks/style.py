"""What looks change: how the pieces of one line are drawn and where they stand.

Lengths are shares of the font size (em), so that they mean the same at every size; x grows to the right, y downwards, and
angles are degrees, clockwise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from glyphlet.errors import RecipeError

Point = tuple[float, float, float]
Curve = Callable[[float, float], Point]
"""From a place on the straight baseline and its whole length, both in em, to x, y and the direction there."""


@dataclass(frozen=True)
class Rule:
    """A line along the text: `height` above the baseline (below it when negative) and `thickness`, in em."""

    height: float
    thickness: float


@dataclass
class Style:
    """The style of one line; looks change it one after the other.

    Args:
        words: for each piece (a character, or a shaped word) the number of the word it belongs to.
    """

    words: Sequence[int]
    bold: float = 0.0
    slant: float = 0.0
    tracking: list[float] = field(default_factory=list)
    """Extra space after each piece; empty for none."""
    scale: list[float] = field(default_factory=list)
    """The size of each piece, in parts of the font size; empty for all the same."""
    lift: list[float] = field(default_factory=list)
    """How far each piece stands above the baseline; empty for none."""
    turn: list[float] = field(default_factory=list)
    """The direction of each piece; empty for none."""
    lean: list[float] = field(default_factory=list)
    """What each piece leans to the right beyond `slant`; empty for none."""
    curve: Curve | None = None
    outline: float = 0.0
    hollow: bool = False
    shadow: tuple[float, float] | None = None
    """To the right and downwards."""
    shadow_strength: float = 0.0
    rules: list[Rule] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.words)


Look = Callable[[Style, random.Random], None]


def check(look: str, least: float, most: float, low: float, high: float, *, names: str = "least and most") -> None:
    """Refuse a range that is out of order or out of bounds.

    Raises:
        RecipeError: it is.
    """
    if not low <= least <= most <= high:
        raise RecipeError(
            f"look {look} has {names} {least} and {most}",
            allowed=f"from {low} to {high}, the smaller one first",
            next_step="correct it",
        )


def check_one(look: str, name: str, value: float, low: float, high: float) -> None:
    """Refuse an option that is out of bounds.

    Raises:
        RecipeError: it is.
    """
    if not low <= value <= high:
        raise RecipeError(f"look {look} has {name} {value}", allowed=f"{low} to {high}", next_step="correct it")
