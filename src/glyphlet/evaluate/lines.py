"""Read labelled lines with a model file, the way its users will."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.decode.reading import Reading
from glyphlet.errors import ImageError, LabelError
from glyphlet.evaluate.gallery import Picture
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.image import Geometry, decode, fit, name_of
from glyphlet.runtime.reader import Reader

HIGH, WIDE = 96, 1400
"""Pictures on a page are not larger than this, in pixels."""
_PART = 256
"""Lines that are opened at a time."""


def line_name(sample: Sample) -> str:
    """How a line is called in results: the path of its image, or where it comes from."""
    return str(sample.source) if isinstance(sample.source, str | Path) else sample.origin


def pictures(results: Sequence[LineResult], lines: LineSet | Sequence[Sample]) -> list[Picture]:
    """Lines for a gallery, as the images they came from, made smaller where they are large.

    Args:
        results: what `evaluate_lines` read; what has no picture any more is left out.
        lines: the lines that were read, in the same order.
    """
    made = []
    for result in results:
        image = picture_of(result, lines)
        if image is not None:
            made.append(
                Picture(image, result.text, result.truth, result.confidence, Path(result.path).name, result.raw)
            )
    return made


def picture_of(result: LineResult, lines: LineSet | Sequence[Sample]) -> NDArray[np.uint8] | None:
    """The image of a line, uint8 (H, W, 3), at most `HIGH` x `WIDE` pixels; None where it cannot be opened again."""
    with contextlib.suppress(ImageError, LabelError):
        pixels = decode(lines[result.number].source)
        share = min(1.0, HIGH / pixels.shape[0], WIDE / pixels.shape[1])
        if share == 1.0:
            return pixels
        size = max(1, round(pixels.shape[1] * share)), max(1, round(pixels.shape[0] * share))
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    return None


def evaluate_lines(
    reader: Reader,
    samples: LineSet | Sequence[Sample],
    *,
    ignore_case: bool = False,
    progress: Callable[[int], None] = lambda done: None,
    on_error: Callable[[ImageError], None] | None = None,
) -> Evaluation:
    """Read lines and compare with their labels.

    A label with characters that the model cannot write stays in the count, as an error. Labels are compared in the
    normal form of the model's charset.

    Args:
        reader: an open model file.
        samples: the lines.
        ignore_case: compare texts in lower case.
        progress: called with the number of lines that are done.
        on_error: called for each image that cannot be read; the line is then left out. By default it is raised.

    Raises:
        ImageError: an image cannot be read, and there is no `on_error`.
        LabelError: no line could be read.
    """
    results: list[LineResult] = []
    for start in range(0, len(samples), _PART):
        stop = min(start + _PART, len(samples))
        results += _read_part(reader, samples, range(start, stop), on_error)
        progress(stop)
    if not results:
        raise LabelError(
            f"none of the {len(samples):,} lines can be read" if len(samples) else "there are no lines",
            allowed="at least one line with an image that can be read",
            next_step="check the paths of the images; `glyphlet data check` names what is wrong with each",
        )
    return Evaluation.of(results, ignore_case=ignore_case)


def _read_part(
    reader: Reader,
    samples: LineSet | Sequence[Sample],
    numbers: range,
    on_error: Callable[[ImageError], None] | None,
) -> list[LineResult]:
    """Read some of the lines; without `on_error` an image that cannot be read is raised."""
    geometry, normalize = reader.geometry, reader.metadata.charset.normalize
    results = []
    for number, sample, image, reading in _readings(reader, samples, numbers, on_error):
        results.append(
            LineResult(
                path=line_name(sample),
                truth=normalize(sample.text),
                text=reading.text,
                confidence=reading.confidence,
                raw=reading.raw,
                number=number,
                width=geometry.scaled_width(image.shape[1], image.shape[0]),
                characters=tuple(character.confidence for character in reading.characters),
                reason=reading.reason,
            )
        )
    return results


def _readings(
    reader: Reader,
    samples: LineSet | Sequence[Sample],
    numbers: range,
    on_error: Callable[[ImageError], None] | None,
) -> Iterator[tuple[int, Sample, NDArray[np.uint8], Reading]]:
    opened = []
    for number in numbers:
        try:
            sample = samples[number]
            name = f"{name_of(sample.source)} ({sample.origin})"
            image = decode(sample.source, reader.metadata.geometry.channels, name)
            _check_width(image, reader.geometry, name)
        except ImageError as error:
            if on_error is None:
                raise
            on_error(error)
            continue
        opened.append((number, sample, image))
    readings = reader.read([image for _, _, image in opened])
    yield from ((*line, reading) for line, reading in zip(opened, readings, strict=True))


def _check_width(image: NDArray[np.uint8], geometry: Geometry, name: str) -> None:
    """Refuse what the reader would refuse: a line that is too wide for it."""
    if geometry.scaled_width(image.shape[1], image.shape[0]) > geometry.max_width:
        fit(image, geometry, name)


__all__ = ["HIGH", "WIDE", "evaluate_lines", "line_name", "picture_of", "pictures"]
