"""Find images of one set that are nearly those of another: the leak between training and test.

Each image becomes two small ones. A *sketch* of 24 x 8 cells, smoothed, without the mean of each row (all lines are dark
in the middle) and of unit length: two sketches are compared by one multiplication, so a block of lines is compared
with all test lines by one product of matrices. That is exact, unlike hashing, and quick enough: only lines of similar
proportions are compared at all. A *thumbnail* 32 pixels high confirms what the sketches suggest: both are compared piece by
piece, each piece a little narrower than high and moved by up to two pixels in steps of a half, and the *worst* piece
decides. So a line that differs in one character is another line, and one that was saved again, moved, brightened or
scaled is the same.

Only the test set is kept in memory (about 5 kB a line); the other passes by in blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
WIDTH, HEIGHT = 24, 8
"""Cells of a sketch."""
THUMB = 32
"""Rows of a thumbnail."""
_WIDEST = 1024
_STRETCH = 0.14
"""Proportions may differ by this much (of their logarithm): a crop of one pixel at a height of 16 is 0.06."""
_MOVES = 2
"""Pixels of a thumbnail by which a piece may have moved."""
LIKELY, LIKELY_AGAINST_LABEL = 0.75, 0.85
"""Sketches that agree less are not looked at again; the second is for lines whose labels say that they differ."""
SAME, SAME_AGAINST_LABEL = 0.9, 0.93
"""How well the worst piece must agree."""


@dataclass(frozen=True)
class Small:
    """What is kept of an image for the comparison.

    Args:
        sketch: float32 (WIDTH * HEIGHT), of unit length; zeros for a blank image.
        thumbnail: uint8 (THUMB, W).
        aspect: the logarithm of width / height.
    """

    sketch: NDArray[np.float32]
    thumbnail: Pixels
    aspect: float


def small(grey: Pixels) -> Small:
    """Sketch and thumbnail of a grey image (H, W)."""
    height, width = grey.shape
    image = Image.fromarray(grey)
    columns = min(_WIDEST, max(6, round(width * THUMB / height)))
    thumbnail = np.asarray(image.resize((columns, THUMB), Image.Resampling.BILINEAR))
    return Small(_sketch(image), thumbnail, float(np.log(width / height)))


def _sketch(image: Image.Image) -> NDArray[np.float32]:
    cells = np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), np.float32)
    sides = np.pad(cells, ((0, 0), (1, 1)), mode="edge")
    cells = ((sides[:, :-2] + 2 * sides[:, 1:-1] + sides[:, 2:]) / 4).astype(
        np.float32
    )  # so that a move by one pixel changes little
    cells -= cells.mean(1, keepdims=True)
    length = float(np.linalg.norm(cells))
    # A blank image has nothing to be compared by; 0.5 grey values a cell is what JPEG leaves on one.
    return (cells / length if length > 0.5 * np.sqrt(cells.size) else np.zeros_like(cells)).ravel()


def agreement(a: Pixels, b: Pixels) -> float:
    """How alike two thumbnails are at their worst piece, -1 to 1 (correlation; 1 for equal ones).

    The margin of `a` is left out: what moved has something else there.
    """
    height, columns = a.shape
    if b.shape != a.shape:
        b = np.asarray(Image.fromarray(b).resize((columns, height), Image.Resampling.BILINEAR))
    side = _MOVES if columns >= 6 * _MOVES else 0  # a line of a few columns can only move up and down
    first = a[_MOVES : height - _MOVES, side : columns - side].astype(np.float32)
    second = b.astype(np.float32)
    first -= first.mean()
    second -= second.mean()
    # The floor keeps paper from being compared with paper: noise never agrees.
    floor = 1e-3 + 0.08 * max(float(np.mean(first * first)), float(np.mean(second * second)))
    pieces = _Pieces(first.shape)
    mean_a = pieces(first.sum(0))
    var_a = np.maximum(pieces((first * first).sum(0)) - mean_a**2, 0) + floor
    best = np.full(mean_a.shape, -1.0, np.float32)
    for version in _half_steps(second, side):
        moved = sliding_window_view(version, first.shape)  # (5 or 4, 5 or 4, H, W), no copies
        mean_b = pieces(moved.sum(2))
        var_b = np.maximum(pieces(np.einsum("yxhw,yxhw->yxw", moved, moved)) - mean_b**2, 0) + floor
        both = pieces(np.einsum("yxhw,hw->yxw", moved, first)) - mean_a * mean_b + floor
        best = np.maximum(best, (both / np.sqrt(var_a * var_b)).max((0, 1)))
        if best.min() < 0.5:  # half a pixel will not change that
            break
    return float(best.min())


def _half_steps(pixels: Floats, side: int) -> Iterator[Floats]:
    """An image as it is, and moved by half a pixel down, right and both."""
    yield pixels
    down: Floats = ((pixels[1:] + pixels[:-1]) / 2).astype(np.float32)
    yield down
    for version in (pixels, down) if side else ():
        yield ((version[:, 1:] + version[:, :-1]) / 2).astype(np.float32)


class _Pieces:
    """The mean over each piece of a line (H, W), from the sums of its columns (..., W); pieces overlap by half."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        height, columns = shape
        size = min(columns, THUMB * 3 // 4)
        self.starts = np.linspace(0, columns - size, max(1, -(-2 * columns // size) - 1)).round().astype(np.int64)
        self.size, self.cells = size, size * height

    def __call__(self, columns: Floats) -> Floats:
        total = np.zeros((*columns.shape[:-1], columns.shape[-1] + 1), np.float64)
        np.cumsum(columns, -1, out=total[..., 1:])
        found: Floats = ((total[..., self.starts + self.size] - total[..., self.starts]) / self.cells).astype(
            np.float32
        )
        return found


class Index:
    """The test lines, to be compared with.

    Args:
        smalls: the images; None for one that could not be read.
        texts: their labels, in the same order.
        numbers: what to call each of them in what is found.
    """

    def __init__(
        self, smalls: Sequence[Small | None], texts: Sequence[str], numbers: Sequence[int] | NDArray[np.int64]
    ) -> None:
        known = [(s.aspect, i, s.sketch) for i, s in enumerate(smalls) if s is not None and s.sketch.any()]
        known.sort(key=lambda entry: entry[:2])
        self._smalls = smalls
        self._numbers = numbers
        self._order = np.array([i for _, i, _ in known], np.int64)
        self._aspects = np.array([aspect for aspect, _, _ in known], np.float64)
        self._texts = np.array([hash(texts[i]) for i in self._order], np.int64)
        self._sketches = np.array([sketch for *_, sketch in known], np.float32).reshape(-1, WIDTH * HEIGHT)

    def near(self, block: Sequence[tuple[Small, str]]) -> Iterator[tuple[int, int, float]]:
        """Lines of a block that are nearly one of the test lines: number in the block, that of the test line, agreement.

        Each line is given once, with the test line that it is most like.
        """
        for rows, low, high in self._windows([s.aspect for s, _ in block]):
            sketches = np.stack([block[i][0].sketch for i in rows])
            texts = np.array([hash(block[i][1]) for i in rows], np.int64)
            alikes = sketches @ self._sketches[low:high].T
            best: dict[int, tuple[float, int]] = {}
            for row, column in zip(*np.nonzero(alikes >= LIKELY), strict=True):
                same = texts[row] == self._texts[low + column]
                line, other = rows[row], int(self._order[low + column])
                far = abs(block[line][0].aspect - self._aspects[low + column]) > _STRETCH
                if far or (not same and alikes[row, column] < LIKELY_AGAINST_LABEL):
                    continue
                known = self._smalls[other]
                assert known is not None
                alike = agreement(known.thumbnail, block[line][0].thumbnail)
                needed = SAME if same else SAME_AGAINST_LABEL
                if alike >= needed and alike > best.get(line, (-2.0, 0))[0]:
                    best[line] = (alike, other)
            yield from ((line, int(self._numbers[other]), alike) for line, (alike, other) in best.items())

    def _windows(self, aspects: Sequence[float]) -> Iterator[tuple[list[int], int, int]]:
        """Lines of similar proportions, with the range of test lines that come into question for them."""
        order = sorted(range(len(aspects)), key=aspects.__getitem__)
        start = 0
        while start < len(order):
            stop = start
            while stop < len(order) and aspects[order[stop]] - aspects[order[start]] <= _STRETCH:
                stop += 1
            low = int(np.searchsorted(self._aspects, aspects[order[start]] - _STRETCH))
            high = int(np.searchsorted(self._aspects, aspects[order[stop - 1]] + _STRETCH, side="right"))
            if low < high:
                yield order[start:stop], low, high
            start = stop


__all__ = ["LIKELY", "SAME", "SAME_AGAINST_LABEL", "Index", "Small", "agreement", "small"]
