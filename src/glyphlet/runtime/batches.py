"""Which lines are read together, and how many batches at once.

A line is padded to its own width only, and only lines of equal padded width share a batch, so its result does not depend on the lines
beside it. Memory is bounded however many sources there are: lines wait in buckets by width, and a bucket is read as soon as it holds a
batch, or when all that wait hold too many pixels.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from glyphlet.decode.reading import Reading
from glyphlet.image import Line

MAX_BATCH_PIXELS = 2**20
"""Pixels of a batch, padding counted (32 lines of 32 x 1024); a wider line is read alone."""
MAX_WAITING_PIXELS = 2**24
"""Pixels of all lines that wait for others of their width."""
MOST_THREADS = 8
"""What is used where nothing is said, of a machine with more cores."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line on its way: where its reading belongs, what it is called, and its pixels."""

    position: int
    source: str
    line: Line


Batch = list[Waiting]


def available_threads() -> int:
    """The cores that this process may use, at most `MOST_THREADS`."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MOST_THREADS))


def batches(lines: Iterable[Waiting], most: int) -> Iterator[Batch]:
    """Batches of at most so many lines of equal padded width, as soon as they are full."""
    buckets: dict[int, Batch] = {}
    pixels = 0
    for waiting in lines:
        line = waiting.line
        width = line.pixels.shape[2]
        bucket = buckets.setdefault(width, [])
        bucket.append(waiting)
        pixels += line.pixels.size
        if len(bucket) >= most or (len(bucket) + 1) * line.pixels.size > MAX_BATCH_PIXELS:
            pixels -= len(bucket) * line.pixels.size
            yield buckets.pop(width)
        elif pixels > MAX_WAITING_PIXELS:
            yield from buckets.values()
            buckets, pixels = {}, 0
    yield from buckets.values()


Done = tuple[Batch, list[Reading]]


def side_by_side(read: Callable[[Batch], list[Reading]], given: Iterator[Batch], threads: int) -> Iterator[Done]:
    """Each batch with what `read` makes of it, in order, so many at once.

    A batch that is alone is read without another thread; of the others at most twice as many as there are threads are held.
    """
    first = list(_some(given, 2))
    if threads == 1 or len(first) < 2:
        for batch in first:
            yield batch, read(batch)
        for batch in given:
            yield batch, read(batch)
        return
    with ThreadPoolExecutor(threads) as pool:
        running: deque[tuple[Batch, Future[list[Reading]]]] = deque(
            (batch, pool.submit(read, batch)) for batch in first
        )
        for batch in given:
            running.append((batch, pool.submit(read, batch)))
            if len(running) >= 2 * threads:
                done, readings = running.popleft()
                yield done, readings.result()
        for done, readings in running:
            yield done, readings.result()


def _some(given: Iterator[Batch], most: int) -> Iterator[Batch]:
    for _, batch in zip(range(most), given, strict=False):
        yield batch


__all__ = ["MAX_BATCH_PIXELS", "MAX_WAITING_PIXELS", "Batch", "Waiting", "available_threads", "batches", "side_by_side"]
