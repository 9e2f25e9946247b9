"""Read checked lines with a model in training, to see how it does."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from glyphlet.data.loader import LineLoader
from glyphlet.metrics import Scores, score
from glyphlet.models.head import Head


@dataclass(frozen=True)
class Validation:
    """How a model reads a set of lines.

    Args:
        loss: mean loss of a line, without the confidence penalty; of a guided head, given the right characters before.
        scores: accuracies.
        samples: `raw path => text | truth` of the first lines.
        texts: what was read, in the order of the loader's lines.
    """

    loss: float
    scores: Scores
    samples: list[str]
    texts: list[str]


def paths_of(logits_NTK: torch.Tensor) -> list[list[int]]:
    """The best class of each step, for each line."""
    paths: list[list[int]] = logits_NTK.argmax(-1).cpu().tolist()
    return paths


def validate(model: nn.Module, head: Head, loader: LineLoader, device: torch.device, samples: int) -> Validation:
    """Read every line of a loader, in evaluation mode; the model is left in training mode.

    Args:
        model: images to logits (it may be wrapped for mixed precision).
        head: owns the loss and the codec.
        loader: lines in a fixed order.
        device: where the model is.
        samples: how many lines to describe.
    """
    model.eval()
    codec = head.codec
    loss = 0.0
    lines = len(loader.lines)
    read, truths = [""] * lines, [""] * lines  # batches come in the order of widths
    described: dict[int, str] = {}
    with torch.no_grad():
        for batch in loader.once():
            images = batch.images.to(device)
            logits = model(images)
            guided = model(images, batch.labels) if head.guided else logits
            loss += float(head.loss(guided, batch.labels)) * len(batch.texts)
            for number, text, path in zip(batch.numbers, batch.texts, paths_of(logits), strict=True):
                read[number], truths[number] = codec.decode(path), text
                if number < samples:
                    described[number] = f"{codec.raw(path)} => {read[number]} | {text}"
    model.train()
    return Validation(loss / lines, score(read, truths), [described[number] for number in sorted(described)], read)
