"""Recurrent necks: the folded map, then an LSTM or a GRU over time.

Source: CRNN (Shi et al. 2015, arXiv 1507.05717) for the idea, MicroOCR for the sizes (one layer of 32). MicroOCR's own
BiLSTM ran over the *batch* axis by mistake, so that the neighbours in a batch changed a result. Here the recurrence
runs over time. `over: step` exists for its checkpoints only: it gives what that network gave for one image alone,
where every time step is a sequence of length one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.necks import NECKS
from glyphlet.models.necks.fold import fold_rows


class Recurrent(nn.Module):
    """`fold_rows` of the deepest map, then a recurrent network, one- or two-directional."""

    def __init__(
        self, kind: type[nn.LSTM] | type[nn.GRU], inputs: int, hidden: int, layers: int, both: bool, over: str
    ) -> None:
        super().__init__()
        self.rnn = kind(inputs, hidden, layers, batch_first=True, bidirectional=both)
        self.features = hidden * (2 if both else 1)
        self.over = over

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps (N, C, H, W) to (N, T, D)."""
        x_NTD = fold_rows(maps[-1])
        if self.over == "time":
            return self.rnn(x_NTD)[0]
        steps = self.rnn(x_NTD.reshape(-1, 1, x_NTD.shape[2]))[0]
        return steps.reshape(x_NTD.shape[0], -1, self.features)


def _build(
    kind: type[nn.LSTM] | type[nn.GRU],
    channels: Sequence[int],
    heights: Sequence[int],
    hidden: int,
    layers: int,
    both: bool,
    over: str,
) -> Recurrent:
    if hidden < 1 or layers < 1 or over not in ("time", "step"):
        raise RecipeError(
            f"model.neck has hidden {hidden}, layers {layers}, over {over!r}",
            allowed="hidden and layers of 1 or more, over: time (or step, for imported MicroOCR checkpoints)",
            next_step="correct the recipe",
        )
    return Recurrent(kind, channels[-1] * heights[-1], hidden, layers, both, over)


@NECKS.register
def bilstm(
    channels: Sequence[int],
    heights: Sequence[int],
    *,
    hidden: int = 32,
    layers: int = 1,
    over: Literal["time", "step"] = "time",
) -> Recurrent:
    """Bidirectional LSTM over time: D = 2 * hidden."""
    return _build(nn.LSTM, channels, heights, hidden, layers, True, over)


@NECKS.register
def bigru(
    channels: Sequence[int],
    heights: Sequence[int],
    *,
    hidden: int = 32,
    layers: int = 1,
    over: Literal["time", "step"] = "time",
) -> Recurrent:
    """Bidirectional GRU over time: D = 2 * hidden."""
    return _build(nn.GRU, channels, heights, hidden, layers, True, over)


@NECKS.register
def gru(
    channels: Sequence[int],
    heights: Sequence[int],
    *,
    hidden: int = 64,
    layers: int = 1,
    over: Literal["time", "step"] = "time",
) -> Recurrent:
    """GRU from left to right: D = hidden. MicroOCR's versions of late October 2021 have it."""
    return _build(nn.GRU, channels, heights, hidden, layers, False, over)
