"""A smaller model that meets a budget, from curves."""

from itertools import pairwise

import pytest

from glyphlet.compress.cost import Budget, Meter
from glyphlet.compress.fitting import Fitting, fitted
from glyphlet.compress.prune import Pruning, prune
from glyphlet.errors import CompressionError

STEM, BLOCK = "backbone.stem.0", "backbone.blocks.0.pointwise.0"
CURVES = {STEM: [(0.1, 0.1), (0.9, 0.9)], BLOCK: [(0.1, 0.0), (0.9, 0.4)]}


def fitting(taught, graph, kind, most, **how):
    return Fitting(taught.model, graph, Pruning(**how), Meter(64), Budget(kind, most))


@pytest.mark.parametrize(("kind", "share"), [("macs", 0.8), ("macs", 0.4), ("params", 0.5), ("kb", 0.9)])
def test_the_budget_is_met_and_no_lower_threshold_does(taught, graph, kind, share):
    full = Meter(64).cost(taught.model, kind)
    smaller, found = fitted(CURVES, fitting(taught, graph, kind, share * full))
    assert Meter(64).cost(smaller.model, kind) == found.cost <= share * full
    by_hand = prune(taught.model, Pruning(ratios=found.ratios), graph)
    assert by_hand.sizes == smaller.sizes
    if found.cost < 0.998 * share * full:  # then one channel more is above
        lower = {name: max(0, ratio - 1e-4) for name, ratio in found.ratios.items()}
        assert Meter(64).cost(prune(taught.model, Pruning(ratios=lower), graph).model, kind) > share * full


def test_the_lower_the_budget_the_smaller_the_model(taught, graph):
    full = Meter(64).cost(taught.model, "macs")
    made = [fitted(CURVES, fitting(taught, graph, "macs", full * share)) for share in (0.9, 0.7, 0.5, 0.3)]
    thresholds = [found.threshold for _, found in made]
    assert thresholds == sorted(thresholds)
    for before, after in pairwise(made):
        assert all(after[0].sizes[name][1] <= before[0].sizes[name][1] for name in graph.groups)


def test_groups_without_a_curve_stay_whole(taught, graph):
    full = Meter(64).cost(taught.model, "params")
    smaller, _ = fitted({BLOCK: CURVES[BLOCK]}, fitting(taught, graph, "params", 0.8 * full))
    assert smaller.sizes[STEM] == (10, 10)
    assert smaller.sizes[BLOCK][1] < 10


def test_rounding_is_kept_to(taught, graph):
    full = Meter(64).cost(taught.model, "macs")
    smaller, found = fitted(CURVES, fitting(taught, graph, "macs", 0.7 * full, round_to=4))
    assert {kept for _, kept in smaller.sizes.values()} <= {4, 8, 10}
    assert found.cost <= 0.7 * full


def test_equal_sizes_are_measured_once(taught, graph, monkeypatch):
    asked = []
    cost = Meter.cost
    monkeypatch.setattr(Meter, "cost", lambda self, model, kind: asked.append(1) or cost(self, model, kind))
    fitted(CURVES, fitting(taught, graph, "macs", 0.5 * cost(Meter(64), taught.model, "macs")))
    assert len(asked) <= 10  # the full model, and each of the sizes that were tried


def test_the_time_is_a_budget(taught, graph, monkeypatch):
    """With a clock that follows the channels."""
    monkeypatch.setattr(Meter, "exported", lambda self, model: str(model.backbone.stem[0].out_channels).encode())
    monkeypatch.setattr(Meter, "milliseconds", lambda self, data: 0.1 * int(data))
    smaller, found = fitted(CURVES, fitting(taught, graph, "ms", 0.65))
    assert smaller.sizes[STEM] == (10, 6)
    assert found.cost == pytest.approx(0.6)


def test_what_cannot_be_met_says_what_can(taught, graph):
    least = Meter(64).cost(prune(taught.model, Pruning(0.9), graph).model, "params")
    with pytest.raises(
        CompressionError, match=rf"100 parameters cannot be met.*smallest that these curves give has {least}"
    ):
        fitted(CURVES, fitting(taught, graph, "params", 100))
    with pytest.raises(CompressionError, match=r"the target is 900,000 parameters, and the full model has"):
        fitted(CURVES, fitting(taught, graph, "params", 900_000))
