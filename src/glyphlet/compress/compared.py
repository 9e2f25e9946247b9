"""Two model files side by side: size, time, and how they read the same lines."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glyphlet.compress.cost import ROUNDS, network_milliseconds
from glyphlet.evaluate.scores import Evaluation, percent
from glyphlet.metrics import Scores

TELLING = 200
"""Lines from which half a point of word accuracy is one line or more."""


@dataclass(frozen=True)
class Read:
    """How a file reads: lines, word accuracy, CER, and the limits of the first with 95 % confidence."""

    lines: int
    word_accuracy: float
    low: float
    high: float
    cer: float

    @classmethod
    def of(cls, scores: Scores) -> Read:
        """The part of the scores that is told."""
        interval = scores.word_interval
        return cls(scores.lines, scores.word_accuracy, interval.low, interval.high, scores.cer)


@dataclass(frozen=True)
class Compared:
    """Two model files. Pairs are of the first and of the second.

    Args:
        read: how they read the same lines.
        changed: lines that are read otherwise.
        kb: their sizes, 1,024 bytes.
        ms: medians for one line of `width` pixels, network alone, one thread, taken in turns.
        width: pixels.
    """

    read: tuple[Read, Read]
    changed: int
    kb: tuple[float, float]
    ms: tuple[float, float]
    width: int

    @property
    def loss(self) -> float:
        """The word accuracy that is lost; below 0 where some is gained."""
        return self.read[0].word_accuracy - self.read[1].word_accuracy

    @property
    def faster(self) -> bool:
        """Whether the second took less time here."""
        return self.ms[1] < self.ms[0]

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Name, first, second, and what is left of the first."""
        words = [f"{percent(r.word_accuracy)} [{percent(r.low)}, {percent(r.high)}]" for r in self.read]
        return [
            ("kB", f"{self.kb[0]:,.1f}", f"{self.kb[1]:,.1f}", percent(self.kb[1] / self.kb[0])),
            (f"ms, {self.width} px", f"{self.ms[0]:.3f}", f"{self.ms[1]:.3f}", percent(self.ms[1] / self.ms[0])),
            ("word accuracy", words[0], words[1], f"{0.0 - 100 * self.loss:+.2f} points"),
            ("CER", percent(self.read[0].cer), percent(self.read[1].cer), ""),
        ]

    def notes(self) -> list[str]:
        """What a person should know besides."""
        lines = self.read[0].lines
        made = [f"{self.changed} of {lines:,} lines are read otherwise"]
        if lines < TELLING:
            made.append(f"with {lines} lines half a point of word accuracy cannot be told")
        return made


def compared(files: Sequence[Path], read: Sequence[Evaluation], width: int) -> Compared:
    """Put two files side by side; they are timed in turns.

    Args:
        files: two model files.
        read: how they read the same lines.
        width: of the line that is timed, in pixels.

    Raises:
        ModelFileError: one is no model file.
    """
    turns = [[network_milliseconds(path, width) for path in files] for _ in range(ROUNDS)]
    first, second = (statistics.median(times) for times in zip(*turns, strict=True))
    kb, other = (path.stat().st_size / 1024 for path in files)
    changed = sum(a.text != b.text for a, b in zip(*(e.results for e in read), strict=True))
    a, b = (Read.of(e.scores) for e in read)
    return Compared(read=(a, b), changed=changed, kb=(kb, other), ms=(first, second), width=width)


__all__ = ["TELLING", "Compared", "Read", "compared"]
