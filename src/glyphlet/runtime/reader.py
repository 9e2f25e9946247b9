"""Reads lines with a model file: NumPy, Pillow and onnxruntime, no torch.

    sources -> image.prepare -> lines of equal padded width share a batch -> onnxruntime -> decode -> calibration -> readings

A line's result does not depend on the lines beside it; batches (`runtime.batches`) change nothing but the time it takes, and at most
the last bits of a confidence. Memory is bounded however many lines there are and however wide they are (`runtime.windows`).
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet.codec import CTCCodec
from glyphlet.decode.calibration import Calibration
from glyphlet.decode.decoders import DECODERS
from glyphlet.decode.reading import Reading
from glyphlet.errors import GlyphletError, ImageError
from glyphlet.image import Geometry, ImageSource, Line, name_of, prepare, scale, stack
from glyphlet.runtime.batches import Batch, Waiting, available_threads, batches, side_by_side
from glyphlet.runtime.bundle import INPUT, OUTPUT, open_model
from glyphlet.runtime.metadata import SINGLE, Metadata
from glyphlet.runtime.shipped import DEFAULT, model_path
from glyphlet.runtime.turn import check_turn, surest, turned
from glyphlet.runtime.windows import WIDE, Windows

if TYPE_CHECKING:  # who asks for one has imported it; a greedy reader starts without it
    from glyphlet.decode.decoding import Decoding

LARGE = 4_000_000
"""Bytes of a model file from which on the threads share a batch; of smaller ones each reads a batch of its own."""


class Reader:
    """Reads text lines. Several threads may share one reader.

    Args:
        path: a model file that `glyphlet export` wrote, or the name of a model that ships (`glyphlet models`).
        threads: CPU threads, at least 1; None takes the cores that the process may use, at most 8.
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
        threads: int | None = None,
        decoding: Decoding | None = None,
        calibrated: bool = True,
    ) -> None:
        threads = available_threads() if threads is None else _at_least_one("threads", threads)
        file = model_path(path)
        large = file.is_file() and file.stat().st_size >= LARGE
        self._bundle = open_model(path, threads if large else 1)
        self._workers = 1 if large else threads
        self._codec = self.metadata.codec
        self._calibration = Calibration.of(self.metadata.calibration) if calibrated else None
        self._windows = Windows(self.logits, self.metadata.geometry, self.metadata.time_stride)
        self._greedy, self._pattern = True, False
        self._decode: Callable[..., list[Reading]] = DECODERS[self._codec.kind]
        if decoding:
            self._decode, self._greedy, self._pattern = self._decoder(decoding), False, bool(decoding.pattern)

    def using(self, decoding: Decoding | None) -> Reader:
        """A reader of the same model that decodes otherwise; the network is shared.

        Args:
            decoding: how; None is greedily.

        Raises:
            GlyphletError: the model cannot be read so.
        """
        other = copy.copy(self)
        other._decode = self._decoder(decoding) if decoding else DECODERS[self._codec.kind]
        other._greedy, other._pattern = not decoding, bool(decoding and decoding.pattern)
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

    @property
    def geometry(self) -> Geometry:
        """The file's geometry; without its `max_width` where lines of any width can be read (CTC, greedily)."""
        any_width = self._greedy and isinstance(self._codec, CTCCodec)
        return replace(self.metadata.geometry, max_width=sys.maxsize) if any_width else self.metadata.geometry

    def read(self, sources: Sequence[ImageSource], batch: int = 32, turn: str = "0") -> list[Reading]:
        """Read lines.

        Args:
            sources: one line each: paths, bytes of image files, arrays (RGB order) or Pillow images.
            batch: at most this many lines are read together; it changes the speed, not the texts.
            turn: by how many degrees, counterclockwise, the images are turned before they are read: "90" for lines that run down,
                "270" for lines that run up, "180" for lines upside down. "auto" tries 0 and 180, or, for images half again as high as
                wide, 90 and 270, and takes the surer reading. Spans are columns of the turned image.

        Returns:
            One reading a source, in the order of the sources.

        Raises:
            ImageError: a source is not an image, is damaged or too wide; the message names it.
            GlyphletError: `batch` is not a whole number of 1 or more, or `turn` none of the above.
        """
        _refuse_single(sources)
        check_turn(turn)
        batch = _at_least_one("batch", batch)
        if SINGLE in self.metadata.features:
            batch = 1
        readings: dict[int, list[Reading]] = {}
        waiting = self._lines(sources) if turn == "0" else self._turned(sources, turn)
        for group, read in side_by_side(self._read_batch, batches(waiting, batch), self._workers):
            for one, reading in zip(group, read, strict=True):
                readings.setdefault(one.position, []).append(reading)
        return [surest(readings[position]) for position in range(len(readings))]

    def read_one(self, source: ImageSource, turn: str = "0") -> Reading:
        """Read one line; raises what `read` raises."""
        return self.read([source], turn=turn)[0]

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

    def _lines(self, sources: Iterable[ImageSource]) -> Iterator[Waiting]:
        for position, source in enumerate(sources):
            yield Waiting(position, name_of(source), prepare(source, self.geometry))

    def _turned(self, sources: Iterable[ImageSource], turn: str) -> Iterator[Waiting]:
        for position, source in enumerate(sources):
            for pixels in turned(source, turn, self.geometry.channels):
                yield Waiting(position, name_of(source), prepare(pixels, self.geometry, name_of(source)))

    def _read_batch(self, batch: Batch) -> list[Reading]:
        lines, names = [waiting.line for waiting in batch], [waiting.source for waiting in batch]
        stride, widest = self.metadata.time_stride, lines[0].pixels.shape[2]
        if widest > self.metadata.geometry.max_width and isinstance(self._codec, CTCCodec):
            read = [self._windows.read(line, self._codec, name) for line, name in zip(lines, names, strict=True)]
        else:
            wide = widest > WIDE and isinstance(self._codec, CTCCodec)
            logits = np.concatenate([self._windows.logits(line) for line in lines]) if wide else self.logits(lines)
            read = self._decode(logits, self._codec, lines, stride, names)
            if not self._greedy and self._calibration:
                return [
                    self._bound(self._calibration, *one, logits[n : n + 1])
                    for n, one in enumerate(zip(read, lines, strict=True))
                ]
        if self._calibration:
            read = [self._calibration.apply(*pair) for pair in zip(read, lines, strict=True)]
        return read

    def _bound(self, calibration: Calibration, reading: Reading, line: Line, logits: NDArray[np.float32]) -> Reading:
        """A reading that must be legal, corrected; where it looks like no text, the network by itself is asked whether there is any."""
        if reading.reason or not calibration.rejects(reading, bound=True):
            return reading if reading.reason else calibration.corrected(reading, line)
        if self._pattern and calibration.unlikely(reading):
            return calibration.refused(reading)
        alone = DECODERS[self._codec.kind](logits, self._codec, [line], self.metadata.time_stride, [reading.source])
        return calibration.apply(reading, line, alone[0])


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


__all__ = ["LARGE", "Reader"]
