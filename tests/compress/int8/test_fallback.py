"""How many layers must stay in float."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.compress.int8.fallback import fewest


@given(st.integers(1, 70), st.integers(0, 80))
def test_the_smallest_that_fits_is_found(count, needed):
    asked = []

    def fits(k):
        asked.append(k)
        return k >= needed

    assert fewest(count, fits) == (needed if needed < count else None)
    assert len(set(asked)) == len(asked) <= 15
    assert all(0 <= k < count for k in asked)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_nothing_more_is_tried_where_none_is_needed(count):
    asked = []
    assert fewest(count, lambda k: asked.append(k) or True) == 0
    assert asked == [0]
