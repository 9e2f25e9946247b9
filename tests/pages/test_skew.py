import numpy as np
import pytest
from PIL import Image

from glyphlet.pages.binarize import flatten, ink_of
from glyphlet.pages.components import Pieces, pieces_of
from glyphlet.pages.skew import sharpness, skew_of


@pytest.mark.parametrize("angle", [-9, -5, -2.5, -0.7, 0, 0.3, 1, 3.3, 5, 10])
def test_the_angle_of_a_turned_page(letter, angle):
    turned = letter.image.rotate(-angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert skew_of(pieces_of(ink_of(flatten(np.asarray(turned))))) == pytest.approx(angle, abs=0.1)


def test_points_on_two_rows_are_sharpest_where_they_are_level():
    x, y = np.tile(np.arange(0.0, 500, 10), 2), np.repeat([100.0, 160.0], 50)
    slanted = y + np.tan(np.radians(2)) * x
    scores = {angle: sharpness(x, slanted, angle, 4) for angle in (0, 1, 2, 3)}
    assert max(scores, key=scores.get) == 2
    assert scores[2] == pytest.approx(2 * 50**2, rel=0.01)


def test_too_few_letters_say_nothing():
    places = np.array([10, 40, 90], np.int32)
    few = Pieces(places, places, places + 8, places + 12, np.full(3, 60, np.int32))
    assert skew_of(few) == 0


def test_an_empty_page_is_level():
    assert skew_of(pieces_of(np.zeros((50, 50), np.uint8))) == 0
