"""What a search looks at of a line's posteriors: the steps at which something happens, and the classes that matter there.

At most steps a CTC model is sure of the blank. Such plain steps in a row act on a search like one step that only has a
blank, so they are merged. At the others those classes are kept that have a posterior above a threshold and, under an
automaton, the two best of each of its groups. Two, for the one may be the last character of a text, which needs a blank
before it is written again. So whatever the model believes, a legal text can be written wherever there are steps enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import BLANK
from glyphlet.decode.automaton import Automaton

Floats = NDArray[np.float64]
MARGIN = 1e-5
"""What is this much less probable than the best there is is dropped."""
LEAST = -300.0
"""The logarithm below which a posterior counts as this, so that no product of a few becomes 0."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a search.

    Args:
        plain: the probability that the plain steps before it are all blank; None where there are none.
        blank: the posterior of the blank.
        kept: the posteriors of the classes that are looked at.
        likely: (class, posterior, group) of those above `MARGIN`.
    """

    plain: float | None
    blank: float
    kept: dict[int, float]
    likely: list[tuple[int, float, int]]


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a line.

    Args:
        steps: those at which something happens.
        times: the time step of each, intp (n,).
        tail: what `Step.plain` is, for the plain steps behind the last.
    """

    steps: list[Step]
    times: NDArray[np.intp]
    tail: float


def thin(
    logits: NDArray[Any],
    normalizers: Floats,
    automaton: Automaton,
    threshold: float,
    whole: bool = False,
    margin: float = MARGIN,
) -> Steps:
    """The steps and classes of a line that matter.

    Args:
        logits: float (T, K).
        normalizers: what makes logarithms of posteriors of them, (T,); see `confidence.log_normalizers`.
        automaton: the legal texts.
        threshold: posteriors up to here are left out.
        whole: do not merge plain steps.
        margin: posteriors up to here are not likely.
    """
    bound = normalizers + np.log(threshold) if threshold > 0 else np.full(len(logits), -np.inf)
    above = logits > bound[:, None].astype(logits.dtype)
    above[:, BLANK] = False
    busy = np.ones(len(above), bool) if whole else above.any(axis=1)
    times = np.flatnonzero(busy)
    rows, kept = logits[times] - normalizers[times, None], above[times]
    if not automaton.free:
        kept = _legal(rows, kept, automaton)
    blanks = np.exp(np.maximum(rows[:, BLANK], LEAST)).tolist()
    plain, tail = _plain(logits[:, BLANK] - normalizers, times)
    steps = [Step(before, blank, {}, []) for before, blank in zip(plain, blanks, strict=True)]
    number, label = np.nonzero(kept)
    group_of = automaton.group_of
    columns = (number.tolist(), label.tolist(), np.exp(np.maximum(rows[number, label], LEAST)).tolist())
    for at, found, posterior in zip(*columns, strict=True):
        steps[at].kept[found] = posterior
        if posterior > margin:
            steps[at].likely.append((found, posterior, group_of[found]))
    return Steps(steps, times, tail)


def _legal(rows: Floats, kept: NDArray[np.bool_], automaton: Automaton) -> NDArray[np.bool_]:
    """What is kept under an automaton: nothing that is never legal, and the two best of each group."""
    found = np.zeros_like(kept)
    several = [members for members in automaton.groups if len(members) > 2]
    found[:, [label for members in automaton.groups if len(members) <= 2 for label in members]] = True
    lines = np.arange(len(rows))
    for members in several:
        columns = np.array(members)
        inner = rows[:, columns]
        found[:, columns] = kept[:, columns]
        for _ in range(2):
            best = inner.argmax(axis=1)
            found[lines, columns[best]] = True
            inner[lines, best] = -np.inf
    return found


def _plain(blanks: Floats, times: NDArray[np.intp]) -> tuple[list[float | None], float]:
    """The probability of blanks between the busy steps, and behind the last."""
    total = np.concatenate([[0.0], np.cumsum(np.maximum(blanks, LEAST))])  # in front of each step
    starts = np.concatenate([[0], times + 1])
    ends = np.append(times, len(blanks))
    between = np.exp(np.maximum(total[ends] - total[starts], LEAST))
    values: list[Any] = np.where(ends > starts, between, np.nan).tolist()
    return [None if value != value else value for value in values[:-1]], float(between[-1])


__all__ = ["Floats", "Step", "Steps", "thin"]
