"""How much a channel matters, told by the weights that make it.

    l1, l2    the norm of a filter (Li et al. 2017, arXiv 1608.08710)
    fpgm      how far a filter is from all others of its layer: one near their geometric median can be replaced by them
              (He et al. 2019, arXiv 1811.00250)
    random    chance, to compare with

A criterion takes the filters of a layer as rows (C, F) and a generator, and returns a number for each (C,); the lowest go
first. Layers differ in their scale and their number of weights. So the numbers of each layer are divided by their mean, and
where several layers make the same channels their mean is taken: 1 is a channel like any other.
"""

from __future__ import annotations

import zlib

import torch

from glyphlet.compress.group import Group, Strand
from glyphlet.errors import CompressionError
from glyphlet.models.layers.gates import unit_weights
from glyphlet.models.recognizer import Recognizer
from glyphlet.models.widths import find
from glyphlet.registry import Registry, nearest

CRITERIA = Registry("criterion", "the criterion")
_ROWS = {"out_channels": 0, "out_features": 0, "embedding_dim": 1}
"""The sizes whose channels are made by weights, and the dimension of the weight that has them."""


@CRITERIA.register
def l1(filters_CF: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The sum of the absolute weights."""
    return filters_CF.abs().sum(1)


@CRITERIA.register
def l2(filters_CF: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The root of the sum of the squared weights."""
    return filters_CF.square().sum(1).sqrt()


@CRITERIA.register
def fpgm(filters_CF: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """The sum of the Euclidean distances to all filters of the layer."""
    # Not by the product of the filters, which is faster and loses the digits of small distances.
    return torch.cdist(filters_CF, filters_CF, compute_mode="donot_use_mm_for_euclid_dist").sum(1)


@CRITERIA.register
def random(filters_CF: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Uniform from 0 to 1."""
    return torch.rand(len(filters_CF), generator=generator, dtype=filters_CF.dtype)


def check_criterion(name: str) -> None:
    """Refuse a name that is no criterion.

    Raises:
        CompressionError: naming those that there are.
    """
    if name not in list(CRITERIA):
        raise CompressionError(
            f"there is no criterion {name!r}{nearest(name, list(CRITERIA))}",
            allowed=", ".join(CRITERIA),
            next_step="choose one of these",
        )


def scores(model: Recognizer, group: Group, criterion: str, seed: int = 0) -> list[torch.Tensor]:
    """How much each channel of a group matters, float64 (C,) for each strand; 1 is the mean.

    Args:
        model: with its weights, on any device.
        group: of the model.
        criterion: a name in `CRITERIA`.
        seed: of `random`, which draws for each group independently of the others.

    Raises:
        CompressionError: there is no such criterion.
    """
    check_criterion(criterion)
    # torch takes the lower 32 bits of a seed alone, so both go into them.
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {group.name}".encode()))
    found = []
    for number, strand in enumerate(group.strands):
        values = [CRITERIA[criterion](rows, generator) for rows in filters(model, strand, number)]
        found.append(torch.stack([value / value.mean().clamp(min=1e-300) for value in values]).mean(0))
    return found


def filters(model: Recognizer, strand: Strand, number: int = 0) -> list[torch.Tensor]:
    """The weights that make the channels of a strand: float64 (C, F) for each layer that does.

    Biases do not count, nor do normalisations. `number` is the strand's place among those of its group.
    """
    found = []
    for axis, table_CK in strand.items():
        layer, size = find(model, axis)
        if size == "hidden_size":
            found.append(unit_weights(layer, number).cpu().double())  # type: ignore[arg-type]
        elif size in _ROWS:
            weight = layer.get_parameter("weight").detach().cpu().double()
            found.append(weight.movedim(_ROWS[size], 0)[table_CK].flatten(1))
    return found
