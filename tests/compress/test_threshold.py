"""Interpolation and the search for a common threshold, worked by hand."""

from itertools import pairwise

import pytest

from glyphlet.compress.threshold import ratio_at, ratios_at, search


@pytest.mark.parametrize(
    ("curve", "threshold", "ratio"),
    [
        ([(0.1, 0.1), (0.5, 0.5)], 0.0, 0.0),
        ([(0.1, 0.1), (0.5, 0.5)], 0.05, 0.05),  # a line from nothing removed
        ([(0.1, 0.1), (0.5, 0.5)], 0.1, 0.1),
        ([(0.1, 0.1), (0.5, 0.5)], 0.2, 0.2),
        ([(0.1, 0.1), (0.5, 0.9)], 0.3, 0.2),  # a quarter of the way: 0.1 + 0.25 * 0.4
        ([(0.1, 0.1), (0.5, 0.5)], 0.7, 0.5),  # never more than was measured
        ([(0.1, 0.0), (0.2, 0.0), (0.3, 0.4)], 0.0, 0.2),  # what costs nothing goes at threshold 0
        ([(0.1, -0.2), (0.2, 0.2)], 0.0, 0.15),  # a gain
        ([(0.1, 0.5), (0.2, 0.1), (0.3, 0.3)], 0.2, 0.25),  # the last time that it leaves the threshold
        ([], 0.5, 0.0),
    ],
)
def test_between_measured_ratios(curve, threshold, ratio):
    assert ratio_at(curve, threshold) == pytest.approx(ratio)


CURVES = {"a": [(0.1, 0.1), (0.9, 0.9)], "b": [(0.1, 0.0), (0.9, 0.4)]}
"""At threshold t: a loses t, b loses 0.1 + 2 t, up to 0.9."""


def cost(ratios):
    return 100 * (1 - ratios["a"]) + 100 * (1 - ratios["b"])


def test_ratios_never_fall_with_the_threshold():
    curves = {**CURVES, "c": [(0.1, 0.5), (0.2, 0.1), (0.3, 0.3), (0.4, -0.1), (0.5, 1.0)]}
    found = [ratios_at(curves, step / 200) for step in range(201)]
    for before, after in pairwise(found):
        assert all(after[name] >= before[name] for name in curves)


def test_the_search_ends_at_the_budget():
    """200 - 100 t - 100 (0.1 + 2 t) = 145 at t = 0.15."""
    found = search(CURVES, cost, 145, near=0)
    assert found.threshold == pytest.approx(0.15, abs=1e-6)
    assert found.ratios == {"a": pytest.approx(0.15, abs=1e-6), "b": pytest.approx(0.4, abs=1e-6)}
    assert found.cost == cost(found.ratios) <= 145


@pytest.mark.parametrize("most", [189.9, 160, 100, 60, 21])
def test_it_is_near_the_budget_and_below(most):
    found = search(CURVES, cost, most)
    assert 0.998 * most <= found.cost <= most


def test_the_lower_the_budget_the_higher_the_threshold():
    thresholds = [search(CURVES, cost, most).threshold for most in range(185, 20, -5)]
    assert thresholds == sorted(thresholds)


def test_steps_are_not_overshot():
    """A cost that falls in steps, as channels do: the lowest threshold of the first step that is low enough."""
    found = search({"a": [(0.9, 0.9)]}, lambda ratios: 10 - int(10 * ratios["a"] + 1e-9), 6.5)
    assert found.cost == 6
    assert found.threshold == pytest.approx(0.4, abs=1e-6)


def test_of_what_is_free_no_more_goes_than_is_asked_for():
    found = search(CURVES, cost, 190)
    assert (found.threshold, found.share, found.ratios) == (0, 1, {"a": 0, "b": pytest.approx(0.1)})
    found = search(CURVES, cost, 197.5, near=0)
    assert (found.threshold, found.share) == (0, pytest.approx(0.25, abs=1e-6))
    assert found.ratios == {"a": 0, "b": pytest.approx(0.025, abs=1e-6)}
    assert found.cost <= 197.5


def test_it_cannot_be_met():
    assert search(CURVES, cost, 19) is None
    assert search(CURVES, cost, 20.001).ratios == {"a": 0.9, "b": 0.9}


def test_few_models_are_tried():
    tried = []
    search(CURVES, lambda ratios: tried.append(1) or cost(ratios), 145)
    assert len(tried) <= 12
