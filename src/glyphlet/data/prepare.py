"""From the number of a line to its pixels: read or rendered, fitted to the model, passed through the effects.

It runs in the training's own process or in others: a `Preparer` is a plain value to them. Every line draws its random
numbers from a generator of its own, seeded by the seed, the epoch and the line's number, so neither the number of
workers nor a resume changes a pixel.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import Codec
from glyphlet.data.check import CheckedLines
from glyphlet.image import Geometry, name_of, prepare
from glyphlet.spec import PartSpec
from glyphlet.synth.render import RenderedSet

Pixels = NDArray[np.uint8]


@dataclass
class Endless:
    """Rendered lines of which every epoch has new ones.

    Args:
        rendered: the lines of epoch 0.
        codec: the classes of the model.
    """

    rendered: RenderedSet
    codec: Codec
    _at: tuple[int, RenderedSet] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return round(len(self.rendered) * self.rendered.spec.weight)

    def epoch(self, number: int) -> RenderedSet:
        """The lines of an epoch."""
        if self._at is None or self._at[0] != number:
            self._at = number, self.rendered.at_epoch(number, len(self))
        return self._at[1]


@dataclass
class Prepared:
    """A line on its way into a batch.

    Args:
        pixels: uint8 (C, H, W).
        text: of a rendered line; None for one that was read, whose text is known to the set.
    """

    pixels: Pixels
    text: str | None = None


@dataclass
class Preparer:
    """Makes the pixels of lines.

    Args:
        lines: lines that are read; they have the numbers from 0.
        endless: lines that are rendered; their numbers follow.
        geometry: the image shape of the model.
        effects: what happens to each line each time, as in the recipe.
        seed: of the effects.
    """

    lines: CheckedLines
    endless: list[Endless]
    geometry: Geometry
    effects: Sequence[PartSpec] = ()
    seed: int = 0
    _built: list[object] | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_built": None}

    def __len__(self) -> int:
        return len(self.lines) + sum(map(len, self.endless))

    def read(self, number: int) -> Pixels:
        """The pixels of a line that is read, without effects: uint8 (C, H, W)."""
        sample = self.lines.source.sample(int(self.lines.indices[number]))
        return prepare(sample.source, self.geometry, f"{name_of(sample.source)} ({sample.origin})").pixels

    def render(self, number: int, epoch: int) -> Prepared:
        """A rendered line of an epoch, without effects."""
        number -= len(self.lines)
        for endless in self.endless:
            if number < len(endless):
                line = endless.epoch(epoch)[number]
                return Prepared(prepare(line.image, self.geometry).pixels, line.text)
            number -= len(endless)
        raise IndexError(number)

    def line(self, number: int, epoch: int, known: Pixels | None = None) -> Prepared:
        """A line as it is trained on.

        Args:
            number: of the line.
            epoch: each has random numbers of its own.
            known: the pixels of a line that was read before.
        """
        if number >= len(self.lines):
            made = self.render(number, epoch)
        else:
            made = Prepared(self.read(number) if known is None else known)
        if self.effects:
            made.pixels = self._apply(made.pixels, np.random.default_rng((self.seed, epoch, number)))
        return made

    def _apply(self, pixels: Pixels, random: np.random.Generator) -> Pixels:
        from glyphlet.effects import apply, build_effects  # needs OpenCV

        if self._built is None:
            self._built = list(build_effects(self.effects))
        return apply(self._built, pixels, random)  # type: ignore[arg-type]


_preparer: Preparer | None = None  # of a worker process


def start_worker(preparer: Preparer) -> None:
    """Get a worker process ready: Ctrl-C is for the main process, and each worker is one thread."""
    global _preparer
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if preparer.effects:
        import cv2

        cv2.setNumThreads(0)
    _preparer = preparer


def work(numbers: Sequence[int], epoch: int, known: Sequence[Pixels | None]) -> list[Prepared]:
    """Prepare lines in a worker process."""
    assert _preparer is not None
    return [_preparer.line(number, epoch, pixels) for number, pixels in zip(numbers, known, strict=True)]
