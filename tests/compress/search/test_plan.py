"""The rungs: how many candidates each has, how long it is, and how many candidates there is time for."""

import pytest

from glyphlet.compress.search.clock import Clock
from glyphlet.compress.search.plan import FEWEST, SHARE, Pace, affordable, rung_ends, sizes


@pytest.mark.parametrize(
    ("candidates", "rungs"),
    [(1, [1]), (2, [2, 1]), (3, [3, 1]), (4, [4, 2]), (9, [9, 3]), (14, [14, 5, 2]), (27, [27, 9, 3])],
)
def test_a_third_goes_on(candidates, rungs):
    assert sizes(candidates) == rungs


def test_the_ends_are_threefold_and_fill_the_time():
    paces = [Pace(0.1, 2.0)] * 9
    ends = rung_ends(0, [9, 3], paces, 1000.0, 10**6)
    first, second = ends
    assert second == pytest.approx(3 * first, abs=3)
    # by hand: 9 to the first end, 3 from there to the second, and 12 readings
    needed = 9 * first * 0.1 + 3 * (second - first) * 0.1 + 12 * 2.0
    assert needed == pytest.approx(SHARE * 1000.0, rel=0.01)
    assert needed <= 1000.0


def test_a_slow_candidate_counts():
    assert rung_ends(0, [2, 1], [Pace(0.1, 0), Pace(0.1, 0)], 100.0, 10**6)[0] == pytest.approx(
        2 * rung_ends(0, [2, 1], [Pace(0.1, 0), Pace(0.3, 0)], 100.0, 10**6)[0], rel=0.01
    )


def test_no_more_than_a_whole_training():
    assert rung_ends(0, [9, 3], [Pace(1e-6, 0)] * 9, 1000.0, 90) == [30, 90]
    assert rung_ends(30, [3], [Pace(1e-6, 0)] * 3, 1000.0, 50) == [50]


def test_later_rungs_shrink_and_grow_with_the_time():
    paces = [Pace(1.0, 0.0)] * 2
    assert rung_ends(100, [2], paces, 100 / SHARE, 10**6) == [150]
    assert rung_ends(100, [2], paces, 10**5, 10**6) == [600]
    assert rung_ends(100, [2], paces, 0.0, 10**6) == [101]
    assert rung_ends(100, [2, 1], paces, -5.0, 10**6) == [101, 102]


def test_there_are_fewer_candidates_rather_than_hardly_trained_ones():
    paces = [Pace(0.1, 0.0)] * 14
    assert affordable(paces, 10**4, 10**6) == 14
    few = affordable(paces, 60.0, 10**6)
    assert 1 < few < 14
    assert rung_ends(0, sizes(few), paces[:few], 60.0, 10**6)[0] >= FEWEST
    assert rung_ends(0, sizes(few + 1), paces[: few + 1], 60.0, 10**6)[0] < FEWEST
    assert affordable(paces, 0.5, 10**6) == 1
    assert affordable(paces, 10**4, 40) == 14  # of 40 updates in all the first of three rungs has 4
    assert affordable(paces, 10**4, 9) == 14  # a training of 9 updates has no rung of 30


def test_a_clock_goes_on_and_keeps_something_back():
    times = iter([50.0, 51.0, 55.0, 58.0, 59.0])
    clock = Clock(20.0, before=8.0, keep=3.0, now=lambda: next(times))
    assert clock.spent() == 9.0
    assert clock.left() == 20 - (8 + 5) - 3
    assert not clock.over()
    assert clock.over()
