import numpy as np
import pytest

from glyphlet.effects.affine import affine
from glyphlet.errors import RecipeError


class Fixed:
    """A generator that draws given numbers: turn, slant, tall, wide, down, right, each -1 to 1."""

    def __init__(self, *values):
        self.values = np.array(values, float)

    def uniform(self, low, high, count):
        assert (low, high, count) == (-1, 1, 6)
        return self.values


def dot(y, x, shape=(1, 41, 81)):
    line = np.full(shape, 200, np.uint8)
    line[:, y - 1 : y + 2, x - 1 : x + 2] = 0
    return line


def centre(line):
    """Where the dark pixels are, as (y, x)."""
    dark = 200.0 - line[0]
    y, x = np.indices(dark.shape)
    return pytest.approx(((dark * y).sum() / dark.sum(), (dark * x).sum() / dark.sum()), abs=0.35)


def test_nothing_asked_for_changes_nothing():
    line = np.random.default_rng(0).integers(0, 255, (3, 20, 30), dtype=np.uint8)
    assert (affine(rotate=0, shear=0, scale=0, shift=0)(line, np.random.default_rng(0)) == line).all()


@pytest.mark.parametrize(
    ("options", "drawn", "start", "end"),
    [
        ({"shift": 0.1}, (0, 0, 0, 0, 1, 0), (20, 40), (24.1, 40)),
        ({"shift": 0.1}, (0, 0, 0, 0, 0, -1), (20, 40), (20, 35.9)),
        ({"scale": 0.5}, (0, 0, 0, 1, 0, 0), (20, 60), (20, 70)),
        ({"scale": 0.5}, (0, 0, 1, 0, 0, 0), (30, 40), (35, 40)),
        ({"rotate": 30}, (1, 0, 0, 0, 0, 0), (20, 60), (30, 57.3)),
        ({"shear": 45}, (0, 1, 0, 0, 0, 0), (30, 40), (30, 50)),
    ],
)
def test_each_amount_moves_a_dot_where_it_should(options, drawn, start, end):
    nothing = {"rotate": 0.0, "shear": 0.0, "scale": 0.0, "shift": 0.0}
    moved = affine(**nothing | options, keep=False)(dot(*start), Fixed(*drawn))
    assert end == centre(moved)


@pytest.mark.parametrize("width", [60, 150, 400, 800])
def test_the_ends_of_a_line_stay_in_view(width):
    line = np.full((1, 32, width), 200, np.uint8)
    line[0, 8:24, 2:6] = line[0, 8:24, -6:-2] = 20  # a letter at each end
    whole = (255 - line[0]).sum(dtype=int) - 55 * line[0].size
    for seed in range(200):
        moved = affine()(line, np.random.default_rng(seed))
        for half in (moved[0, :, : width // 2], moved[0, :, width // 2 :]):
            assert (200 - half.astype(int)).sum() > 0.6 * whole / 2  # sizes go down to .9 on each axis, slants blur


def test_without_keep_the_ends_of_long_lines_are_cut():
    line = np.full((1, 32, 800), 200, np.uint8)
    line[0, 8:24, 2:6] = 20
    lost = [(affine(keep=False)(line, np.random.default_rng(seed)) > 150).all() for seed in range(100)]
    assert sum(lost) > 20


def test_what_comes_into_view_has_the_colour_of_the_border():
    line = np.zeros((3, 20, 30), np.uint8)
    line[0], line[1], line[2] = 10, 100, 200
    assert (affine(rotate=40, shift=0.5)(line, Fixed(1, 0, 0, 0, 1, 1)) == line).all()


@pytest.mark.parametrize("options", [{"rotate": -1}, {"scale": 0.9}, {"shear": 90}])
def test_impossible_amounts_are_refused(options):
    with pytest.raises(RecipeError, match="effect affine has"):
        affine(**options)
