"""Lines of any width in bounded memory: the network goes over them in windows, whose outputs are joined.

A window is `CORE` pixels, with a margin on both sides whose output is thrown away. How wide the margin must be is found by asking the
network: columns in the middle of noise are changed, and the output shows how far that is felt. Where that is finite (convolutions) the
joined output is that of the whole line, but for rounding. Where every column is felt everywhere (recurrent layers, a mean over the whole
line) it is not; the margin is then `MARGIN`.

A line beyond the width that the model file allows is also decoded in pieces, cut where the network is surest of the blank. Its text is
that of the whole; its confidence is the product over the pieces, which leaves out the paths that are not blank at the cuts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import BLANK, CTCCodec
from glyphlet.decode import greedy
from glyphlet.decode.reading import Character, Reading
from glyphlet.image import Geometry, Line

CORE = 4096
"""Pixels of a window without its margins."""
WIDE = 2 * CORE
"""A line that is not wider than this, in pixels of the model's input, goes through the network whole."""
MARGIN = 512
"""Pixels on each side of a window where the network's view has no end."""
PIECE = 4096
"""Time steps that are decoded together at least, where a line is decoded in pieces."""
_PROBE = 2048
"""Pixels of the noise that the view is found in."""
Logits = NDArray[np.float32]


class Windows:
    """Runs a CTC network over wide lines.

    Args:
        run: from lines of equal width to logits (N, T, K).
        geometry: what the network takes.
        time_stride: pixels of a time step.
    """

    def __init__(self, run: Callable[[Sequence[Line]], Logits], geometry: Geometry, time_stride: int) -> None:
        self._run, self._geometry, self._stride = run, geometry, time_stride
        self._found: tuple[int | None] | None = None

    @property
    def view(self) -> int | None:
        """How far to the left or right a column is felt, in pixels of the model's input; None where that has no end."""
        if self._found is None:
            self._found = (self._probe(),)
        return self._found[0]

    @property
    def margin(self) -> int:
        """Pixels on each side of a window whose output is thrown away: the view and half as much, for in int8 the faintest influence
        may round away while the view is found; a multiple of `width_step`.
        """
        step, view = self._geometry.width_step, MARGIN if self.view is None else self.view * 3 // 2
        return -(-view // step) * step

    def logits(self, line: Line) -> Logits:
        """The output for a line, (1, T, K), as if it had gone through the network whole."""
        return np.concatenate(list(self.parts(line)), axis=1)

    def parts(self, line: Line) -> Iterator[Logits]:
        """The same one window after the other, (1, t, K)."""
        total, step = line.pixels.shape[2], self._geometry.width_step
        core = max(step, CORE // step * step)
        for start in range(0, total, core):
            left, right = max(0, start - self.margin), min(total, start + core + self.margin)
            window = Line(np.ascontiguousarray(line.pixels[:, :, left:right]), right - left, right - left)
            made = self._run([window])
            last = None if start + core >= total else (start + core - left) // self._stride
            yield made[:, (start - left) // self._stride : last]

    def read(self, line: Line, codec: CTCCodec, source: str) -> Reading:
        """Read a line of any width greedily; only pieces of its output are ever held.

        Args:
            line: the line.
            codec: of the model.
            source: what the line is called.
        """
        pixels, offset = line.width / line.scaled_width, 0
        read: list[Reading] = []
        for piece in self._pieces(line):
            steps = piece.shape[1]
            width = steps * self._stride
            (made,) = greedy.decode(piece, codec, [Line(line.pixels[:, :, :1], width, width)], self._stride, [source])
            moved = tuple(_moved(one, offset * self._stride, line.scaled_width, pixels) for one in made.characters)
            read.append(replace(made, characters=moved))
            offset += steps
        return Reading(
            "".join(one.text for one in read),
            float(np.prod([one.confidence for one in read])),
            tuple(character for one in read for character in one.characters),
            "".join(one.raw for one in read),
            source,
        )

    def _pieces(self, line: Line) -> Iterator[Logits]:
        """The output in pieces of `PIECE` to twice as many steps, each of which ends where the blank is surest."""
        rest: Logits | None = None
        for part in self.parts(line):
            rest = part if rest is None else np.concatenate([rest, part], axis=1)
            while rest.shape[1] > 2 * PIECE:
                ahead = rest[0, PIECE : 2 * PIECE]
                lead = ahead[:, BLANK] - np.delete(ahead, BLANK, axis=1).max(axis=1)
                cut = PIECE + int(lead.argmax()) + 1
                yield rest[:, :cut]
                rest = rest[:, cut:]
        if rest is not None:
            yield rest

    def _probe(self) -> int | None:
        """Change columns in the middle of noise, and look how far the output changes."""
        geometry, step = self._geometry, self._geometry.width_step
        width = geometry.padded_width(_PROBE)
        start = width // 2 // step * step
        furthest = 0
        for seed in range(3):
            rng = np.random.default_rng(seed)
            noise = rng.integers(0, 256, (geometry.channels, geometry.height, width), dtype=np.uint8)
            other = noise.copy()
            other[:, :, start : start + step] = rng.integers(0, 256, other[:, :, start : start + step].shape)
            one, two = (self._run([Line(pixels, width, width)]) for pixels in (noise, other))
            changed = np.flatnonzero((one != two).any(axis=(0, 2))) * self._stride
            if not len(changed):
                continue
            left, right = start - int(changed[0]), int(changed[-1]) + self._stride - start - step
            furthest = max(furthest, left, right)
        return furthest if furthest < start - step else None


def _moved(character: Character, pixels: int, most: int, ratio: float) -> Character:
    """A character of a piece that begins at a column, in pixels of the original image."""
    assert character.left is not None
    assert character.right is not None
    edges = (min(edge + pixels, most) * ratio for edge in (character.left, character.right))
    left, right = edges
    return replace(character, left=left, right=right)


__all__ = ["CORE", "MARGIN", "PIECE", "WIDE", "Windows"]
