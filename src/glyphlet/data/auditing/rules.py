"""What `data.audit` checks lines against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from glyphlet.charset import Charset
from glyphlet.codec import min_steps
from glyphlet.image import Geometry

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and how many there are."""


def _every_four(padded_width: int) -> int:
    return padded_width // 4


@dataclass(frozen=True)
class Rules:
    """What the lines are checked against, and how thoroughly.

    Args:
        charset: the characters that a model can write; None allows all.
        geometry: the images that it takes.
        steps: its time steps for a padded width.
        model: what geometry and steps are those of, for messages.
        empty: `keep` takes empty labels for lines that show nothing to read.
        near: look for images nearly equal to test images.
        sample: decode only so many images, drawn at random; None for all.
        seed: of the sample.
        workers: processes that decode.
        examples: how many examples of each finding to keep; None for all.
        most: the most characters that the model writes; 0 where the time steps of an image decide.
    """

    charset: Charset | None = None
    geometry: Geometry = field(default_factory=Geometry)
    steps: Callable[[int], int] = _every_four
    model: str = "height 32, a time step every 4 pixels"
    empty: str = "error"
    near: bool = True
    sample: int | None = None
    seed: int = 0
    workers: int = 1
    examples: int | None = 20
    most: int = 0

    def needed(self, text: str) -> int:
        """The steps that a text needs: for CTC, or one for each character and one for the stop."""
        return len(text) + 1 if self.most else min_steps([ord(c) for c in text])


__all__ = ["Progress", "Rules"]
