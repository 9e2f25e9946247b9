"""Stretches of pieces whose places are given by hand."""

import numpy as np
import pytest

from glyphlet.pages.components import Pieces
from glyphlet.pages.lines import stretches_of

SHAPE = (400, 600)


def pieces(*boxes: tuple[int, int, int, int]) -> Pieces:
    left, top, right, bottom = np.array(boxes, np.int32).T
    return Pieces(left, top, right, bottom, (right - left) * (bottom - top) // 2)


def letters(x: int, foot: int, count: int, height: int = 20, width: int = 12, gap: int = 4):
    """A word of equal letters on a baseline."""
    return [(x + i * (width + gap), foot - height, x + i * (width + gap) + width, foot) for i in range(count)]


def found(*boxes):
    """Left, top, right, bottom and the number of pieces of each stretch, from top to bottom and left to right."""
    stretches = sorted(stretches_of(pieces(*boxes), SHAPE), key=lambda s: (s.baseline, s.left))
    return [(s.left, s.top, s.right, s.bottom, len(s.pieces)) for s in stretches]


def test_words_of_a_line_hang_together_over_usual_gaps():
    assert found(*letters(10, 50, 5), *letters(100, 50, 4)) == [(10, 30, 160, 50, 9)]


def test_a_wide_gap_parts_them():
    assert found(*letters(10, 50, 5), *letters(200, 50, 4)) == [(10, 30, 86, 50, 5), (200, 30, 260, 50, 4)]


def test_lines_below_each_other_stay_apart():
    assert [row[4] for row in found(*letters(10, 50, 5), *letters(10, 82, 6))] == [5, 6]


def test_letters_that_reach_up_and_down_belong_to_the_line():
    tall, deep = (90, 20, 100, 50), (106, 30, 118, 60)
    assert found(*letters(10, 50, 5), tall, deep) == [(10, 20, 118, 60, 7)]


def test_dots_accents_and_points_join_the_stretch_beside_them():
    dot, accent, point = (12, 22, 16, 26), (45, 21, 53, 27), (90, 46, 94, 50)
    assert found(*letters(10, 50, 5), dot, accent, point) == [(10, 21, 94, 50, 8)]


COMMA, TICKS = (88, 46, 92, 56), ((94, 30, 98, 38), (101, 30, 105, 38))
HIGH_TICKS = ((94, 22, 98, 39), (101, 22, 105, 39))  # nearly as high as a letter: 17 of 20


@pytest.mark.parametrize("ticks", [TICKS, HIGH_TICKS])
def test_a_closing_quotation_mark_parts_no_line(ticks):
    """From the last letter to the next one there are 44 pixels, from the mark 25: less than 1.3 heights."""
    ((*_, count),) = found(*letters(10, 50, 5), COMMA, *ticks, *letters(130, 50, 5))
    assert count == 13


def test_both_ticks_stay_on_one_side_of_a_wide_gap():
    rows = found(*letters(10, 50, 5), *letters(153, 50, 5), *((x, 30, x + 4, 38) for x in (114, 121)))
    assert [row[4] for row in rows] in ([7, 5], [5, 7])


@pytest.mark.parametrize("mark", [(0, 38, 8, 41), (0, 46, 4, 50), (0, 31, 8, 38)])  # dash, point, star
def test_marks_alone_between_letters_belong_to_the_line(mark):
    left, top, right, bottom = mark
    marks = [(left + x, top, right + x, bottom) for x in (106, 130, 154, 178)]
    assert [row[4] for row in found(*letters(10, 50, 5), *marks, *letters(206, 50, 1))] == [10]


def test_specks_bridge_no_gap():
    specks = [(x, 40, x + 2, 42) for x in (95, 106, 117, 128, 139, 150, 161, 172, 183, 194)]
    assert len(found(*letters(10, 50, 5), *specks, *letters(206, 50, 4))) == 2


def test_marks_of_one_line_bridge_no_gap_of_the_next():
    above = [*letters(10, 50, 14), (234, 46, 238, 56)]
    assert len(found(*above, *letters(10, 82, 13), *letters(260, 82, 5))) == 3


def test_a_speck_far_from_any_line_joins_none():
    assert found(*letters(10, 50, 5), (300, 200, 304, 204)) == [(10, 30, 86, 50, 5)]


def test_letters_that_touch_over_two_lines_tie_no_lines_together():
    tie = (90, 30, 100, 92)
    rows = found(*letters(10, 50, 5), *letters(106, 50, 5), *letters(10, 92, 5), *letters(106, 92, 5), tie)
    assert [row[1:] for row in rows] == [(30, 182, 50, 10), (72, 182, 92, 10)]


def test_small_print_below_large_letters():
    rows = found(*letters(10, 60, 30, 40, 12), *letters(10, 100, 20, 18, 8, 3))
    assert [(row[1], row[3]) for row in rows] == [(20, 60), (82, 100)]


def test_a_short_word_beside_capitals_is_no_point_of_theirs():
    body = [box for row in range(4) for box in letters(10, 150 + 40 * row, 20, 14)]
    capitals, word = letters(10, 50, 6, 20), letters(130, 50, 3, 14)  # lower than the capitals, and near enough
    assert found(*body, *capitals, *word)[:2] == [(10, 30, 102, 50, 6), (130, 36, 174, 50, 3)]


def test_baseline_and_slope():
    boxes = [(x, round(30 + 0.05 * x), x + 12, round(50 + 0.05 * x)) for x in range(10, 500, 16)]
    (stretch,) = stretches_of(pieces(*boxes), SHAPE)
    assert stretch.slope == pytest.approx(0.05, abs=0.003)
    assert stretch.baseline == pytest.approx(50.5, abs=1)
    assert stretch.size == 20


def test_nothing():
    none = np.zeros(0, np.int32)
    assert stretches_of(Pieces(none, none, none, none, none), SHAPE) == []
