"""Losses as plain functions. N lines, T time steps, K classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from glyphlet.codec import BLANK


def ctc_loss(log_probs_NTK: torch.Tensor, labels: Sequence[Sequence[int]]) -> torch.Tensor:
    """Connectionist temporal classification (Graves et al. 2006), a mean over lines of -log P(label).

    A line's loss is not divided by its length. Every batch weighs the same, however few lines it holds.

    Args:
        log_probs_NTK: log softmax of the logits.
        labels: the classes of each line, without blanks.

    Returns:
        A scalar; infinite when a label cannot be aligned (the training checks that before it starts).
    """
    n, t, _ = log_probs_NTK.shape
    device = log_probs_NTK.device
    targets = torch.tensor([c for label in labels for c in label], dtype=torch.long, device=device)
    lengths = torch.tensor([len(label) for label in labels], dtype=torch.long)
    steps = torch.full((n,), t, dtype=torch.long)
    return F.ctc_loss(log_probs_NTK.transpose(0, 1), targets, steps, lengths, BLANK, reduction="sum") / n


def confidence_penalty(log_probs_NTK: torch.Tensor) -> torch.Tensor:
    """Entropy of the outputs in nats, summed over the steps of a line, mean over lines (Pereyra et al. 2017).

    Subtracted from a loss it keeps the outputs broad. For CTC this matters early: without it the network settles on
    one peaked alignment, and where that peak lies out of sight of the stroke that tells `h` from `n`, it stays wrong.
    """
    return -(log_probs_NTK.exp() * log_probs_NTK).sum((1, 2)).mean()
