"""Combinations: one of several effects, some of them, all of them in order. They nest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glyphlet.effects import EFFECTS, Effect, Pixels, apply, build_effects
from glyphlet.effects.options import Range, refuse, whole_span
from glyphlet.errors import RecipeError
from glyphlet.spec import PartSpec


def parts_of(kind: str, effects: Any) -> list[PartSpec]:
    """A nested list as a recipe writes it: names, or mappings with a name and options.

    Raises:
        RecipeError: an entry is neither.
    """
    if not isinstance(effects, list | tuple):
        raise refuse(kind, "effects", effects, "a list of effects, [{name: ...}, ...]")
    found = []
    for entry in effects:
        if isinstance(entry, str):
            entry = {"name": entry}
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
            found.append(PartSpec.model_validate(dict(entry)))
        elif isinstance(entry, PartSpec):
            found.append(entry)
        else:
            raise RecipeError(
                f"effect {kind} has {entry!r} among its effects",
                allowed="a name, or {name: ..., options}",
                next_step="correct it",
            )
    return found


@EFFECTS.register
def one_of(*, effects: Sequence[Any] = (), weights: Sequence[float] | None = None) -> Effect:
    """Exactly one of several effects for each line.

    Args:
        effects: which ones. One that has a `p` of its own may still leave the line as it is.
        weights: how often each is chosen, in proportion; equally often by default.

    Raises:
        RecipeError: there are none, one is not valid, or the weights do not fit.
    """
    built = build_effects(parts_of("one_of", effects))
    if not built:
        raise refuse("one_of", "effects", effects, "one effect or more")
    chances = _chances(weights, len(built))

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        return built[int(np.searchsorted(chances, random.random(), side="right"))](line, random)

    return effect


def _chances(weights: Any, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Cumulative probabilities without the last, which is 1."""
    given = [1.0] * count if weights is None else weights
    numbers = isinstance(given, list | tuple) and all(
        isinstance(w, int | float) and not isinstance(w, bool) and 0 <= w < 1e9 for w in given
    )
    if not numbers or len(given) != count or not sum(given) > 0:
        raise refuse("one_of", "weights", weights, f"{count} numbers, as many as effects, 0 or more and not all 0")
    return np.cumsum(np.asarray(given, np.float64) / sum(given))[:-1]


@EFFECTS.register
def some_of(*, effects: Sequence[Any] = (), count: Range = (1, 2)) -> Effect:
    """A random choice of several effects for each line, applied in the order of the list.

    Args:
        effects: which ones.
        count: how many of them; a number, or from and to.

    Raises:
        RecipeError: there are none, one is not valid, or there are fewer than `count`.
    """
    built = build_effects(parts_of("some_of", effects))
    if not built:
        raise refuse("some_of", "effects", effects, "one effect or more")
    fewest, most = whole_span("some_of", "count", count, 0, len(built))

    def effect(line: Pixels, random: np.random.Generator) -> Pixels:
        chosen = random.permutation(len(built))[: random.integers(fewest, most + 1)]
        return apply([built[i] for i in sorted(chosen)], line, random)

    return effect


@EFFECTS.register
def sequence(*, effects: Sequence[Any] = ()) -> Effect:
    """Several effects in order, as one; with `p` they happen together or not at all. An empty one changes nothing.

    Args:
        effects: which ones.

    Raises:
        RecipeError: one is not valid.
    """
    built = build_effects(parts_of("sequence", effects))
    return lambda line, random: apply(built, line, random)
