"""Options of effects as recipes write them: a number, or a range that a number is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glyphlet.errors import RecipeError

Range = float | Sequence[float]
"""One number, or two: from and to."""
Span = tuple[float, float]


def refuse(effect: str, option: str, value: object, allowed: str) -> RecipeError:
    """The error for an option that is out of range."""
    return RecipeError(f"effect {effect} has {option} {value!r}", allowed=allowed, next_step="correct it")


def span(effect: str, option: str, value: Any, low: float, high: float) -> Span:
    """A range within limits; a single number is a range of one value.

    Raises:
        RecipeError: it is neither one number nor two in order, or it exceeds the limits.
    """
    pair = (value, value) if _is_number(value) else value
    good = isinstance(pair, list | tuple) and len(pair) == 2 and all(_is_number(v) for v in pair)
    if not good or not low <= pair[0] <= pair[1] <= high:
        raise refuse(effect, option, value, f"a number, or two, [from, to], from {low:g} to {high:g}")
    return float(pair[0]), float(pair[1])


def whole_span(effect: str, option: str, value: Any, low: int, high: int) -> tuple[int, int]:
    """As `span`, for whole numbers; both ends are drawn, too."""
    first, last = span(effect, option, value, low, high)
    if first % 1 or last % 1:
        raise refuse(effect, option, value, f"a whole number, or two, [from, to], from {low} to {high}")
    return int(first), int(last)


def number(effect: str, option: str, value: Any, low: float, high: float) -> float:
    """A number within limits.

    Raises:
        RecipeError: it is none, or exceeds them.
    """
    if not _is_number(value) or not low <= value <= high:
        raise refuse(effect, option, value, f"{low:g} to {high:g}")
    return float(value)


def words(effect: str, option: str, value: Any, known: Sequence[str]) -> list[str]:
    """One or more of the known words.

    Raises:
        RecipeError: there are none, or one is unknown.
    """
    if not isinstance(value, list | tuple) or not value or any(v not in known for v in value):
        raise refuse(effect, option, value, f"a list of one or more of: {', '.join(known)}")
    return list(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
