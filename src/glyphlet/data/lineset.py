"""A set of labelled lines, read lazily: what every format is opened as.

    lines = open_lines("train.lmdb")
    len(lines), lines.text(0), lines[0].source

Nothing but what is needed to find a line is kept in memory, so that ten million lines are no more than an index. A set is
a plain value to other processes: it pickles as its settings, and opens its files again where it is unpickled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.sample import Sample
from glyphlet.errors import LabelError


class LineSet(Sequence[Sample], ABC):
    """Labelled lines by number, from 0.

    Args:
        name: what to call the set in messages: the path as the user gave it.
        format: the name of its format.
        notes: what its user should know: `written 0-based; read from image-000000000 on`. One sentence each.
        problems: what is malformed, by file and line number, and not among the lines. `open_lines` raises the first of
            them, unless it is asked to be lenient.
    """

    name: str = ""
    format: str = ""

    def __init__(self, name: str, format: str) -> None:
        self.name = name
        self.format = format
        self.notes: list[str] = []
        self.problems: list[LabelError] = []

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def text(self, index: int) -> str:
        """The label of a line, exactly as written; its image is not touched.

        Raises:
            LabelError: it cannot be read (a hole in a database, a malformed record).
        """

    @abstractmethod
    def origin(self, index: int) -> str:
        """Where a line comes from, for messages: `train.txt line 7`, `train.lmdb image-000000007`."""

    @abstractmethod
    def sample(self, index: int) -> Sample:
        """A line with its image: a path, or the bytes of an image file.

        Raises:
            ImageError: a container does not hold the image (a missing file on disk shows when it is decoded).
            LabelError: as `text`.
        """

    @property
    def malformed(self) -> int:
        """How many lines are malformed; `problems` describes the first ten thousand of a file."""
        return len(self.problems)

    def path(self, index: int) -> Path | None:
        """The image file of a line, where images are files; nothing is opened."""
        return None

    def group(self, index: int) -> str:
        """What a line belongs to (a page, a writer); lines of a group stay together in a split. Empty for none."""
        return ""

    @property
    def grouped(self) -> bool:
        """Whether lines have groups; a split of ten million lines without them need not ask each."""
        return type(self).group is not LineSet.group

    def sizes(self) -> NDArray[np.int32] | None:
        """Width and height of every image, int32 (N, 2), when the format keeps those of verified images; else None."""
        return None

    def close(self) -> None:
        """Close files; a set opens them again when it is used again."""

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self.sample(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"line {index} of {len(self)}")
        return self.sample(index % len(self))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ListedLines(LineSet):
    """Lines that are already in memory.

    Args:
        samples: the lines.
        name, format: as `LineSet`.
        groups: the group of each line; none by default.
    """

    def __init__(
        self, samples: Sequence[Sample], name: str = "lines", format: str = "memory", groups: Sequence[str] = ()
    ) -> None:
        super().__init__(name, format)
        self._samples = samples
        self._groups = groups

    def __len__(self) -> int:
        return len(self._samples)

    def text(self, index: int) -> str:
        """The label of a line."""
        return self._samples[index].text

    def origin(self, index: int) -> str:
        """Where a line comes from."""
        return self._samples[index].origin

    def sample(self, index: int) -> Sample:
        """A line with its image."""
        return self._samples[index]

    def path(self, index: int) -> Path | None:
        """The image file of a line, where it is a file."""
        source = self._samples[index].source
        return Path(source) if isinstance(source, str | Path) else None

    def group(self, index: int) -> str:
        """The group of a line."""
        return self._groups[index] if self._groups else ""

    @property
    def grouped(self) -> bool:
        """Whether lines have groups."""
        return bool(self._groups)
