"""Readers under patterns: each pattern is compiled once, in a thread of its own, and the last ones are kept."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from glyphlet.decode.decoding import Decoding
from glyphlet.errors import GlyphletError
from glyphlet.runtime.reader import Reader
from glyphlet.server.errors import RequestError, bare, busy, internal, status_of

LOG = logging.getLogger("glyphlet.server")
MAX_LENGTH = 500
"""Characters of a pattern."""
MAX_STATES = 2_000
"""States of its automaton. `(.?){600}` over 6,958 characters would take 16 seconds without; with this it is refused after one."""
KEPT = 64
"""Patterns that are kept, good and bad; the one that was asked for longest ago goes first."""
MAX_COMPILING = 8
"""Patterns that may wait to be compiled."""


class Patterns:
    """Hands out readers by pattern; used by the event loop alone.

    Args:
        reader: reads without a pattern, and shares its network.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: OrderedDict[str, asyncio.Future[Reader | GlyphletError]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "glyphlet-pattern")

    async def reader(self, pattern: str) -> Reader:
        """The reader under a pattern; without one, the plain reader.

        Raises:
            GlyphletError: the pattern is malformed, too long or too large, or the model knows no patterns.
            RequestError: 503, too many patterns are being compiled.
        """
        if not pattern:
            return self._reader
        if len(pattern) > MAX_LENGTH:
            raise RequestError(
                400, f"the pattern has {len(pattern)} characters", allowed=f"up to {MAX_LENGTH}",
                next_step="give a shorter one",
            )  # fmt: skip
        if pattern not in self._kept:
            self._start(pattern)
        self._kept.move_to_end(pattern)
        found = await asyncio.shield(self._kept[pattern])  # who gives up does not stop it for the others
        if isinstance(found, GlyphletError):  # a new error each time: one that is raised again and again gathers frames
            raise RequestError(
                status_of(found), found.problem, allowed=found.allowed, next_step=found.next_step
            ) from None
        return found

    def close(self) -> None:
        """Give up what waits to be compiled."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _start(self, pattern: str) -> None:
        if sum(not future.done() for future in self._kept.values()) >= MAX_COMPILING:
            raise busy(f"{MAX_COMPILING} patterns are being compiled")
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._thread, self._compiled, pattern)
        self._kept[pattern] = future
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _compiled(self, pattern: str) -> Reader | GlyphletError:
        try:
            return self._reader.using(Decoding(pattern=pattern, max_states=MAX_STATES))
        except GlyphletError as error:
            return bare(error)
        except Exception as error:  # a fault of ours
            LOG.exception("pattern %r could not be compiled", pattern)
            return internal(error)


__all__ = ["KEPT", "MAX_COMPILING", "MAX_LENGTH", "MAX_STATES", "Patterns"]
