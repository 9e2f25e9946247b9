"""Where the characters of a text stand: the most probable path of a line that collapses to the text (Viterbi 1967).

The states are those of `confidence`: blank, first character, blank, ... Between the steps at which something happens
(`steps.thin`) lie plain ones that are blank anyway, so those in a row are one step that only a blank can take.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import BLANK
from glyphlet.decode.steps import Floats


def align(posteriors: Floats, labels: Sequence[int], times: NDArray[np.intp]) -> NDArray[np.intp]:
    """The class of each time step on the most probable path of a text.

    Args:
        posteriors: logarithms, (T, K).
        labels: the classes of the text; it must fit into the steps `times`.
        times: the steps at which a character may stand, ascending.

    Returns:
        Classes (T,).

    >>> logs = np.log([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    >>> align(logs, [1, 1], np.arange(3)).tolist(), align(logs, [1], np.arange(3)).tolist()
    ([1, 0, 1], [1, 0, 0])
    """
    states = np.zeros(2 * len(labels) + 1, np.intp)
    states[1::2] = labels
    rows, owners = _rows(posteriors, states, times)
    skips = np.full(len(states), -np.inf)
    skips[3::2] = np.where(states[3::2] != states[1:-2:2], 0.0, -np.inf)
    came = np.zeros((len(rows), len(states)), np.intp)
    ways = np.full((3, len(states)), -np.inf)  # from the same state, from the one before, from two before
    score = np.full(len(states), -np.inf)
    score[:2] = rows[0, :2]
    for number in range(1, len(rows)):
        ways[0] = score
        ways[1, 1:] = score[:-1]
        ways[2, 2:] = score[:-2] + skips[2:]
        came[number] = ways.argmax(axis=0)
        score = ways.max(axis=0) + rows[number]
    state = len(states) - 1
    if len(states) > 1 and score[-2] > score[-1]:
        state -= 1
    found = np.zeros(len(rows), np.intp)
    for number in range(len(rows) - 1, -1, -1):
        found[number] = states[state]
        state -= came[number, state]
    path = np.zeros(len(posteriors), np.intp)
    path[times] = found[owners >= 0]
    return path


def _rows(posteriors: Floats, states: NDArray[np.intp], times: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
    """The posteriors of the states, (R, S), and the time step of each row; -1 for plain steps in a row."""
    busy = np.zeros(len(posteriors), bool)
    busy[times] = True
    first = busy.copy()  # of plain steps in a row, the first
    first[1:] |= ~busy[1:] & busy[:-1]
    first[0] = True
    kept = np.flatnonzero(first)
    rows = posteriors[kept][:, states]
    plain = ~busy[kept]
    sums = np.add.reduceat(posteriors[:, BLANK], kept)
    rows[plain] = np.where(states == BLANK, sums[plain, None], -np.inf)
    return rows, np.where(plain, -1, kept)


__all__ = ["align"]
