"""Histograms, outliers, and the width that a label would need."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.data.auditing.shape import bars, suspects, units, width_for
from glyphlet.image import Geometry


def test_units_count_ideographs_twice_and_marks_not():
    assert units("abc") == 3
    assert units("中a") == 3
    assert units("e\u0301") == 1


@given(st.integers(1, 400), st.sampled_from([1, 2, 4, 8]), st.sampled_from([8, 16]))
def test_the_width_for_a_label_is_the_smallest(need, stride, step):
    geometry = Geometry(width_step=step, min_width=step, max_width=4096)
    width = width_for(need, lambda w: w // stride, geometry)
    if width == 0:
        assert 4096 // stride < need
    else:
        assert width % step == 0
        assert width // stride >= need
        assert width == step or (width - step) // stride < need


def test_bars_of_whole_numbers_are_one_each_when_they_are_few():
    assert bars(np.array([3, 3, 5]), whole=True) == [("3", 2), ("4", 0), ("5", 1)]
    assert bars(np.array([], np.int64), whole=True) == []
    assert bars(np.array([2.5, 2.5])) == [("2.5", 2)]
    assert sum(n for _, n in bars(np.array([8573, 8574]) / 7)) == 2  # the same to two digits


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60), st.booleans())
def test_bars_hold_every_value_once(values, log):
    assert sum(n for _, n in bars(np.array(values), whole=True, log=log)) == len(values)
    assert sum(n for _, n in bars(np.array(values) / 7, log=log)) == len(values)


def suspicious(aspects, lengths):
    wide = np.array(lengths, np.float32)
    usable = np.ones(len(lengths), bool)
    return suspects(np.array(aspects, float), wide, np.array(lengths, np.int32), usable)


def test_labels_that_do_not_fit_their_width_stand_out():
    random = np.random.default_rng(0)
    lengths = random.integers(3, 9, 400)
    aspects = (lengths * 0.5 + 0.2) * np.exp(random.normal(0, 0.05, 400))
    aspects[7] *= 4  # too wide for its label
    aspects[9] /= 4
    found = suspicious(aspects, lengths)
    assert set(found["implausible"]) | set(found["vertical"]) == {7, 9}


def test_a_turned_line_is_called_so():
    lengths = np.full(100, 6)
    aspects = np.full(100, 3.0)
    aspects[42] = 1 / 3
    assert suspicious(aspects, lengths)["vertical"] == [42]


@pytest.mark.parametrize("count", [0, 1, 30])
def test_few_lines_say_nothing_about_what_is_usual(count):
    found = suspicious(np.linspace(1, 30, count), [5] * count)
    assert found["implausible"] == []
    assert found["vertical"] == []


def test_a_rare_length_is_compared_with_the_lengths_beside_it():
    lengths = [5] * 60 + [1]
    aspects = [2.5] * 60 + [9.0]
    assert suspicious(aspects, lengths)["implausible"] == [60]
    assert suspicious([2.5] * 60 + [0.6], lengths)["implausible"] == []
