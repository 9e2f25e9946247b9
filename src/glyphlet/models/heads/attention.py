"""Attention head: at each step a weighted look over the whole line, then a GRU that writes a character.

Source: RARE (Shi et al. 2016, arXiv 1603.03915) with the additive attention of Bahdanau et al. 2014 (arXiv 1409.0473),
in the sizes of lightweight-OCR, whose head is PaddleOCR's.

    score(t)  = w . tanh(U x(t) + V h + b)            how much time step t matters now
    context   = the mean of x over time, weighted by the softmax of the scores
    h         = GRU(context and the class before, h)
    logits    = W h + c

The source's class 0 begins a text and its last class ends it. Here class 0 does both: nothing is ever fed after the end.
"""

from __future__ import annotations

import torch
from torch import nn

from glyphlet.charset import Charset
from glyphlet.codec import STOP
from glyphlet.models.heads import HEADS
from glyphlet.models.heads.sequence import SequenceHead, State
from glyphlet.models.layers.cells import ClassGRUCell
from glyphlet.models.options import within


class AttentionHead(SequenceHead):
    """Additive attention and a GRU of U units. The state: the sequence (N, T, D), its keys (N, T, U), hidden (N, U)."""

    def __init__(
        self, features: int, charset: Charset, max_length: int, hidden: int, *, masked: bool, teacher: bool
    ) -> None:
        super().__init__(charset, max_length, filler=None if masked else STOP, teacher=teacher)
        within("model.head.hidden", hidden, 1, 4096)
        self.key = nn.Linear(features, hidden, bias=False)
        self.query = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.cell = ClassGRUCell(features, self.codec.classes, hidden)
        self.linear = nn.Linear(hidden, self.codec.classes)

    def begin(self, x_NTD: torch.Tensor) -> State:
        """Keys are computed once; the hidden state begins as zeros."""
        return x_NTD, self.key(x_NTD), x_NTD.new_zeros(x_NTD.shape[0], self.query.in_features)

    def weights(self, state: State) -> torch.Tensor:
        """Where the next step looks: (N, T), the sum of each line is 1."""
        _, keys_NTU, hidden_NU = state
        scores_NT1 = self.score(torch.tanh(keys_NTU + self.query(hidden_NU)[:, None]))
        return scores_NT1.squeeze(2).softmax(1)

    def step(self, state: State, class_N: torch.Tensor | None) -> tuple[torch.Tensor, State]:
        """Look, update the state, write."""
        x_NTD, keys_NTU, hidden_NU = state
        context_ND = torch.bmm(self.weights(state)[:, None], x_NTD).squeeze(1)
        class_N = hidden_NU.new_zeros(hidden_NU.shape[0], dtype=torch.long) if class_N is None else class_N
        hidden_NU = self.cell(context_ND, class_N, hidden_NU)
        return self.linear(hidden_NU), (x_NTD, keys_NTU, hidden_NU)


@HEADS.register
def attention(
    features: int,
    charset: Charset,
    *,
    hidden: int = 32,
    max_length: int = 25,
    masked: bool = True,
    teacher: bool = True,
) -> AttentionHead:
    """Attention and a GRU that write one character a step (RARE).

    Args:
        features: D of the sequence.
        charset: the characters.
        hidden: units of the GRU and of the attention.
        max_length: the most characters of a text.
        masked: the loss ends with the stop; false counts all steps after it, as lightweight-OCR did.
        teacher: training feeds the right character before; false feeds what was written, as lightweight-OCR did.

    Raises:
        RecipeError: an option is out of range.
    """
    return AttentionHead(features, charset, max_length, hidden, masked=masked, teacher=teacher)
