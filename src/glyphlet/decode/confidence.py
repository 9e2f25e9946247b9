"""How probable a text is under a CTC model, exactly.

The probability of a text is the sum over all paths that collapse to it. The forward algorithm of Graves et al. 2006
("Connectionist Temporal Classification", section 4.1) sums them in T x (2L + 1) steps. The text is laid out as states
`blank c1 blank c2 ... blank`; `alpha[s]` is the probability of all paths up to now that end in state `s`.

Sums of probabilities are cheap and sums of logarithms are not, so `alpha` is kept as probabilities and divided by its
largest value after every step (Rabiner 1989, section V.A); the logarithms of the divisors add up to the scale. What is
lost are states 1e300 times less probable than the best one of the same step, whatever the length of the line.

The lines of a batch advance together: one small set of NumPy calls a time step, not one a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import BLANK

Floats = NDArray[np.float64]
_BLOCK = 64
"""Time steps whose emissions are gathered at once: few NumPy calls, yet little memory for a line of 30,000 pixels."""
_TINY = 1e-300


def log_normalizers(logits: NDArray[Any]) -> Floats:
    """The logarithm of the sum of exponentials over the classes, for each line and time step.

    `logits - log_normalizers(logits)[..., None]` are log-posteriors. Of the exponentials only the sum is kept in double
    precision: with thousands of classes they are the dearest part of decoding.

    Args:
        logits: float (N, T, K).

    Returns:
        float64 (N, T).
    """
    peak = logits.max(axis=-1)
    total = np.exp(logits - peak[..., None]).sum(axis=-1, dtype=np.float64)
    return np.asarray(peak + np.log(total), dtype=np.float64)


def log_probabilities(
    logits: NDArray[Any], labels: Sequence[Sequence[int]], normalizers: Floats | None = None
) -> Floats:
    """The log-probability of one text for each line of a batch, summed over all alignments (Graves et al. 2006).

    Args:
        logits: float (N, T, K), T at least 1; log-posteriors are logits too.
        labels: for each line the classes of its text, without blanks; lengths may differ.
        normalizers: `log_normalizers(logits)`, if already known.

    Returns:
        float64 (N,), at most 0; minus infinity where T steps are too few for the text.

    >>> import math
    >>> step = [math.log(0.5), math.log(0.5)]                # two classes: the blank and one character
    >>> float(np.exp(log_probabilities(np.array([[step, step]]), [[1]]))[0])    # "a-", "-a" and "aa" of four paths
    0.75
    """
    states, skips, ends = _states(labels, logits.shape[-1])
    lines = np.arange(len(labels))
    # Two columns of zeros on the left stand for the states before the first.
    alpha = np.zeros((len(labels), states.shape[1] + 2))
    alpha[:, 1] = 1.0  # before the first step; from here the first blank and the first character can be reached
    two_before, before, same = alpha[:, :-2], alpha[:, 1:-1], alpha[:, 2:]
    normalizers = log_normalizers(logits) if normalizers is None else normalizers
    total, peaks = np.empty_like(same), np.empty((logits.shape[1], len(labels), 1))
    for peak, emission in zip(peaks, _emissions(logits, states, normalizers), strict=True):
        # A line has some 80 steps of a few states each, so what counts is the number of calls.
        np.multiply(two_before, skips, out=total)
        np.add(total, before, out=total)
        np.add(total, same, out=total)
        np.multiply(total, emission, out=total)
        np.maximum.reduce(total, axis=1, initial=_TINY, keepdims=True, out=peak)
        np.divide(total, peak, out=same)
        alpha[:, 1] = 0.0
    scale = np.ascontiguousarray(np.log(peaks[:, :, 0]).T).sum(axis=1)  # row by row: the same sum in any batch
    last = alpha[lines, ends + 2] + np.where(ends > 0, alpha[lines, ends + 1], 0.0)
    with np.errstate(divide="ignore"):
        found: Floats = np.log(last) + scale
    return np.minimum(found, 0.0, out=found)


def _states(labels: Sequence[Sequence[int]], classes: int) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
    """The states of each text, (N, S); where a state may be entered from two before, (N, S); the last state, (N,).

    Shorter texts are filled up with the class number K, which does not exist and is given probability 0.
    """
    longest = max(map(len, labels), default=0)
    states = np.full((len(labels), 2 * longest + 1), classes, dtype=np.intp)
    for row, label in zip(states, labels, strict=True):
        row[: 2 * len(label) + 1] = BLANK
        row[1 : 2 * len(label) : 2] = label
    skips = np.zeros(states.shape)
    # The blank between two characters may be left out unless they are equal. State 1 is entered from the start alone.
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    skips[:, 1:2] = 1.0
    return states, skips, np.array([2 * len(label) for label in labels], dtype=np.intp)


def _emissions(logits: NDArray[Any], states: NDArray[np.intp], normalizers: Floats) -> Iterator[Floats]:
    """For each time step the posteriors of the states, float64 (N, S)."""
    real = states < logits.shape[-1]
    index = np.where(real, states, 0)[:, None, :]
    for start in range(0, logits.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        gathered = np.take_along_axis(logits[:, block], index, axis=2).astype(np.float64)
        gathered -= normalizers[:, block, None]
        yield from (np.exp(gathered, out=gathered) * real[:, None, :]).swapaxes(0, 1)


__all__ = ["log_normalizers", "log_probabilities"]
