"""Learning from a trained model beside the labels (distillation, Hinton et al. 2015, arXiv 1503.02531).

    loss on the labels + posteriors * P + sequence * S + features * F

    P   the divergence of the student's posteriors from the teacher's, summed over the steps of a line as the loss of its label is, so
        that both are nats for each line. CTC aligns by itself, and two models trained apart may fire at other steps; a pruned
        model starts with the alignment of the model that it comes from.
    S   the loss on what the teacher reads (sequence-level distillation, Kim and Rush 2016, arXiv 1606.07947): no alignment is needed.
    F   which time steps resemble each other: the cosines between the features of all pairs of steps before the head, compared by
        their squared differences (similarity-preserving distillation, Tung and Mori 2019, arXiv 1907.09682). The two may have
        different numbers of features, and nothing has to be trained for it.

The teacher sees the images that the student sees, in evaluation mode.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from glyphlet.codec import SequenceCodec
from glyphlet.errors import RecipeError
from glyphlet.models.head import Labels
from glyphlet.models.losses import posterior_loss, similarity_loss
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.spec import TeacherSpec
from glyphlet.train.start import load_start
from glyphlet.train.validate import paths_of


def load_teacher(spec: TeacherSpec, student: Recognizer) -> Recognizer:
    """The teacher in evaluation mode, without gradients.

    Raises:
        CheckpointError, ModelFileError: it cannot be read.
        RecipeError: it takes other images or writes other characters than the student, or has other time steps where these count.
    """
    start = load_start(Path(spec.path))
    with torch.random.fork_rng(devices=[]):
        model = build(start.recipe.model, start.recipe.image, start.charset)
    model.load_state_dict(start.weights)
    _check_fit(spec, model, student)
    return model.eval().requires_grad_(False)


def _check_fit(spec: TeacherSpec, teacher: Recognizer, student: Recognizer) -> None:
    # The greatest width bounds the lines that are let in, not what is made of them.
    images = replace(teacher.geometry, max_width=student.geometry.max_width)
    for what, equal in (
        ("another image section", images == student.geometry),
        ("other characters", teacher.codec.charset == student.codec.charset),
        ("another kind of head", teacher.codec.kind == student.codec.kind),
    ):
        if not equal:
            raise RecipeError(
                f"the teacher {spec.path} has {what} than the model that is trained",
                allowed="a teacher with the same image section, characters and kind of head",
                next_step="set image and charset as in the teacher, or train another teacher",
            )
    wide = 8 * student.geometry.width_step
    for weight, steps in (("posteriors", Recognizer.steps), ("features", Recognizer.time_steps)):
        theirs, ours = steps(teacher, wide), steps(student, wide)
        if getattr(spec, weight) and theirs != ours:
            raise RecipeError(
                f"the teacher {spec.path} has {theirs} steps for a line of {wide} pixels, and the model that is trained {ours}",
                allowed=f"as many steps where teacher.{weight} is above 0",
                next_step=f"set teacher.{weight}=0 and teacher.sequence=1",
            )


class Teaching:
    """What a teacher adds to the loss.

    Args:
        spec: the weights of its parts.
        teacher: on the device of the student.
        student: the model that is trained; its neck's last output is listened to where the features count.
    """

    def __init__(self, spec: TeacherSpec, teacher: Recognizer, student: Recognizer) -> None:
        self.spec, self.teacher, self.student = spec, teacher, student
        self._features: list[torch.Tensor] = []
        if spec.features:
            student.neck.register_forward_hook(self._keep)

    def _keep(self, neck: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        self._features = [output]

    def loss(self, forward: Any, images: torch.Tensor, output: Any, labels: Labels) -> torch.Tensor:
        """The sum of the weighted parts, a mean over lines.

        Args:
            forward: the student as it is called in training: images, and labels where its head is guided.
            images: as the student saw them, (N, C, H, W).
            output: what the student made of them.
            labels: of the lines.
        """
        spec, head = self.spec, self.student.head
        features = self._features
        with torch.no_grad():
            theirs_NTD = self.teacher.features(images)
            theirs = self.teacher.head(theirs_NTD, labels) if head.guided else self.teacher.head(theirs_NTD)
            logits = self.teacher.head.logits(theirs).float()
        found = images.new_zeros(())
        if spec.posteriors:
            steps = [len(label) + 1 for label in labels] if self.student.codec.kind == SequenceCodec.kind else None
            divergence = posterior_loss(head.logits(output).float(), logits, spec.temperature, steps)
            found = found + spec.posteriors * divergence
        if spec.features:
            found = found + spec.features * similarity_loss(features[0].float(), theirs_NTD.float())
        if spec.sequence:
            read = self._read(theirs_NTD, labels, self.student.steps(images.shape[3]))
            given = forward(images, read) if head.guided else output
            found = found + spec.sequence * head.loss(given, read)
        return found

    def _read(self, theirs_NTD: torch.Tensor, labels: Labels, steps: int) -> list[list[int]]:
        """The classes of what the teacher reads, unguided; the label where that is too long for the student's steps."""
        codec = self.teacher.codec
        with torch.no_grad():
            logits = self.teacher.head.logits(self.teacher.head(theirs_NTD))
        texts = [codec.encode(codec.decode(path)) for path in paths_of(logits)]
        fits = [codec.min_steps(text) <= steps for text in texts]
        return [text if fit else list(label) for text, fit, label in zip(texts, fits, labels, strict=True)]


__all__ = ["Teaching", "load_teacher"]
