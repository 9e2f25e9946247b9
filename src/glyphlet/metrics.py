"""How well readings agree with their truths: accuracies, error rates, confusions, and how sure each figure is.

Texts are compared as they are given, code point by code point. Bringing both into one normal form is the charset's job
(`Charset.normalize`): a decomposed `é` against a composed one counts as an error here.

Edit distances run over the bits of Python integers (Hyyrö 2003, "A bit-vector algorithm for computing Levenshtein and
Damerau edit distances", after Myers 1999), a whole column at a time: 10,000 lines of 40 characters take less than a
second. The kept columns also give the alignment, which says what was mistaken for what.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glyphlet.errors import LabelError

RESAMPLES = 1000
"""Resamples of the lines behind each bootstrap interval."""
_SEED = 20_240_229
Z_95 = 1.959964
"""The 97.5 % point of the normal distribution: intervals of 95 %."""


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; both ends belong to it."""

    low: float
    high: float


def wilson(successes: int, n: int, z: float = Z_95) -> Interval:
    """The score interval of a share (Wilson 1927, "Probable inference, the law of succession").

    Unlike the textbook interval it stays inside 0 to 1, and keeps a width when everything (or nothing) succeeded.

    Args:
        successes: how many of `n` independent trials succeeded.
        n: the number of trials, at least 1.
        z: the width in standard deviations of the normal distribution.

    Raises:
        ValueError: `n` is below 1, or `successes` lies outside 0 to `n`.

    >>> interval = wilson(90, 100)
    >>> f"{interval.low:.4f} to {interval.high:.4f}"
    '0.8256 to 0.9448'
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} trials are not a share")
    return _wilson(successes / n, n, z)


def _wilson(share: float, n: int, z: float = Z_95) -> Interval:
    scale = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # The ends touch 0 and 1 exactly there; rounding must not push them past the share.
    return Interval(max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def edit_distance(a: str, b: str) -> int:
    """The fewest insertions, deletions and replacements of code points that turn one text into the other.

    >>> edit_distance("kitten", "sitting")
    3
    """
    start, end = _common(a, b)
    a, b = a[start : len(a) - end], b[start : len(b) - end]
    if not a or not b:
        return len(a) + len(b)
    column = deque(_columns(a, b), maxlen=1)[0]
    return len(a) + column.down.bit_count() - column.up.bit_count()


def alignment(read: str, truth: str) -> list[tuple[str, str]]:
    """What stands against what, with the fewest edits.

    Of several such alignments, always the same is chosen: replacements are preferred, except of spaces, which are
    rather called missing or extra.

    Returns:
        Pairs of a read and a true character. A truth that was not read has `""` on the left, a reading that nothing
        stands for has `""` on the right. The left sides join to `read`, the right sides to `truth`.

    >>> alignment("he1o", "hello")
    [('h', 'h'), ('e', 'e'), ('', 'l'), ('1', 'l'), ('o', 'o')]
    """
    start, end = _common(read, truth)
    same = [(char, char) for char in read]
    middle = _align(read[start : len(read) - end], truth[start : len(truth) - end])
    return same[:start] + middle + same[len(same) - end :]


def _common(a: str, b: str) -> tuple[int, int]:
    """The lengths of the common prefix, and of the common suffix of what remains."""
    if a == b:
        return len(a), 0
    shorter = min(len(a), len(b))
    start = 0
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return start, end


class _Column(NamedTuple):
    """One column of the edit distance table, as bits: bit `i` stands for the true character `i`.

    Each bit compares a cell with a neighbour: `level` is set where it equals the one diagonally before it, `down`
    where it is 1 above the one for one true character less, `up` where it is 1 below that, and `right` where it is 1
    above the one for one read character less. (In the paper: D0, VP, VN, HP.)
    """

    level: int
    down: int
    up: int
    right: int


def _columns(read: str, truth: str) -> Iterator[_Column]:
    """The columns for the read characters, in order. `truth` must not be empty."""
    mask = (1 << len(truth)) - 1
    matches: dict[str, int] = {}
    for i, char in enumerate(truth):
        matches[char] = matches.get(char, 0) | 1 << i
    down, up = mask, 0
    for char in read:
        match = matches.get(char, 0)
        level = ((((match & down) + down) ^ down) | match | up) & mask
        right = up | ~(level | down) & mask
        above = right << 1 | 1  # the first row rises by 1 with every read character
        up, down = above & level & mask, ((level & down) << 1 | ~(level | above)) & mask
        yield _Column(level, down, up, right)


def _align(read: str, truth: str) -> list[tuple[str, str]]:
    """Walk back from the last cell of the table to the first."""
    columns = list(_columns(read, truth)) if truth else []
    pairs: list[tuple[str, str]] = []
    j, i = len(read), len(truth)
    while j and i:
        r, t, bit, column = read[j - 1], truth[i - 1], 1 << (i - 1), columns[j - 1]
        missing, extra = column.down & bit, column.right & bit
        spared = " " in (r, t) and (missing or extra)
        if r == t or not (column.level & bit or spared):
            j, i = j - 1, i - 1
            pairs.append((r, t))
        elif missing and not (extra and r == " "):
            i -= 1
            pairs.append(("", t))
        else:
            j -= 1
            pairs.append((r, ""))
    pairs += [(r, "") for r in reversed(read[:j])] + [("", t) for t in reversed(truth[:i])]
    return pairs[::-1]


def position_accuracy(readings: Sequence[str], truths: Sequence[str]) -> float:
    """The share of true characters that were read at their own position.

    This is MicroOCR's character accuracy, kept so that its figures can be compared. It is not `1 - CER`: one missing
    character at the front makes all that follow wrong.

    Raises:
        LabelError: the truths hold no characters.
        ValueError: there are not as many readings as truths.

    >>> position_accuracy(["bcd"], ["abcd"]), edit_distance("bcd", "abcd")
    (0.0, 1)
    """
    _check(readings, truths)
    hits = sum(_hits(read, truth) for read, truth in zip(readings, truths, strict=True))
    return hits / sum(map(len, truths))


def _hits(read: str, truth: str) -> int:
    return sum(r == t for r, t in zip(read, truth, strict=False))


@dataclass(frozen=True)
class Confusion:
    """How often a true character was read as another. An empty `truth` is an extra character, an empty `read` a missing
    one.
    """

    truth: str
    read: str
    count: int


@dataclass(frozen=True)
class SpaceErrors:
    """Errors of spaces: how many are missing, how many are extra, and in how many lines nothing else is wrong.

    A space read as another character is neither missing nor extra; it stands among the confusions.
    """

    missing: int
    extra: int
    only_lines: int


@dataclass(frozen=True)
class Scores:
    """The figures of a set of lines. Shares run from 0 to 1; `cer` may pass 1, when far too much was read.

    Fields:
        lines, characters: how many lines, and how many true characters.
        correct_lines, edits: lines read without any error, and the edits that the others need.
        word_accuracy: `correct_lines / lines` (a line is MicroOCR's "word"), with Wilson's interval.
        character_accuracy: see `position_accuracy`.
        cer: character error rate, `edits / characters`.
        similarity: the mean over lines of `1 - edit distance / length of the longer text` (1 - N.E.D. of the ICDAR
            competitions).
        confusions: most frequent first.
        spaces: errors of spaces.

    The last three intervals are percentile bootstraps over lines (`RESAMPLES`, fixed seed), because the errors of one
    line come together. When all resamples agree (not one error, say) they say nothing, and Wilson's interval with one
    trial a line takes their place.
    """

    lines: int
    characters: int
    correct_lines: int
    edits: int
    word_accuracy: float
    word_interval: Interval
    character_accuracy: float
    character_interval: Interval
    cer: float
    cer_interval: Interval
    similarity: float
    similarity_interval: Interval
    confusions: tuple[Confusion, ...]
    spaces: SpaceErrors

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries, ready for `json.dumps`."""
        plain = asdict(self)
        plain["confusions"] = list(plain["confusions"])
        return plain


def score(readings: Sequence[str], truths: Sequence[str], *, ignore_case: bool = False) -> Scores:
    """Compare readings with truths, line by line.

    Args:
        readings: the texts read.
        truths: the true texts, in the same order.
        ignore_case: compare `str.casefold` of both (`ß` becomes `ss`); confusions are then of folded characters.

    Raises:
        LabelError: there are no lines, or the truths hold no characters.
        ValueError: there are not as many readings as truths.

    >>> scores = score(["hallo", "w0rld"], ["hello", "world"])
    >>> scores.word_accuracy, scores.cer, scores.confusions[0]
    (0.0, 0.2, Confusion(truth='e', read='a', count=1))
    """
    _check(readings, truths)
    if ignore_case:
        readings, truths = [r.casefold() for r in readings], [t.casefold() for t in truths]
    table = np.empty((len(truths), 4))  # of each line: true characters, hits, edits, similarity
    confused: Counter[tuple[str, str]] = Counter()
    only_spaces = 0
    for row, read, truth in zip(table, readings, truths, strict=True):
        wrong = [(t, r) for r, t in alignment(read, truth) if r != t] if read != truth else []
        confused.update(wrong)
        only_spaces += bool(wrong) and read.replace(" ", "") == truth.replace(" ", "")
        row[:] = len(truth), _hits(read, truth), len(wrong), 1 - len(wrong) / max(len(read), len(truth), 1)
    # From the most frequent to the rarest, in a fixed order among equals.
    ordered = sorted(confused.items(), key=lambda item: (-item[1], item[0]))
    spaces = SpaceErrors(confused[" ", ""], confused["", " "], only_spaces)
    return _summary(table, tuple(Confusion(t, r, n) for (t, r), n in ordered), spaces)


def _summary(table: NDArray[np.float64], confusions: tuple[Confusion, ...], spaces: SpaceErrors) -> Scores:
    lines = len(table)
    characters, _, edits, _ = table.sum(axis=0)
    correct = int((table[:, 2] == 0).sum())
    shares = _shares(table.sum(axis=0), lines)
    character, cer, similarity = _bootstrap(table, shares)
    return Scores(
        lines=lines,
        characters=int(characters),
        correct_lines=correct,
        edits=int(edits),
        word_accuracy=correct / lines,
        word_interval=wilson(correct, lines),
        character_accuracy=float(shares[0]),
        character_interval=character,
        cer=float(shares[1]),
        cer_interval=cer,
        similarity=float(shares[2]),
        similarity_interval=similarity,
        confusions=confusions,
        spaces=spaces,
    )


def _shares(sums: NDArray[np.float64], lines: int) -> NDArray[np.float64]:
    """Sums (..., 4) of a table's rows -> (..., 3) character accuracy, CER, similarity."""
    characters, hits, edits, similarity = np.moveaxis(sums, -1, 0)
    characters = np.maximum(characters, 1)  # a resample may have drawn empty truths only
    return np.stack([hits / characters, edits / characters, similarity / lines], axis=-1)


def _bootstrap(table: NDArray[np.float64], shares: NDArray[np.float64]) -> list[Interval]:
    """An interval for each of the three shares, from resamples of the lines."""
    lines = len(table)
    random = np.random.default_rng(_SEED)
    # How often each line is drawn, one resample at a time: all at once would take gigabytes for 100,000 lines.
    sums = [np.bincount(random.integers(0, lines, lines), minlength=lines) @ table for _ in range(RESAMPLES)]
    drawn = _shares(np.array(sums), lines)  # (RESAMPLES, 3)
    found = []
    for share, values in zip(shares.tolist(), drawn.T, strict=True):
        low, high = np.quantile(values, [0.025, 0.975]).tolist()
        if high - low < 1e-12:
            stand_in = _wilson(min(share, 1.0), lines)
            low, high = stand_in.low, stand_in.high
        found.append(Interval(min(low, share), max(high, share)))
    return found


def _check(readings: Sequence[str], truths: Sequence[str]) -> None:
    if len(readings) != len(truths):
        raise ValueError(f"{len(readings)} readings cannot be compared with {len(truths)} truths")
    if not any(truths):
        raise LabelError(
            f"there is nothing to compare with: the truths of {len(truths)} lines hold no characters",
            allowed="at least one line with a text that is not empty",
            next_step="check the label file",
        )


__all__ = [
    "Confusion",
    "Interval",
    "Scores",
    "SpaceErrors",
    "alignment",
    "edit_distance",
    "position_accuracy",
    "score",
    "wilson",
]
