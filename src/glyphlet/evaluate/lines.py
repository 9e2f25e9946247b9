"""Read labelled lines with a model file, the way its users will."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.errors import ImageError, LabelError
from glyphlet.evaluate.report import Picture
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.image import decode, name_of
from glyphlet.runtime.reader import Reader


def line_name(sample: Sample) -> str:
    """How a line is called in results: the path of its image, or where it comes from."""
    return str(sample.source) if isinstance(sample.source, str | Path) else sample.origin


def pictures(results: Sequence[LineResult], lines: LineSet | Sequence[Sample]) -> list[Picture]:
    """Lines for a gallery, as the images they came from.

    Args:
        results: what was read.
        lines: the lines that were read, in any order.
    """
    wanted = {result.path for result in results}
    found: dict[str, NDArray[np.uint8]] = {}
    for number in range(len(lines)):
        if len(found) == len(wanted):
            break
        with contextlib.suppress(ImageError, LabelError):
            sample = lines[number]
            if (name := line_name(sample)) in wanted:
                found[name] = decode(sample.source)
    return [
        Picture(found[r.path], r.text, r.truth, r.confidence, Path(r.path).name, r.raw)
        for r in results
        if r.path in found
    ]


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
    normalize = reader.metadata.charset.normalize
    results: list[LineResult] = []
    for start in range(0, len(samples), 256):
        part, images = [], []
        for number in range(start, min(start + 256, len(samples))):
            try:
                sample = samples[number]
                images.append(
                    decode(
                        sample.source, reader.metadata.geometry.channels, f"{name_of(sample.source)} ({sample.origin})"
                    )
                )
                part.append(sample)
            except ImageError as error:
                if on_error is None:
                    raise
                on_error(error)
        for sample, reading in zip(part, reader.read(images), strict=True):
            results.append(
                LineResult(line_name(sample), normalize(sample.text), reading.text, reading.confidence, reading.raw)
            )
        progress(min(start + 256, len(samples)))
    return Evaluation.of(results, ignore_case=ignore_case)
