"""CTC head: one linear layer to the characters and the blank (Graves et al. 2006)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from glyphlet.codec import CTCCodec
from glyphlet.models.heads import HEADS
from glyphlet.models.losses import confidence_penalty, ctc_loss


class CTCHead(nn.Module):
    """Owns the codec, the layout of the logits (N, T, K with the blank at 0) and the loss."""

    kind = "ctc"

    def __init__(self, features: int, codec: CTCCodec, dropout: float) -> None:
        super().__init__()
        self.codec = codec
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features, codec.classes)

    def forward(self, x_NTD: torch.Tensor) -> torch.Tensor:
        """(N, T, D) to logits (N, T, K)."""
        return self.linear(self.dropout(x_NTD))

    def loss(self, logits_NTK: torch.Tensor, labels: Sequence[Sequence[int]], entropy: float = 0.0) -> torch.Tensor:
        """Mean over the lines of the negative log likelihood, less `entropy` times the entropy of the outputs."""
        log_probs = logits_NTK.float().log_softmax(-1)
        loss = ctc_loss(log_probs, labels)
        return loss - entropy * confidence_penalty(log_probs) if entropy else loss


@HEADS.register
def ctc(features: int, codec: CTCCodec, *, dropout: float = 0.0) -> CTCHead:
    """A linear layer to the classes of the codec; `dropout` before it (MicroOCR's later versions: 0.1)."""
    return CTCHead(features, codec, dropout)
