"""Several sets of lines as one, each with a weight: how often its lines are seen in an epoch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample


class JoinedLines(LineSet):
    """Lines of several sets, one set after the other.

    Args:
        parts: the sets.
        weights: how often the lines of each set are seen in an epoch; 1 by default.
    """

    def __init__(self, parts: Sequence[LineSet], weights: Sequence[float] = ()) -> None:
        super().__init__(", ".join(part.name for part in parts), "mix" if len(parts) > 1 else parts[0].format)
        self.parts = list(parts)
        self._weights = list(weights) or [1.0] * len(parts)
        self._ends = list(accumulate(len(part) for part in parts))
        self.notes = [f"{part.name}: {note}" for part in parts for note in part.notes]
        self.problems = [problem for part in parts for problem in part.problems]

    def _find(self, index: int) -> tuple[LineSet, int]:
        number = bisect_right(self._ends, index)
        return self.parts[number], index - (self._ends[number - 1] if number else 0)

    def __len__(self) -> int:
        return self._ends[-1]

    def text(self, index: int) -> str:
        """The label of a line."""
        part, inner = self._find(index)
        return part.text(inner)

    def origin(self, index: int) -> str:
        """Where a line comes from."""
        part, inner = self._find(index)
        return part.origin(inner)

    def sample(self, index: int) -> Sample:
        """A line with its image."""
        part, inner = self._find(index)
        return part.sample(inner)

    def path(self, index: int) -> Path | None:
        """The image file of a line, where images are files."""
        part, inner = self._find(index)
        return part.path(inner)

    def group(self, index: int) -> str:
        """What a line belongs to; groups of the same name in two sets are one group."""
        part, inner = self._find(index)
        return part.group(inner)

    @property
    def malformed(self) -> int:
        """How many lines of all parts are malformed."""
        return sum(part.malformed for part in self.parts)

    @property
    def grouped(self) -> bool:
        """Whether lines of any part have groups."""
        return any(part.grouped for part in self.parts)

    def sizes(self) -> NDArray[np.int32] | None:
        """The sizes of all images, when every part knows its own."""
        known = [part.sizes() for part in self.parts]
        found = [sizes for sizes in known if sizes is not None]
        return np.concatenate(found) if len(found) == len(known) else None

    def weights(self) -> NDArray[np.float32] | None:
        """How often each line is seen in an epoch, float32 (N,); None when every line is seen once."""
        if all(weight == 1 for weight in self._weights):
            return None
        lengths = [len(part) for part in self.parts]
        return np.repeat(np.asarray(self._weights, np.float32), lengths)

    def close(self) -> None:
        """Close the files of every part."""
        for part in self.parts:
            part.close()
