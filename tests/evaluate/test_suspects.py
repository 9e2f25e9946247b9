"""Likely label errors, by the probabilities that a stand-in for a model gives."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec, SequenceCodec
from glyphlet.data.sample import Sample
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.evaluate.suspects import CTC_RULE, PLAIN_RULE, Suspect, suspects
from glyphlet.image import Geometry

CHARSET = Charset.from_text("abAB")  # classes 1 to 4, in the order of the charset


class Model:
    """One time step a line; its posteriors are chosen by the grey of the image."""

    def __init__(self, posteriors, codec=CTCCodec):
        self.posteriors = posteriors
        self.metadata = SimpleNamespace(charset=CHARSET, codec=codec(CHARSET), geometry=Geometry())

    def logits(self, lines):
        found = self.posteriors[int(lines[0].pixels[0, 0, 0])]
        with np.errstate(divide="ignore"):
            return np.log(np.array([[[found.get(sign, 1e-12) for sign in ("", *CHARSET.characters)]]]))


def lines_of(*truths):
    return [Sample(np.full((8, 8), grey, np.uint8), truth, f"line {grey}") for grey, truth in enumerate(truths)]


def evaluation(rows, ignore_case=False):
    results = [LineResult(f"{n}", truth, text, sure, number=n) for n, (text, truth, sure) in enumerate(rows)]
    return Evaluation.of(results, ignore_case=ignore_case)


def test_the_surest_contradiction_comes_first():
    model = Model(
        [
            {"a": 0.9, "b": 1e-4, "": 0.0999},  # sure, label improbable
            {"a": 0.99, "b": 1e-5, "": 0.00999},  # surer, more improbable
            {"a": 0.6, "b": 0.3, "": 0.1},  # the label is nearly as probable
            {"a": 0.4, "b": 1e-6, "": 0.6},  # not sure
            {"a": 0.9, "": 0.1},  # right
        ]
    )
    read = evaluation([("a", "b", 0.9), ("a", "b", 0.99), ("a", "b", 0.6), ("a", "b", 0.4), ("a", "a", 0.9)])
    found = suspects(model, read, lines_of("b", "b", "b", "b", "a"))
    assert [s.result.number for s in found.found] == [1, 0]
    assert [s.ratio for s in found.found] == pytest.approx([math.log(99000), math.log(9000)])
    assert found.found[1].remark == "9,000 times as probable as the label"
    assert (found.rule, found.unwritable) == (CTC_RULE, 0)


def test_a_label_that_cannot_stand_there_is_infinitely_improbable():
    model = Model([{"a": 0.9, "": 0.1}])
    (found,) = suspects(model, evaluation([("a", "aba", 0.9)]), lines_of("aba")).found  # three characters, one step
    assert found.ratio == math.inf
    assert found.remark == "over a million times as probable as the label"


def test_labels_that_the_model_cannot_write_are_counted_apart():
    model = Model([{"a": 0.9, "": 0.1}])
    found = suspects(model, evaluation([("a", "ax", 0.9)]), lines_of("ax"))
    assert (found.found, found.unwritable) == ((), 1)


def test_case_does_not_accuse_a_label():
    model = Model([{"a": 0.99, "A": 1e-9, "": 0.01}, {"a": 0.99, "b": 1e-6, "B": 1e-9, "": 0.01}])
    rows = [("a", "A", 0.99), ("a", "B", 0.99)]
    assert [s.result.number for s in suspects(model, evaluation(rows), lines_of("A", "B")).found] == [0, 1]
    assert [s.result.number for s in suspects(model, evaluation(rows, True), lines_of("A", "B")).found] == [1]


def test_the_label_is_scored_in_the_case_of_the_reading():
    two = Model([{}])
    steps = {"a": (0.98, 1e-9), "A": (1e-9, 1e-9), "b": (1e-9, 0.98), "B": (1e-9, 0.01)}
    rows = [[steps.get(sign, (0.02, 0.01))[step] for sign in ("", *CHARSET.characters)] for step in (0, 1)]
    two.logits = lambda lines: np.log([rows])
    read = evaluation([("ab", "AA", 0.96)], ignore_case=True)
    (found,) = suspects(two, read, lines_of("AA")).found
    # "aA", not "AA": the A stands for the a that was read; two steps leave no other path
    assert found.ratio == pytest.approx(math.log(0.98 * 0.98 / (0.98 * 1e-9)), rel=1e-6)


def test_a_model_that_writes_step_by_step_has_its_confidence_alone():
    model = Model([{}, {}], SequenceCodec)
    found = suspects(model, evaluation([("a", "b", 0.7), ("a", "b", 0.9)]), lines_of("b", "b"))
    assert [s.result.number for s in found.found] == [1, 0]
    assert (found.rule, found.found[0].remark) == (PLAIN_RULE, "")


def test_many_weak_contradictions_count_less_than_a_strong_one():
    result = LineResult("a", "b", "a", 0.9)
    assert Suspect(result, 1, 9.0).rank > Suspect(result, 5, 30.0).rank == 6


def test_a_ratio_is_shared_by_the_edits():
    rows = [[0.02, 0.97, 0.01, 1e-9, 1e-9], [0.98, 1e-9, 0.01, 1e-9, 1e-9]]
    model = Model([{}])
    model.logits = lambda lines: np.log([rows])
    found = suspects(model, evaluation([("a", "bb", 0.95)]), lines_of("bb"))
    assert found.found[0].edits == 2  # and no path for two equal signs in two steps
    weak = suspects(model, evaluation([("a", "ab", 0.95)]), lines_of("ab"))
    assert weak.found == ()  # 98 times less probable for the one edit
