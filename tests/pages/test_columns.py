import numpy as np
import pytest

from glyphlet.pages.columns import blocks_of
from glyphlet.pages.components import Pieces
from glyphlet.pages.lines import Stretch


def stretch(left: float, baseline: float, width: float, size: float = 10) -> Stretch:
    none = np.zeros(0, np.int32)
    top = baseline - size
    return Stretch(left, top, left + width, baseline, size, 0.0, baseline, Pieces(none, none, none, none, none), 5)


def order(stretches):
    """Left edge and baseline of each row's parts, in reading order."""
    return [[(part.left, part.baseline) for part in row.parts] for block in blocks_of(stretches) for row in block]


def test_rows_go_from_top_to_bottom_and_parts_from_left_to_right():
    found = order([stretch(300, 50, 30), stretch(10, 80, 100), stretch(10, 51, 100)])
    assert found == [[(10, 51), (300, 50)], [(10, 80)]]


def test_columns_that_are_sure():
    left = [stretch(0, y, 200) for y in range(20, 120, 20)]
    right = [stretch(230, y, 200) for y in range(20, 120, 20)]
    found = order(left + right)
    assert found == [[(0, y)] for y in range(20, 120, 20)] + [[(230, y)] for y in range(20, 120, 20)]


def test_prices_are_no_column():
    articles = [stretch(0, y, 200) for y in range(20, 120, 20)]
    prices = [stretch(400, y, 40) for y in range(20, 120, 20)]
    assert order(articles + prices) == [[(0, y), (400, y)] for y in range(20, 120, 20)]


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_a_few_lines_beside_each_other_are_no_columns(lines):
    rows = [20 * (n + 1) for n in range(lines)]
    assert order([stretch(x, y, 200) for y in rows for x in (0, 230)]) == [[(0, y), (230, y)] for y in rows]


def test_a_heading_between_columns_parts_them():
    above = [stretch(x, y, 200) for x in (0, 230) for y in range(20, 120, 20)]
    heading = [stretch(0, 140, 430)]
    below = [stretch(x, y, 200) for x in (0, 230) for y in range(160, 260, 20)]
    found = [row[0] for row in order(above + heading + below)]
    assert found == [
        *((x, y) for x in (0, 230) for y in range(20, 120, 20)),
        (0, 140),
        *((x, y) for x in (0, 230) for y in range(160, 260, 20)),
    ]


def test_three_columns():
    columns = [stretch(x, y, 150) for x in (0, 180, 360) for y in range(20, 160, 20)]
    assert [row[0] for row in order(columns[::-1])] == [(x, y) for x in (0, 180, 360) for y in range(20, 160, 20)]


def test_nothing():
    assert blocks_of([]) == []
