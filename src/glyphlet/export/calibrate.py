"""Finds on labelled lines how the confidences of a model are to be corrected, and below which a reading is no text.

    calibrate_file("model.onnx", samples)      the file, with its calibration

Three maps are tried, for lines and for characters: none, a temperature, and beta calibration (`decode.calibration`). One with more
parameters is taken where it lowers the log loss of lines that it was not fitted on (five folds) by more than one standard error,
and their expected calibration error does not grow.
Isotonic regression was tried, too: on 100 to 400 lines of `print` its log loss is higher than that of beta, and its steps make
confidences equal that were not (docs/confidence.md).

Where a network writes its characters is told without their true places: the middle between the first and the last character of a line
that is read rightly is the middle of its ink, on average.

The bound below which nothing is read is the lower of two: what all but 1 % of the lines stay above, and what 95 % of images without
text (`synth.nontext`), of those in which the model reads anything, stay below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.decode.calibration import Calibration, sureness
from glyphlet.decode.reading import Reading
from glyphlet.errors import ExportError
from glyphlet.export.betafit import FOLDS, Fit, fitted
from glyphlet.export.onnx import bundled, write_model
from glyphlet.image import Line, prepare
from glyphlet.metrics import alignment
from glyphlet.runtime.reader import Reader
from glyphlet.synth.nontext import not_text

FEWEST = 20
"""Lines for a calibration: for the bound below which a reading is no text, and for a shift."""
NOT_TEXT = 330
"""Images without text that are read."""
KEPT, REJECTED = 0.01, 0.95
"""The share of lines that may be taken for no text, and the share of what is read in images without text that should be."""
FEWEST_PLACED = 20
"""Lines that are read rightly and have two characters or more, for a shift."""
_LEAST = math.log(0.5)
Floats = NDArray[np.float64]


class NothingRight(ExportError):
    """No line is read as its label says, so there is nothing to calibrate on."""


@dataclass(frozen=True)
class Calibrated:
    """A calibration, and what was measured of it.

    Args:
        calibration: for the model file.
        lines, characters: how confidences were corrected.
        rejected_lines: the share of the labelled lines that are now taken for no text.
        rejected_not_text: the share of images without text that are.
    """

    calibration: Calibration
    lines: Fit
    characters: Fit
    rejected_lines: float
    rejected_not_text: float

    def summary(self) -> str:
        """The result as a person is told."""
        parts = [
            f"{what} ({fit.kind}): expected calibration error {fit.ece_before:.3f} before, {fit.ece_after:.3f} after"
            for what, fit in (("confidence of lines", self.lines), ("of characters", self.characters))
        ]
        rejected = f"{100 * self.rejected_not_text:.0f} % of images without text are rejected"
        return "; ".join([*parts, f"{rejected}, and {100 * self.rejected_lines:.1f} % of the lines"])

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the model file, under `measured`."""
        return {
            "lines": self.lines.to_dict(),
            "characters": self.characters.to_dict(),
            "rejected_lines": self.rejected_lines,
            "rejected_not_text": self.rejected_not_text,
        }


def calibrate_file(
    path: Path,
    samples: LineSet | Sequence[Sample],
    output: Path | None = None,
    progress: Callable[[int], None] = lambda done: None,
    ignore_case: bool = False,
) -> Calibrated:
    """Calibrate a model file.

    Args:
        path: the file.
        samples: labelled lines on which the model was not trained, `FEWEST` or more; confidences are corrected from `FITTED` on.
        output: the file to write; by default the same.
        progress: called with the number of lines that were read.
        ignore_case: a text is right whatever its case.

    Raises:
        ExportError: there are too few lines, or the file cannot be written. Nothing is changed then.
        ImageError, ModelFileError: a line or the file cannot be read.
    """
    reader = Reader(path, calibrated=False)
    found = calibrate(reader, samples, progress, ignore_case)
    measured = {**reader.metadata.measured, "calibration": found.to_dict()}
    metadata = replace(reader.metadata, calibration=found.calibration.to_dict(), measured=measured)
    write_model(output or path, bundled(onnx.load(reader.path), metadata))
    return found


def calibrate_if_enough(path: Path, samples: LineSet | Sequence[Sample], start: Calibration | None = None) -> str:
    """Calibrate a model file where there are lines enough for it; what a person is told. Raises what `calibrate_file` does.

    Args:
        path: the file.
        samples: labelled lines.
        start: of the model that the training began with: where there are too few lines, its bound and shift stay.
    """
    if len(samples) < FEWEST and start is not None:
        metadata = Reader(path, calibrated=False).metadata
        kept = Calibration(least=start.least, shift=start.shift)
        write_model(path, bundled(onnx.load(path), replace(metadata, calibration=kept.to_dict())))
        return (
            f"confidences are the network's own, and what is no text is told as by the start: {len(samples)} validation lines are "
            f"fewer than the {FEWEST} that a calibration needs (glyphlet calibrate)"
        )
    if len(samples) < FEWEST:
        return (
            f"confidences are the network's own, and nothing is rejected: {len(samples)} validation lines are fewer than "
            f"the {FEWEST} that a calibration needs (glyphlet calibrate)"
        )
    try:
        return calibrate_file(path, samples).summary()
    except NothingRight as error:
        return f"not calibrated: {error.problem}"


