"""Which lines are seen when: the order of an epoch, and which lines make one update.

The order is a pure function of the seed and the epoch's number, so a resumed training goes on in the middle of an epoch
with the very batches that an uninterrupted one would have had.

Lines of a batch must be equally wide, since a line is never padded to the width of its neighbours. Lines of an *update*
need not be: an update takes `batch` lines, whatever their widths, as one or several batches whose gradients are added up,
each with the weight of its lines. So every line counts the same, rare widths too, and an epoch has the same number of
updates for any mix of widths. To keep the batches of an update few, the lines of `POOL` updates are sorted by width
before they are cut into updates; the updates are shuffled again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
POOL = 1024
"""Updates whose lines are sorted by width together: the more, the fewer batches of few lines."""
RENDERED_POOL = 64
"""The same for lines that are rendered as they are needed, which have to be waited for."""
REACH = 0.4
"""How far a cut may move to where the width changes, as a share of the update that it takes lines from. Below a half, so
that cuts keep their order and no update is empty."""


def draws(count: int, weights: NDArray[np.float32] | None, seed: int, epoch: int) -> Indices:
    """The lines of an epoch in random order; a line of weight w stands there w times, on average over the epochs.

    Args:
        count: the number of lines.
        weights: how often each is seen in an epoch, float32 (count,); None is once.
        seed: decides the order.
        epoch: each epoch has an order of its own.

    Returns:
        int64; as many as the weights sum up to, rounded, in every epoch.
    """
    random = np.random.default_rng((seed, epoch))
    indices = np.arange(count)
    if weights is not None:
        parts = []
        for weight in np.unique(weights):  # one for each source
            members = np.flatnonzero(weights == weight)
            whole, rest = int(weight), round((float(weight) % 1) * len(members))
            # The rest wanders through the set, so that two epochs of weight 0.5 see every line once.
            order = np.random.default_rng((seed, len(members))).permutation(members)
            at = (epoch * rest + np.arange(rest)) % max(1, len(members))
            parts += [members] * whole + [order[at]]
        indices = np.concatenate(parts)
    random.shuffle(indices)
    return indices


def pools(order: Indices, batch: int, updates: int = POOL) -> list[Indices]:
    """Cut an epoch's order into nearly equal parts of about so many updates."""
    return np.array_split(order, max(1, round(len(order) / (batch * updates))))


def updates_in(lines: int, batch: int, updates: int = POOL) -> int:
    """The number of updates in an epoch of so many lines, in pools of about so many updates."""
    return sum(-(-len(pool) // batch) for pool in pools(np.arange(lines), batch, updates))


def by_width(widths: NDArray[np.int32], members: Indices) -> list[Indices]:
    """Members grouped by their width, narrow ones first, each group in the order of the members."""
    order = members[np.argsort(widths[members], kind="stable")]
    cuts = np.flatnonzero(np.diff(widths[order])) + 1
    return np.split(order, cuts)


def pool_updates(widths: NDArray[np.int32], count: int, seed: int, epoch: int, number: int) -> Iterator[list[Indices]]:
    """The updates of a pool.

    Args:
        widths: the padded width of each line of the pool, int32 (N,).
        count: how many updates to make of them.
        seed, epoch, number: of the pool; they decide the order of the updates.

    Yields:
        For each update its batches: positions in the pool, of equal width in each batch.
    """
    order = np.argsort(widths, kind="stable")
    shares = np.split(order, _cuts(widths[order], count))
    for i in np.random.default_rng((seed, epoch, number)).permutation(count):
        if len(shares[i]):
            yield by_width(widths, shares[i])


def _cuts(widths: NDArray[np.int32], count: int) -> Indices:
    """Where sorted widths are cut into `count` parts of equal width in sum, or where the width changes close by."""
    ranks, lines = np.arange(1, count), len(widths)
    total = np.cumsum(widths, dtype=np.int64)
    even: Indices = np.searchsorted(total, ranks * (total[-1] / count)) + 1
    even = np.maximum.accumulate(even - ranks) + ranks  # at least one line in each part
    even = np.minimum(even, lines - ranks[::-1])
    changes = np.flatnonzero(np.diff(widths)) + 1
    if not len(changes) or not len(even):
        return even
    sizes = np.diff(np.concatenate([[0], even, [lines]]))
    after = np.searchsorted(changes, even).clip(0, len(changes) - 1)
    nearest = changes[np.stack([(after - 1).clip(0), after])]
    move = (nearest - even)[np.abs(nearest - even).argmin(0), np.arange(len(even))]
    near = (move <= REACH * sizes[1:]) & (-move <= REACH * sizes[:-1])
    even += np.where(near, move, 0)
    return even


def fixed_batches(widths: Sequence[int] | NDArray[np.int32], batch: int) -> list[Indices]:
    """Every line once, in batches of equal width and at most `batch` lines, narrow ones first: for validation."""
    array = np.asarray(widths, np.int32)
    groups = by_width(array, np.arange(len(array))) if len(array) else []
    return [part for group in groups for part in np.array_split(group, -(-len(group) // batch))]


def share(update: Sequence[Indices], owners: NDArray[np.int64] | None, rank: int, ranks: int) -> list[Indices]:
    """The lines of each batch of an update that one of several processes computes; it may have none.

    Args:
        update: its batches, of equal width each.
        owners: the process that has each line at hand (by position in the pool); None lets them take turns through the
            update, so that each has as many lines of each width as the others, or one more.
        rank, ranks: which process, of how many.
    """
    turns = np.arange(sum(map(len, update))) if owners is None else np.concatenate([owners[part] for part in update])
    ends = np.cumsum([len(part) for part in update])
    return [part[turns[end - len(part) : end] % ranks == rank] for part, end in zip(update, ends, strict=True)]
