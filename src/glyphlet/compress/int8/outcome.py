"""What came of a quantisation, as a table, JSON and a page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from glyphlet.compress.compared import Compared
from glyphlet.evaluate.report import preformatted, table_section, write_report
from glyphlet.evaluate.scores import write_whole


@dataclass(frozen=True, kw_only=True)
class Quantized(Compared):
    """A quantised file, and what it was made of. Pairs are before and after.

    Args:
        file: the file.
        int8: layers that are computed in int8.
        kept: layers that could be, and stay in float for the sake of accuracy.
        noise: of each of them, quantised alone: the power by which it moves the logits, as a share of theirs.
        noise_of_all: the same for the file.
        calibrated: lines that ranges were taken from.
        recurrent: how recurrent layers are computed.
        max_loss: the word accuracy that was allowed to be lost.
    """

    file: Path
    int8: tuple[str, ...]
    kept: tuple[str, ...]
    noise: Mapping[str, float]
    noise_of_all: float
    calibrated: int
    recurrent: str
    max_loss: float

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

    def notes(self) -> list[str]:
        """What a person should know besides."""
        made = super().notes()
        if self.kept:
            made.append(f"in float for the sake of accuracy: {', '.join(self.kept)}")
        if not self.faster:
            made.append(
                "it is not faster on this machine; glyphlet export --weights int8 gives about the same size at the speed of float32"
            )
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


__all__ = ["Quantized", "decibels", "write_outcome"]
