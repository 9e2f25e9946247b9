"""Read labelled lines with a model file, the way its users will."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from glyphlet.data.sample import Sample
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.runtime.reader import Reader


def evaluate_lines(
    reader: Reader,
    samples: Sequence[Sample],
    *,
    ignore_case: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Read lines and compare with their labels.

    A label with characters that the model cannot write stays in the count, as an error. Labels are compared in the
    normal form of the model's charset.

    Args:
        reader: an open model file.
        samples: the lines.
        ignore_case: compare texts in lower case.
        progress: called with the number of lines that are done.

    Raises:
        ImageError: an image cannot be read; the message names it.
    """
    normalize = reader.metadata.charset.normalize
    results: list[LineResult] = []
    for start in range(0, len(samples), 256):
        part = samples[start : start + 256]
        for sample, reading in zip(part, reader.read([s.source for s in part]), strict=True):
            name = str(sample.source) if isinstance(sample.source, str | Path) else sample.origin
            results.append(LineResult(name, normalize(sample.text), reading.text, reading.confidence, reading.raw))
        progress(len(results))
    return Evaluation.of(results, ignore_case=ignore_case)
