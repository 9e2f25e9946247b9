"""Cut a validation part from the training lines, the same one every time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError

T = TypeVar("T")


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
    if len(items) < 2:
        raise LabelError(
            f"{len(items)} line is too few to cut a validation part from",
            allowed="two lines or more",
            next_step="label more lines, or name validation labels of their own",
        )
    count = min(len(items) - 1, max(1, round(len(items) * share)))
    order = list(range(len(items)))
    random.Random(seed).shuffle(order)
    second = set(order[:count])
    return [x for i, x in enumerate(items) if i not in second], [x for i, x in enumerate(items) if i in second]


def split_lines(lines: LineSet, share: float, seed: int, most: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split the lines of a set, by number, into a larger and a smaller part; lines of a group stay together.

    Without groups it is the split of `split`. Groups are taken in random order as long as the smaller part comes nearer
    to its share by them.

    Args:
        lines: the set.
        share: the share of the second part, between 0 and 1; both parts get at least one line.
        seed: decides which lines go where.
        most: the most lines of the second part; 0 sets no limit.

    Returns:
        The numbers of both parts, int64, ascending.

    Raises:
        LabelError: there are fewer than two lines, or all lines are of one group.
    """
    share = min(share, most / max(1, len(lines))) if most else share
    groups: dict[str, list[int]] = {}
    for index in range(len(lines)):
        group = lines.group(index)
        groups.setdefault(group or f"\0{index}", []).append(index)
    if len(groups) == len(lines):
        first, second = split(range(len(lines)), share, seed)
        return np.array(first, np.int64), np.array(second, np.int64)
    if len(groups) < 2:
        raise LabelError(
            f"all {len(lines)} lines are of one group ({next(iter(groups))!r})",
            allowed="two groups or more, to cut a validation part from",
            next_step="change the group, or name validation lines of their own",
        )
    names = list(groups)
    random.Random(seed).shuffle(names)
    wanted, taken = max(1, round(len(lines) * share)), 0
    chosen = np.zeros(len(lines), bool)
    for name in names[:-1]:  # one group stays at least
        size = len(groups[name])
        if taken and abs(taken + size - wanted) > abs(taken - wanted):
            continue
        chosen[groups[name]] = True
        taken += size
        if taken >= wanted:
            break
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)
