"""What reads the lines of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from glyphlet.decode.reading import Reading


class LineReader(Protocol):
    """`glyphlet.Reader`, or anything else that reads lines."""

    def read(self, sources: Sequence[Any]) -> list[Reading]:
        """One reading a line image, in order."""


__all__ = ["LineReader"]
