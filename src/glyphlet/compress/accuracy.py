"""How well smaller models read: each is adapted to the same training lines and reads the same validation lines.

bench = Bench.of(restored, adapt_lines=1000)
bench.read(model)     # the model then has the adapted statistics
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from glyphlet.compress.adapt import adapt, batches_of
from glyphlet.data.check import CheckedLines
from glyphlet.data.loader import Batch, LineLoader
from glyphlet.errors import CompressionError
from glyphlet.models.recognizer import Recognizer
from glyphlet.spec import CharsetSpec, Recipe, with_settings
from glyphlet.train.restore import Restored
from glyphlet.train.task import Progress, Task, load_task, silent
from glyphlet.train.validate import validate

DECIDING = {"word": "word accuracy", "cer": "1 - CER"}
"""What may decide how well a model reads. After a hard cut no whole line may be read, and characters still tell."""


@dataclass(frozen=True)
class Accuracy:
    """How a model reads: lines and those read rightly, characters and the edits that they need."""

    lines: int
    correct: int
    characters: int
    edits: int

    @property
    def word(self) -> float:
        """The share of lines read without error."""
        return self.correct / self.lines

    @property
    def cer(self) -> float:
        """Edits for each character."""
        return self.edits / self.characters

    def by(self, deciding: str) -> float:
        """What decides, 0 to 1: `word` accuracy, or `cer` for 1 - CER, and 0 where more than everything is wrong."""
        return self.word if deciding == "word" else max(0.0, 1 - self.cer)

    def rank(self, deciding: str) -> tuple[float, float]:
        """The higher the better: what decides, and the other where that is equal."""
        other = "cer" if deciding == "word" else "word"
        return self.by(deciding), self.by(other)

    def as_dict(self) -> dict[str, int]:
        """The counts."""
        return asdict(self)

    def __str__(self) -> str:
        return f"word accuracy {100 * self.word:.2f} %, CER {100 * self.cer:.2f} %"


def check_deciding(deciding: str) -> None:
    """Refuse what cannot decide.

    Raises:
        CompressionError: naming what can.
    """
    if deciding not in DECIDING:
        raise CompressionError(
            f"{deciding!r} is to decide how well a model reads", allowed=", ".join(DECIDING), next_step="choose one"
        )


def lines_of(full: Restored, settings: Sequence[str] = (), progress: Progress = silent) -> Task:
    """The lines of a run, as it was trained on them; its start and its teacher are not needed for that.

    Args:
        full: the run.
        settings: other values of its recipe under data: `data.train=[labels.txt]`.
        progress: called while the lines are checked.

    Raises:
        CompressionError: a setting is not under data.
        GlyphletError: the lines cannot be read, or none are left to train on or to validate.
    """
    for setting in settings:
        if not setting.startswith(("data.", "data=")):
            raise CompressionError(
                f"--set {setting} changes more than the lines",
                allowed="settings under data: data.train, data.validation, ...",
                next_step="leave it out; the model and its training stay as they are",
            )
    charset = CharsetSpec.model_validate(full.model.codec.charset.to_dict())
    recipe = full.recipe.model_copy(
        update={"charset": charset, "start": None, "teacher": None, "model": full.model.spec}
    )
    recipe = with_settings(recipe.dump(), settings, "the recipe of the run") if settings else recipe
    return load_task(recipe, progress)


class Bench:
    """Adapts models and reads lines with them.

    Args:
        recipe: its image settings and its number of lines a batch.
        validation: the lines that are read.
        batches: training lines to adapt the statistics to; none leaves them as they are.
    """

    def __init__(self, recipe: Recipe, validation: CheckedLines, batches: Sequence[Batch] = ()) -> None:
        self.batches = batches
        self.loader = LineLoader(validation, recipe.image, batch=recipe.train.batch)

    @classmethod
    def of(cls, task: Task, adapt_lines: int | None = None, seed: int = 0) -> Bench:
        """The bench of a run's lines; `adapt_lines` and `seed` as in `batches_of`; None adapts nothing."""
        batches = [] if adapt_lines is None else batches_of(task, adapt_lines, seed)
        return cls(task.recipe, task.validation, batches)

    def adapt(self, model: Recognizer) -> None:
        """Give a model the statistics of the training lines, if there are any to adapt to; raises as `read`."""
        if self.batches:
            adapt(model, self.batches)

    def read(self, model: Recognizer, adapted: bool = True) -> Accuracy:
        """Adapt a model, which changes its running statistics, and read the validation lines with it.

        Args:
            model: afterwards it is in evaluation mode.
            adapted: False reads with the statistics that it has.

        Raises:
            CompressionError: it is to be adapted and has no batch normalisation.
        """
        if adapted:
            self.adapt(model)
        scores = validate(model, model.head, self.loader, torch.device("cpu"), 0).scores
        model.eval()
        return Accuracy(scores.lines, scores.correct_lines, scores.characters, scores.edits)

    def identity(self) -> dict[str, Any]:
        """Which lines these are: digests of their texts and widths, in order."""
        lines = self.loader.lines
        texts = [lines.source.text(int(index)) for index in lines.indices]
        held = list(zip(texts, map(int, lines.widths), strict=True))
        adapted = [(batch.texts, batch.images.shape[-1]) for batch in self.batches]
        return {"validation": _sha256(held), "adapted": _sha256(adapted), "adapt_lines": sum(map(_count, self.batches))}

    def width(self) -> int:
        """The median width of the validation lines, padded, in pixels."""
        return int(np.sort(self.loader.lines.widths)[len(self.loader.lines) // 2])


def _count(batch: Batch) -> int:
    return len(batch.texts)


def _sha256(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, ensure_ascii=True).encode()).hexdigest()


def digest_of(model: Recognizer) -> str:
    """SHA-256 over the settings and the weights of a model."""
    digest = hashlib.sha256(model.spec.model_dump_json().encode())
    for name, value in model.state_dict().items():
        digest.update(f"{name} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


__all__ = ["DECIDING", "Accuracy", "Bench", "check_deciding", "digest_of", "lines_of"]
