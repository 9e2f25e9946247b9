import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.pages.view import MOST_PIXELS, level, shrunk, view_of


def test_a_level_small_page_is_its_own_view():
    page = np.arange(12, dtype=np.uint8).reshape(3, 4)
    view = view_of(4, 3)
    assert level(shrunk(page), view) is page
    assert view.to_page(np.array([[1.0, 2.0]])).tolist() == [[1.0, 2.0]]


@given(
    st.integers(1, 6000), st.integers(1, 6000), st.floats(-12, 12), st.floats(0, 1), st.floats(0, 1)
)  # fmt: skip
def test_there_and_back(width, height, angle, across, down):
    view = view_of(width, height, angle)
    point = np.array([[across * width, down * height]])
    there = point @ view.matrix[:2, :2].T + view.matrix[:2, 2]
    assert view.to_page(there) == pytest.approx(point, abs=1e-6)
    assert (there > -1e-6).all()
    assert there[0, 0] <= view.width + 1
    assert there[0, 1] <= view.height + 1
    assert view.scale == pytest.approx(min(1, (MOST_PIXELS / (width * height)) ** 0.5))


def test_a_turned_mark_comes_to_its_place():
    page = np.zeros((200, 300), np.uint8)
    page[50:53, 200:203] = 255
    view = view_of(300, 200, 5.0)
    y, x = np.argwhere(level(page, view) > 128).mean(axis=0) + 0.5
    assert view.to_page(np.array([[x, y]]))[0] == pytest.approx([201.5, 51.5], abs=0.3)


def test_boxes_come_back_upright():
    view = view_of(100, 100, 0.0)
    assert view.boxes_to_page(np.array([[1.0, 2, 3, 4], [5, 6, 9, 8]])).tolist() == [[1, 2, 3, 4], [5, 6, 9, 8]]
