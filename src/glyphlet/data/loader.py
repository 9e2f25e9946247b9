"""Feeds lines to the training: decoded once, kept in memory while they fit, in batches of equal width.

The order of an epoch is a pure function of the seed and the epoch's number, so that a resumed training can go on in
the middle of an epoch with the very batches that an uninterrupted one would have had.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from glyphlet.data.check import CheckedLine
from glyphlet.effects import Effect, apply
from glyphlet.image import Geometry, name_of, prepare, scale, stack
from glyphlet.image import Line as ImageLine


@dataclass(frozen=True)
class Batch:
    """Lines of equal padded width.

    Args:
        images: float32 (N, C, H, W), scaled, in channels-last memory format.
        labels: the classes of each line.
        lines: the lines themselves.
    """

    images: torch.Tensor
    labels: list[list[int]]
    lines: list[CheckedLine]


def plan(widths: Sequence[int], batch: int, seed: int | None, epoch: int = 0) -> list[NDArray[np.int64]]:
    """Which lines form which batch of an epoch.

    Args:
        widths: padded width of each line.
        batch: the most lines in a batch.
        seed: shuffles lines within their width, and batches; None keeps the order of the widths.
        epoch: each epoch has an order of its own.

    Returns:
        Index arrays; each index stands in exactly one of them.
    """
    random = None if seed is None else np.random.default_rng((seed, epoch))
    array = np.asarray(widths)
    batches = []
    for width in np.unique(array):
        members = np.flatnonzero(array == width)
        if random is not None:
            random.shuffle(members)
        # Equal shares instead of a small remainder: batch normalisation is noisy on two or three lines.
        batches += np.array_split(members, -(-len(members) // batch))
    if random is not None:
        batches = [batches[i] for i in random.permutation(len(batches))]
    return batches


class LineLoader:
    """Decodes, caches and batches lines.

    Args:
        lines: checked lines.
        geometry: the image shape of the model.
        batch: the most lines in a batch.
        seed: shuffles; None reads in a fixed order (validation).
        workers: threads that decode ahead. 0 decodes in the calling thread.
        cache_mb: decoded lines are kept up to this many megabytes.
        effects: what happens to each line each time (training only); each draws from a generator of its own that is
            seeded by the seed, the epoch and the line, so that neither batches nor workers nor a resume change it.
    """

    def __init__(
        self,
        lines: Sequence[CheckedLine],
        geometry: Geometry,
        *,
        batch: int,
        seed: int | None,
        workers: int = 0,
        cache_mb: int = 2048,
        effects: Sequence[Effect] = (),
    ) -> None:
        self.lines = list(lines)
        self.geometry = geometry
        self.batch = batch
        self.seed = seed
        self.workers = workers
        self.effects = effects
        self._free = cache_mb * 1_000_000
        self._cache: dict[int, ImageLine] = {}
        self._widths = [line.padded_width for line in self.lines]
        self.waited = 0.0
        """Seconds that the consumer has waited for data, since the loader was made."""

    def __len__(self) -> int:
        """Batches in an epoch (the same in each)."""
        return len(plan(self._widths, self.batch, None))

    def _line(self, index: int) -> ImageLine:
        found = self._cache.get(index)
        if found is not None:
            return found
        sample = self.lines[index].sample
        line = prepare(sample.source, self.geometry, f"{name_of(sample.source)} ({sample.origin})")
        if line.pixels.nbytes <= self._free:
            self._free -= line.pixels.nbytes
            self._cache[index] = line
        return line

    def _pixels(self, index: int, epoch: int) -> ImageLine:
        line = self._line(index)
        if not self.effects:
            return line
        random = np.random.default_rng((self.seed or 0, epoch, index))
        return replace(line, pixels=apply(self.effects, line.pixels, random))

    def _make(self, members: NDArray[np.int64], epoch: int) -> Batch:
        pixels = stack([self._pixels(int(i), epoch) for i in members])
        images = torch.from_numpy(scale(pixels, self.geometry)).contiguous(memory_format=torch.channels_last)
        lines = [self.lines[int(i)] for i in members]
        return Batch(images, [line.labels for line in lines], lines)

    def epoch(self, epoch: int = 0, start: int = 0, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        """The batches of an epoch, from batch number `start` on; with several processes each takes every n-th."""
        batches = plan(self._widths, self.batch, self.seed, epoch)
        if ranks > 1:  # the last round is filled up, since every process must make the same number of steps
            batches += batches[: -len(batches) % ranks]
        batches = batches[rank::ranks][start:]
        source = self._ahead(batches, epoch) if self.workers else (self._make(members, epoch) for members in batches)
        while True:
            begin = time.perf_counter()
            batch = next(source, None)
            self.waited += time.perf_counter() - begin
            if batch is None:
                return
            yield batch

    def _ahead(self, batches: Sequence[NDArray[np.int64]], epoch: int) -> Iterator[Batch]:
        with ThreadPoolExecutor(self.workers) as pool:
            pending: list[Future[Batch]] = []
            for members in batches:
                pending.append(pool.submit(self._make, members, epoch))
                if len(pending) > 2 * self.workers:
                    yield pending.pop(0).result()
            for future in pending:
                yield future.result()
