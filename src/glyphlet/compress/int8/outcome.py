"""What came of a quantisation, as a table, JSON and a page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glyphlet.evaluate.report import preformatted, table_section, write_report
from glyphlet.evaluate.scores import percent, write_whole
from glyphlet.metrics import Scores


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
class Quantized:
    """A quantised file, and what it was made of. Pairs are before and after.

    Args:
        file: the file.
        int8: layers that are computed in int8.
        kept: layers that could be, and stay in float for the sake of accuracy.
        noise: of each of them, quantised alone: the power by which it moves the logits, as a share of theirs.
        noise_of_all: the same for the file.
        read: how both read the validation lines.
        changed: lines that are read otherwise.
        kb: sizes of the files, 1,024 bytes.
        ms: medians for one line of `width` pixels, network alone, one thread, taken in turns.
        width: pixels.
        calibrated: lines that ranges were taken from.
        recurrent: how recurrent layers are computed.
        max_loss: the word accuracy that was allowed to be lost.
    """

    file: Path
    int8: tuple[str, ...]
    kept: tuple[str, ...]
    noise: Mapping[str, float]
    noise_of_all: float
    read: tuple[Read, Read]
    changed: int
    kb: tuple[float, float]
    ms: tuple[float, float]
    width: int
    calibrated: int
    recurrent: str
    max_loss: float

    @property
    def loss(self) -> float:
        """The word accuracy that is lost; below 0 where some is gained."""
        return self.read[0].word_accuracy - self.read[1].word_accuracy

    @property
    def faster(self) -> bool:
        """Whether it took less time here."""
        return self.ms[1] < self.ms[0]

    def facts(self) -> dict[str, Any]:
        """What stands in the model file."""
        return {
            "layers": len(self.int8),
            "float_layers": list(self.kept),
            "calibration_lines": self.calibrated,
            "recurrent": self.recurrent,
            "validation_lines": self.read[0].lines,
            "changed": self.changed,
            "word_accuracy": [read.word_accuracy for read in self.read],
            "cer": [read.cer for read in self.read],
            "kb": [round(kb, 1) for kb in self.kb],
            "ms": [round(ms, 4) for ms in self.ms],
            "ms_width": self.width,
        }

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Name, before, after, and what is left of the first."""
        words = [f"{percent(r.word_accuracy)} [{percent(r.low)}, {percent(r.high)}]" for r in self.read]
        return [
            ("kB", *(f"{kb:,.1f}" for kb in self.kb), percent(self.kb[1] / self.kb[0])),  # type: ignore[list-item]
            (f"ms, {self.width} px", *(f"{ms:.3f}" for ms in self.ms), percent(self.ms[1] / self.ms[0])),  # type: ignore[list-item]
            ("word accuracy", words[0], words[1], f"{0.0 - 100 * self.loss:+.2f} points"),
            ("CER", percent(self.read[0].cer), percent(self.read[1].cer), ""),
        ]

    def notes(self) -> list[str]:
        """What a person should know besides."""
        lines = self.read[0].lines
        made = [f"{self.changed} of {lines:,} lines are read otherwise"]
        if self.kept:
            made.append(f"in float for the sake of accuracy: {', '.join(self.kept)}")
        if not self.faster:
            made.append(
                "it is not faster on this machine; glyphlet export --weights int8 gives about the same size at the speed of float32"
            )
        if lines < 200:
            made.append(f"with {lines} lines half a point of word accuracy cannot be told")
        return made


def decibels(noise: float) -> str:
    """How far the logits are above the noise.

    >>> decibels(0.001)
    '30.0 dB'
    """
    return f"{-10 * math.log10(max(noise, 1e-30)):.1f} dB"


def write_outcome(values_path: Path, page_path: Path, found: Quantized, commands: Mapping[str, str]) -> None:
    """Write what was measured as JSON and as a page.

    Raises:
        GlyphletError: they cannot be written.
    """
    values = {**asdict(found), "file": str(found.file), "commands": dict(commands)}
    write_whole(values_path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")
    layers = [
        (name, "float" if name in found.kept else "int8", f"{noise:.1e}", decibels(noise))
        for name, noise in sorted(found.noise.items(), key=lambda item: -item[1])
    ]
    sections = [
        table_section("Before and after", ("", "before", "after", ""), found.rows(), "; ".join(found.notes()) + "."),
        table_section(
            "Layers",
            ("Layer", "computed in", "noise alone", "logits above it"),
            layers,
            f"How far each layer, quantised alone, moves the logits. All together: {decibels(found.noise_of_all)}.",
        ),
        *(preformatted(command, name) for name, command in commands.items()),
    ]
    write_report(page_path, f"Quantised: {found.file.name}", sections)


__all__ = ["Quantized", "Read", "decibels", "write_outcome"]
