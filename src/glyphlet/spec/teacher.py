"""The section that names a trained model to learn from, beside the labels."""

from __future__ import annotations

from pydantic import Field, model_validator

from glyphlet.errors import RecipeError
from glyphlet.spec.parts import Strict


class TeacherSpec(Strict):
    """A model whose outputs are learned, and what of them at which weight; the loss on the labels always has weight 1."""

    path: str
    """A run folder (its best epoch), a checkpoint, a model file, or the name of a model that ships."""
    posteriors: float = Field(1.0, ge=0)
    """Weight of the posteriors at each step."""
    temperature: float = Field(1.0, gt=0, le=100)
    """Both sides' logits are divided by it before the posteriors are compared."""
    sequence: float = Field(0.0, ge=0)
    """Weight of the texts that the teacher reads, as a second label of each line."""
    features: float = Field(0.0, ge=0)
    """Weight of which time steps are alike before the head."""

    @model_validator(mode="after")
    def _teaches(self) -> TeacherSpec:
        if not (self.posteriors or self.sequence or self.features):
            raise RecipeError(
                "teacher.posteriors, teacher.sequence and teacher.features are all 0",
                allowed="at least one above 0",
                next_step="set one, or remove the section teacher",
            )
        return self


__all__ = ["TeacherSpec"]
