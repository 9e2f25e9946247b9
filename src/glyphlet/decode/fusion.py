"""What a search needs of a language model, and how much the model counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class LanguageModel(Protocol):
    """What a search asks a language model; contexts are its own."""

    def start(self) -> tuple[int, ...]:
        """The context of an empty text."""

    def follow(self, context: tuple[int, ...], label: int) -> tuple[int, ...]:
        """The context after one more class."""

    def log_probabilities(self, context: tuple[int, ...]) -> Sequence[float]:
        """The logarithm of the probability of each class after a context; class 0 is the end of the text."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """What a language model adds to the logarithm of a text's probability (Gulcehre et al. 2015, "shallow fusion").

    Args:
        model: the model.
        weight: times the logarithm of its probability.
        bonus: for each character.
    """

    model: LanguageModel
    weight: float = 0.5
    bonus: float = 0.0


__all__ = ["Fusion", "LanguageModel"]
