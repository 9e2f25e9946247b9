"""Channels that can be removed, as a group with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

Strand = Mapping[str, torch.Tensor]
"""For each size (`models.widths`) the indices that belong to each channel: (C, k); k is 1 but where rows are folded or gates
stand side by side."""


@dataclass(frozen=True)
class Group:
    """Channels that go together with all that hangs on them.

    Args:
        name: the layer that makes them.
        size: C, how many there are (in each strand).
        strands: one; for a recurrent layer one for each of its layers and directions, in torch's order. From each strand
            equally many channels go, and each strand chooses its own.
    """

    name: str
    size: int
    strands: tuple[Strand, ...]

    def layers(self) -> list[str]:
        """The layers that lose something, by name."""
        return list(dict.fromkeys(axis.rpartition(".")[0] for strand in self.strands for axis in strand))
