"""Reads and verifies lines for a conversion, in this process or in others, chunk by chunk in the order of the source."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from glyphlet.data.conversion.verify import verify
from glyphlet.data.lineset import LineSet
from glyphlet.data.writers import Writer
from glyphlet.errors import GlyphletError, ImageError

_CHUNK_BYTES = 1 << 20
_CHUNK_LINES = 256
_FEW_LINES = 2000
"""So many lines are verified before worker processes have started."""


class Line(NamedTuple):
    """A line that can be written."""

    image: bytes
    suffix: str
    width: int
    height: int
    text: str
    group: str


class Dropped(NamedTuple):
    """A line that cannot: where it comes from, in which of the kinds `image`, `label`, `text`, and the error."""

    origin: str
    kind: str
    problem: str


def load(lines: LineSet, index: int, kind: type[Writer]) -> Line | Dropped:
    """A line with its image decoded once and its text fit for the format; or why there is none."""
    where = "label"
    try:
        sample = lines.sample(index)
        text = sample.text
        refused = _not_unicode(text) or kind.refuses(text)
        if refused:
            return Dropped(sample.origin, "text", f"{kind.name} cannot hold {text[:60]!r}, which {refused}")
        where = "image"
        image = verify(sample.source)
        return Line(*image, text, lines.group(index))
    except (GlyphletError, OSError) as error:
        problem = error.problem if isinstance(error, GlyphletError) else str(error)
        return Dropped(lines.origin(index), "image" if isinstance(error, ImageError) else where, problem)


def _not_unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a character (a lone surrogate)"
    return ""


_shared: tuple[LineSet, type[Writer]]
"""What a worker process reads from, and for which format."""


def _start_worker(lines: LineSet, kind: type[Writer]) -> None:
    global _shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's matter
    warnings.filterwarnings("ignore", module="PIL")  # what is wrong with an image stands in the list of dropped lines
    _shared = lines, kind
    parent = multiprocessing.parent_process()
    if parent is not None:  # a killed parent leaves no workers behind
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _work(start: int, stop: int) -> list[Line | Dropped]:
    lines, kind = _shared
    return [load(lines, index, kind) for index in range(start, stop)]


def outcomes(lines: LineSet, writer: Writer, start: int, workers: int) -> Iterator[tuple[int, list[Line | Dropped]]]:
    """All lines from `start` on, chunk by chunk in order, each with the number of the line after it."""
    size = _ChunkSize()
    if workers <= 1 or len(lines) - start <= _FEW_LINES:
        while start < len(lines):
            stop = min(len(lines), start + size.lines)
            yield stop, size.learn([load(lines, index, type(writer)) for index in range(start, stop)])
            start = stop
        return
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(lines, type(writer))
    )
    pending: deque[tuple[int, Future[list[Line | Dropped]]]] = deque()
    try:
        while start < len(lines) or pending:
            while start < len(lines) and len(pending) < 2 * workers + 2:
                stop = min(len(lines), start + size.lines)
                with _signals_wait():
                    pending.append((stop, pool.submit(_work, start, stop)))
                start = stop
            stop, future = pending.popleft()
            yield stop, size.learn(future.result())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _ChunkSize:
    """How many lines a chunk has: few when images are large."""

    def __init__(self) -> None:
        self.lines = 16

    def learn(self, chunk: list[Line | Dropped]) -> list[Line | Dropped]:
        """Hands the outcomes on."""
        average = sum(len(o.image) for o in chunk if isinstance(o, Line)) / len(chunk)
        self.lines = max(1, min(_CHUNK_LINES, int(_CHUNK_BYTES / (average + 1)), 2 * self.lines))
        return chunk


class Stop:
    """Holds Ctrl-C and SIGTERM back until a chunk is done; a second one ends the process as usual."""

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame: object) -> None:
        self.signal = number
        self._restore()


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Ctrl-C reaches a whole group of processes; one that starts meanwhile would die of it before it can ignore it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
