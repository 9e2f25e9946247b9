"""The language model against the formula, counted anew with dictionaries."""

from collections import Counter, defaultdict
from math import exp, log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlet.charset import Charset
from glyphlet.decode import ngram
from glyphlet.decode.ngram import EDGE, bits
from glyphlet.decode.ngram_count import count, plain_lines
from glyphlet.decode.ngram_file import MAGIC, load, save
from glyphlet.errors import GlyphletError

ABC = Charset.from_text("abc")
LINES = ["abc", "abb", "ca", "a", "cab", "abc"]


def witten_bell(lines, order, least, charset):
    """P(x | context) as the page of the source has it, x a character or the edge."""
    follows = defaultdict(Counter)
    for line in lines:
        framed = EDGE + line + EDGE
        for end in range(1, len(framed)):
            for length in range(min(order, end + 1)):
                follows[framed[end - length : end]][framed[end]] += 1

    def probability(x, context):
        before = probability(x, context[1:]) if context else 1 / (charset.size + 1)
        seen = follows[context]
        kept = {c: n for c, n in seen.items() if n >= least or len(context) < 2}
        if not kept:
            return before
        left = sum(seen.values()) - sum(kept.values())
        return (kept.get(x, 0) + (len(seen) + left) * before) / (sum(seen.values()) + len(seen))

    return probability


@given(st.lists(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=8), st.integers(1, 4), st.integers(1, 2))
@settings(deadline=None)
def test_every_probability_is_that_of_the_formula(lines, order, least):
    bound = count(lines, order, least).over(ABC)
    expected = witten_bell(lines, order, least, ABC)
    for text in ["", "a", "ab", "abca", "cc"]:
        context = bound.start()
        for char in text:
            context = bound.follow(context, ABC.index(char) + 1)
        before = (EDGE + text)[-(order - 1) :] if order > 1 else ""
        found = np.exp(bound.log_probabilities(context))
        assert found.sum() == pytest.approx(1)
        assert found == pytest.approx([expected(x, before) for x in EDGE + "abc"], rel=1e-9)


def test_characters_that_the_text_never_had_share_what_is_left():
    bound = count(["ab"], 2).over(Charset.from_text("axyb"))
    found = np.exp(bound.log_probabilities(bound.start()))
    assert found.sum() == pytest.approx(1)
    assert found[2] == found[3] > 0
    assert bound.follow(bound.start(), 2) == ()  # nothing was seen after an x


def test_a_model_of_another_charset_does_not_count_what_cannot_be_written():
    bound = count(["azb"], 1).over(Charset.from_text("ab"))
    assert np.exp(bound.log_probabilities(())).tolist() == pytest.approx([(1 + 4 / 3) / 8] * 3)


def test_the_text_it_was_made_from_takes_fewer_bits_than_another():
    bound = count(LINES, 3).over(ABC)
    assert bits(bound, LINES) < 1.5 < log2(4) < bits(bound, ["bbb", "ccc"])
    assert bits(bound, ["a"]) == pytest.approx(-log2(exp(bound.log_probability("a"))) / 2)


def test_what_is_kept_of_contexts_has_a_bound(monkeypatch):
    monkeypatch.setattr(ngram, "_KEPT", 12)
    bound = count(LINES, 3).over(ABC)
    before = [bound.log_probability(line) for line in LINES]
    assert len(bound._known) <= 4
    assert [bound.log_probability(line) for line in LINES] == before


def test_lines_are_put_into_one_form():
    assert plain_lines(["e\u0301\t1", "", "A"], "lower") == ["é 1", "a"]


class TestFile:
    def test_what_is_written_is_read(self, tmp_path):
        model = count(LINES, 4, least=2)
        size = save(model, tmp_path / "a.lm")
        assert size == (tmp_path / "a.lm").stat().st_size
        again = load(tmp_path / "a.lm")
        assert (again.alphabet, again.order) == ("\nabc", 4)
        for one, other in zip(model.levels, again.levels, strict=True):
            for name in ("contexts", "starts", "rest", "followers", "counts"):
                assert getattr(one, name).tolist() == getattr(other, name).tolist()
        save(again, tmp_path / "b.lm")
        assert (tmp_path / "a.lm").read_bytes() == (tmp_path / "b.lm").read_bytes()

    @pytest.mark.parametrize(
        ("edit", "problem"),
        [
            (lambda data: data[:-1], "is damaged"),
            (lambda data: data[:90] + b"x" + data[91:], "is damaged"),
            (lambda data: data.replace(MAGIC, b"glyphlet-lm 2\n"), "has a newer format"),
            (lambda data: b"hello", "is no language model"),
        ],
    )
    def test_what_is_not_whole_is_refused(self, tmp_path, edit, problem):
        save(count(LINES), tmp_path / "a.lm")
        (tmp_path / "a.lm").write_bytes(edit((tmp_path / "a.lm").read_bytes()))
        with pytest.raises(GlyphletError, match=problem):
            load(tmp_path / "a.lm")

    def test_what_is_not_there(self, tmp_path):
        with pytest.raises(GlyphletError, match="cannot be read"):
            load(tmp_path / "no.lm")


@pytest.mark.parametrize(
    ("lines", "order", "problem"), [([""], 3, "is empty"), (["ab"], 0, "1 to 10"), (["ab"], 11, "11")]
)
def test_what_cannot_be_counted(lines, order, problem):
    with pytest.raises(GlyphletError, match=problem):
        count(lines, order)


def test_too_many_characters_for_the_order():
    line = "".join(map(chr, range(0x4E00, 0x4E00 + 5000)))
    with pytest.raises(GlyphletError, match="5001 different characters. Allowed: 1 to 5"):
        count([line], 6)
    assert count([line], 5).order == 5
