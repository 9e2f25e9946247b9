"""From curves of loss to a smaller model that meets a budget: one common threshold of loss for all groups (see `threshold`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glyphlet.compress.cost import Budget, Meter, shown
from glyphlet.compress.graph import Graph
from glyphlet.compress.prune import Pruned, Pruning, prune
from glyphlet.compress.threshold import Curve, Found, search
from glyphlet.errors import CompressionError
from glyphlet.models.recognizer import Recognizer


@dataclass
class Fitting:
    """Tries ratios on a model, and keeps the smaller model of each and what it costs.

    Args:
        model, graph: the full model and its groups.
        base: criterion, rounding and seed; its ratios are those tried.
        meter, budget: how the cost is measured, and what it may be.
    """

    model: Recognizer
    graph: Graph
    base: Pruning
    meter: Meter
    budget: Budget
    tried: dict[tuple[int, ...], tuple[Pruned, float]] = field(default_factory=dict)

    def pruned(self, ratios: Mapping[str, float]) -> tuple[Pruned, float]:
        """The smaller model of these ratios and its cost; equal sizes are measured once."""
        how = Pruning(0.0, ratios, self.base.criterion, "layer", self.base.round_to, self.base.seed, list(ratios))
        smaller = prune(self.model, how, self.graph)
        sizes = tuple(kept for _, kept in smaller.sizes.values())
        if sizes not in self.tried:
            self.tried[sizes] = smaller, self.meter.cost(smaller.model, self.budget.kind)
        return self.tried[sizes]


def fitted(curves: Mapping[str, Curve], fitting: Fitting) -> tuple[Pruned, Found]:
    """The smaller model of the lowest common threshold that meets a budget.

    Raises:
        CompressionError: none does; the message says what can be reached. Or the full model meets it already.
    """
    budget = fitting.budget
    full = fitting.meter.cost(fitting.model, budget.kind)
    least = fitting.pruned({name: curve[-1][0] for name, curve in curves.items()})[1]
    budget.check(full, least, "the smallest that these curves give")
    found = search(curves, lambda ratios: fitting.pruned(ratios)[1], budget.most)
    if found is None:  # a clock may say so though `least` met the budget
        raise CompressionError(
            f"the target of {budget} is not met: the smallest model was measured with {shown(budget.kind, least)} and with more",
            allowed="a target that is not at the edge",
            next_step="raise the target a little",
        )
    return fitting.pruned(found.ratios)[0], found


__all__ = ["Fitting", "fitted"]
