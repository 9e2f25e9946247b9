"""Where the characters of a text stand: the most probable path of a line that collapses to the text (Viterbi 1967).

The states are those of `confidence`: blank, first character, blank, ... Between the steps at which something happens
(`steps.thin`) lie plain ones that are blank anyway, so those in a row are one step that only a blank can take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import BLANK
from glyphlet.decode.steps import Floats


def align(
    logits: NDArray[Any], normalizers: Floats, labels: Sequence[int], times: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The class of each time step on the most probable path of a text.

    Args:
        logits: float (T, K).
        normalizers: what makes logarithms of posteriors of them, (T,).
        labels: the classes of the text; it must fit into the steps `times`.
        times: the steps at which a character may stand, ascending.

    Returns:
        Classes (T,).

    >>> logs = np.log([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    >>> [align(logs, np.zeros(3), labels, np.arange(3)).tolist() for labels in ([1, 1], [1])]
    [[1, 0, 1], [1, 0, 0]]
    """
    states = np.zeros(2 * len(labels) + 1, np.intp)
    states[1::2] = labels
    rows, owners = _rows(logits, normalizers, states, times)
    skips = np.full(len(states), -np.inf)
    skips[3::2] = np.where(states[3::2] != states[1:-2:2], 0.0, -np.inf)
    scores = np.full((len(rows), len(states) + 2), -np.inf)  # two states that cannot be stand before the first
    scores[0, 2:4] = rows[0, :2]
    best = np.empty(len(states))
    for before, row, score in zip(scores, rows[1:], scores[1:], strict=False):
        np.add(before[:-2], skips, out=best)  # from two states before
        np.maximum(best, before[1:-1], out=best)
        np.maximum(best, before[2:], out=best)
        np.add(best, row, out=score[2:])
    found = states[_back(scores.tolist(), skips.tolist())]
    path = np.zeros(len(logits), np.intp)
    path[times] = found[owners >= 0]
    return path


def _back(scores: list[list[float]], skips: list[float]) -> list[int]:
    """The state of each row on the best path; of equal ways the shortest step back."""
    last = len(skips) - 1
    state = last - 1 if last and scores[-1][last + 1] > scores[-1][last + 2] else last
    found = [state]
    for before in scores[-2::-1]:
        same, one, two = before[state + 2], before[state + 1], before[state] + skips[state]
        state -= 0 if same >= one and same >= two else 1 if one >= two else 2
        found.append(state)
    return found[::-1]


def _rows(
    logits: NDArray[Any], normalizers: Floats, states: NDArray[np.intp], times: NDArray[np.intp]
) -> tuple[Floats, NDArray[np.intp]]:
    """The log-posteriors of the states, (R, S), and the time step of each row; -1 for plain steps in a row."""
    busy = np.zeros(len(logits), bool)
    busy[times] = True
    first = busy.copy()  # of plain steps in a row, the first
    first[1:] |= ~busy[1:] & busy[:-1]
    first[0] = True
    kept = np.flatnonzero(first)
    rows = logits[kept[:, None], states] - normalizers[kept, None]
    plain = ~busy[kept]
    sums = np.add.reduceat(logits[:, BLANK] - normalizers, kept)
    rows[plain] = np.where(states == BLANK, sums[plain, None], -np.inf)
    return rows, np.where(plain, -1, kept)


__all__ = ["align"]
