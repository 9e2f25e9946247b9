import numpy as np
import pytest

from glyphlet.pages.components import pieces_of, turned_over, usual_height, without_rules


def blank(height: int = 200, width: int = 400) -> np.ndarray:
    return np.zeros((height, width), np.uint8)


def letters(ink: np.ndarray, y: int, height: int, count: int, width: int = 8) -> np.ndarray:
    """Hollow boxes in a row."""
    for i in range(count):
        x = 10 + i * (width + 6)
        ink[y : y + height, x : x + width] = 255
        ink[y + 2 : y + height - 2, x + 2 : x + width - 2] = 0
    return ink


def test_boxes_and_areas():
    ink = blank()
    ink[10:20, 30:35] = 255
    ink[50:52, 60:90] = 255
    found = pieces_of(ink)
    assert found.left.tolist() == [30, 60]
    assert found.top.tolist() == [10, 50]
    assert found.width.tolist() == [5, 30]
    assert found.height.tolist() == [10, 2]
    assert found.area.tolist() == [50, 60]


def test_pieces_hang_together_over_corners():
    ink = blank()
    ink[5:10, 5:10] = ink[10:15, 10:15] = 255
    assert len(pieces_of(ink)) == 1


def test_the_usual_height_is_that_of_most_letters_not_of_specks():
    ink = letters(letters(blank(), 20, 12, 20), 60, 24, 6)
    ink[150:152, 10:390:4] = 255
    assert usual_height(pieces_of(ink)) == pytest.approx(12, abs=1)


def test_nothing_has_no_height():
    assert usual_height(pieces_of(blank())) == 0


@pytest.mark.parametrize("upright", [False, True])
def test_rules_are_taken_off_and_letters_kept(upright):
    ink = letters(blank(400, 400), 40, 12, 20)
    kept = ink.copy()
    if upright:
        ink[60:390, 200:203] = 255
    else:
        ink[100:103, 5:395] = 255
    assert np.array_equal(without_rules(ink, 12), kept)


def test_an_underline_leaves_the_letters_apart():
    ink = letters(blank(), 40, 12, 20)
    ink[52:54, 5:390] = 255  # touches the feet of all
    assert len(pieces_of(ink)) == 1
    assert len(pieces_of(without_rules(ink, 12))) == 20


def test_without_rules_the_mask_is_the_same_object():
    ink = letters(blank(), 40, 12, 20)
    assert without_rules(ink, 12) is ink
    assert turned_over(ink, pieces_of(ink), 12) is ink


def test_light_letters_on_a_bar_become_ink():
    ink = blank()
    ink[20:50, 10:390] = 255
    ink[30:42, 40:48] = ink[30:42, 60:68] = 0
    found = pieces_of(turned_over(ink, pieces_of(ink), 12))
    assert found.left.tolist() == [40, 60]
    assert found.height.tolist() == [12, 12]
