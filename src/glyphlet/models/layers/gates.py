"""The hidden units of recurrent layers: where each stands in the weights of `nn.LSTM` and `nn.GRU`.

A unit has a row in each gate of `weight_ih` (G H, D), `weight_hh` (G H, H) and the biases, a column of `weight_hh`, and a
column in whatever reads it. Gates lie one after the other, so unit u has the rows u, H + u, ... A layer above reads both
directions side by side: unit u of direction d is its column d H + u.

G gates (LSTM 4, GRU 3), H units, D inputs, S strands: each layer, and in each layer each direction, in torch's order.
"""

from __future__ import annotations

import torch
from torch import nn

Recurrent = nn.LSTM | nn.GRU


def suffixes(layer: nn.RNNBase) -> list[str]:
    """The ends of the names of the tensors of each strand: `_l0`, `_l0_reverse`, `_l1`, ..."""
    directions = ("", "_reverse") if layer.bidirectional else ("",)
    return [f"_l{number}{direction}" for number in range(layer.num_layers) for direction in directions]


def gate_rows(units: torch.Tensor, hidden: int, gates: int) -> torch.Tensor:
    """The rows of units (k,) in a tensor of all gates: (G k,), gate by gate."""
    return torch.cat([gate * hidden + units for gate in range(gates)])


def gates_of(layer: nn.RNNBase) -> int:
    """G."""
    return len(layer.get_parameter("weight_hh_l0")) // layer.hidden_size


def reads(layer: nn.RNNBase, strand: int) -> list[int]:
    """The strands that read the units of a strand through `weight_ih`; none reads those of the last layer."""
    width = 1 + int(layer.bidirectional)
    above = strand // width + 1
    return [above * width + d for d in range(width)] if above < layer.num_layers else []


def _set(layer: nn.RNNBase, name: str, dim: int, kept: torch.Tensor) -> None:
    old = getattr(layer, name)
    taken = old.detach().index_select(dim, kept.to(old.device))
    setattr(layer, name, nn.Parameter(taken, requires_grad=old.requires_grad))


def take_units(layer: nn.RNNBase, kept_SK: torch.Tensor) -> None:
    """Keep some units of each strand, as many in each; `hidden_size` follows. What reads the last layer does not.

    Args:
        layer: an LSTM or a GRU; it is changed.
        kept_SK: for each strand the units that stay.
    """
    hidden, gates, names = layer.hidden_size, gates_of(layer), suffixes(layer)
    width = 1 + int(layer.bidirectional)
    for strand, suffix in enumerate(names):
        rows = gate_rows(kept_SK[strand], hidden, gates)
        for tensor in ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if layer.bias else ())):
            _set(layer, tensor + suffix, 0, rows)
        _set(layer, f"weight_hh{suffix}", 1, kept_SK[strand])
        if strand >= width:
            first = (strand // width - 1) * width
            _set(layer, f"weight_ih{suffix}", 1, torch.cat([d * hidden + kept_SK[first + d] for d in range(width)]))
    layer.hidden_size = kept_SK.shape[1]
    layer.flatten_parameters()


def take_inputs(layer: nn.RNNBase, kept_K: torch.Tensor) -> None:
    """Keep some of the features that come in; `input_size` follows."""
    for suffix in suffixes(layer)[: 1 + int(layer.bidirectional)]:
        _set(layer, f"weight_ih{suffix}", 1, kept_K)
    layer.input_size = len(kept_K)
    layer.flatten_parameters()


def unit_weights(layer: nn.RNNBase, strand: int) -> torch.Tensor:
    """What makes each unit of a strand: its rows of all gates, (H, G (D + H))."""
    suffix = suffixes(layer)[strand]
    both = torch.cat([getattr(layer, f"weight_ih{suffix}"), getattr(layer, f"weight_hh{suffix}")], 1).detach()
    return both.unflatten(0, (gates_of(layer), layer.hidden_size)).transpose(0, 1).flatten(1)


@torch.no_grad()
def silence_units(layer: nn.RNNBase, strand: int, units: torch.Tensor) -> None:
    """Set the weights with which a recurrent layer itself reads some units to 0; what reads the last layer is left."""
    names = suffixes(layer)
    getattr(layer, f"weight_hh{names[strand]}")[:, units] = 0
    columns = strand % (1 + int(layer.bidirectional)) * layer.hidden_size + units
    for reader in reads(layer, strand):
        getattr(layer, f"weight_ih{names[reader]}")[:, columns] = 0


@torch.no_grad()
def silence_inputs(layer: nn.RNNBase, columns: torch.Tensor) -> None:
    """Set the weights with which a recurrent layer reads some features to 0."""
    for suffix in suffixes(layer)[: 1 + int(layer.bidirectional)]:
        getattr(layer, f"weight_ih{suffix}")[:, columns] = 0
