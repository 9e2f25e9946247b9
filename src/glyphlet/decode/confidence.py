"""How probable a text is under a CTC model, exactly.

The probability of a text is the sum over all paths that collapse to it. The forward algorithm of Graves et al. 2006
("Connectionist Temporal Classification", section 4.1) sums them in T x (2L + 1) steps. The text is laid out as states
`blank c1 blank c2 ... blank`; `alpha[s]` is the probability of all paths up to now that end in state `s`.

Sums of probabilities are cheap and sums of logarithms are not, so `alpha` is kept as probabilities and divided by its
largest value every few steps (Rabiner 1989, section V.A); the logarithms of the divisors add up to the scale. What is
lost are states 1e300 times less probable than the best one of the same steps, whatever the length of the line.

A line has some hundred steps of a few states each, so what counts is the number of NumPy calls and what each costs. The lines of a
batch advance together, and `alpha` is one flat array, state after state with the lines side by side: "one state before" is
the same array, begun earlier, and a call on it takes a third of the time of one on a part of a matrix.

Where a network writes the same class, sure of it, at several steps in a row, one of these steps does for all (`telling_steps`). Paths
with another class at one of them are then left out, or taken for others: at most twice `SURE` of the probability for each step.
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
_RESCALED = 8
"""Time steps after which `alpha` is divided by its largest value."""
_TINY = 1e-300
SURE = 1e-5
"""What all other classes together may have at a step that is left out."""
Steps = NDArray[np.intp]


def log_normalizers(logits: NDArray[Any]) -> Floats:
    """The logarithm of the sum of exponentials over the classes, for each line and time step.

    `logits - log_normalizers(logits)[..., None]` are log-posteriors. Of the exponentials only the sum is kept in double
    precision: with thousands of classes they are the dearest part of decoding.

    Args:
        logits: float (N, T, K), or (T, K) of one line.

    Returns:
        float64 (N, T), or (T,).
    """
    found = np.empty(logits.shape[:-1])
    lines = logits if logits.ndim > 2 else logits[None]
    for one, line in zip(
        found.reshape(lines.shape[:-1]), lines, strict=True
    ):  # line by line: what lies between stays in the cache
        peak = line.max(axis=-1)
        spread = np.subtract(line, peak[:, None])
        np.exp(spread, out=spread)
        one[:] = peak + np.log(spread.sum(axis=-1, dtype=np.float64))
    return found


def telling_steps(paths: NDArray[np.intp], posteriors: Floats) -> tuple[Steps, Floats]:
    """The steps of each line that are not a mere repetition.

    Args:
        paths: the most probable class of each step, (N, T).
        posteriors: of these classes, (N, T).

    Returns:
        The numbers of the steps, (N, B), filled up with -1; and the log-probability of what the others repeat, (N,).

    >>> telling_steps(np.array([[0, 0, 0, 1]]), np.array([[1.0, 1.0, 0.9, 1.0]]))[0].tolist()
    [[0, 2, 3]]
    """
    sure = posteriors > 1 - SURE
    repeated = np.zeros(paths.shape, bool)
    repeated[:, 1:] = sure[:, 1:] & sure[:, :-1] & (paths[:, 1:] == paths[:, :-1])
    counts = paths.shape[1] - repeated.sum(axis=1)
    steps = np.full((len(paths), int(counts.max())), -1, np.intp)
    rows, found = np.nonzero(~repeated)
    steps[rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)] = found
    return steps, np.log(posteriors, where=repeated, out=np.zeros(posteriors.shape)).sum(axis=1)


def log_probabilities(
    logits: NDArray[Any],
    labels: Sequence[Sequence[int]],
    normalizers: Floats | None = None,
    telling: tuple[Steps, Floats] | None = None,
) -> Floats:
    """The log-probability of one text for each line of a batch, summed over all alignments (Graves et al. 2006).

    Args:
        logits: float (N, T, K), T at least 1; log-posteriors are logits too.
        labels: for each line the classes of its text, without blanks; lengths may differ.
        normalizers: `log_normalizers(logits)`, if already known.
        telling: `telling_steps`; without, every step counts.

    Returns:
        float64 (N,), at most 0; minus infinity where T steps are too few for the text.

    >>> import math
    >>> step = [math.log(0.5), math.log(0.5)]                # two classes: the blank and one character
    >>> float(np.exp(log_probabilities(np.array([[step, step]]), [[1]]))[0])    # "a-", "-a" and "aa" of four paths
    0.75
    """
    states, skips, ends = _states(labels, logits.shape[-1])
    lines, count = np.arange(len(labels)), len(labels)
    normalizers = log_normalizers(logits) if normalizers is None else normalizers
    steps, repeated = telling or (None, 0.0)
    emissions = _emissions(logits, states, normalizers, steps)
    alpha = np.zeros((states.shape[1] + 2, count))  # two states of probability 0 stand before the first
    alpha[2:4] = next(emissions).reshape(-1, count)[:2]  # a path begins with the first blank or the first character
    flat = alpha.ravel()
    two_before, before, same = flat[: -2 * count], flat[count:-count], flat[2 * count :]
    skipped, total = skips.T.ravel(), np.empty_like(same)
    peaks = [np.ones(count)]
    for step, emission in enumerate(emissions):
        np.multiply(two_before, skipped, total)
        np.add(total, before, total)
        np.add(total, same, total)
        np.multiply(total, emission, same)
        if step % _RESCALED == 0:
            peaks.append(np.maximum.reduce(alpha, initial=_TINY))
            np.divide(alpha, peaks[-1], alpha)
    scale = np.log(peaks).cumsum(axis=0)[-1]  # one after the other: the same sum in any batch
    last = alpha[ends + 2, lines] + np.where(ends > 0, alpha[ends + 1, lines], 0.0)
    with np.errstate(divide="ignore"):
        found: Floats = np.log(last) + scale + repeated
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
    # The blank between two characters may be left out unless they are equal.
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    return states, skips, np.array([2 * len(label) for label in labels], dtype=np.intp)


def _emissions(
    logits: NDArray[Any], states: NDArray[np.intp], normalizers: Floats, steps: Steps | None
) -> Iterator[Floats]:
    """For each time step the posteriors of the states, float64 (S * N), state after state."""
    real = (states < logits.shape[-1])[:, None, :]
    index = np.where(real, states[:, None, :], 0)
    lines, count = np.arange(len(logits))[:, None, None], logits.shape[1] if steps is None else steps.shape[1]
    for start in range(0, count, _BLOCK):
        if steps is None:
            block = slice(start, start + _BLOCK)
            gathered = np.take_along_axis(logits[:, block], index, axis=2).astype(np.float64)
            gathered -= normalizers[:, block, None]
        else:
            some = steps[:, start : start + _BLOCK, None]
            gathered = logits[lines, some, index].astype(np.float64)
            gathered -= normalizers[lines, some]
        posteriors = np.exp(gathered, out=gathered) * real
        if steps is not None and (some < 0).any():  # behind the last step of a line nothing more comes
            posteriors = np.where(some < 0, states[:, None, :] == BLANK, posteriors)
        yield from posteriors.transpose(1, 2, 0).reshape(posteriors.shape[1], -1)


__all__ = ["SURE", "log_normalizers", "log_probabilities", "telling_steps"]
