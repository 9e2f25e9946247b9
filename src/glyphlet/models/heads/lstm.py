"""LSTM head: one vector for the whole line, from which an LSTM writes character after character.

Source: the CRNN with cross-entropy (CRNNCrossEntropy-pytorch). The vector is the first hidden state, the cell state
begins as zeros, and the first input is zeros; after that each step is fed the class before. Beside it a linear layer
guesses the length of the text from the vector. It is trained along and not used in reading: it makes the vector know it.

The source's notes say that its LSTM is bidirectional, and its code has one direction. `bidirectional` is what the notes
come to when one class is written at a time: at each step two directions over a sequence of one, each with a state of
its own. Neither sees what comes later, so it is two LSTMs side by side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.models.head import Labels
from glyphlet.models.heads import HEADS
from glyphlet.models.heads.sequence import SequenceHead, State
from glyphlet.models.layers.cells import ClassLSTMCell


class Followed(NamedTuple):
    """What the loss needs: logits (N, S, K), and logits (N, max_length + 1) of the length, if it is guessed."""

    logits: torch.Tensor
    lengths: torch.Tensor | None


class LSTMHead(SequenceHead):
    """An LSTM with as many units as the vector has features. The state: hidden and cell (N, D) of each direction."""

    single = True

    def __init__(
        self,
        features: int,
        charset: Charset,
        max_length: int,
        *,
        bidirectional: bool,
        masked: bool,
        length_weight: float,
        dropout: float,
    ) -> None:
        super().__init__(charset, max_length, filler=None if masked else 1)
        directions = 2 if bidirectional else 1
        self.cells = nn.ModuleList(ClassLSTMCell(self.codec.classes, features) for _ in range(directions))
        self.linear = nn.Linear(directions * features, self.codec.classes)
        self.length_weight = length_weight
        self.length = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, max_length + 1)) if length_weight else None

    def begin(self, x_NTD: torch.Tensor) -> State:
        """The vector is the hidden state of each direction."""
        return [x_NTD[:, 0], torch.zeros_like(x_NTD[:, 0])] * len(self.cells)

    def step(self, state: State, class_N: torch.Tensor | None) -> tuple[torch.Tensor, State]:
        """Update the state, write."""
        after: list[torch.Tensor] = []
        for number, cell in enumerate(self.cells):
            after += cell(class_N, state[2 * number], state[2 * number + 1])
        return self.linear(torch.cat(after[::2], 1)), after

    def forward(self, x_NTD: torch.Tensor, labels: Labels | None = None) -> Any:
        """(N, 1, D) to logits (N, max_length + 1, K); with labels, to `Followed`."""
        if labels is None:
            return self.write(x_NTD)
        return Followed(self.follow(x_NTD, labels), None if self.length is None else self.length(x_NTD[:, 0]))

    def logits(self, output: Any) -> torch.Tensor:
        """Those of the characters."""
        return output.logits if isinstance(output, Followed) else output

    def loss(self, output: Followed, labels: Labels) -> torch.Tensor:
        """Cross-entropy of the characters, and `length_weight` times that of the length."""
        loss = super().loss(output, labels)
        if output.lengths is None:
            return loss
        lengths = torch.tensor([len(label) for label in labels], device=loss.device)
        return loss + self.length_weight * F.cross_entropy(output.lengths.float(), lengths)


@HEADS.register
def lstm(
    features: int,
    charset: Charset,
    *,
    max_length: int = 9,
    bidirectional: bool = False,
    masked: bool = True,
    length_weight: float = 1.0,
    dropout: float = 0.2,
) -> LSTMHead:
    """An LSTM that writes one character a step from one vector a line (neck `latent`).

    Args:
        features: D of the vector, and the units of the LSTM.
        charset: the characters.
        max_length: the most characters of a text (the source: 9).
        bidirectional: two LSTMs side by side, each with a state of its own.
        masked: the loss ends with the stop; false fills up with the first character of the charset and learns it, as
            the source did with the digit 0.
        length_weight: weight of the loss of the length; 0 leaves the guess out.
        dropout: share of the vector that is dropped before the length is guessed, in training.

    Raises:
        RecipeError: an option is out of range.
    """
    if length_weight < 0 or not 0 <= dropout < 1:
        raise RecipeError(
            f"model.head has length_weight {length_weight} and dropout {dropout}",
            allowed="length_weight of 0 or more, dropout from 0 to less than 1",
            next_step="correct the recipe",
        )
    return LSTMHead(
        features, charset, max_length,
        bidirectional=bidirectional, masked=masked, length_weight=length_weight, dropout=dropout,
    )  # fmt: skip
