"""Reads lines with a model file: NumPy, Pillow and onnxruntime, no torch.

    sources -> image.prepare -> lines of equal padded width share a batch -> onnxruntime -> decode -> readings

A line is padded to its own width only, so its result does not depend on the lines beside it; batches change nothing
but the time it takes (and at most the last bits of a confidence). Memory is bounded however many sources there are:
lines wait in buckets by width, and a bucket is read as soon as it holds a batch, or when all that wait hold too many
pixels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet.decode.calibration import Calibration
from glyphlet.decode.decoders import DECODERS
from glyphlet.decode.reading import Reading
from glyphlet.errors import GlyphletError, ImageError
from glyphlet.image import ImageSource, Line, name_of, prepare, scale, stack
from glyphlet.runtime.bundle import INPUT, OUTPUT, open_model
from glyphlet.runtime.metadata import SINGLE, Metadata
from glyphlet.runtime.shipped import DEFAULT

if TYPE_CHECKING:  # who asks for one has imported it; a greedy reader starts without it
    from glyphlet.decode.decoding import Decoding

MAX_BATCH_PIXELS = 2**20
"""Pixels of a batch, padding counted (32 lines of 32 x 1024); a wider line is read alone."""
MAX_WAITING_PIXELS = 2**24
"""Pixels of all lines that wait for others of their width."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A line on its way: where its reading belongs, what it is called, and its pixels."""

    position: int
    source: str
    line: Line


class Reader:
    """Reads text lines. Several threads may share one reader.

    Args:
        path: a model file that `glyphlet export` wrote, or the name of a model that ships (`glyphlet models`).
        threads: CPU threads, at least 1.
        decoding: how the output is read: with a beam, a pattern, a lexicon, a language model. Greedily without.
        calibrated: whether confidences are corrected as the file says, and images without text rejected. Otherwise they are the
            network's own, and whatever it makes of an image is read.

    Raises:
        ModelFileError: the file is missing, damaged, not a Glyphlet model, or needs a newer version.
        GlyphletError: the model cannot be read as `decoding` asks.

    >>> reader = Reader("model.onnx")                         # doctest: +SKIP
    >>> [r.text for r in reader.read(["a.png", "b.jpg"])]     # doctest: +SKIP
    ['0423', '1988']
    """

    def __init__(
        self,
        path: str | Path = DEFAULT,
        threads: int = 1,
        decoding: Decoding | None = None,
        calibrated: bool = True,
    ) -> None:
        self._bundle = open_model(path, _at_least_one("threads", threads))
        self._codec = self.metadata.codec
        self._calibration = Calibration.of(self.metadata.calibration) if calibrated else None
        self._decode: Callable[..., list[Reading]] = DECODERS[self._codec.kind]
        if decoding:
            self._decode = self._decoder(decoding)

    def using(self, decoding: Decoding | None) -> Reader:
        """A reader of the same model that decodes otherwise; the network is shared.

        Args:
            decoding: how; None is greedily.

        Raises:
            GlyphletError: the model cannot be read so.
        """
        other = copy.copy(self)
        other._decode = self._decoder(decoding) if decoding else DECODERS[self._codec.kind]
        return other

    def _decoder(self, decoding: Decoding) -> Callable[..., list[Reading]]:
        return decoding.for_codec(self._codec, f"the model {self.path.name}")

    @property
    def metadata(self) -> Metadata:
        """What the model file says about itself."""
        return self._bundle.metadata

    @property
    def path(self) -> Path:
        """The model file."""
        return self._bundle.path

    def read(self, sources: Sequence[ImageSource], batch: int = 32) -> list[Reading]:
        """Read lines.

        Args:
            sources: one line each: paths, bytes of image files, arrays (RGB order) or Pillow images.
            batch: at most this many lines are read together; it changes the speed, not the texts.

        Returns:
            One reading a source, in the order of the sources.

        Raises:
            ImageError: a source is not an image, is damaged or too wide; the message names it.
            GlyphletError: `batch` is not a whole number of 1 or more.
        """
        _refuse_single(sources)
        batch = _at_least_one("batch", batch)
        if SINGLE in self.metadata.features:
            batch = 1
        readings: dict[int, Reading] = {}
        for group in self._groups(sources, batch):
            lines = [waiting.line for waiting in group]
            names = [waiting.source for waiting in group]
            decoded = self._decode(self.logits(lines), self._codec, lines, self.metadata.time_stride, names)
            if self._calibration:
                decoded = [self._calibration.apply(*pair) for pair in zip(decoded, lines, strict=True)]
            readings.update(zip((waiting.position for waiting in group), decoded, strict=True))
        return [readings[position] for position in range(len(readings))]

    def read_one(self, source: ImageSource) -> Reading:
        """Read one line; raises what `read` raises."""
        return self.read([source])[0]

    def logits(self, lines: Sequence[Line]) -> NDArray[np.float32]:
        """The output of the model for lines of equal padded width.

        Args:
            lines: made by `image.prepare` with `metadata.geometry`, at least one.

        Returns:
            float32 (N, T, K).
        """
        images = scale(stack(lines), self.metadata.geometry)
        (logits,) = self._bundle.session.run([OUTPUT], {INPUT: images})
        result: NDArray[np.float32] = logits
        return result

    def _groups(self, sources: Sequence[ImageSource], batch: int) -> Iterator[list[_Waiting]]:
        """Batches of lines of equal padded width, as soon as they are full."""
        buckets: dict[int, list[_Waiting]] = {}
        pixels = 0
        for position, source in enumerate(sources):
            line = prepare(source, self.metadata.geometry)
            width = line.pixels.shape[2]
            bucket = buckets.setdefault(width, [])
            bucket.append(_Waiting(position, name_of(source), line))
            pixels += line.pixels.size
            if len(bucket) >= batch or (len(bucket) + 1) * line.pixels.size > MAX_BATCH_PIXELS:
                pixels -= len(bucket) * line.pixels.size
                yield buckets.pop(width)
            elif pixels > MAX_WAITING_PIXELS:
                yield from buckets.values()
                buckets, pixels = {}, 0
        yield from buckets.values()


def _refuse_single(sources: Any) -> None:
    """A path is a sequence of letters and an array one of rows: without this, each would be taken for an image."""
    if isinstance(sources, str | Path | bytes | bytearray | memoryview | np.ndarray | Image.Image):
        raise ImageError(
            f"read was given one image ({name_of(sources)}) where a list is needed",
            allowed="a list of paths, bytes, arrays or Pillow images",
            next_step="write read([image]) or read_one(image), and list(images) for a stacked array",
        )


def _at_least_one(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise GlyphletError(
            f"{name} is {value!r}", allowed="a whole number of 1 or more", next_step=f"set {name} to 1 or more"
        )
    return value


__all__ = ["MAX_BATCH_PIXELS", "MAX_WAITING_PIXELS", "Reader"]
