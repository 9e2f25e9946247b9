from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlet.evaluate.aligned import Pair, aligned, tally
from glyphlet.evaluate.scores import Evaluation, LineResult

texts = st.text("aAbßsS e\u0301", max_size=10)


def line(text, truth, sure=()):
    return LineResult("a.png", truth, text, 0.5, characters=tuple(sure))


@settings(max_examples=50, deadline=None)
@given(texts, texts, st.booleans())
def test_both_sides_hold_their_texts(read, truth, ignore_case):
    pairs = aligned(read, truth, ignore_case)
    assert "".join(pair.read for pair in pairs) == read
    assert "".join(pair.truth for pair in pairs) == truth
    edits = sum(not pair.same for pair in pairs)
    evaluation = Evaluation.of([line(read, truth), line("x", "x")], ignore_case=ignore_case)
    assert edits == evaluation.edits(evaluation.results[0]) == evaluation.scores.edits


def test_half_of_a_folded_character():
    assert aligned("ß", "SX", ignore_case=True) == [Pair("ß", "S", True), Pair("", "X", False)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5), st.booleans())
def test_the_pairs_are_those_of_the_scores(lines, ignore_case):
    evaluation = Evaluation.of([line("x", "x"), *(line(*pair) for pair in lines)], ignore_case=ignore_case)
    found = tally(evaluation)
    wrong = {(truth, read): n for (truth, read), n in found.pairs.items() if truth != read}
    assert wrong == {(c.truth, c.read): c.count for c in evaluation.scores.confusions}
    scores = evaluation.scores.spaces
    assert (found.spaces.missed, found.spaces.invented, found.spaces.only) == (
        scores.missing,
        scores.extra,
        scores.only_lines,
    )
    truths = Counter("".join(evaluation.fold(result.truth) for result in evaluation.results))
    assert sum(n for (truth, _), n in found.pairs.items() if truth) == truths.total()
    assert found.spaces.truths == truths[" "] == found.spaces.right + found.spaces.missed + found.spaces.replaced


@pytest.mark.parametrize(
    ("read", "truth", "expected"),
    [
        ("a b", "a b", {"truths": 1, "right": 1}),
        ("ab", "a b", {"truths": 1, "missed": 1, "joined": 1, "lines": 1, "only": 1}),
        ("a b", "ab", {"invented": 1, "split": 1, "lines": 1, "only": 1}),
        ("a  b", "a b", {"truths": 1, "right": 1, "invented": 1, "lines": 1, "only": 1}),  # neither joined nor split
        (" ab", "ab", {"invented": 1, "lines": 1, "only": 1}),  # before the first word
        ("ab x", "a b y", {"truths": 2, "right": 1, "missed": 1, "joined": 1, "lines": 1}),
        ("ax", "ay", {}),
    ],
)
def test_spaces_by_hand(read, truth, expected):
    found = tally(Evaluation.of([line(read, truth)])).spaces.as_dict()
    assert {name: count for name, count in found.items() if count} == expected


def test_a_space_against_a_character():
    found = tally(Evaluation.of([line("aXb", "a b"), line("c d", "cYd")])).spaces
    # one is missing and one extra, or they replace each other: either way both lines have an error of spaces
    assert (found.lines, found.right, found.truths) == (2, 0, 1)


def test_which_characters_are_right():
    results = [line("ßb", "SSx", (0.9, 0.4)), line("ac", "abc", (0.8, 0.7)), line("no", "no")]
    found = tally(Evaluation.of(results, ignore_case=True))
    assert (found.confidence, found.right) == ([0.9, 0.4, 0.8, 0.7], [True, False, True, True])
    assert tally(Evaluation.of(results)).right == [False, False, True, True]
