"""A model that no training here made, imported or pruned, as a checkpoint of this project: to fine-tune from, not to resume."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from glyphlet.models.recognizer import Recognizer
from glyphlet.spec import CharsetSpec, Recipe
from glyphlet.train.checkpoint import save_checkpoint
from glyphlet.train.progress import Progress


def save_imported(path: Path, model: Recognizer, name: str, source: str, lines: int = 0, accuracy: float = 0.0) -> None:
    """Write a checkpoint that `restore_run` reads. It has no optimiser, and its recipe no data.

    Args:
        path: the file to write.
        model: the model.
        name: what to call it.
        source: the project that it comes from.
        lines: of how many lines the accuracy is known; 0 for none.
        accuracy: the share of them that it reads without error.

    Raises:
        TrainingError: it cannot be written.
    """
    charset = model.codec.charset
    recipe = Recipe(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", name) or "imported",
        description=f"Imported from {source}. The data and the training settings are not those of its source.",
        source=source,
        model=model.spec,
        image=model.geometry,
        charset=CharsetSpec.model_validate(charset.to_dict()),
    )
    save_weights(path, model, recipe, lines, accuracy)


def save_weights(path: Path, model: Recognizer, recipe: Recipe, lines: int = 0, accuracy: float = 0.0) -> None:
    """Write a checkpoint of weights that no training of this recipe made. It has no optimiser.

    Args:
        path: the file to write.
        model: the model; its parts are those of the recipe.
        recipe: what to call it, and the data and settings that it may be trained further with.
        lines, accuracy: as for `save_imported`.

    Raises:
        TrainingError: it cannot be written.
    """
    # A best epoch other than the present one says that no accuracy is known of these weights.
    progress = Progress(best_epoch=0 if lines else -1, best_accuracy=accuracy if lines else -1.0)
    state = {
        "recipe": recipe.dump(),
        "charset": model.codec.charset.to_dict(),
        "lines": {"train": 0, "validation": lines, "digest": ""},
        "model": model.state_dict(),
        "progress": asdict(progress),
    }
    save_checkpoint(path, state)
