"""What hangs together inside the heads that write step by step, whose loops are not followed but known.

Attention head: the features of the sequence are read by the keys and by the cell; inside are two groups, the units of the
attention (`head.key`) and those of the GRU (`head.cell`). LSTM head: its units are the features of the vector, which is
its first state; so a feature takes a unit of each cell along.

C features, U units. A table (C, k) says which indices belong to each, as in `group.Strand`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from glyphlet.compress.group import Group
from glyphlet.models.heads.attention import AttentionHead
from glyphlet.models.heads.lstm import LSTMHead
from glyphlet.models.heads.sequence import SequenceHead

Tables = Mapping[str, torch.Tensor]


def _each(count: int, times: int = 1) -> torch.Tensor:
    """(count, times): index c, count + c, 2 count + c, ..., as gates or directions lie."""
    return torch.arange(count)[:, None] + count * torch.arange(times)


def read_by(head: SequenceHead) -> Tables:
    """Where a head reads each feature of the sequence; nothing for a head that is not known."""
    if isinstance(head, AttentionHead):
        features = _each(head.key.in_features)
        return {"head.key.in_features": features, "head.cell.vector.in_features": features}
    if isinstance(head, LSTMHead):
        return _read_by_lstm(head)
    return {}


def _read_by_lstm(head: LSTMHead) -> Tables:
    units = head.linear.in_features // len(head.cells)
    tables = {"head.linear.in_features": _each(units, len(head.cells))}
    for number in range(len(head.cells)):
        cell, gates = f"head.cells.{number}", _each(units, 4)
        tables |= {f"{cell}.lookup.embedding_dim": gates, f"{cell}.bias": gates}
        tables |= {f"{cell}.recurrent.out_features": gates, f"{cell}.recurrent.in_features": _each(units)}
    return tables | ({"head.length.1.in_features": _each(units)} if head.length is not None else {})


def inner_groups(head: nn.Module) -> list[Group]:
    """The groups inside a head."""
    if not isinstance(head, AttentionHead):
        return []
    looks = _each(head.key.out_features)
    units, gates = _each(head.cell.units), _each(head.cell.units, 3)
    attention = {"head.key.out_features": looks, "head.query.out_features": looks, "head.score.in_features": looks}
    cell = {
        "head.cell.vector.out_features": gates,
        "head.cell.lookup.embedding_dim": gates,
        "head.cell.recurrent.out_features": gates,
        "head.cell.recurrent.in_features": units,
        "head.query.in_features": units,
        "head.linear.in_features": units,
    }
    return [Group("head.key", len(looks), (attention,)), Group("head.cell", len(units), (cell,))]
