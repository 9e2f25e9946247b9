import numpy as np
import pytest

from glyphlet.pages.binarize import flatten, ink_of, is_dark


def ramp(height: int = 200, width: int = 300) -> np.ndarray:
    """A sheet that is lit from the left: 250 there, 120 on the right."""
    return np.tile(np.linspace(250, 120, width), (height, 1)).astype(np.uint8)


def test_uneven_light_is_taken_out():
    flat = flatten(ramp())
    assert flat[:, 40:-40].min() > 222


def test_ink_is_found_on_the_dark_side_too():
    page = ramp()
    page[50:60, 40:80] = page[50:60, 40:80] // 3
    page[120:130, 220:260] = page[120:130, 220:260] // 3
    ink = ink_of(flatten(page))
    truth = np.zeros(page.shape, bool)
    truth[50:60, 40:80] = truth[120:130, 220:260] = True
    assert (ink[truth] == 255).mean() > 0.95
    assert (ink[~truth] == 255).mean() < 0.005


def test_a_solid_bar_is_ink_throughout():
    page = np.full((300, 400), 255, np.uint8)
    page[100:140, 50:350] = 20
    assert (ink_of(flatten(page))[100:140, 50:350] == 255).all()


@pytest.mark.parametrize("noise", [0, 5, 12])
def test_an_empty_sheet_has_no_ink(noise):
    page = np.random.default_rng(0).normal(220, noise, (200, 200)).clip(0, 255).astype(np.uint8)
    assert (ink_of(flatten(page)) > 0).mean() < 1e-4


def test_polarity(letter):
    assert not is_dark(letter.pixels)
    assert is_dark(255 - letter.pixels)
    assert not is_dark(np.full((100, 100), 30, np.uint8))  # nothing on it: there is no polarity
