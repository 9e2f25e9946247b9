"""Rendered lines as a set of lines: drawn when they are asked for, and kept while there are few of them."""

from __future__ import annotations

from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.synth.render import RenderedLine, RenderedSet

KEPT = 20_000
"""Lines that are kept once they are drawn; the lines of larger sets are drawn each time."""


class RenderedLines(LineSet):
    """The lines of a `RenderedSet`.

    Args:
        rendered: what is drawn.
    """

    def __init__(self, rendered: RenderedSet) -> None:
        super().__init__(f"rendered {rendered.stream} lines", "rendered")
        self.rendered = rendered
        self._kept: dict[int, RenderedLine] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_kept": {}}

    def _line(self, index: int) -> RenderedLine:
        if len(self) > KEPT:
            return self.rendered[index]
        if index not in self._kept:
            self._kept[index] = self.rendered[index]
        return self._kept[index]

    def __len__(self) -> int:
        return len(self.rendered)

    def text(self, index: int) -> str:
        """The text that is drawn."""
        return self._kept[index].text if index in self._kept else self.rendered.text(index)

    def origin(self, index: int) -> str:
        """The number of the line."""
        return f"rendered {self.rendered.stream} line {index + 1}"

    def sample(self, index: int) -> Sample:
        """The line, as a Pillow image."""
        line = self._line(index)
        return Sample(line.image, line.text, self.origin(index))
