"""Read checked lines with a model in training, to see how it does."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from glyphlet.codec import CTCCodec
from glyphlet.data.loader import LineLoader
from glyphlet.metrics import Scores, score
from glyphlet.models.heads.ctc import CTCHead


@dataclass(frozen=True)
class Validation:
    """How a model reads a set of lines.

    Args:
        loss: mean CTC loss of a line, without the confidence penalty.
        scores: accuracies.
        samples: `raw path => text | truth` of the first lines.
    """

    loss: float
    scores: Scores
    samples: list[str]


def paths_of(logits_NTK: torch.Tensor) -> list[list[int]]:
    """The best class of each step, for each line."""
    paths: list[list[int]] = logits_NTK.argmax(-1).cpu().tolist()
    return paths


def validate(
    model: nn.Module, head: CTCHead, codec: CTCCodec, loader: LineLoader, device: torch.device, samples: int
) -> Validation:
    """Read every line of a loader, in evaluation mode; the model is left in training mode.

    Args:
        model: images to logits (it may be wrapped for mixed precision).
        head: owns the loss.
        codec: between texts and classes.
        loader: lines in a fixed order.
        device: where the model is.
        samples: how many lines to describe.
    """
    model.eval()
    loss = 0.0
    texts: list[str] = []
    truths: list[str] = []
    described: dict[str, str] = {}
    with torch.no_grad():
        for batch in loader.epoch():
            logits = model(batch.images.to(device))
            loss += float(head.loss(logits, batch.labels)) * len(batch.lines)
            for line, path in zip(batch.lines, paths_of(logits), strict=True):
                texts.append(codec.decode(path))
                truths.append(line.text)
                if len(described) < 4 * samples:
                    described[line.sample.origin] = f"{codec.raw(path)} => {texts[-1]} | {line.text}"
    model.train()
    # The first lines of the set, not those of its narrowest images.
    order = [line.sample.origin for line in loader.lines if line.sample.origin in described]
    return Validation(loss / len(texts), score(texts, truths), [described[o] for o in order[:samples]])
