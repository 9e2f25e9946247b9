"""Reads the output of a model that writes one class a step until it stops (attention, LSTM decoders).

Such a model has chosen each class with the ones before in view, so the most probable class of each step is its greedy
reading, and the probability of the text is the product over the steps up to the stop. It does not say where a character
stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import Codec
from glyphlet.decode.greedy import best_paths
from glyphlet.decode.reading import Character, Reading
from glyphlet.image import Line


def decode(
    logits: NDArray[Any], codec: Codec, lines: Sequence[Line], time_stride: int, sources: Sequence[str]
) -> list[Reading]:
    """Read a batch of lines.

    Args:
        logits: float (N, S, K) with K = `codec.classes`, class 0 the stop.
        codec: the characters of the model.
        lines: not used; see `greedy.decode`.
        time_stride: not used; see `greedy.decode`.
        sources: the name of each line.

    Returns:
        One reading a line, in order. A text without a stop is as long as the model can write.

    >>> from glyphlet.charset import Charset
    >>> from glyphlet.codec import SequenceCodec
    >>> logits = np.log([[[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]])
    >>> (reading,) = decode(logits, SequenceCodec(Charset.from_text("a")), [], 4, ["example"])
    >>> reading.text, round(reading.confidence, 3), reading.raw
    ('a', 0.72, 'a')
    """
    paths, best, _ = best_paths(logits)
    readings = []
    for path, sure, source in zip(paths.tolist(), best, sources, strict=True):
        text = codec.decode(path)
        end = len(text)
        characters = tuple(
            Character(char, float(value), None, None) for char, value in zip(text, sure[:end], strict=True)
        )
        readings.append(Reading(text, float(np.prod(sure[: end + 1])), characters, text, source))
    return readings


__all__ = ["decode"]
