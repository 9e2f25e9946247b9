"""Feeds lines to the training: decoded once, kept in memory while they fit, prepared ahead by other processes.

    loader = LineLoader(task.train, geometry, batch=64, seed=1, effects=recipe.augment, workers=2)
    for update in loader.epoch(0):          # len(loader) of them
        for batch in update: ...            # lines of equal width; their gradients are added up

Which lines make which update is decided in `plan`, what their pixels are in `prepare`; this file moves them.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from glyphlet.data.check import CheckedLines
from glyphlet.data.plan import (
    POOL,
    RENDERED_POOL,
    Indices,
    draws,
    fixed_batches,
    pool_updates,
    pools,
    share,
    updates_in,
)
from glyphlet.data.prepare import Endless, Pixels, Prepared, Preparer, start_worker, work
from glyphlet.errors import TrainingError
from glyphlet.image import Geometry, scale
from glyphlet.spec import PartSpec

_TASK = 32  # lines that a worker is given at once


@dataclass(frozen=True)
class Batch:
    """Lines of equal padded width.

    Args:
        images: float32 (N, C, H, W), scaled, in channels-last memory format. N is at least 1, but see `Share.every`.
        labels: the classes of each line.
        texts: the text of each line in the normal form of the charset.
        numbers: the number of each line; lines that are rendered without end count on from the last that is read.
    """

    images: torch.Tensor
    labels: list[list[int]]
    texts: list[str]
    numbers: list[int]


@dataclass(frozen=True)
class Share:
    """Which of several processes a loader feeds. All have the same updates; each gets its lines of every update.

    Args:
        rank, ranks: this process, and how many there are.
        gather: gives an array of each process to all of them.
        every: give batches of which this process has no line, too, as batches of none.
    """

    rank: int = 0
    ranks: int = 1
    gather: Callable[[NDArray[np.int64]], list[NDArray[np.int64]]] = lambda array: [array]
    every: bool = False


WHOLE = Share()


def choose_workers(workers: int | None, busy: bool, threads: int) -> int:
    """The number of processes that prepare lines: the user's, or as many as the machine has cores to spare, up to 8.

    Args:
        workers: what the user wants; None leaves the choice.
        busy: whether there is more to do than to fetch lines from memory: effects, or rendering.
        threads: cores that the training itself keeps busy: all of its threads on the processor, one beside a GPU.
    """
    if workers is not None:
        return workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(0, min(8, cores - threads)) if busy else 0


class LineLoader:
    """Decodes, caches, prepares and batches lines.

    Args:
        lines: checked lines.
        geometry: the image shape of the model.
        batch: the most lines in an update.
        seed: shuffles.
        workers: processes that prepare lines ahead; 0 prepares them in this one.
        cache_mb: decoded lines are kept up to this many megabytes.
        effects: what happens to each line each time (training only), as in a recipe.
        endless: lines that are rendered anew in every epoch.
        steps: time steps for a padded width; rendered lines whose label needs more are left out, and counted.
    """

    def __init__(
        self,
        lines: CheckedLines,
        geometry: Geometry,
        *,
        batch: int,
        seed: int = 0,
        workers: int = 0,
        cache_mb: int = 2048,
        effects: Sequence[PartSpec] = (),
        endless: Sequence[Endless] = (),
        steps: object = None,
    ) -> None:
        self.lines = lines
        self.geometry = geometry
        self.batch = batch
        self.seed = seed
        self.workers = workers
        self.steps = steps
        self.preparer = Preparer(lines, list(endless), geometry, list(effects), seed)
        self._free = cache_mb * 1_000_000
        self._cache: dict[int, Pixels] = {}
        self._labels: dict[int, tuple[str, list[int]]] = {}
        self._pool: ProcessPoolExecutor | None = None
        self._pool_size = RENDERED_POOL if endless else POOL
        self._drawn = sum(map(len, endless)) + len(draws(len(lines), lines.weights, seed, 0))
        self.waited = 0.0
        """Seconds that the consumer has waited for data, since the loader was made."""
        self.left_out = 0
        """Rendered lines that were left out because their label needs more time steps than they have."""

    def __len__(self) -> int:
        """Updates in an epoch (the same in each, and in each of several processes)."""
        return updates_in(self._drawn, self.batch, self._pool_size)

    def close(self) -> None:
        """Stop the workers; they start again when they are needed."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    # -- order ------------------------------------------------------------------------------------------------------

    def _order(self, epoch: int) -> Indices:
        order = draws(len(self.lines), self.lines.weights, self.seed, epoch)
        rendered = np.arange(len(self.lines), len(self.preparer))
        if len(rendered):
            order = np.concatenate([order, rendered])
            np.random.default_rng((self.seed, epoch, 1)).shuffle(order)
        return order

    def epoch(self, epoch: int = 0, start: int = 0, shared: Share = WHOLE) -> Iterator[list[Batch]]:
        """The updates of an epoch, from update number `start` on.

        With several processes each gets its lines of every update, which may be none.

        Raises:
            ImageError: an image has become unreadable since it was checked.
            TrainingError: a worker process has died.
        """
        source = self._updates(epoch, start, shared)
        while True:
            begin = time.perf_counter()
            try:
                update = next(source, None)
            except BrokenProcessPool as error:
                raise TrainingError(
                    "a process that prepares lines has died, for want of memory perhaps",
                    allowed="enough memory for train.workers processes",
                    next_step="set workers: 0 under train in the recipe.yaml of the run, and go on with --resume; "
                    "or begin anew with --set train.workers=0",
                ) from error
            self.waited += time.perf_counter() - begin
            if update is None:
                return
            yield update

    def _updates(self, epoch: int, start: int, shared: Share) -> Iterator[list[Batch]]:
        for number, members in enumerate(pools(self._order(epoch), self.batch, self._pool_size)):
            count = -(-len(members) // self.batch)
            if start >= count:
                start -= count
                continue
            if self.preparer.endless:
                yield from self._rendered_pool(members, count, epoch, number, start, shared)
            else:
                yield from self._read_pool(members, count, epoch, number, start, shared)
            start = 0

    def _read_pool(
        self, members: Indices, count: int, epoch: int, number: int, start: int, shared: Share
    ) -> Iterator[list[Batch]]:
        """Updates whose widths are known: lines are prepared update by update."""
        widths = self.lines.widths[members]
        whole = list(pool_updates(widths, count, self.seed, epoch, number))[start:]
        plan = [share(update, None, shared.rank, shared.ranks) for update in whole]
        flat = [members[np.concatenate(parts)] for parts in plan]
        for update, parts, prepared in zip(whole, plan, self._prepared(flat, epoch), strict=True):
            ends = np.cumsum([len(part) for part in parts])
            yield [
                self._batch(members[part].tolist(), prepared[end - len(part) : end], int(widths[all_[0]]))
                for all_, part, end in zip(update, parts, ends, strict=True)
                if len(part) or shared.every
            ]

    def _rendered_pool(
        self, members: Indices, count: int, epoch: int, number: int, start: int, shared: Share
    ) -> Iterator[list[Batch]]:
        """Updates some of whose widths show only when the lines are rendered: the pool is prepared as a whole.

        Each of several processes prepares every n-th line, tells the others its width, and computes these lines.
        """
        mine = members[shared.rank :: shared.ranks]
        tasks = np.array_split(mine, max(1, -(-len(mine) // _TASK)))
        lines = [line for task in self._prepared(tasks, epoch) for line in task]
        found = np.array([line.pixels.shape[2] if self._fits(line) else 0 for line in lines], np.int64)
        widths = np.zeros(len(members), np.int32)
        for rank, theirs in enumerate(shared.gather(found)):
            widths[rank :: shared.ranks] = theirs
        kept = np.flatnonzero(widths)
        self.left_out += len(widths) - len(kept)
        for update in list(pool_updates(widths[kept], count, self.seed, epoch, number))[start:]:
            parts = [kept[part] for part in share(update, kept % shared.ranks, shared.rank, shared.ranks)]
            yield [
                self._batch(
                    members[part].tolist(),
                    [lines[i] for i in (part // shared.ranks).tolist()],
                    int(widths[kept[all_[0]]]),
                )
                for all_, part in zip(update, parts, strict=True)
                if len(part) or shared.every
            ]

    def _fits(self, line: Prepared) -> bool:
        if line.text is None or self.steps is None:
            return True
        codec = self.lines.codec
        return codec.min_steps(codec.encode(line.text)) <= self.steps(line.pixels.shape[2])  # type: ignore[operator]

    # -- pixels -----------------------------------------------------------------------------------------------------

    def _known(self, number: int) -> Pixels | None:
        """The pixels of a line, from the cache or for it; None when it has to be read (or rendered) by a worker."""
        if number >= len(self.lines):
            return None
        found = self._cache.get(number)
        if found is None and self._free > 0:
            found = self.preparer.read(number)
            self._free -= found.nbytes
            self._cache[number] = found
        return found

    def _here(self, numbers: Indices, epoch: int) -> list[Prepared]:
        return [self.preparer.line(number, epoch, self._known(number)) for number in numbers.tolist()]

    def _prepared(self, tasks: Sequence[Indices], epoch: int) -> Iterator[list[Prepared]]:
        """The lines of each task, in order; with workers, a few tasks ahead."""
        if not self.workers:
            yield from (self._here(task, epoch) for task in tasks)
            return
        if self._pool is None:
            # A fork would copy a process with threads in it (OpenMP, TensorBoard), which may lock up.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, context, start_worker, (self.preparer,))
        pending: deque[list[Future[list[Prepared]]]] = deque()
        for task in tasks:
            parts = np.array_split(task, max(1, -(-len(task) // _TASK)))
            pending.append([
                self._pool.submit(work, part.tolist(), epoch, [self._known(i) for i in part.tolist()]) for part in parts
            ])  # fmt: skip
            if len(pending) > 2 * self.workers:
                yield [line for future in pending.popleft() for line in future.result()]
        for futures in pending:
            yield [line for future in futures for line in future.result()]

    def _batch(self, numbers: list[int], prepared: Sequence[Prepared], width: int) -> Batch:
        channels, height = self.geometry.channels, self.geometry.height
        if not prepared:
            return Batch(torch.zeros(0, channels, height, width), [], [], [])
        pixels = np.stack(
            [line.pixels.transpose(1, 2, 0) for line in prepared]
        )  # N H W C: channels last from the start
        images = torch.from_numpy(scale(pixels, self.geometry)).permute(0, 3, 1, 2)
        labelled = [self._label(number, line) for number, line in zip(numbers, prepared, strict=True)]
        return Batch(images, [labels for _, labels in labelled], [text for text, _ in labelled], numbers)

    def _label(self, number: int, line: Prepared) -> tuple[str, list[int]]:
        """The text of a line and its classes, kept beside its pixels."""
        if line.text is not None:
            codec = self.lines.codec
            return codec.charset.normalize(line.text), codec.encode(line.text)
        found = self._labels.get(number)
        if found is None:
            checked = self.lines[number]
            found = checked.text, checked.labels
            if number in self._cache:
                self._labels[number] = found
        return found

    def once(self) -> Iterator[Batch]:
        """Every line that is read, once, without effects, in batches of equal width: for validation."""
        for members in fixed_batches(self.lines.widths, self.batch):
            numbers = members.tolist()
            prepared = []
            for number in numbers:
                known = self._known(number)
                prepared.append(Prepared(self.preparer.read(number) if known is None else known))
            yield self._batch(numbers, prepared, int(self.lines.widths[numbers[0]]))

    def origin(self, number: int) -> str:
        """Where a line comes from, for messages."""
        if number < len(self.lines):
            return self.lines.source.origin(int(self.lines.indices[number]))
        return f"rendered line {number - len(self.lines) + 1}"
