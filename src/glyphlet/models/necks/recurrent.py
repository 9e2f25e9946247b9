"""Recurrent necks: the folded map, then an LSTM or a GRU over time.

Source: CRNN (Shi et al. 2015, arXiv 1507.05717) for the idea and for `project`, a linear layer between the recurrent
ones (`embedding` in meijieru/crnn.pytorch); MicroOCR for the default sizes (one layer of 32). MicroOCR's own BiLSTM ran over the *batch* axis by mistake, so that the neighbours in a batch changed a result. Here the recurrence
runs over time. `over: step` exists for its checkpoints only: it gives what that network gave for one image alone,
where every time step is a sequence of length one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn

from glyphlet.errors import RecipeError
from glyphlet.models.necks import NECKS
from glyphlet.models.necks.fold import fold_rows
from glyphlet.models.options import within


class Projected(nn.Module):
    """Recurrent layers with a linear layer from each to the next: CRNN's, whose last linear layer is the head's."""

    def __init__(
        self, kind: type[nn.LSTM] | type[nn.GRU], inputs: int, hidden: int, layers: int, both: bool, project: int
    ) -> None:
        super().__init__()
        wide = hidden * (2 if both else 1)
        self.layers = nn.ModuleList(
            kind(project if number else inputs, hidden, batch_first=True, bidirectional=both)
            for number in range(layers)
        )
        self.projections = nn.ModuleList(nn.Linear(wide, project) for _ in range(layers - 1))

    def forward(self, x_NTD: torch.Tensor) -> tuple[torch.Tensor, None]:
        """(N, T, D) to (N, T, hidden in all directions), as the first of two values like a recurrent layer of torch."""
        x_NTD = self.layers[0](x_NTD)[0]
        for projection, layer in zip(self.projections, self.layers[1:], strict=True):
            x_NTD = layer(projection(x_NTD))[0]
        return x_NTD, None


class Recurrent(nn.Module):
    """`fold_rows` of the deepest map, then a recurrent network, one- or two-directional."""

    def __init__(self, rnn: nn.Module, over: str) -> None:
        super().__init__()
        self.rnn = rnn
        self.over = over

    @property
    def features(self) -> int:
        """The units of the last layer in all directions."""
        last: Any = self.rnn.layers[-1] if isinstance(self.rnn, Projected) else self.rnn
        return int(last.hidden_size) * (2 if last.bidirectional else 1)

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
    both: bool,
    *,
    hidden: int,
    layers: int,
    project: int,
    over: str,
) -> Recurrent:
    within("model.neck.hidden", hidden, 1, 4096)
    within("model.neck.layers", layers, 1, 16)
    within("model.neck.project", project, 0, 4096)
    if over not in ("time", "step"):
        raise RecipeError(
            f"model.neck.over is {over!r}",
            allowed="time (or step, for imported MicroOCR checkpoints)",
            next_step="correct the recipe",
        )
    if project and layers == 1:
        raise RecipeError(
            f"model.neck has project {project} and one layer, so there is nothing to project between",
            allowed="project with 2 layers or more",
            next_step="set model.neck.layers to 2, or remove model.neck.project",
        )
    inputs = channels[-1] * heights[-1]
    rnn = (
        Projected(kind, inputs, hidden, layers, both, project)
        if project
        else kind(inputs, hidden, layers, batch_first=True, bidirectional=both)
    )
    return Recurrent(rnn, over)


@NECKS.register
def bilstm(
    channels: Sequence[int],
    heights: Sequence[int],
    *,
    hidden: int = 32,
    layers: int = 1,
    project: int = 0,
    over: Literal["time", "step"] = "time",
) -> Recurrent:
    """Bidirectional LSTM over time: D = 2 * hidden."""
    return _build(nn.LSTM, channels, heights, True, hidden=hidden, layers=layers, project=project, over=over)


@NECKS.register
def bigru(
    channels: Sequence[int],
    heights: Sequence[int],
    *,
    hidden: int = 32,
    layers: int = 1,
    project: int = 0,
    over: Literal["time", "step"] = "time",
) -> Recurrent:
    """Bidirectional GRU over time: D = 2 * hidden."""
    return _build(nn.GRU, channels, heights, True, hidden=hidden, layers=layers, project=project, over=over)


@NECKS.register
def gru(
    channels: Sequence[int],
    heights: Sequence[int],
    *,
    hidden: int = 64,
    layers: int = 1,
    project: int = 0,
    over: Literal["time", "step"] = "time",
) -> Recurrent:
    """GRU from left to right: D = hidden. MicroOCR's versions of late October 2021 have it."""
    return _build(nn.GRU, channels, heights, False, hidden=hidden, layers=layers, project=project, over=over)
