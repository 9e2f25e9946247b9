from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.data.plan import draws, fixed_batches, pool_updates, pools, updates_in

WIDTHS = st.lists(st.sampled_from([32, 40, 64]), min_size=1, max_size=80)


@given(WIDTHS, st.integers(1, 20), st.integers(0, 3))
def test_a_pool_holds_every_line_once_in_batches_of_one_width(widths, batch, epoch):
    array = np.array(widths, np.int32)
    count = -(-len(widths) // batch)
    updates = list(pool_updates(array, count, 7, epoch, 0))
    assert len(updates) == count
    assert sorted(int(i) for u in updates for b in u for i in b) == list(range(len(widths)))
    for update in updates:
        assert all(len({widths[i] for i in members}) == 1 for members in update)
        assert len({widths[members[0]] for members in update}) == len(update)
        assert sum(map(len, update)) >= 1


@given(WIDTHS, st.integers(1, 20))
def test_fixed_batches_hold_every_line_once(widths, batch):
    batches = fixed_batches(widths, batch)
    assert sorted(int(i) for b in batches for i in b) == list(range(len(widths)))
    assert all(len({widths[i] for i in b}) == 1 and 1 <= len(b) <= batch for b in batches)


def test_sorting_keeps_the_batches_of_an_update_few():
    widths = np.random.default_rng(0).integers(4, 40, 64 * 64).astype(np.int32) * 8
    updates = list(pool_updates(widths, 64, 1, 0, 0))
    # 36 widths in 64 updates: cut at equal distances alone there would be 64 + 35 batches.
    assert sum(map(len, updates)) < 64 + 36 - 1 - 10


def test_updates_hold_equal_widths_in_sum():
    widths = np.repeat(np.array([40, 400], np.int32), 500)
    sums = [sum(int(widths[part].sum()) for part in update) for update in pool_updates(widths, 50, 1, 0, 0)]
    assert len(sums) == 50
    assert min(sums) >= 0.5 * np.mean(sums)
    assert max(sums) <= 1.5 * np.mean(sums)


def test_a_very_wide_line_leaves_no_update_empty():
    widths = np.array([8] * 9 + [8000], np.int32)
    assert sorted(sum(map(len, update)) for update in pool_updates(widths, 5, 1, 0, 0))[0] == 1


def test_one_width_is_cut_into_equal_shares():
    updates = list(pool_updates(np.full(79, 32, np.int32), 5, 1, 0, 0))
    assert sorted(len(batch) for (batch,) in updates) == [15, 16, 16, 16, 16]


@given(st.integers(1, 5000), st.integers(1, 64), st.sampled_from([8, 64]))
def test_the_number_of_updates_is_known_before(lines, batch, updates):
    parts = pools(np.arange(lines), batch, updates)
    assert sum(map(len, parts)) == lines
    assert updates_in(lines, batch, updates) == sum(-(-len(part) // batch) for part in parts)
    assert lines / batch <= updates_in(lines, batch) <= lines / batch + len(parts)


def test_epochs_differ_and_repeat():
    orders = [tuple(draws(20, None, 1, epoch)) for epoch in (0, 1, 2, 0)]
    assert len(set(orders)) == 3
    assert orders[0] == orders[3]
    assert sorted(orders[0]) == list(range(20))


def test_weights_are_how_often_a_line_is_seen():
    weights = np.repeat(np.array([1, 2, 0.5, 1.25], np.float32), 40)
    seen = [Counter(draws(160, weights, 3, epoch).tolist()) for epoch in range(4)]
    assert {sum(count.values()) for count in seen} == {40 + 80 + 20 + 50}
    total = sum(seen, Counter())
    # Over four epochs the fractions come to whole numbers, for each line alike.
    assert [{total[i] for i in range(k, k + 40)} for k in (0, 40, 80, 120)] == [{4}, {8}, {2}, {5}]
