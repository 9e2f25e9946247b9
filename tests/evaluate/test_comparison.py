from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.test_report import Checker, text_of
from glyphlet.data.sample import Sample
from glyphlet.errors import LabelError
from glyphlet.evaluate.comparison import PICTURES, Comparison, comparison_sections, comparison_table, distinct_names
from glyphlet.evaluate.paired import error_rate_difference
from glyphlet.evaluate.scores import Evaluation, LineResult

TRUTHS = ["one", "two", "Three", "four"]


def read(texts, ignore_case=False, numbers=None, sure=(0.9, 0.8, 0.7, 0.6), truths=TRUTHS):
    numbers = range(len(texts)) if numbers is None else numbers
    results = [LineResult(f"{n}.png", truths[n], t, sure[n], number=n) for n, t in zip(numbers, texts, strict=True)]
    return Evaluation.of(results, ignore_case=ignore_case)


@pytest.fixture
def lines():
    return [Sample(np.full((8, 40), 200, np.uint8), truth, truth) for truth in TRUTHS]


def test_by_hand():
    found = Comparison.of(("A", "B"), read(["one", "tw", "three", "four"]), read(["one", "two", "Three", "f"]))
    assert (found.accuracy.gained, found.accuracy.lost, found.accuracy.lines) == (2, 1, 4)
    assert found.cer == pytest.approx(3 / 15 - 2 / 15)
    assert found.cer_interval.low <= found.cer <= found.cer_interval.high
    assert [pair[0].number for pair in found.only(0)] == [3]
    assert [pair[0].number for pair in found.only(1)] == [1, 2]  # A is surer of its error in line 1
    assert found.as_dict()["word_accuracy"]["gained"] == 2
    assert found.rows()[0][:2] == ("Word accuracy, A", "50.00 %")
    assert found.rows()[-1][1] == "1"


def test_case_can_be_ignored_everywhere():
    texts = (["one", "TWO", "three", "x"], ["one", "two", "THREE", "FOUR"])
    found = Comparison.of(("A", "B"), *(read(text, True) for text in texts))
    assert (found.accuracy.gained, found.accuracy.lost) == (1, 0)
    assert found.cer == pytest.approx(-4 / 15)
    assert [pair[0].number for pair in found.only(1)] == [3]


def test_only_lines_that_both_read_count():
    found = Comparison.of(
        ("A", "B"), read(["one", "x", "Three"], numbers=[0, 1, 2]), read(["y", "four"], numbers=[1, 3])
    )
    assert (found.accuracy.lines, found.first.scores.lines, found.first.results[0].text) == (1, 1, "x")
    with pytest.raises(LabelError, match="not read a single line in common"):
        Comparison.of(("A", "B"), read(["one"], numbers=[0]), read(["two"], numbers=[1]))


def test_labels_in_another_normal_form_are_told():
    lower = [truth.lower() for truth in TRUTHS]
    found = Comparison.of(("A", "B"), read(TRUTHS), read(lower, truths=lower))
    assert found.relabelled == 1
    assert found.accuracy.difference == 0
    assert any("1 labels differ" in note for note in found.notes())


def test_sections_show_both_readings(lines):
    found = Comparison.of(("A<", "B"), read(["one", "tw", "Three", "four"]), read(["one", "two", "Three", "four"]))
    figures, first, second = comparison_sections(found, lines)
    assert [figures.title, first.title, second.title] == ["A< and B", "Only A< reads rightly", "Only B reads rightly"]
    assert text_of(first.body) == "No lines."
    shown = text_of(second.body)
    assert "1 of 1, the most confident errors of A< first." in shown
    assert "A<twBtwo ✓truthtwoA< 80.0 %, B 80.0 %1.png" in shown
    assert ("title", "missing: o") in Checker(second.body).attributes
    assert comparison_table(found).row_count == 9


def test_galleries_are_bounded(lines):
    many = [lines[0]] * 60
    results = [LineResult("0.png", "one", text, 0.5, number=n) for text in ("x",) for n in range(60)]
    right = [LineResult("0.png", "one", "one", 0.5, number=n) for n in range(60)]
    found = Comparison.of(("A", "B"), Evaluation.of(results), Evaluation.of(right))
    body = comparison_sections(found, many)[2].body
    assert body.count("<img") == PICTURES
    assert f"{PICTURES} of 60" in body


@pytest.mark.parametrize(
    ("models", "names"),
    [
        ([("a", Path("x/m.onnx")), ("b", Path("y/m.onnx"))], ("a", "b")),
        ([("a", Path("x/m.onnx")), ("a", Path("y/n.onnx"))], ("m.onnx", "n.onnx")),
        ([("a", Path("m.onnx")), ("a", Path("m.onnx"))], ("the first", "the second")),
    ],
)
def test_names_differ(models, names):
    assert distinct_names(models) == names


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.text("ab", max_size=4), st.text("ab", max_size=4)), min_size=1, max_size=12))
def test_the_difference_of_error_rates(pairs):
    truths = ["abab"] * len(pairs)
    first, second = (
        [LineResult(str(n), t, p[i], 0.5) for n, (p, t) in enumerate(zip(pairs, truths, strict=True))] for i in (0, 1)
    )
    a, b = Evaluation.of(first), Evaluation.of(second)
    found, interval = error_rate_difference(a, b)
    assert found == pytest.approx(b.scores.cer - a.scores.cer)
    assert interval.low <= found <= interval.high
    backwards, other = error_rate_difference(b, a)
    assert (backwards, other.low, other.high) == (
        pytest.approx(-found),
        pytest.approx(-interval.high),
        pytest.approx(-interval.low),
    )


def test_one_model_against_itself_does_not_differ():
    found, interval = error_rate_difference(read(["x", "y", "z", "w"]), read(["x", "y", "z", "w"]))
    assert (found, interval.low, interval.high) == (0, 0, 0)
    same = read(TRUTHS)
    assert Comparison.of(("A", "B"), same, same).rows()[5] == ("Difference", "+0.00 points", "not known")


def test_the_interval_is_about_as_wide_as_the_normal_one():
    random = np.random.default_rng(3)
    wrong = random.random((2, 2000)) < [[0.2], [0.3]]
    evaluations = [
        Evaluation.of([LineResult(str(n), "a", "b" if bad else "a", 0.5) for n, bad in enumerate(row)]) for row in wrong
    ]
    found, interval = error_rate_difference(*evaluations)
    differences = wrong[1].astype(float) - wrong[0]
    half = 1.96 * differences.std() / np.sqrt(2000)
    assert found == pytest.approx(differences.mean())
    assert interval.low == pytest.approx(found - half, abs=0.003)
    assert interval.high == pytest.approx(found + half, abs=0.003)
