"""Measure line images: each is decoded once, and all that a check wants to know of it is taken then.

Measures of a set are one NumPy array of 32 bytes a line. Work is done in blocks, in this process or in several; blocks
come back in order, so a check does not depend on the number of processes.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet.data.auditing.nearduplicates import Small, small
from glyphlet.data.lineset import LineSet
from glyphlet.errors import GlyphletError
from glyphlet.image import FORMATS, ImageSource, decode, name_of, open_image

MODES = ("other", "L", "RGB", "1", "P", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "I")
"""Pillow's modes, as `Measures.mode` numbers them."""
FILES = ("other", "pixels", "MPO", *FORMATS)
"""Formats of image files, as `format` numbers them; `pixels` for an array or a Pillow image, `MPO` for some JPEG files."""
MEASURES = np.dtype([
    ("width", np.int32), ("height", np.int32), ("digest", np.uint64), ("contrast", np.int16), ("state", np.uint8),
    ("format", np.uint8), ("mode", np.uint8), ("dark_ink", np.bool_), ("turned", np.bool_),
])  # fmt: skip
"""Of each image: its size upright; a digest of its pixels; grey values between the darkest and the lightest 0.5 %;
`state`; format and mode of the file; whether ink is darker than paper; whether its orientation mark turns it."""
UNSEEN, READ, BAD = 0, 1, 2
"""`state`: not looked at, read, unreadable."""
_BLOCK = 128
_POOL_FROM = 160
"""Blocks; fewer are done before other processes have started."""


@dataclass
class Block:
    """The measures of some lines.

    Args:
        indices: the lines.
        measures: one for each, of type `MEASURES`.
        problems: what is wrong with those that cannot be read, by their number in the block.
        smalls: for the comparison with other images, when that was asked for; None where unreadable.
    """

    indices: NDArray[np.int64]
    measures: NDArray[np.void]
    problems: dict[int, str]
    smalls: list[Small | None]


def measure(source: ImageSource, keep_small: bool = False) -> tuple[tuple[object, ...], Small | None]:
    """The measures of one image as a tuple in the order of `MEASURES`, and what it is compared by.

    Raises:
        ImageError: it cannot be read.
    """
    kind, mode, turned = FILES.index("pixels"), "other", False
    if isinstance(source, str | bytes | bytearray | memoryview) or hasattr(source, "__fspath__"):
        with open_image(source) as image:  # type: ignore[arg-type]
            kind = FILES.index(image.format) if image.format in FILES else 0
            mode = image.mode
            pixels = decode(image, 1 if mode in ("1", "L", "I;16", "I") else 3, name_of(source))
            turned = image.format in ("JPEG", "MPO", "TIFF", "PNG", "WEBP") and image.getexif().get(0x0112, 1) != 1
    else:
        pixels = decode(source, 3)
        mode = getattr(source, "mode", "L" if getattr(source, "ndim", 3) == 2 else "RGB")
    if pixels.shape[2] == 3 and (pixels[:, :, :1] == pixels[:, :, 1:]).all():
        pixels = np.ascontiguousarray(pixels[:, :, :1])  # a grey image saved as colour is the same image
    height, width, channels = pixels.shape
    digest = hashlib.blake2b(pixels.data, digest_size=8, key=b"%d %d" % (width, channels)).digest()
    grey = Image.fromarray(pixels[:, :, 0]) if channels == 1 else Image.fromarray(pixels).convert("L")
    counts = np.cumsum(grey.histogram())
    low, middle, high = np.searchsorted(counts, np.array((0.005, 0.5, 0.995)) * counts[-1])
    row = (
        width, height, int.from_bytes(digest, "big"), int(high - low), READ,
        kind, MODES.index(mode) if mode in MODES else 0, bool(2 * middle >= low + high), turned,
    )  # fmt: skip
    return row, small(np.asarray(grey)) if keep_small else None


def measure_block(lines: LineSet, indices: NDArray[np.int64], keep_small: bool) -> Block:
    """Measure some lines of a set."""
    block = Block(indices, np.zeros(len(indices), MEASURES), {}, [])
    for number, index in enumerate(indices):
        found: Small | None = None
        try:
            sample = lines.sample(int(index))
            block.measures[number], found = measure(sample.source, keep_small)
        except GlyphletError as error:
            block.measures[number]["state"] = BAD
            block.problems[number] = error.problem
        if keep_small:
            block.smalls.append(found)
    return block


_lines: LineSet | None = None  # of a worker process


def _start(lines: LineSet) -> None:
    global _lines
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _lines = lines


def _work(indices: NDArray[np.int64], keep_small: bool) -> Block:
    assert _lines is not None
    return measure_block(_lines, indices, keep_small)


def measure_lines(
    lines: LineSet, indices: NDArray[np.int64], *, keep_small: bool = False, workers: int = 1
) -> Iterator[Block]:
    """Measure lines, block by block, in order.

    Args:
        lines: the set.
        indices: which lines.
        keep_small: also make what images are compared by.
        workers: processes; 1 works in this one.
    """
    blocks = [indices[start : start + _BLOCK] for start in range(0, len(indices), _BLOCK)]
    if workers <= 1 or len(blocks) < _POOL_FROM:
        for block in blocks:
            yield measure_block(lines, block, keep_small)
        return
    # Not forked: the parent may hold open databases and threads, which do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(lines,))
    waiting: deque[Future[Block]] = deque()
    rest: Sequence[NDArray[np.int64]] = blocks
    try:
        for block in rest:
            waiting.append(pool.submit(_work, block, keep_small))
            if len(waiting) > 4 * workers:  # a slow reader of the results must not fill the memory
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


__all__ = ["BAD", "FILES", "MEASURES", "MODES", "READ", "UNSEEN", "Block", "measure", "measure_block", "measure_lines"]
