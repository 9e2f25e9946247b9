"""Checks of a part's options; each raises a `RecipeError` that names the value and what is allowed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from glyphlet.errors import RecipeError


def one_of(where: str, value: Any, allowed: Collection[Any]) -> None:
    """Refuse a value that is none of these; `where` is its place: `model.backbone.scale`."""
    if value not in allowed:
        raise RecipeError(
            f"{where} is {value!r}", allowed=", ".join(str(a) for a in allowed), next_step="correct the recipe"
        )


def within(where: str, value: int, low: int, high: int) -> None:
    """Refuse a number that is below `low` or above `high`."""
    if not low <= value <= high:
        raise RecipeError(
            f"{where} is {value!r}", allowed=f"a whole number from {low} to {high}", next_step="correct the recipe"
        )
