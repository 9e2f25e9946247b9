"""The picture of a reading."""

import numpy as np
import pytest
from PIL import Image

from glyphlet.decode.reading import Character, Reading
from glyphlet.errors import ImageError
from glyphlet.runtime.draw import HIGH, SURE, UNSURE, colour, draw, visible


def reading(*spans, confidence=0.99):
    characters = tuple(Character(char, confidence, left, right) for char, left, right in spans)
    return Reading("".join(char for char, *_ in spans), confidence, characters, "", "")


LINE = np.full((48, 200), 255, np.uint8)


def test_frames_stand_where_the_spans_are():
    made = np.asarray(draw(LINE, reading(("7", 50.0, 60.0))))
    assert made.shape[1] == 400  # 48 rows become 96
    framed = np.flatnonzero((made[:HIGH] != 255).any(axis=(0, 2)))
    assert (framed.min(), framed.max()) == (100, 119)
    bar = made[HIGH + 3, 100:119]
    assert np.abs(bar.astype(int) - colour(0.99)).max() <= 1


def test_little_confidence_has_another_colour_and_is_written():
    sure, unsure = (np.asarray(draw(LINE, reading(("7", 50.0, 60.0), confidence=c))) for c in (0.99, 0.3))
    assert tuple(unsure[HIGH + 3, 105]) == UNSURE
    assert (sure[-16:] == 255).all()
    assert not (unsure[-16:] == 255).all()


@pytest.mark.parametrize(
    ("confidence", "expected"), [(1.0, SURE), (0.5, UNSURE), (0.0, UNSURE), (0.75, (106, 104, 89))]
)
def test_colours(confidence, expected):
    assert colour(confidence) == expected


def test_without_spans_there_are_no_frames():
    made = np.asarray(draw(LINE, reading(("1", None, None), ("2", None, None))))
    assert (made[:HIGH] == 255).all()
    assert tuple(made[HIGH + 3, 10]) == tuple(made[HIGH + 3, 390]) == colour(0.99)


def test_nothing_read_gives_the_reason():
    empty = np.asarray(draw(LINE, Reading("", 0.0, (), "", "", "no text was found: the image is blank")))
    assert (empty[:HIGH] == 255).all()
    assert not (empty[HIGH:] == 255).all()


@pytest.mark.parametrize("shape", [(1, 1), (200, 3), (10, 5000, 3)])
def test_odd_sizes(shape):
    made = draw(np.zeros(shape, np.uint8), reading(("a", 0.0, 1.0)))
    assert made.height >= HIGH
    assert made.width <= 20_000
    assert isinstance(made, Image.Image)


def test_signs():
    assert visible("A")[0] == "A"
    assert visible(" ")[0] == "_"
    assert visible("\ue123")[0] == "E123"


def test_no_image():
    with pytest.raises(ImageError, match="does not exist"):
        draw("nowhere.png", reading())
