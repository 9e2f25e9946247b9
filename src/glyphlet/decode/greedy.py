"""The plain way to read the output of a CTC model: the most probable class at every time step.

Equal neighbours are merged and blanks dropped (Graves et al. 2006, "best path decoding"). All lines of a batch are
decoded together: argmax, run boundaries and run confidences are each one NumPy call for the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import BLANK, CTCCodec, Run
from glyphlet.decode.confidence import log_normalizers, log_probabilities, telling_steps
from glyphlet.decode.reading import Character, Reading
from glyphlet.image import Line


def decode(
    logits: NDArray[Any], codec: CTCCodec, lines: Sequence[Line], time_stride: int, sources: Sequence[str]
) -> list[Reading]:
    """Read a batch of lines.

    Args:
        logits: float (N, T, K) with K = `codec.classes`; log-posteriors will do as well.
        codec: the characters of the model.
        lines: the N lines that went in, for their widths.
        time_stride: columns of the model's input, in pixels, that one time step stands for.
        sources: the name of each line.

    Returns:
        One reading a line, in order.

    >>> from glyphlet.charset import Charset
    >>> codec = CTCCodec(Charset.from_text("ab"))
    >>> line = Line(np.zeros((1, 8, 12), np.uint8), scaled_width=12, width=24)
    >>> logits = np.log([[[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.2, 0.1, 0.7]]])
    >>> (reading,) = decode(logits, codec, [line], 4, ["example"])
    >>> reading.text, reading.raw, reading.characters[1].left, reading.characters[1].right
    ('ab', 'a_b', 16.0, 24.0)
    """
    paths, best, normalizers = best_paths(logits)
    found = runs(paths, best)
    labels = [[run.label for run, _ in line] for line in found]
    telling = telling_steps(paths, best)
    confidences = np.exp(log_probabilities(logits, labels, normalizers, telling)).tolist()
    signs = (codec.blank_sign, *codec.charset.characters)
    readings = []
    for path, line_runs, line, confidence, source in zip(paths, found, lines, confidences, sources, strict=True):
        characters = tuple(Character(signs[run.label], sure, *span(run, line, time_stride)) for run, sure in line_runs)
        text = "".join(character.char for character in characters)
        raw = "".join([signs[label] for label in path.tolist()])
        readings.append(Reading(text, confidence, characters, raw, source))
    return readings


def best_paths(logits: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """The most probable class of each time step, its posterior, and the log-normalizers; each (N, T)."""
    paths = logits.argmax(axis=-1)
    normalizers = log_normalizers(logits)
    peaks = np.take_along_axis(logits, paths[..., None], axis=-1)[..., 0]
    return paths, np.exp(peaks - normalizers), normalizers


def runs(paths: NDArray[np.intp], posteriors: NDArray[np.float64]) -> list[list[tuple[Run, float]]]:
    """The characters on each path of a batch, blanks dropped, each with the highest posterior of its time steps.

    Args:
        paths: classes (N, T).
        posteriors: of those classes, (N, T).
    """
    steps = paths.shape[1]
    opens = np.ones(paths.shape, dtype=bool)  # where a run begins: at every line's start, and where the class changes
    opens[:, 1:] = paths[:, 1:] != paths[:, :-1]
    starts = np.flatnonzero(opens)
    stops = np.append(starts[1:], paths.size)
    highest = np.maximum.reduceat(posteriors.ravel(), starts)
    labels = paths.ravel()[starts]
    kept = labels != BLANK
    found: list[list[tuple[Run, float]]] = [[] for _ in paths]
    columns = (array[kept].tolist() for array in (labels, starts, stops, highest))
    for label, start, stop, sure in zip(*columns, strict=True):
        line, first = divmod(start, steps)
        found[line].append((Run(label, first, stop - line * steps), sure))
    return found


def span(run: Run, line: Line, time_stride: int) -> tuple[float, float]:
    """Left and right edge of a run in pixels of the original image; what falls on the padding is cut off."""
    pixels, most = line.width / line.scaled_width, line.scaled_width
    return min(run.start * time_stride, most) * pixels, min(run.stop * time_stride, most) * pixels


__all__ = ["best_paths", "decode", "runs", "span"]
