"""Automata by hand, and the steps that they need against trying."""

import itertools
import re
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.charset import Charset
from glyphlet.codec import min_steps
from glyphlet.decode.automaton import anything, automaton, from_classes
from glyphlet.decode.pattern import compile_pattern
from glyphlet.errors import RecipeError

AB = Charset.from_text("ab")
TEXTS = ["".join(t) for n in range(7) for t in itertools.product("ab", repeat=n)]
EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "[ab]", ".", "[^a]", ""]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,2}", "{2,}"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda p: f"(?:{p[0]}|{p[1]})"),
    ),
    max_leaves=5,
)


def labels(text):
    return [AB.index(char) + 1 for char in text]


@given(EXPRESSIONS)
def test_accepts_what_the_expression_matches_and_needs_what_the_shortest_needs(pattern):
    found = compile_pattern(pattern, AB)
    legal = [text for text in TEXTS if re.fullmatch(pattern, text)]
    assert [text for text in TEXTS if found.accepts(labels(text))] == legal
    shortest = min((min_steps(labels(text)) for text in legal), default=inf)
    if shortest <= 6:
        assert found.need[0] == shortest


def test_classes_that_are_never_told_apart_are_one_group():
    found = compile_pattern(r"[A-Z]{2}\d{6}", Charset.named("alphanumeric"))
    assert len(found.moves) == 9
    assert sorted(map(len, found.groups)) == [10, 26]
    assert found.need[0] == 8
    assert not found.tight


def test_a_character_that_must_be_doubled_needs_a_step_more():
    found = compile_pattern("aab?", AB)
    assert found.need == (3, 1, 0, 0)
    assert found.length == (2, 1, 0, 0)
    assert (1, found.group_of[1]) in found.tight
    assert (2, found.group_of[1]) not in found.tight


def test_states_that_lead_nowhere_are_left_out():
    found = automaton([[1], [2]], [{0: 1, 1: 2}, {}, {1: 2}], [False, True, False])
    assert found.moves == (((0, 1),), (), ())
    assert not found.empty
    assert automaton([[1]], [{0: 0}], [False]).empty


def test_groups_are_made_from_classes():
    found = from_classes([{1: 1, 2: 1, 3: 2}, {}, {3: 1}], [False, True, False])
    assert found.groups == ((1, 2), (3,))
    assert found.need == (1, 0, 1)
    assert anything(3).accepts([1, 2, 2])


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("x", r"allows no text that the model can write: 'x' \(U\+0078 LATIN SMALL LETTER X\) not in the charset"),
        ("[x-z]+", "allows no text that the model can write"),
        ("ax|bx", "'x'"),
        ("(?=a)", "a lookahead"),
        (r"(a)\1", "a backreference"),
        ("a{2}{3}", "a repeat of a repeat"),
        ("(a|b)*a(a|b){16}", "an automaton of more than 20000 states"),
        ("((a{1000}){1000})", "an automaton of more than 20000 states"),
    ],
)
def test_what_cannot_be_is_refused(pattern, problem):
    with pytest.raises(RecipeError, match=problem):
        compile_pattern(pattern, AB)


def test_what_the_charset_lacks_is_no_option():
    assert compile_pattern("a|x", AB).accepts([1])
    assert compile_pattern("[axb]", AB).groups == ((1, 2),)


def test_literals_are_in_the_normal_form_of_the_charset():
    lower = Charset.from_text("ab", case="lower")
    assert compile_pattern("[A-Z]B", lower).accepts([1, 2])


def test_spaces_are_any_character_too():
    assert compile_pattern(".", Charset.from_text("a ")).accepts([2])
