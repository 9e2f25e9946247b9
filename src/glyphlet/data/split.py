"""Cut a validation part from the training lines, the same one every time."""

from __future__ import annotations

import random
from array import array
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError

T = TypeVar("T")
_EXACT = 1 << 29
"""Bits that the exact choice of groups may take (64 MB); beyond it, the greedy choice is within a group of the share."""


def split(items: Sequence[T], share: float, seed: int) -> tuple[list[T], list[T]]:
    """Split into a larger and a smaller part, at random but fixed by the seed, each in the original order.

    Args:
        items: what to split.
        share: the share of the second part, between 0 and 1; both parts get at least one item.
        seed: decides which items go where.

    Raises:
        LabelError: there are fewer than two items.

    >>> split("abcde", 0.2, seed=12)
    (['b', 'c', 'd', 'e'], ['a'])
    """
    second = _drawn(len(items), share, seed)
    return [x for i, x in enumerate(items) if not second[i]], [x for i, x in enumerate(items) if second[i]]


def split_lines(lines: LineSet, share: float, seed: int, most: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split the lines of a set, by number, into a larger and a smaller part; lines of a group stay together.

    Without groups it is the split of `split`. With groups, they are taken in random order while they fit; when that misses
    the share, those are taken whose lines come nearest to it. A line without a group is a group of its own.

    Args:
        lines: the set.
        share: the share of the second part, between 0 and 1; both parts get at least one line.
        seed: decides which lines go where.
        most: the most lines of the second part, as near as groups allow; 0 sets no limit.

    Returns:
        The numbers of both parts, int64, ascending.

    Raises:
        LabelError: there are fewer than two lines, or all lines are of one group.
    """
    share = min(share, most / max(1, len(lines))) if most else share
    group = _groups(lines) if lines.grouped else None
    if group is None:
        second = _drawn(len(lines), share, seed)
        return np.flatnonzero(~second), np.flatnonzero(second)
    sizes = np.bincount(group)
    if len(sizes) < 2:
        raise LabelError(
            f"all {len(lines):,} lines are of one group ({lines.group(0)!r})",
            allowed="two groups or more, to cut a validation part from",
            next_step="change the group, or name validation lines of their own",
        )
    chosen = np.zeros(len(sizes), bool)
    chosen[_chosen(sizes.tolist(), max(1, round(len(lines) * share)), seed)] = True
    second = chosen[group]
    return np.flatnonzero(~second), np.flatnonzero(second)


def _drawn(total: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Which items are in the second part, bool (N,)."""
    if total < 2:
        raise LabelError(
            f"{total} line is too few to cut a validation part from",
            allowed="two lines or more",
            next_step="label more lines, or name validation labels of their own",
        )
    count = min(total - 1, max(1, round(total * share)))
    # An array of 8 bytes an item is shuffled to the same order as a list of Python's integers, which would take 40.
    order: MutableSequence[int] = array("q", range(total))
    random.Random(seed).shuffle(order)
    second = np.zeros(total, bool)
    second[np.frombuffer(order, np.int64)[:count]] = True  # type: ignore[call-overload]
    return second


def _groups(lines: LineSet) -> NDArray[np.int64] | None:
    """The number of each line's group, int64 (N,); None when every line is alone."""
    known: dict[str, int] = {}
    numbers = array("q", bytes(8 * len(lines)))
    following = 0
    for index in range(len(lines)):
        name = lines.group(index)
        number = known.get(name, following) if name else following
        if name:
            known[name] = number
        numbers[index] = number
        following += number == following
    return np.frombuffer(numbers, np.int64) if following < len(lines) else None


def _chosen(sizes: list[int], wanted: int, seed: int) -> list[int]:
    """Groups whose lines together come as near as can be to what is wanted; never all groups, never none."""
    order = list(range(len(sizes)))
    random.Random(seed).shuffle(order)
    taken: list[int] = []
    total = 0
    for group in order[: len(order) if len(order) > 2 else 1]:
        if total + sizes[group] <= wanted and len(taken) < len(sizes) - 1:
            taken.append(group)
            total += sizes[group]
    if total == wanted:
        return taken
    if (wanted + max(sizes)) * len(sizes) <= _EXACT:
        return _nearest(sizes, order, wanted)
    rest = [group for group in order if group not in set(taken)]
    closest = min(rest, key=lambda group: abs(total + sizes[group] - wanted))
    better = abs(total + sizes[closest] - wanted) < wanted - total and len(rest) > 1
    return [*taken, closest] if better or not taken else taken


def _nearest(sizes: list[int], order: list[int], wanted: int) -> list[int]:
    """The subset whose sum is nearest, by the sums that each further group makes possible (bits of an integer)."""
    mask = (1 << (wanted + max(sizes) + 1)) - 1
    possible = [1]
    for group in order:
        possible.append((possible[-1] | possible[-1] << sizes[group]) & mask)
    every = sum(sizes)
    sums = (wanted + sign * step for step in range(wanted + max(sizes)) for sign in (-1, 1))
    total = next(s for s in sums if 0 < s < every and possible[-1] >> s & 1)
    taken = []
    for number in range(len(order), 0, -1):
        if not possible[number - 1] >> total & 1:
            taken.append(order[number - 1])
            total -= sizes[order[number - 1]]
    return taken
