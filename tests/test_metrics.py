"""Figures worked by hand, and laws that edit distances obey."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.errors import LabelError
from glyphlet.metrics import (
    Confusion,
    Interval,
    SpaceErrors,
    alignment,
    edit_distance,
    position_accuracy,
    score,
    wilson,
)

texts = st.text("ab ", max_size=9) | st.text(max_size=70)


def plain_distance(a: str, b: str) -> int:
    """The definition, as slow as it is obvious."""

    @cache
    def d(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return d(len(a), len(b))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    interval = wilson(successes, n)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


def test_wilson_touches_its_ends_exactly() -> None:
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0
    assert wilson(7, 7).low == pytest.approx(7 / (7 + 1.959964**2))  # what the formula shortens to


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 4), (5, 4)])
def test_wilson_refuses_what_is_no_share(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(successes, n)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(pair: tuple[int, int]) -> None:
    successes, n = pair
    interval, mirrored = wilson(successes, n), wilson(n - successes, n)
    assert 0 <= interval.low <= successes / n <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirrored.high, abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
        ("saturday", "sunday", 3),
        ("ab", "ba", 2),
        ("flaw", "lawn", 2),
        ("0" * 100, "1" + "0" * 99, 1),  # more than a machine word of bits
        ("a" * 200, "b" * 130, 200),
    ],
)
def test_edit_distance_of_known_pairs(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == distance


@given(texts, texts)
def test_edit_distance_is_what_the_definition_says(a: str, b: str) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == plain_distance(a, b)
    assert (edit_distance(a, b) == 0) == (a == b)


@given(texts, texts, texts)
def test_triangle_inequality(a: str, b: str, c: str) -> None:
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


@given(texts, texts)
def test_alignment_holds_both_texts_and_no_edit_too_many(read: str, truth: str) -> None:
    pairs = alignment(read, truth)
    assert "".join(r for r, _ in pairs) == read
    assert "".join(t for _, t in pairs) == truth
    assert ("", "") not in pairs
    assert sum(r != t for r, t in pairs) == edit_distance(read, truth)


@pytest.mark.parametrize(
    ("read", "truth", "pairs"),
    [
        ("", "", []),
        ("", "ab", [("", "a"), ("", "b")]),
        ("ab", "", [("a", ""), ("b", "")]),
        ("cat", "cut", [("c", "c"), ("a", "u"), ("t", "t")]),
        ("rn", "m", [("r", ""), ("n", "m")]),
        ("ab", "ba", [("a", "b"), ("b", "a")]),  # two replacements rather than an extra and a missing character
        ("ab c", "a bc", [("a", "a"), ("", " "), ("b", "b"), (" ", ""), ("c", "c")]),  # but not of spaces
        ("a.b", "a b", [("a", "a"), (".", " "), ("b", "b")]),
    ],
)
def test_alignment_of_known_pairs(read: str, truth: str, pairs: list[tuple[str, str]]) -> None:
    assert alignment(read, truth) == pairs


def test_position_accuracy_is_not_the_error_rate() -> None:
    # "world" without its first letter: no position agrees but one edit of five is needed.
    assert position_accuracy(["hello", "orld"], ["hello", "world"]) == 5 / 10
    assert score(["hello", "orld"], ["hello", "world"]).cer == 1 / 10


def test_position_accuracy_does_not_count_what_is_too_much() -> None:
    assert position_accuracy(["abcd"], ["ab"]) == 1.0


def test_scores_worked_by_hand() -> None:
    #         perfect, one replaced, one missing at the front, one extra at the end
    scores = score(["abcd", "abxd", "bcd", "abcde"], ["abcd", "abcd", "abcd", "abcd"])
    assert (scores.lines, scores.characters, scores.correct_lines, scores.edits) == (4, 16, 1, 3)
    assert scores.word_accuracy == 0.25
    assert scores.word_interval == wilson(1, 4)
    assert scores.character_accuracy == (4 + 3 + 0 + 4) / 16
    assert scores.cer == 3 / 16
    assert scores.similarity == pytest.approx((1 + 3 / 4 + 3 / 4 + 4 / 5) / 4)
    assert scores.confusions == (Confusion("", "e", 1), Confusion("a", "", 1), Confusion("c", "x", 1))
    assert scores.spaces == SpaceErrors(0, 0, 0)


def test_confusions_come_most_frequent_first() -> None:
    scores = score(["0O", "0l", "OO"], ["OO", "O1", "OO"])
    assert scores.confusions == (Confusion("O", "0", 2), Confusion("1", "l", 1))


def test_space_errors_stand_apart() -> None:
    scores = score(
        ["ab", "a b c", "ab x", "ab c", "a.b"],
        ["a b", "a bc", "ab y", "a bc", "a b"],
    )
    #   missing; extra; no space error; one missing and one extra; replaced, so neither
    assert scores.spaces == SpaceErrors(missing=2, extra=2, only_lines=3)
    assert Confusion(" ", ".", 1) in scores.confusions


def test_intervals_hold_their_figures_and_repeat() -> None:
    readings = ["abcd", "abxd", "bcd", "abcde", ""] * 30
    scores = score(readings, ["abcd"] * 150)
    assert scores == score(readings, ["abcd"] * 150)
    for value, interval in (
        (scores.character_accuracy, scores.character_interval),
        (scores.cer, scores.cer_interval),
        (scores.similarity, scores.similarity_interval),
    ):
        assert 0 < interval.low < value < interval.high < 1


def test_bootstrap_is_as_wide_as_the_normal_approximation() -> None:
    # One character a line: the CER is a share of lines, with a known standard error.
    scores = score(["a"] * 300 + ["b"] * 100, ["a"] * 400)
    half = 1.959964 * (0.25 * 0.75 / 400) ** 0.5
    assert scores.cer_interval.low == pytest.approx(0.25 - half, abs=0.006)
    assert scores.cer_interval.high == pytest.approx(0.25 + half, abs=0.006)


def test_intervals_keep_a_width_without_errors() -> None:
    scores = score(["ab"] * 20, ["ab"] * 20)
    assert scores.cer == 0
    assert scores.cer_interval == wilson(0, 20)
    assert scores.character_interval == scores.similarity_interval == wilson(20, 20)


def test_error_rate_may_pass_one() -> None:
    scores = score(["abcdef"], ["x"])
    assert scores.cer == 6
    assert scores.cer_interval.high == 6


def test_case_may_be_ignored() -> None:
    assert score(["STRASSE"], ["Straße"]).word_accuracy == 0
    assert score(["STRASSE"], ["Straße"], ignore_case=True).word_accuracy == 1


def test_texts_are_compared_as_given() -> None:
    assert score(["e\u0301"], ["\u00e9"]).edits == 2


def test_an_empty_truth_among_others_counts() -> None:
    scores = score(["", "x", "ab"], ["", "", "ab"])
    assert (scores.word_accuracy, scores.cer) == (2 / 3, 1 / 2)
    assert scores.similarity == pytest.approx(2 / 3)


@pytest.mark.parametrize("truths", [[], [""], ["", ""]])
def test_nothing_to_compare_with_is_refused(truths: list[str]) -> None:
    for measure in (score, position_accuracy):
        with pytest.raises(LabelError, match="hold no characters"):
            measure(list(truths), truths)


def test_lengths_must_agree() -> None:
    for measure in (score, position_accuracy):
        with pytest.raises(ValueError, match="2 readings cannot be compared with 1 truths"):
            measure(["a", "b"], ["a"])


def test_scores_become_json() -> None:
    plain = json.loads(json.dumps(score(["a b"], ["ab"]).as_dict()))
    assert plain["confusions"] == [{"truth": "", "read": " ", "count": 1}]
    assert plain["word_interval"].keys() == {"low", "high"}
    assert plain["spaces"] == {"missing": 0, "extra": 1, "only_lines": 1}
    assert Interval(**plain["cer_interval"]).high >= plain["cer"] == 0.5
