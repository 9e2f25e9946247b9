import numpy as np
import pytest

from glyphlet.effects import EFFECTS, apply, build_effects
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


@pytest.mark.parametrize("name", list(EFFECTS))
def test_every_effect_keeps_shape_and_type_and_depends_on_its_generator_only(name):
    line = np.random.default_rng(0).integers(0, 255, (3, 32, 64), dtype=np.uint8)
    before = line.copy()
    effects = build_effects([part(name)])
    first, again = (apply(effects, line, np.random.default_rng(5)) for _ in range(2))
    assert (first == again).all()
    assert first.shape == line.shape
    assert first.dtype == np.uint8
    assert (line == before).all()


def test_bad_options_are_refused():
    with pytest.raises(RecipeError, match="shift has pixels -1"):
        build_effects([part("shift", pixels=-1)])
    with pytest.raises(RecipeError, match=r"no effect named 'shfit' \(did you mean 'shift'\?\)"):
        build_effects([part("shfit")])
