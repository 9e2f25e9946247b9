from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.test_report import Checker, text_of
from glyphlet.evaluate.confusion import matrix, matrix_section

signs = st.sampled_from(["", "a", "b", "c", "d", " ", "<"])
counted = st.dictionaries(st.tuples(signs, signs).filter(any), st.integers(1, 50)).map(Counter)


def test_by_hand():
    pairs = Counter(
        {("a", "a"): 9, ("a", "b"): 3, ("b", "b"): 5, ("b", ""): 1, ("", "b"): 2, ("c", "a"): 1, ("d", "d"): 4}
    )
    found = matrix(pairs, most=2)
    assert found.rows == found.columns == ("a", "b", "")
    assert found.counts == ((9, 3, 0), (0, 5, 1), (0, 2, 0))
    assert found.others == (0, 0, 0)
    assert found.left_out == 1  # c read as a


@settings(deadline=None)
@given(counted, st.integers(1, 7))
def test_rows_add_up_to_the_truths(pairs, most):
    found = matrix(pairs, most)
    assert len(found.rows) <= most + 1
    for truth, row, others in zip(found.rows, found.counts, found.others, strict=True):
        assert sum(row) + others == sum(n for (t, _), n in pairs.items() if t == truth)
    wrong = sum(n for (t, r), n in pairs.items() if t != r)
    shown = sum(sum(row) + others for row, others in zip(found.counts, found.others, strict=True))
    hits = sum(pairs[char, char] for char in found.rows)
    assert shown - hits + found.left_out == wrong


@settings(deadline=None)
@given(counted)
def test_the_table_is_escaped_and_nests(pairs):
    body = matrix_section(pairs).body
    Checker(body)
    assert "<<" not in body


def test_cells_say_what_they_count():
    seen = Checker(matrix_section(Counter({("a", " "): 3, ("", "b"): 1, ("a", "a"): 2, ("b", ""): 4})).body)
    titles = [value for name, value in seen.attributes if name == "title"]
    assert {"a read as ·: 3", "nothing read as b: 1", "a read as a: 2", "b read as nothing: 4"} <= set(titles)
    assert "U+0061 LATIN SMALL LETTER A" in titles
    assert ("scope", "row") in seen.attributes


def test_the_shade_grows_with_the_count():
    body = matrix_section(Counter({("a", "b"): 100, ("b", "a"): 1})).body
    assert body.index("--shade:75%") < body.index("--shade:24%")


def test_nothing_confused():
    assert text_of(matrix_section(Counter({("a", "a"): 2})).body) == "No character was confused."
