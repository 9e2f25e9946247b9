"""How long the rungs are, so that they fit into the time.

Successive halving (Jamieson and Talwalkar 2016, arXiv 1502.07943): all candidates are trained for a short time, the best third of them for
three times as long, and so on; Hyperband (Li et al. 2017, arXiv 1603.06560) calls it a bracket. Here each rung goes on from where the last
one ended. Their lengths are counted in updates, the same for all candidates of a rung, and planned from the measured
speed of each; they are planned anew before each rung from what is left of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ETA = 3
"""One candidate of so many goes on, so many times as long."""
LAST = 3
"""A rung of at most so many candidates is the last."""
FEWEST = 30
"""Updates of the first rung at the least; there are fewer candidates rather than fewer updates."""
SHARE = 0.92
"""Of the time that is planned for; the rest is for what cannot be foreseen."""


def sizes(candidates: int) -> list[int]:
    """How many candidates each rung has.

    >>> sizes(14), sizes(3), sizes(1)
    ([14, 5, 2], [3, 1], [1])
    """
    found = [candidates]
    while found[-1] > LAST or (len(found) == 1 and candidates > 1):
        found.append(-(-found[-1] // ETA))
    return found


@dataclass(frozen=True)
class Pace:
    """What an update costs a candidate in seconds, and what it costs to read the validation lines with it."""

    update: float
    validate: float


def rung_ends(done: int, counts: Sequence[int], paces: Sequence[Pace], seconds: float, most: int) -> list[int]:
    """At how many updates, from the first, each of the coming rungs ends.

    Args:
        done: updates that the candidates have had.
        counts: candidates of each coming rung; those after the first of these are taken as fast as all of its candidates
            are in the mean.
        paces: of the candidates of the first of these.
        seconds: that there are.
        most: updates at which the last one ends at the latest.

    Returns:
        Rising numbers above `done`. Each is `ETA` times the one before; after the first rung less where the time has become
        short, and up to twice as much where some is left over.
    """
    low, high = 1e-6, float(most)
    for _ in range(60):
        middle = (low + high) / 2
        if _seconds(done, _ends(done, counts, middle, most), counts, paces) <= SHARE * seconds:
            low = middle
        else:
            high = middle
    return [max(done + number, round(end)) for number, end in enumerate(_ends(done, counts, low, most), 1)]


def _ends(done: int, counts: Sequence[int], size: float, most: int) -> list[float]:
    """The ends for one size of plan: of a first rung it is its updates; later it is the factor from rung to rung, less 1."""
    ends, at = [], float(done)
    for number in range(len(counts)):
        factor = ETA if not done else min(1 + size, 2 * ETA)
        at = at * factor if at else size
        ends.append(min(at, most * ETA ** (number + 1.0 - len(counts)) if not done else most))
    return ends


def _seconds(done: int, ends: Sequence[float], counts: Sequence[int], paces: Sequence[Pace]) -> float:
    update = sum(pace.update for pace in paces) / len(paces)
    validate = sum(pace.validate for pace in paces) / len(paces)
    total, at = 0.0, float(done)
    for end, count in zip(ends, counts, strict=True):
        total += count * ((end - at) * update + validate)
        at = end
    return total


def affordable(paces: Sequence[Pace], seconds: float, most: int) -> int:
    """How many of the candidates, from the first, the time is enough for, if each has `FEWEST` updates; at least 1."""
    for count in range(len(paces), 1, -1):
        ends = rung_ends(0, sizes(count), paces[:count], seconds, most)
        if ends[0] >= min(FEWEST, most // ETA ** (len(ends) - 1)):
            return count
    return 1


__all__ = ["ETA", "FEWEST", "LAST", "SHARE", "Pace", "affordable", "rung_ends", "sizes"]
