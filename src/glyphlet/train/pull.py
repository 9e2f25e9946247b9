"""A pull back to where a fine-tuning began (L2-SP, Li et al. 2018, arXiv 1802.01483).

loss + weight / 2 * the sum of (w - start)^2 over the weights that were taken from the start
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

Anchors = Mapping[str, tuple[torch.Tensor, torch.Tensor | None]]
"""By the name of a parameter: its values at the start, and where they count; None is everywhere."""


class Pull:
    """The pull on a model's weights.

    Args:
        model: on its device. What has no gradient is left out.
        anchors: what it took from the start; rows of new characters do not count.
        weight: `keep_weight` of the recipe; 0 pulls nothing.
    """

    def __init__(self, model: nn.Module, anchors: Anchors, weight: float) -> None:
        self.weight = weight
        self._model = model
        self._anchors: dict[str, tuple[torch.Tensor, torch.Tensor | None]] = {}
        self.load(anchors)

    def __bool__(self) -> bool:
        return bool(self._anchors)

    def load(self, anchors: Anchors) -> None:
        """Take anchors over, such as those of a checkpoint."""
        trained = {name: p for name, p in self._model.named_parameters() if p.requires_grad}
        if self.weight:
            self._anchors = {
                name: (first.to(trained[name].device), where if where is None else where.to(trained[name].device))
                for name, (first, where) in anchors.items()
                if name in trained
            }

    def state(self) -> dict[str, list[Any]]:
        """The anchors for a checkpoint."""
        return {name: list(pair) for name, pair in self._anchors.items()}

    def loss(self) -> torch.Tensor:
        """What is added to the loss."""
        parameters = dict(self._model.named_parameters())
        squares = []
        for name, (first, where) in self._anchors.items():
            away = parameters[name] - first
            squares.append((away if where is None else away * where).square().sum())
        return self.weight / 2 * torch.stack(squares).sum()
