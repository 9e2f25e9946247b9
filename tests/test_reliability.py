"""Calibration and thresholds, against sums over every reading and every threshold."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlet.reliability import (
    accepted_errors,
    bins_for,
    expected_calibration_error,
    least_lines,
    reliability,
    threshold_for,
    upper_bound,
)

readings = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 0.99, 1.0]), st.booleans()), min_size=1, max_size=40
)
fine = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


def columns(pairs):
    return [c for c, _ in pairs], [r for _, r in pairs]


def tail(errors, n, share):
    """The chance of at most so many errors, as the plain sum."""
    return sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(errors + 1))


class TestBins:
    def test_by_hand(self):
        confidence = [0.2, 0.4, 0.6, 0.8, 0.9, 1.0]
        right = [0, 1, 0, 1, 1, 1]
        found = reliability(confidence, right, 3)
        assert [(b.low, b.high, b.count, b.right) for b in found] == [
            (0.2, 0.4, 2, 1),
            (0.6, 0.8, 2, 1),
            (0.9, 1.0, 2, 2),
        ]
        assert [b.confidence for b in found] == pytest.approx([0.3, 0.7, 0.95])
        assert found[2].interval.high == 1
        # gaps 0.2, 0.2 and 0.05, two readings each
        assert expected_calibration_error(confidence, right, 3) == pytest.approx(0.15)

    def test_a_calibrated_set_has_no_error(self):
        assert expected_calibration_error([0.5] * 10 + [1.0] * 10, [1, 0] * 5 + [1] * 10, 2) == 0

    @settings(deadline=None)
    @given(readings | fine, st.integers(1, 12))
    def test_every_reading_is_in_one_bin_and_ties_never_part(self, pairs, bins):
        confidence, right = columns(pairs)
        found = reliability(confidence, right, bins)
        assert len(found) <= bins
        assert sum(b.count for b in found) == len(pairs)
        assert sum(b.right for b in found) == sum(right)
        for before, after in itertools.pairwise(found):
            assert before.high < after.low
        for b in found:
            inside = [(c, r) for c, r in pairs if b.low <= c <= b.high]
            assert (b.count, b.right) == (len(inside), sum(r for _, r in inside))
            assert b.confidence == pytest.approx(sum(c for c, _ in inside) / len(inside))
            assert b.interval.low <= b.accuracy <= b.interval.high

    @settings(deadline=None)
    @given(st.integers(1, 200), st.integers(1, 15))
    def test_bins_hold_about_as_many(self, n, bins):
        counts = [b.count for b in reliability(np.linspace(0, 1, n), np.ones(n, bool), bins)]
        assert len(counts) == min(n, bins)
        assert max(counts) - min(counts) <= 1

    @settings(deadline=None)
    @given(readings | fine, st.integers(1, 12))
    def test_the_error_is_the_weighted_gap(self, pairs, bins):
        confidence, right = columns(pairs)
        gaps = 0.0
        for b in reliability(confidence, right, bins):
            gaps += abs(sum(r - c for c, r in pairs if b.low <= c <= b.high))
        assert expected_calibration_error(confidence, right, bins) == pytest.approx(gaps / len(pairs), abs=1e-9)

    def test_one_bin_is_the_gap_of_the_means(self):
        assert expected_calibration_error([0.9, 0.5], [True, False], 1) == pytest.approx(0.2)

    @pytest.mark.parametrize(("n", "bins"), [(1, 1), (39, 1), (40, 2), (299, 14), (10_000, 15)])
    def test_how_many_bins(self, n, bins):
        assert bins_for(n) == bins


class TestThreshold:
    @settings(deadline=None)
    @given(readings | fine, st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 1.0]))
    def test_against_every_threshold(self, pairs, most):
        confidence, right = columns(pairs)
        best = (0, None, 0)
        for threshold in {*confidence}:
            taken = [r for c, r in pairs if c >= threshold]
            wrong = taken.count(False)
            if wrong / len(taken) <= most and len(taken) > best[0]:
                best = (len(taken), threshold, wrong)
        found = threshold_for(confidence, right, most)
        assert (found.accepted, found.threshold, found.errors) == best
        assert found.accepted + found.rejected == len(pairs)
        assert found.upper >= found.errors / max(1, found.accepted)

    @settings(deadline=None)
    @given(fine, st.sampled_from([0.05, 0.2, 0.5, 0.8]))
    def test_a_promise_against_every_threshold(self, pairs, most):
        confidence, right = columns(pairs)
        fits = [0]
        for threshold in {*confidence}:
            taken = [r for c, r in pairs if c >= threshold]
            if upper_bound(taken.count(False), len(taken)) <= most:
                fits.append(len(taken))
        found = threshold_for(confidence, right, most, promised=True)
        assert found.accepted == max(fits)
        assert found.threshold is None or found.upper <= most

    def test_ties_are_taken_together(self):
        found = threshold_for([0.9, 0.9, 0.9, 0.5], [1, 1, 0, 1], 0.1)
        assert (found.threshold, found.accepted, found.rejected, found.upper) == (None, 0, 4, 1.0)
        assert threshold_for([0.9, 0.9, 0.9, 0.5], [1, 1, 0, 1], 0.25).threshold == 0.5

    def test_exactly_the_share_is_allowed(self):
        right = [True] * 99 + [False]
        assert threshold_for(np.linspace(1, 0.5, 100), right, 0.01).accepted == 100

    def test_three_hundred_lines_promise_one_percent(self):
        sure = np.linspace(0.9, 1, 299)
        assert threshold_for(sure, np.ones(299), 0.01, promised=True).accepted == 299
        assert threshold_for(sure[:298], np.ones(298), 0.01, promised=True).threshold is None

    def test_the_curve(self):
        values, accepted, errors = accepted_errors([0.5, 0.9, 0.9, 0.1], [1, 0, 1, 0])
        assert (values.tolist(), accepted.tolist(), errors.tolist()) == ([0.9, 0.5, 0.1], [2, 3, 4], [1, 1, 2])


class TestBound:
    @settings(deadline=None)
    @given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_it_makes_so_few_errors_a_chance_of_one_in_twenty(self, case):
        errors, n = case
        bound = upper_bound(errors, n)
        if errors == n:
            assert bound == 1
        else:
            assert tail(errors, n, bound) == pytest.approx(0.05, rel=1e-6)

    @pytest.mark.parametrize(("errors", "n", "bound"), [(0, 10, 0.258866), (1, 10, 0.394163), (5, 100, 0.102253)])
    def test_published_values(self, errors, n, bound):
        assert upper_bound(errors, n) == pytest.approx(bound, abs=1e-5)

    def test_nothing_tried_bounds_nothing(self):
        assert upper_bound(0, 0) == 1

    @pytest.mark.parametrize("most", [0.01, 0.001, 0.2])
    def test_the_least_lines_are_the_least(self, most):
        least = least_lines(most)
        assert upper_bound(0, least) <= most < upper_bound(0, least - 1)


@pytest.mark.parametrize(
    ("confidence", "right", "bins"),
    [([], [], 3), ([0.5], [1, 0], 3), ([1.5], [1], 3), ([math.nan], [1], 3), ([0.5], [1], 0)],
)
def test_what_is_no_set_of_readings_is_refused(confidence, right, bins):
    with pytest.raises(ValueError, match="readings|number|bins"):
        expected_calibration_error(confidence, right, bins)


def test_a_share_is_a_share():
    with pytest.raises(ValueError, match="not 0 to 1"):
        threshold_for([0.5], [1], 1.5)
