"""The comparison of an exported file with its model."""

import numpy as np
import pytest

from glyphlet.export.onnx import export_model
from glyphlet.export.parity import LINES, VARIED, derived, relative_difference
from glyphlet.image import Geometry


def test_relative_difference():
    expected = np.array([[[1.0, -4.0, 2.0]]])
    assert relative_difference(expected, expected) == 0
    assert relative_difference(expected, expected + np.array([0, 0, 0.5])) == 0.125
    assert relative_difference(expected, expected[:, :, :2]) == float("inf")
    assert np.isnan(relative_difference(expected, expected * np.nan))


def test_derived_lines_are_always_the_same_and_vary_in_width(lines):
    made = derived(lines, 50, Geometry())
    again = derived(lines, 50, Geometry())
    assert len(made) == 50
    assert all(np.array_equal(one, other) for one, other in zip(made, again, strict=True))
    assert len({line.shape[1] for line in made}) > 20
    for number, line in enumerate(made):
        width = lines[number % 5].shape[1]
        assert line.shape[0] == 30
        assert 0.5 * width - 1 <= line.shape[1] <= 1.5 * width + 1


def test_even_copies_are_stretched_and_odd_ones_cropped_where_narrower():
    ramp = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (8, 1))  # 100 wide
    made = derived([ramp], 6, Geometry())
    assert [line.shape[1] for line in made] == [50, 112, 74, 135, 97, 59]  # 0.5 + (number * 0.618 modulo 1)
    assert np.array_equal(made[5][:, :, 0], ramp[:, :59])
    assert np.diff(made[0][0].astype(int)).mean() == pytest.approx(4, abs=0.1)  # the whole ramp on half the columns


def test_derived_lines_stay_within_the_widest_allowed():
    wide = np.zeros((32, 1000), np.uint8)
    assert all(line.shape[1] <= 1000 for line in derived([wide], 20, Geometry(max_width=1000)))


@pytest.mark.parametrize(("given", "total"), [(1, LINES), (190, 190 + VARIED), (250, 250 + VARIED)])
def test_at_least_200_lines_are_compared(make_model, tmp_path, lines, given, total):
    sources = (lines * 50)[:given]
    result = export_model(make_model(), tmp_path / "m.onnx", sources, name="x", training={}, measured={})
    assert (result.lines, result.real) == (total, given)


@pytest.mark.parametrize(("change", "widths"), [({"width": 96}, 1), ({"squeeze": 1.75}, 10)])
def test_lines_whose_ratio_is_not_kept(make_model, tmp_path, lines, change, widths):
    result = export_model(make_model(**change), tmp_path / "m.onnx", lines, name="x", training={}, measured={})
    assert result.widths >= widths
    assert (result.widths == 1) == ("width" in change)  # every copy is stretched back
