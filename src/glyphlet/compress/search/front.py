"""Which candidates no other beats, who goes on to the next rung, and which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from glyphlet.compress.search.entrants import Entrant
from glyphlet.compress.search.limits import Limits
from glyphlet.compress.search.plan import ETA


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """The places of the points that no other beats: none is cheaper and at least as good, or as cheap and better.

    Args:
        points: (cost, accuracy).

    >>> front([(10, 0.5), (20, 0.9), (30, 0.8), (20, 0.7), (5, 0.1)])
    [4, 0, 1]
    """
    found: list[int] = []
    for place in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i)):
        if not found or points[place][1] > points[found[-1]][1]:
            found.append(place)
    return found


def standing(entrants: Sequence[Entrant]) -> list[Entrant]:
    """Those that have been read with and are what they will be: not yet to be cut, not failed."""
    return [entrant for entrant in entrants if entrant.last and entrant.weights and not entrant.failed]


def promoted(entrants: Sequence[Entrant], count: int, limits: Limits, least: float | None = None) -> list[Entrant]:
    """Who goes on after a rung, the best first.

    Whole networks that are yet to be cut are compared among themselves, since they cost more than the others: of these, too,
    one of `ETA` goes on.

    Args:
        entrants: of the rung.
        count: how many go on, at least one of those to be cut among them, if there are any.
        limits: say what counts as small.
        least: the word accuracy that is wanted. Of those that have it already, the smallest are the best.
    """
    alive = [entrant for entrant in entrants if entrant.last and not entrant.failed]

    def better(entrant: Entrant) -> tuple[float, ...]:
        assert entrant.last
        if least is not None and entrant.last.read.word >= least:
            return (1.0, -limits.key(entrant.kb, entrant.ms))
        return (0.0, *entrant.last.rank())

    whole = sorted([e for e in alive if e.weights is None], key=better, reverse=True)
    plain = sorted([e for e in alive if e.weights is not None], key=better, reverse=True)
    cuts = whole[: max(1, len(whole) // ETA)] if count > 1 or not plain else []
    kept = plain[: count - len(cuts)]
    return sorted([*kept, *cuts], key=better, reverse=True)


def chosen(entrants: Sequence[Entrant], limits: Limits, least: float | None = None) -> Entrant | None:
    """The most accurate (of equals the smallest), or the smallest (or the fastest, see `Limits.key`) that has at least some word accuracy.

    Args:
        entrants: all; those without a reading do not count.
        limits: say what counts as small.
        least: the word accuracy that is wanted; where none has it, the most accurate is chosen.
    """
    found = standing(entrants)
    if not found:
        return None
    enough = [e for e in found if e.read and least is not None and e.read.word >= least]
    if enough:
        return min(enough, key=lambda e: (limits.key(e.kb, e.ms), -_accuracy(e)[0]))
    return max(found, key=lambda e: (*_accuracy(e), -limits.key(e.kb, e.ms)))


def _accuracy(entrant: Entrant) -> tuple[float, float]:
    assert entrant.read
    return entrant.read.rank("word")


__all__ = ["chosen", "front", "promoted", "standing"]
