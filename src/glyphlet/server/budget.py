"""Memory for the bodies of requests, shared by all clients."""

from __future__ import annotations

from types import TracebackType

from glyphlet.server.errors import busy


class Budget:
    """Bytes that all requests under way may hold together; used by the event loop alone.

    Args:
        limit: in bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0

    def share(self) -> Share:
        """What one request holds, until its `with` ends."""
        return Share(self)


class Share:
    """The part of a budget that one request holds."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self.held = budget, 0

    def add(self, count: int) -> None:
        """Hold more bytes.

        Raises:
            RequestError: 503, they are not there.
        """
        if self._budget.used + count > self._budget.limit:
            raise busy(f"the bodies of all requests hold {self._budget.used:,} of {self._budget.limit:,} bytes already")
        self._budget.used += count
        self.held += count

    def __enter__(self) -> Share:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.used -= self.held
        self.held = 0


__all__ = ["Budget", "Share"]
