"""The comparison of an exported file with its model."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec, SequenceCodec
from glyphlet.export.onnx import export_model
from glyphlet.export.parity import LINES, TOLERANCE, VARIED, derived, relative_difference, tied
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


def logits_of(*steps, classes=4):
    """Each step says which classes are equal and largest; the others are far below."""
    made = np.zeros((len(steps), classes), np.float32)
    for row, largest in zip(made, steps, strict=True):
        row[list(largest)] = 10
    return made


CTC = CTCCodec(Charset.from_text("abc"))
SEQUENCE = SequenceCodec(Charset.from_text("abc"))


@pytest.mark.parametrize(
    ("steps", "texts", "expected"),
    [
        ([{1}, {0}, {2}], ["ab"], True),
        ([{1}, {0}, {2}], ["ab", "aa"], False),
        ([{1, 2}, {0}, {3}], ["ac", "bc"], True),
        ([{1}, {0, 1}, {1}], ["a", "aa"], True),  # with a blank between them they are two
        ([{1, 2}, {2, 3}], ["ab", "b", "bc", "ac"], True),
        ([{1, 2}, {2, 3}], ["ab", "c"], False),
        ([{0, 1, 2, 3}] * 40, ["", "abc", "a" * 20], True),
        ([{0, 1, 2, 3}] * 40, ["a" * 21], False),  # 40 steps have no blank between so many
        ([{1}] * 40, ["a"], True),
        ([{0}], [""], True),
    ],
)
def test_ties_of_paths(steps, texts, expected):
    assert tied(logits_of(*steps), CTC, texts) is expected


@pytest.mark.parametrize(
    ("steps", "texts", "expected"),
    [
        ([{1}, {2}, {0}], ["ab"], True),
        ([{1}, {2}, {0}], ["ab", "a"], False),
        ([{1}, {0, 2}, {0}], ["a", "ab", "abccc"], True),  # after another class, nothing is known
        ([{1, 2}, {3}, {0}], ["bc", "ac", "b"], True),
        ([{1, 2}, {3}, {0}], ["cc", "ac"], False),
        ([{1}, {2}], ["ab"], True),  # no room for a stop
    ],
)
def test_ties_of_texts_written_class_by_class(steps, texts, expected):
    assert tied(logits_of(*steps), SEQUENCE, texts) is expected


def test_a_tie_is_no_larger_than_the_tolerance():
    for share, expected in ((0.5, True), (1.5, False)):
        logits = np.array([[0, 10, 10 - share * TOLERANCE * 10]])
        assert tied(logits, CTCCodec(Charset.from_text("ab")), ["a", "b"]) is expected


@given(st.lists(st.sets(st.integers(0, 2), min_size=1), min_size=1, max_size=6), st.text("ab", max_size=4))
def test_ties_of_paths_are_those_of_all_paths(steps, text):
    paths = itertools.product(*(sorted(step) for step in steps))
    assert tied(logits_of(*steps, classes=4), CTC, [text]) == (text in {CTC.decode(path) for path in paths})
