"""What every head is: it owns the codec, the layout of the logits and the loss, since the three must agree."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from glyphlet.codec import Codec

Labels = Sequence[Sequence[int]]
"""The classes of each line."""


class Head(nn.Module, ABC):
    """A sequence (N, T, D) to logits (N, S, K).

    Attributes:
        codec: between texts and classes; `codec.kind` says how logits are read.
        guided: whether the training gives the labels to `forward` (teacher forcing).
        single: whether it takes a sequence of one step only, a vector for the whole line.
        whole: whether a head that writes step by step takes all steps, though every line has ended (to count its cost).
    """

    guided = False
    single = False
    whole = False

    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self.codec = codec

    @abstractmethod
    def forward(self, x_NTD: torch.Tensor, labels: Labels | None = None) -> Any:
        """Without labels: logits (N, S, K), S = `steps(T)`. With labels, which a guided head alone takes: what `loss` needs."""

    def logits(self, output: Any) -> torch.Tensor:
        """The logits (N, S, K) in what `forward` gave."""
        return output

    @abstractmethod
    def loss(self, output: Any, labels: Labels) -> torch.Tensor:
        """The mean over lines of the loss, of what `forward` gave (a guided head: with these labels)."""

    @abstractmethod
    def entropy(self, output: Any, labels: Labels) -> torch.Tensor:
        """The entropy of the outputs in nats, summed over the steps of a line, mean over lines; see `losses.confidence_penalty`."""

    def steps(self, time_steps: int) -> int:
        """The steps of the logits for T time steps; a label must fit into them."""
        return time_steps
