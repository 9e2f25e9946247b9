"""Latent: one vector for the whole line, a sequence of one step.

Source: the CRNN with cross-entropy (CRNNCrossEntropy-pytorch), whose ResNet50 ends in a mean over the map, a linear
layer to 512 features and a ReLU.

The mean forgets where things stand. What a feature does not know of its place is lost, so this neck needs a backbone
whose last map sees far: a ResNet of stride 32, not the micro network.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from glyphlet.models.necks import NECKS
from glyphlet.models.options import within


class Latent(nn.Module):
    """Mean over the map, linear, ReLU."""

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.features = features
        self.linear = nn.Linear(channels, features)

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps (N, C, H, W) to (N, 1, D)."""
        return self.linear(maps[-1].mean((2, 3))).relu()[:, None]

    def steps(self, time_steps: int) -> int:
        """One, whatever the width of the line."""
        return 1


@NECKS.register
def latent(channels: Sequence[int], heights: Sequence[int], *, features: int = 512) -> Latent:
    """One vector a line: the mean over the deepest map, a linear layer and a ReLU.

    Raises:
        RecipeError: `features` is out of range.
    """
    within("model.neck.features", features, 1, 65536)
    return Latent(channels[-1], features)
