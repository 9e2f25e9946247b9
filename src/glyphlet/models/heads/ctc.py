"""CTC head: one linear layer to the characters and the blank (Graves et al. 2006)."""

from __future__ import annotations

import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.models.head import Head, Labels
from glyphlet.models.heads import HEADS
from glyphlet.models.losses import confidence_penalty, ctc_loss_of_logits


class CTCHead(Head):
    """Logits (N, T, K) with the blank at 0."""

    def __init__(self, features: int, charset: Charset, dropout: float) -> None:
        super().__init__(CTCCodec(charset))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features, self.codec.classes)

    def forward(self, x_NTD: torch.Tensor, labels: Labels | None = None) -> torch.Tensor:
        """(N, T, D) to logits (N, T, K)."""
        return self.linear(self.dropout(x_NTD))

    def loss(self, output: torch.Tensor, labels: Labels) -> torch.Tensor:
        """Mean over the lines of the negative log likelihood."""
        return ctc_loss_of_logits(output.float(), labels)

    def entropy(self, output: torch.Tensor, labels: Labels) -> torch.Tensor:
        """Of all time steps."""
        return confidence_penalty(output.float().log_softmax(-1))


@HEADS.register
def ctc(features: int, charset: Charset, *, dropout: float = 0.0) -> CTCHead:
    """A linear layer to the classes of the charset; `dropout` before it (MicroOCR's later versions: 0.1)."""
    return CTCHead(features, charset, dropout)
