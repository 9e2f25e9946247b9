"""A pruned model as a checkpoint: to fine-tune, to export, to prune again."""

from __future__ import annotations

from pathlib import Path

from glyphlet.models.recognizer import Recognizer
from glyphlet.spec import CharsetSpec, Recipe
from glyphlet.train.imported import save_weights
from glyphlet.train.restore import Restored


def save_pruned(path: Path, model: Recognizer, full: Restored) -> Recipe:
    """Write a checkpoint that everything reads that reads those of a training.

    Its recipe is that of the full model with the smaller layers, and without its start. It says of no accuracy: none is
    known of these weights.

    Args:
        path: the file to write.
        model: the smaller model.
        full: the model that it was made of.

    Returns:
        The recipe that trains it further, with the checkpoint as its start.

    Raises:
        TrainingError: it cannot be written.
    """
    charset = CharsetSpec.model_validate(model.codec.charset.to_dict())
    recipe = full.recipe.model_copy(update={"model": model.spec, "charset": charset, "start": None})
    save_weights(path, model, recipe)
    return recipe
