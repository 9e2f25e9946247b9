"""Which layers stay in float so that no more than a given accuracy is lost: those whose rounding moves the logits most, and no more
of them than it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from glyphlet.runtime.bundle import INPUT, OUTPUT

Images = Sequence[NDArray[np.float32]]


def logits_of(model: onnx.ModelProto, images: Images) -> list[NDArray[np.float32]]:
    """What a graph gives for lines, each (1, C, H, W)."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session: Any = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [session.run([OUTPUT], {INPUT: image})[0] for image in images]


def noise(exact: Sequence[NDArray[np.float32]], rounded: Sequence[NDArray[np.float32]]) -> float:
    """The power of the difference of logits, as a share of their own.

    >>> noise([np.array([3.0, 4.0])], [np.array([3.0, 3.0])])
    0.04
    """
    pairs = list(zip(exact, rounded, strict=True))
    lost = sum(float(np.square(a - b, dtype=np.float64).sum()) for a, b in pairs)
    return lost / max(1e-30, sum(float(np.square(a, dtype=np.float64).sum()) for a, _ in pairs))


def fewest(count: int, fits: Callable[[int], bool]) -> int | None:
    """The smallest k from 0 to `count` - 1 for which `fits`, if larger ones fit wherever smaller ones do; None if none does.

    0 is tried first, then 1, 2, 4, ..., then halves between the last two.

    >>> fewest(20, lambda k: k >= 11)
    11
    """
    low, step = -1, 0
    while True:
        k = min(step, count - 1)
        if k <= low:
            return None
        if fits(k):
            break
        low, step = k, max(1, 2 * step)
    high = k
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


__all__ = ["fewest", "logits_of", "noise"]
