"""Cut a validation part from the training lines, the same one every time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

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
