"""One queue for all clients: workers take what waits, read it together, and hand each request what is its own.

Nothing waits for a batch to fill. While the workers are busy lines gather, and the next one that is free takes up to
`batch` of them; so a lone request is read at once, and under load batches grow by themselves. The reader lets only lines of
equal padded width share a batch, so neighbours change no text. An image that cannot be read is an error in its own place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glyphlet.decode.reading import Reading
from glyphlet.errors import GlyphletError, ImageError
from glyphlet.image import decode, fit, open_image
from glyphlet.runtime.reader import Reader
from glyphlet.server.errors import bare, busy, internal
from glyphlet.server.metrics import Metrics
from glyphlet.server.multipart import Upload
from glyphlet.server.settings import Settings

LOG = logging.getLogger("glyphlet.server")
CHUNK = 2**20
"""What a worker gathers at most before it reads, by `_weight`, but for the last line. Who has gone is noticed in between."""
Outcome = Reading | GlyphletError


class _Request:
    """The lines of one request, of which some are read and some wait."""

    def __init__(self, count: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[None] = self.loop.create_future()
        self.outcomes: list[Outcome | None] = [None] * count
        self.left = count
        self.gone = False

    def put(self, position: int, outcome: Outcome) -> None:
        """An outcome has come; in the event loop."""
        self.outcomes[position] = outcome
        self.left -= 1
        if not self.left and not self.answer.done():
            self.answer.set_result(None)


@dataclass(slots=True)
class _Job:
    """A line that waits: whose it is, its place there, how it is to be read, and its image."""

    request: _Request
    position: int
    reader: Reader
    upload: Upload


class Batcher:
    """Reads the lines of all requests with a few threads.

    Args:
        settings: `threads`, `queue`, `batch`, `max_pixels` and `max_width` count here.
        metrics: where lines and batches are counted.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._waiting: deque[_Job] = deque()
        self._change = threading.Condition()
        self._closing = False
        self._threads: list[threading.Thread] = []
        metrics.watch_queue(lambda: len(self._waiting))

    def start(self) -> None:
        """Start the workers."""
        for number in range(self._settings.threads):
            thread = threading.Thread(target=self._work, name=f"glyphlet-reader-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self, seconds: float) -> bool:
        """Read what waits, and end the workers; whether all of them ended in time."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    async def read(self, reader: Reader, uploads: Sequence[Upload]) -> list[Outcome]:
        """Read the images of a request; who is cancelled gives up the places of those that wait.

        Args:
            reader: how; lines of requests with the same one are read together.
            uploads: the images, at least one.

        Returns:
            For each a reading, or the error that it met.

        Raises:
            RequestError: 503, too many lines wait.
        """
        request = _Request(len(uploads))
        jobs = [_Job(request, position, reader, upload) for position, upload in enumerate(uploads)]
        with self._change:
            if self._closing:
                raise busy("the server is being stopped", "send it to another server, or again when this one is back")
            if len(self._waiting) + len(jobs) > self._settings.queue:
                raise busy(f"{len(self._waiting)} lines wait, {len(jobs)} more would be over {self._settings.queue}")
            self._waiting.extend(jobs)
            self._change.notify(len(jobs))
        try:
            await request.answer
        except asyncio.CancelledError:
            self._forget(request)
            raise
        return [outcome for outcome in request.outcomes if outcome is not None]

    def _forget(self, request: _Request) -> None:
        with self._change:
            request.gone = True
            self._waiting = deque(job for job in self._waiting if job.request is not request)

    def _work(self) -> None:
        while jobs := self._take():
            try:
                outcomes = self._read(jobs)
            except Exception as error:  # a fault of ours must not end the worker
                LOG.exception("reading failed")
                outcomes = [internal(error)] * len(jobs)
            self._hand_out(jobs, outcomes)

    def _take(self) -> list[_Job]:
        """The first line that waits, and others that are read in the same way; none when the server closes."""
        with self._change:
            while not self._waiting:
                if self._closing:
                    return []
                self._change.wait()
            first = self._waiting[0]
            taken: list[_Job] = []
            rest: deque[_Job] = deque()
            for job in self._waiting:
                fits = job.reader is first.reader and len(taken) < self._settings.batch
                (taken if fits else rest).append(job)
            self._waiting = rest
        self._metrics.batch.observe(len(taken))
        return taken

    def _read(self, jobs: Sequence[_Job]) -> list[Outcome]:
        """An outcome for each line; no more than `CHUNK` and one image are held decoded."""
        outcomes: dict[int, Outcome] = {}
        chunk: dict[int, NDArray[np.uint8]] = {}
        for number, job in enumerate(jobs):
            if job.request.gone:
                outcomes[number] = busy("nobody waits for it any more")
                continue
            try:
                chunk[number] = _pixels(job, self._settings)
            except GlyphletError as error:
                outcomes[number] = bare(error)
            if sum(_weight(pixels, job.reader) for pixels in chunk.values()) > CHUNK:
                outcomes |= self._read_chunk(jobs, chunk)
                chunk = {}
        outcomes |= self._read_chunk(jobs, chunk)
        return [outcomes[number] for number in range(len(jobs))]

    def _read_chunk(self, jobs: Sequence[_Job], chunk: dict[int, NDArray[np.uint8]]) -> dict[int, Outcome]:
        if not chunk:
            return {}
        reader = jobs[0].reader
        found: list[Outcome]
        try:
            found = list(reader.read(list(chunk.values()), batch=self._settings.batch))
        except GlyphletError:  # one of them is at fault: find out which
            found = [_read_alone(reader, pixels, jobs[n].upload.name) for n, pixels in chunk.items()]
        return {n: _named(outcome, jobs[n].upload.name) for n, outcome in zip(chunk, found, strict=True)}

    def _hand_out(self, jobs: Sequence[_Job], outcomes: Sequence[Outcome]) -> None:
        """To the event loop, once for all; it may have ended meanwhile."""

        def put() -> None:
            for job, outcome in zip(jobs, outcomes, strict=True):
                job.request.put(job.position, outcome)
                self._metrics.lines.labels("read" if isinstance(outcome, Reading) else "failed").inc()

        with contextlib.suppress(RuntimeError):
            jobs[0].request.loop.call_soon_threadsafe(put)


def _pixels(job: _Job, limits: Settings) -> NDArray[np.uint8]:
    """The image of a line, decoded; its size is told before, its shape after (a camera may have turned it)."""
    name, geometry = job.upload.name, job.reader.metadata.geometry
    with open_image(job.upload.data, name) as image:
        if image.width * image.height > limits.max_pixels:
            raise ImageError(
                f"{name} has {image.width} x {image.height} pixels", allowed=f"up to {limits.max_pixels:,} pixels",
                next_step="cut out the line first",
            )  # fmt: skip
        pixels = decode(image, geometry.channels, name)
    height, width = pixels.shape[:2]
    if (scaled := geometry.scaled_width(width, height)) > limits.max_width:
        raise ImageError(
            f"{name} is {width} x {height} pixels, {scaled} wide at height {geometry.height}",
            allowed=f"lines up to {limits.max_width} pixels wide at height {geometry.height}",
            next_step="cut the line into pieces",
        )
    return pixels


def _weight(pixels: NDArray[np.uint8], reader: Reader) -> int:
    """The pixels of a line when it is scaled, or a quarter of those it has, whichever is more."""
    geometry, (height, width) = reader.metadata.geometry, pixels.shape[:2]
    return max(geometry.scaled_width(width, height) * geometry.height, pixels.size // 4)


def _read_alone(reader: Reader, pixels: NDArray[np.uint8], name: str) -> Outcome:
    try:
        fit(pixels, reader.geometry, name)  # the reader would say the same, but not of which image
        return reader.read_one(pixels)
    except GlyphletError as error:
        return bare(error)


def _named(outcome: Outcome, name: str) -> Outcome:
    """A reading says which image it is of; the reader was given an array."""
    return replace(outcome, source=name) if isinstance(outcome, Reading) else outcome


__all__ = ["CHUNK", "Batcher", "Outcome"]
