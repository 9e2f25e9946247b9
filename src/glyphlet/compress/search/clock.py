"""How much of a time box is left, over all parts of an interrupted search."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Clock:
    """A time box.

    Args:
        seconds: of the box.
        before: that earlier parts have taken.
        keep: seconds at its end that trainings leave to what comes after them.
        now: the time in seconds.

    >>> clock = Clock(10.0, before=2.0, now=iter([100.0, 103.0, 103.0]).__next__)
    >>> clock.spent(), clock.left()
    (5.0, 5.0)
    """

    seconds: float
    before: float = 0.0
    keep: float = 0.0
    now: Callable[[], float] = time.monotonic
    begun: float = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.now()

    def spent(self) -> float:
        """Seconds since the beginning, earlier parts included."""
        return self.before + self.now() - self.begun

    def left(self) -> float:
        """Seconds that are left, `keep` not counted; below 0 when the box is over."""
        return self.seconds - self.spent() - self.keep

    def over(self) -> bool:
        """Whether trainings must end."""
        return self.left() <= 0


__all__ = ["Clock"]
