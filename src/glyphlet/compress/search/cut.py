"""A wider network, trained for a while, pruned to the limits: of each of its layers the same share goes, as little as meets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from glyphlet.compress.adapt import adapt, norms_of
from glyphlet.compress.graph import Graph
from glyphlet.compress.prune import Pruning, prune
from glyphlet.compress.search.limits import Cost, Limits
from glyphlet.data.loader import Batch
from glyphlet.errors import CompressionError
from glyphlet.models.recognizer import Recognizer

ROUND = 4
"""The channels that stay in a layer are a multiple of this, where it has more: odd numbers of them are slow."""
HALVINGS = 7
LARGEST = 0.9
"""Share that is taken at most."""


def cut(
    model: Recognizer, limits: Limits, measure: Callable[[Recognizer], Cost], batches: Sequence[Batch]
) -> tuple[Recognizer, Cost]:
    """Prune a model to the limits and measure its statistics of normalisation anew.

    Channels go by the L1 norm of their filters (Li et al. 2017, arXiv 1608.08710). The share is found by halving.

    Args:
        model: it is left as it was.
        limits: what the result may cost.
        measure: what a model costs.
        batches: training lines to measure the statistics on.

    Returns:
        The smaller model in evaluation mode, and what it costs.

    Raises:
        CompressionError: the limits are not met even where 90 % of every layer go, or no layer can be pruned.
    """
    graph = Graph.of(model)

    def tried(ratio: float) -> tuple[Recognizer, Cost]:
        smaller = prune(model, Pruning(ratio, round_to=ROUND), graph).model
        return smaller, measure(smaller)

    best = tried(LARGEST)
    if limits.weights(best[1]) is None:
        raise CompressionError(
            f"{limits} is not met by a model that loses {LARGEST:.0%} of every layer",
            allowed="a network nearer to the limits",
            next_step="take a narrower one",
        )
    low, high = 0.0, LARGEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        made = tried(middle)
        if limits.weights(made[1]) is None:
            low = middle
        else:
            best, high = made, middle
    smaller, cost = best
    if norms_of(smaller):
        adapt(smaller, batches)
    return smaller.eval(), cost


__all__ = ["HALVINGS", "LARGEST", "ROUND", "cut"]
