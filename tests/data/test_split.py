import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.data.lineset import ListedLines
from glyphlet.data.sample import Sample
from glyphlet.data.split import split, split_lines
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


def lines_of(groups):
    samples = [Sample(b"", "x", "") for _ in groups]
    return ListedLines(samples, groups=list(groups) if any(groups) else ())


@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 5))
def test_lines_without_groups_are_split_as_items_are(count, share, seed):
    first, second = split_lines(lines_of([""] * count), share, seed)
    assert (first.tolist(), second.tolist()) == split(range(count), share, seed)


def test_the_split_is_the_one_of_earlier_versions():
    """Results depend on it: worked out with `random.shuffle` of a list."""
    order = list(range(1000))
    random.Random(12).shuffle(order)
    assert split_lines(lines_of([""] * 1000), 0.2, 12)[1].tolist() == sorted(order[:200])


def best(sizes, wanted):
    """The sum of whole groups nearest to what is wanted, over all ways to leave one group and take one."""
    sums = {sum(c) for n in range(1, len(sizes)) for c in itertools.combinations(sizes, n)}
    return min(abs(s - wanted) for s in sums)


@given(st.lists(st.integers(1, 12), min_size=2, max_size=9), st.floats(0.01, 0.99), st.integers(0, 3))
def test_groups_stay_together_and_the_share_is_met_as_nearly_as_can_be(sizes, share, seed):
    groups = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    random.Random(seed).shuffle(groups)
    first, second = split_lines(lines_of(groups), share, seed)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(len(groups)))
    assert not {groups[i] for i in first} & {groups[i] for i in second}
    assert len(first)
    assert len(second)
    wanted = max(1, round(len(groups) * share))
    assert abs(len(second) - wanted) == best(sizes, wanted)


def test_the_greedy_choice_of_many_groups_is_near(monkeypatch):
    monkeypatch.setattr("glyphlet.data.split._EXACT", 0)
    groups = [f"g{i % 37}" for i in range(1000)]
    second = split_lines(lines_of(groups), 0.2, 1)[1]
    assert abs(len(second) - 200) <= 14
    assert len(split_lines(lines_of(["a"] * 9 + ["b"] * 3), 0.01, 1)[1]) == 3


def test_lines_without_a_group_are_free_among_groups():
    groups = ["a"] * 5 + [""] * 5
    second = split_lines(lines_of(groups), 0.2, 0)[1]
    assert len(second) == 2
    assert second.min() >= 5


def test_one_group_cannot_be_split():
    with pytest.raises(LabelError, match=r"all 4 lines are of one group \('page'\)"):
        split_lines(lines_of(["page"] * 4), 0.2, 0)


def test_at_most_so_many_lines():
    assert len(split_lines(lines_of([""] * 1000), 0.2, 0, most=30)[1]) == 30