def calibrate(
    reader: Reader,
    samples: LineSet | Sequence[Sample],
    progress: Callable[[int], None] = lambda done: None,
    ignore_case: bool = False,
) -> Calibrated:
    """Find the calibration of a model; see `calibrate_file`.

    Args:
        reader: of the model, with `calibrated=False`.
        samples: labelled lines.
        progress: called with the number of lines that were read.
        ignore_case: a text is right whatever its case.
    """
    if len(samples) < FEWEST:
        raise ExportError(
            f"{len(samples)} lines are too few to calibrate on", allowed=f"{FEWEST} or more", next_step="give more"
        )
    read = _Read.of(reader, samples, progress, str.casefold if ignore_case else str)
    if not read.right.any():
        raise NothingRight(
            f"none of the {len(samples)} lines is read as its label says",
            allowed="lines that the model reads, and labels in its characters",
            next_step="look at them with glyphlet evaluate; labels that are all upper case want --ignore-case",
        )
    lines = fitted(read.lines, read.right, np.arange(len(read.lines)) % FOLDS, len(samples))
    characters = fitted(read.characters, read.characters_right, read.owners % FOLDS, len(samples))
    nonsense = reader.read(not_text(NOT_TEXT))
    unsure = np.array([sureness(one.confidence, len(one.characters)) for one in nonsense if one.text])
    least, shift = _bound(read.sureness, unsure), _shift(read.shifts, reader.metadata.time_stride)
    return Calibrated(
        Calibration(lines.beta, characters.beta, least, shift),
        lines,
        characters,
        float((read.sureness < least).mean()),
        1 - float((unsure >= least).sum()) / len(nonsense),
    )


@dataclass(frozen=True)
class _Read:
    """Confidences of lines (N,) and of characters (M,), which of them are right, the line of each character, and the shifts seen."""

    lines: Floats
    right: Floats
    sureness: Floats
    characters: Floats
    characters_right: Floats
    owners: NDArray[np.intp]
    shifts: list[float]

    @classmethod
    def of(
        cls,
        reader: Reader,
        samples: LineSet | Sequence[Sample],
        progress: Callable[[int], None],
        seen: Callable[[str], str],
    ) -> _Read:
        normalize = reader.metadata.charset.normalize
        lines: list[tuple[float, bool, float]] = []
        characters: list[tuple[float, bool, int]] = []
        shifts: list[float] = []
        for start in range(0, len(samples), 256):
            part = [samples[number] for number in range(start, min(start + 256, len(samples)))]
            for sample, reading in zip(part, reader.read([one.source for one in part]), strict=True):
                truth = normalize(sample.text)
                right = seen(reading.text) == seen(truth)
                hits = [seen(read) == seen(true) for read, true in alignment(reading.text, truth) if read]
                pairs = zip(reading.characters, hits, strict=True)
                characters += [(one.confidence, hit, len(lines)) for one, hit in pairs]
                sure = sureness(reading.confidence, len(reading.characters))
                lines.append((reading.confidence, right, sure))
                if right and len(reading.text) > 1 and reading.characters[0].left is not None:
                    shifts.append(_seen_shift(reading, prepare(sample.source, reader.metadata.geometry)))
            progress(start + len(part))
        table = np.array(lines, np.float64)
        signs = np.array(characters, np.float64).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], table[:, 2], signs[:, 0], signs[:, 1], signs[:, 2].astype(np.intp), shifts)


def _seen_shift(reading: Reading, line: Line) -> float:
    """From the middle of the ink to the middle between the first and the last character, in pixels of the model's input."""
    pixels = line.pixels[:, :, : line.scaled_width].mean(axis=0)
    contrast = np.abs(pixels - np.median(pixels))
    inked = np.flatnonzero((contrast > np.percentile(contrast, 99.5) / 2).any(axis=0))
    first, last = reading.characters[0], reading.characters[-1]
    edges = (first.left, first.right, last.left, last.right)
    middle = sum(edge or 0.0 for edge in edges) / 4 * line.scaled_width / line.width
    return middle - float(inked[0] + inked[-1] + 1) / 2 if len(inked) else 0.0


def _shift(seen: list[float], time_stride: int) -> float:
    """The median, to a tenth of a pixel; nothing below half a time step, which is not sure."""
    if len(seen) < FEWEST_PLACED:
        return 0.0
    shift = round(float(np.median(seen)), 1)
    return shift if abs(shift) >= time_stride / 2 else 0.0


def _bound(lines: Floats, nonsense: Floats) -> float:
    """The least mean log-probability of a character that is text, rounded down to four digits."""
    highest = float(np.quantile(nonsense, REJECTED)) if len(nonsense) else _LEAST
    return math.floor(1e4 * min(float(np.quantile(lines, KEPT)), highest)) / 1e4


__all__ = [
    "FEWEST",
    "Calibrated",
    "NothingRight",
    "calibrate",
    "calibrate_file",
    "calibrate_if_enough",
]
