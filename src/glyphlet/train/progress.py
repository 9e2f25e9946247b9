"""Where a training stands, and how it ended."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

from glyphlet.train.task import Task


@dataclass
class Progress:
    """Where a training stands, the same in all its processes. Sums are over the running epoch.

    `batch` counts what the loader has given in it, `step` the updates since the start; see `train.accumulate`.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    right: int = 0
    lines: int = 0
    epoch_seconds: float = 0.0
    waited: float = 0.0
    seconds: float = 0.0
    best_epoch: int = 0
    best_accuracy: float = -1.0
    best_loss: float = math.inf
    at_target: int = 0
    finished: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Args:
        folder: the run folder.
        reason: why it ended: `all epochs done`, `target reached`, `no better result`.
        epochs, steps: how many were made.
        best_epoch: the epoch whose weights are in `best.pt`.
        best_accuracy: its word accuracy on the validation lines.
        seconds: training time, validation included.
    """

    folder: Path
    reason: str
    epochs: int
    steps: int
    best_epoch: int
    best_accuracy: float
    seconds: float


def lines_digest(task: Task) -> str:
    """SHA-256 over the lines in order: which are trained on and which validate, their texts and widths."""
    digest = hashlib.sha256()
    for part in (task.train, task.validation):
        for index, width in zip(part.indices, part.widths, strict=True):
            digest.update(f"{part.source.text(int(index))}\t{width}\n".encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()
