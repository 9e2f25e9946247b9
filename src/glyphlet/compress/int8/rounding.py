"""Weights to whole numbers, by GPTQ (Frantar et al. 2022, arXiv 2210.17323): the error of each weight is carried on to those of
the same output that are not rounded yet, as far as their inputs occur together with its own.

Rounding to the nearest 7 bits left the logits of `print` 27.7 dB above the error, this 30.1 dB, and nearest 8 bits 30.6 dB
(benchmarks/int8_design.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glyphlet.compress.int8.observe import Observed
from glyphlet.compress.int8.plain import Layer, Plain

LARGEST = 64
"""The largest whole number of a weight. Processors without VNNI add two products of 8 x 8 bits in 16: 2 x 255 x 64 fits, 2 x 255 x 127
is cut off, and the same file would read otherwise there."""
DAMPING = 0.01
"""Added to the diagonal of the moments, as a share of its mean."""
_BLOCK = 128
Rounded = tuple[NDArray[np.int8], NDArray[np.float32]]
"""Whole numbers in the shape of the weights, and the step size of each output."""


def rounded(plain: Plain, layer: Layer, seen: Observed) -> Rounded:
    """The weights of a layer as whole numbers from -`LARGEST` to `LARGEST`, and the step size of each output.

    Args:
        plain: the graph.
        layer: of it.
        seen: of lines.
    """
    weights = plain.constants[layer.name]
    outputs = len(weights)
    flat = weights.reshape(layer.groups, outputs // layer.groups, -1).astype(np.float64)
    step = np.maximum(np.abs(flat).max(axis=2), 1e-12) / LARGEST
    found = [
        _carried(part, moments, size) for part, moments, size in zip(flat, seen.moments[layer.name], step, strict=True)
    ]
    return np.stack(found).reshape(weights.shape).astype(np.int8), step.reshape(outputs).astype(np.float32)


def nearest(plain: Plain, layer: Layer, largest: int = LARGEST) -> Rounded:
    """The same, each weight rounded to the nearest: no lines are needed, and the error is larger."""
    weights = plain.constants[layer.name]
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    step = np.maximum(np.abs(flat).max(axis=1), 1e-12) / largest
    whole = np.clip(np.rint(flat / step[:, None]), -largest, largest)
    return whole.reshape(weights.shape).astype(np.int8), step.astype(np.float32)


def _carried(
    weights: NDArray[np.float64], moments: NDArray[np.float64], step: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Round (outputs, inputs), the inputs that carry most first, in blocks so that most of the work is matrix products."""
    moments = moments.copy()
    silent = np.diag(moments) <= 0
    moments[silent, silent] = 1
    moments[np.diag_indices(len(moments))] += DAMPING * np.diag(moments).mean()
    order = np.argsort(-np.diag(moments), kind="stable")
    left = weights[:, order].copy()
    factor = np.linalg.cholesky(np.linalg.inv(moments[np.ix_(order, order)])).T
    whole = np.empty_like(left)
    for begin in range(0, len(order), _BLOCK):
        end = min(begin + _BLOCK, len(order))
        errors = np.empty((len(left), end - begin))
        for i in range(begin, end):
            whole[:, i] = np.clip(np.rint(left[:, i] / step), -LARGEST, LARGEST)
            errors[:, i - begin] = (left[:, i] - whole[:, i] * step) / factor[i, i]
            left[:, i + 1 : end] -= np.outer(errors[:, i - begin], factor[i, i + 1 : end])
        left[:, end:] -= errors @ factor[begin:end, end:]
    found = np.empty_like(whole)
    found[:, order] = whole
    return found


__all__ = ["DAMPING", "LARGEST", "Rounded", "nearest", "rounded"]
