import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.data.split import split
from glyphlet.errors import LabelError


@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 5))
def test_every_item_goes_to_one_part_in_order(count, share, seed):
    items = list(range(count))
    first, second = split(items, share, seed)
    assert sorted(first + second) == items
    assert first == sorted(first)
    assert second == sorted(second)
    assert len(second) == min(count - 1, max(1, round(count * share)))
    assert split(items, share, seed) == (first, second)


def test_another_seed_is_another_split():
    assert split(range(100), 0.2, 1) != split(range(100), 0.2, 2)


def test_one_line_cannot_be_split():
    with pytest.raises(LabelError, match="1 line is too few"):
        split(["a"], 0.2, 0)
