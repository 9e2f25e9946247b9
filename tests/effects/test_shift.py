import numpy as np
import pytest

from glyphlet.effects import build_effects
from glyphlet.errors import RecipeError
from support import part


class Fixed:
    """A generator that always draws the same number."""

    def __init__(self, value):
        self.value = value

    def integers(self, low, high):
        assert low <= self.value < high
        return self.value


@pytest.mark.parametrize(("by", "row"), [(0, [1, 2, 3, 4]), (1, [1, 1, 2, 3]), (-2, [3, 4, 4, 4])])
def test_the_edge_it_leaves_is_repeated(by, row):
    line = np.array([[[1, 2, 3, 4]]], np.uint8)
    assert build_effects([part("shift", pixels=2)])[0](line, Fixed(by)).tolist() == [[row]]


def test_bad_options_are_refused():
    with pytest.raises(RecipeError, match="shift has pixels -1"):
        build_effects([part("shift", pixels=-1)])
    with pytest.raises(RecipeError, match=r"no effect named 'shfit' \(did you mean 'shift'\?\)"):
        build_effects([part("shfit")])
