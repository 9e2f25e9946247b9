"""A trained model out of a run folder or a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from glyphlet.charset import Charset
from glyphlet.data.check import CheckedLines
from glyphlet.data.loader import LineLoader
from glyphlet.errors import CheckpointError, RecipeError
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.models.summary import count_parameters
from glyphlet.spec import Recipe, recipe_from
from glyphlet.train.checkpoint import BEST, load_checkpoint
from glyphlet.train.task import load_task
from glyphlet.train.validate import Validation, validate


@dataclass(frozen=True)
class Restored:
    """A trained model and what its checkpoint says about it.

    Args:
        model: in evaluation mode, on the CPU.
        recipe: what it was trained by.
        facts: about the training, for the model file.
        measured: accuracies, for the model file.
    """

    model: Recognizer
    recipe: Recipe
    facts: dict[str, Any]
    measured: dict[str, Any]

    def validation_lines(self) -> CheckedLines:
        """The run's validation lines, read or rendered anew; its teacher, which may be gone, is not needed for that."""
        return load_task(self.recipe.model_copy(update={"teacher": None})).validation

    def read(self, lines: CheckedLines) -> Validation:
        """Read lines as the training does when it validates, through its own loader."""
        loader = LineLoader(lines, self.recipe.image, batch=self.recipe.train.batch)
        result = validate(self.model, self.model.head, loader, torch.device("cpu"), 0)
        self.model.eval()
        return result


def restore_run(path: Path) -> Restored:
    """The model of a checkpoint; of a run folder, its best one.

    Raises:
        CheckpointError: there is none, it is damaged, or does not fit its own recipe.
    """
    state = load_checkpoint(path / "checkpoints" / BEST if path.is_dir() else path)
    recipe = recipe_from(state["recipe"], str(path))
    charset = Charset.from_text(**state["charset"])
    try:
        model = build(recipe.model, recipe.image, charset)
        model.load_state_dict(state.get("average") or state["model"])  # the averaged weights are what was measured
    except (RuntimeError, RecipeError) as error:
        raise _unfit(path, recipe, error) from error
    progress, lines = state["progress"], state["lines"]
    facts = {
        "recipe": recipe.name,
        "parameters": count_parameters(model),
        "train_lines": lines["train"],
        "epochs": progress["epoch"],
        "updates": progress["step"],
        "seed": recipe.train.seed,
        **({"start": state["start"]} if state.get("start") else {}),
    }
    measured = {}
    # The checkpoint knows the accuracy of the best epoch only: it is told of that epoch's weights and of no others.
    if progress["epoch"] == progress["best_epoch"] and progress["batch"] == 0:
        measured = {"validation_lines": lines["validation"], "validation_word_accuracy": progress["best_accuracy"]}
    return Restored(model.eval(), recipe, facts, measured)


def _unfit(path: Path, recipe: Recipe, error: Exception) -> CheckpointError:
    """The error for a checkpoint whose recipe this version builds in another way than the one that wrote it."""
    problem = error.problem if isinstance(error, RecipeError) else " ".join(str(error).split())[:200]
    if recipe.model.widths:
        return CheckpointError(
            f"{path} holds a pruned model that does not fit its own recipe: {problem}",
            allowed="a checkpoint that this version pruned, or one with the same layers",
            next_step="prune the full model again with this version, or read the pruned one with the version that wrote it",
        )
    return CheckpointError(
        f"{path} does not fit its own recipe: {problem}",
        allowed="a checkpoint as `glyphlet train` wrote it",
        next_step="use another checkpoint of the run",
    )
