"""Recurrent cells of decoders: what they are fed at each step is the class written last, and perhaps a vector.

A cell of torch takes the class as a one-hot vector, and its weight times a one-hot vector is one column of the weight.
Here that column is looked up: the same numbers and the same count of parameters, without a product with all K classes
at each step. `lookup.weight` (K, G) is the part of `weight_ih` (G, K) that belongs to the one-hot vector, transposed.

N lines, D features, U units, G gates times units.
"""

from __future__ import annotations

import math

import torch
from torch import nn


def _start(module: nn.Module, units: int) -> None:
    """Uniform weights within 1 / sqrt(U), biases too, as the recurrent layers of torch begin."""
    for parameter in module.parameters():
        nn.init.uniform_(parameter, -1 / math.sqrt(units), 1 / math.sqrt(units))


class ClassGRUCell(nn.Module):
    """`nn.GRUCell` (Cho et al. 2014, arXiv 1406.1078) whose input is a vector and a one-hot class side by side."""

    def __init__(self, features: int, classes: int, units: int) -> None:
        super().__init__()
        self.vector = nn.Linear(features, 3 * units)
        self.lookup = nn.Embedding(classes, 3 * units)
        self.recurrent = nn.Linear(units, 3 * units)
        _start(self, units)

    @property
    def units(self) -> int:
        """U."""
        return self.recurrent.in_features

    def forward(self, vector_ND: torch.Tensor, class_N: torch.Tensor, hidden_NU: torch.Tensor) -> torch.Tensor:
        """The next hidden state (N, U)."""
        widths = [2 * self.units, self.units]  # the gates that reset and update, and what is new
        fed, new = (self.vector(vector_ND) + self.lookup(class_N)).split(widths, 1)
        fed_h, new_h = self.recurrent(hidden_NU).split(widths, 1)
        reset, update = torch.sigmoid(fed + fed_h).split(self.units, 1)
        candidate = torch.tanh(new + reset * new_h)
        return candidate + update * (hidden_NU - candidate)


class ClassLSTMCell(nn.Module):
    """`nn.LSTMCell` (Hochreiter and Schmidhuber 1997) whose input is a one-hot class, or zeros where there is none."""

    def __init__(self, classes: int, units: int) -> None:
        super().__init__()
        self.lookup = nn.Embedding(classes, 4 * units)
        self.bias = nn.Parameter(torch.zeros(4 * units))
        self.recurrent = nn.Linear(units, 4 * units)
        _start(self, units)

    @property
    def units(self) -> int:
        """U."""
        return self.recurrent.in_features

    def forward(
        self, class_N: torch.Tensor | None, hidden_NU: torch.Tensor, cell_NU: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The next hidden and cell state, each (N, U)."""
        gates = self.recurrent(hidden_NU) + self.bias
        if class_N is not None:
            gates = gates + self.lookup(class_N)
        enter, forget, new, leave = gates.split(self.units, 1)
        cell_NU = torch.sigmoid(forget) * cell_NU + torch.sigmoid(enter) * torch.tanh(new)
        return torch.sigmoid(leave) * torch.tanh(cell_NU), cell_NU
