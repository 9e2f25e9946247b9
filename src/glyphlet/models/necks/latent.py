"""Latent: one vector for the whole line, a sequence of one step.

Source: the CRNN with cross-entropy (CRNNCrossEntropy-pytorch), whose ResNet50 ends in a mean over the map, a linear
layer to 512 features and a ReLU.

The mean forgets where things stand. What a feature does not know of its place is lost, so it needs a backbone whose last
map sees far: a ResNet of stride 32, not the micro network. `columns` is our own addition for the others: the line is cut
into so many parts of equal width, the mean is taken in each, and the linear layer sees the parts side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from glyphlet.models.necks import NECKS
from glyphlet.models.options import within


def shares(steps: int, columns: int, like: torch.Tensor) -> torch.Tensor:
    """(T, columns): the share of time step t in column k of equally wide ones; each column's shares sum to 1.

    A step that lies in two columns counts in both by its parts, and where there are more columns than steps a step
    fills several. So it holds for any width, and it is exported as plain arithmetic on the width: the adaptive pooling
    of torch needs one that is known.
    """
    # In units of one column: step t reaches from t * columns / T to (t + 1) * columns / T, column k from k to k + 1.
    left_T1 = (torch.arange(steps, device=like.device).to(like.dtype) * (columns / steps))[:, None]
    first_K = torch.arange(columns, device=like.device).to(like.dtype)
    return (torch.minimum(left_T1 + columns / steps, first_K + 1) - torch.maximum(left_T1, first_K)).clamp(min=0)


class Latent(nn.Module):
    """Mean over the map or over parts of it, linear, ReLU."""

    def __init__(self, channels: int, height: int, features: int, columns: int) -> None:
        super().__init__()
        self.features = features
        self.columns = columns
        self.linear = nn.Linear(channels * height * columns if columns else channels, features)

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps (N, C, H, W) to (N, 1, D)."""
        map_NCHW = maps[-1]
        if not self.columns:
            return self.linear(map_NCHW.mean((2, 3))).relu()[:, None]
        parts_NCHK = map_NCHW @ shares(map_NCHW.shape[3], self.columns, map_NCHW)
        return self.linear(parts_NCHK.flatten(1)).relu()[:, None]

    def steps(self, time_steps: int) -> int:
        """One, whatever the width of the line."""
        return 1


@NECKS.register
def latent(channels: Sequence[int], heights: Sequence[int], *, features: int = 512, columns: int = 0) -> Latent:
    """One vector a line: a mean over the deepest map, a linear layer and a ReLU.

    Args:
        channels: of each map.
        heights: of each map.
        features: size of the vector.
        columns: into how many parts of equal width the line is cut, each with rows and mean of its own; 0 takes one
            mean over the whole map, as the source does.

    Raises:
        RecipeError: an option is out of range.
    """
    within("model.neck.features", features, 1, 65536)
    within("model.neck.columns", columns, 0, 256)
    return Latent(channels[-1], heights[-1], features, columns)
