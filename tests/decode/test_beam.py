"""The search against the sum over every path, without and with an automaton and a language model."""

import re
from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decode.bruteforce import texts_of
from glyphlet.charset import Charset
from glyphlet.decode.automaton import anything
from glyphlet.decode.beam import search
from glyphlet.decode.confidence import log_normalizers
from glyphlet.decode.fusion import Fusion
from glyphlet.decode.ngram_count import count
from glyphlet.decode.pattern import compile_pattern
from glyphlet.decode.steps import thin

ABC = Charset.from_text("abc")
PATTERNS = ["a", "[ab]{2}", "a*b", "(ab|c)+", "aa|bb", ".{3}", "c{2,}|a", "[^a]*", "(a|b)?c", "aaa", ".*", "b(ca)?b?"]


def found(logits, automaton, width=10_000, fusion=None, threshold=0.0, margin=0.0):
    logits = np.asarray(logits, np.float64)
    steps = thin(logits, log_normalizers(logits), automaton, threshold, margin=margin)
    return {
        "".join(ABC.characters[label - 1] for label in candidate.labels): candidate.score
        for candidate in search(steps, automaton, width, fusion, margin)
    }


@st.composite
def lines(draw, most=5, spread=8):
    shape = (draw(st.integers(1, most)), 4)
    return draw(arrays(np.float64, shape, elements=st.floats(-spread, spread)))


@given(lines())
@settings(max_examples=60, deadline=None)
def test_every_text_has_its_probability(logits):
    expected = texts_of(logits, ABC)
    scores = found(logits, anything(4))
    assert scores.keys() == expected.keys()
    assert [exp(score) for score in scores.values()] == pytest.approx([expected[text] for text in scores], rel=1e-9)
    assert list(scores.values()) == sorted(scores.values(), reverse=True)


@given(lines(most=6), st.sampled_from(PATTERNS))
@settings(max_examples=120, deadline=None)
def test_exactly_the_legal_texts_that_fit_with_their_probability(logits, pattern):
    legal = {t: p for t, p in texts_of(logits, ABC).items() if re.fullmatch(pattern, t)}
    scores = found(logits, compile_pattern(pattern, ABC))
    assert scores.keys() == legal.keys()
    assert [exp(score) for score in scores.values()] == pytest.approx([legal[t] for t in scores], rel=1e-9, abs=1e-290)


@given(lines(most=6, spread=60), st.sampled_from(PATTERNS), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_a_narrow_beam_over_all_steps_finds_a_legal_text_if_one_fits(logits, pattern, width):
    automaton = compile_pattern(pattern, ABC)
    candidates = search(thin(logits, log_normalizers(logits), automaton, 1e-3, whole=True), automaton, width)
    assert len(candidates) <= width
    assert bool(candidates) == (automaton.need[0] <= len(logits))
    assert all(automaton.accepts(candidate.labels) for candidate in candidates)


@given(lines(), st.floats(0, 2), st.floats(-1, 2), st.sampled_from(["", "[ab]*c?"]))
@settings(max_examples=60, deadline=None)
def test_a_language_model_adds_its_share(logits, weight, bonus, pattern):
    model = count(["abc", "abb", "ca", "a"], order=3).over(ABC)
    automaton = compile_pattern(pattern, ABC) if pattern else anything(4)
    scores = found(logits, automaton, fusion=Fusion(model, weight, bonus))
    expected = {
        text: log(p) + weight * model.log_probability(text) + bonus * len(text)
        for text, p in texts_of(logits, ABC).items()
        if not pattern or re.fullmatch(pattern, text)
    }
    assert scores.keys() == expected.keys()
    assert list(scores.values()) == pytest.approx([expected[text] for text in scores], rel=1e-9, abs=1e-9)


def test_the_sum_wins_over_the_best_path():
    logits = np.log([[0.6, 0.4, 1e-9, 1e-9], [0.6, 0.4, 1e-9, 1e-9]])
    assert next(iter(found(logits, anything(4)))) == "a"  # the best path is two blanks


def test_a_doubled_character_needs_its_blank():
    logits = np.zeros((2, 4))
    assert found(logits, compile_pattern("aa", ABC)) == {}
    assert found(np.zeros((3, 4)), compile_pattern("aa", ABC)) == {"aa": pytest.approx(log(1 / 64))}


def test_equal_texts_come_in_the_order_of_their_classes():
    assert list(found(np.zeros((1, 4)), anything(4)))[1:] == ["a", "b", "c"]
    assert list(found(np.zeros((1, 4)), anything(4), width=2, margin=1e-9)) == ["", "a"]


def test_plain_steps_are_merged_and_change_nothing():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(60, 4)) * 3
    logits[rng.random(60) < 0.7, 0] += 40
    some, every = (found(logits, anything(4), 64, threshold=t, margin=1e-12) for t in (1e-9, 0.0))
    best = next(iter(every))
    assert next(iter(some)) == best
    assert some[best] == pytest.approx(every[best], abs=1e-4)


@pytest.mark.parametrize("pattern", ["aab?", "(aa|bb|c)+", "a+b{2}", "[ab]{4}", "(abc)?c*"])
def test_blanks_between_equal_characters_may_lie_in_plain_steps(pattern):
    automaton, compared = compile_pattern(pattern, ABC), 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        logits = rng.normal(size=(12, 4)) * 3
        logits[rng.random(12) < 0.5, 0] += 30
        every = found(logits, automaton, 4000)
        some = found(logits, automaton, 4000, threshold=1e-9)
        best, score = next(iter(every.items()))
        if score > log(1e-7):  # found without a character in a plain step
            compared += 1
            assert next(iter(some)) == best
            assert some[best] == pytest.approx(score, abs=1e-3)
    assert compared >= 10


def test_a_long_line_does_not_underflow():
    logits = np.zeros((3000, 4))
    logits[:, 0] = 3
    ((text, score), *_) = found(logits, compile_pattern("", ABC), 4, margin=1e-7).items()
    assert text == ""
    assert score == pytest.approx(3000 * (3 - log(exp(3) + 3)), rel=1e-9)


def test_a_candidate_is_a_plain_value():
    candidate = search(thin(np.log([[0.5, 0.5]]), np.zeros(1), anything(2), 0), anything(2), 1)[0]
    assert replace(candidate) == candidate
