"""The whole page of an evaluation, and its parts that need lines."""

import json

import numpy as np
import pytest

from evaluate.test_report import Checker, text_of
from glyphlet.data.sample import Sample
from glyphlet.decode.decoding import Decoding
from glyphlet.errors import LabelError
from glyphlet.evaluate.acceptance import Acceptance, acceptance_section, calibration_rows, promises, threshold_rows
from glyphlet.evaluate.aligned import tally
from glyphlet.evaluate.evaluation_page import ERRORS, SUSPECTS, Findings, evaluation_sections
from glyphlet.evaluate.gallery import Picture, gallery
from glyphlet.evaluate.lines import HIGH, WIDE, evaluate_lines, picture_of, pictures
from glyphlet.evaluate.report import page
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.evaluate.suspects import CTC_RULE, Suspect, Suspects
from glyphlet.runtime.reader import Reader

NASTY = '<script>alert("1")</script>'


def findings(results, accused=(), ignore_case=False):
    evaluation = Evaluation.of(results, ignore_case=ignore_case)
    counted = tally(evaluation)
    suspected = Suspects(tuple(Suspect(results[n], 1, 9.0) for n in accused), CTC_RULE, 2)
    return Findings(evaluation, counted, Acceptance.of(evaluation, counted), suspected)


def result(number, text, truth, confidence=0.5):
    sure = (confidence,) * len(text)
    return LineResult(f"{number}.png", truth, text, confidence, "raw", number, 40, sure)


def noise(number, shape):
    return np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)


def test_everything_is_on_the_page_and_nothing_else_is_needed():
    results = [result(0, NASTY, "<b>", 0.9), result(1, "a b", "ab", 0.8), result(2, "ok", "ok", 0.7)]
    lines = [Sample(noise(n, (20, 60)), r.truth, r.path) for n, r in enumerate(results)]
    sections = evaluation_sections(findings(results, accused=[1]), lines)
    html = page(NASTY, sections, NASTY)
    seen = Checker(html)
    assert not {"script", "link", "iframe"} & set(seen.tags)
    titles = [section.title for section in sections]
    assert titles == [
        "Key figures", "Likely label errors", "Errors by confidence", "Confusion matrix", "Confusions", "Errors by length",
        "Errors by width", "Errors by character", "Spaces", "Calibration", "Accepting confident lines", "All figures",
    ]  # fmt: skip
    assert html.count('<a href="#s') == len(sections)
    suspected, errors = sections[1].body, sections[2].body
    assert "1 of 1 lines are shown." in suspected
    assert "8,103 times as probable as the label" in suspected
    assert "2 more confident readings are of labels with characters that the model cannot write" in suspected
    assert suspected.count("<img") == errors.count("<img") == 1
    assert "0.png" in errors
    assert "1.png" not in errors


def test_errors_are_sorted_by_confidence():
    results = [result(n, "x", "y", n / 10) for n in (3, 9, 5)]
    lines = [Sample(noise(n, (20, 60)), "y", "") for n in range(10)]
    body = evaluation_sections(findings(results), lines)[2].body
    assert [body.index(f"{n}.png") for n in (9, 5, 3)] == sorted(body.index(f"{n}.png") for n in (9, 5, 3))


def test_many_large_pictures_make_no_large_page():
    results = [result(n, "x", "y", 0.9) for n in range(200)]
    photo = noise(0, (300, 4000, 3))
    lines = [Sample(photo, "y", "")] * 200
    sections = evaluation_sections(findings(results, accused=range(50)), lines)
    assert [sections[n].body.count("<img") for n in (1, 2)] == [SUSPECTS, ERRORS]
    assert f"{SUSPECTS} of 50 lines are shown. -o FILE writes" in text_of(sections[1].body)
    assert f"{ERRORS} of 150 lines are shown." in text_of(sections[2].body)
    assert "data:image/jpeg;base64," in sections[2].body
    assert len(page("t", sections)) < 15_000_000  # of pure noise, in colour


def test_pictures_keep_their_shape_and_stay_within_bounds():
    lines = [
        Sample(noise(0, (200, 400)), "a", ""),
        Sample(noise(1, (10, 3000)), "a", ""),
        Sample(noise(2, (9, 9)), "a", ""),
    ]
    shapes = [picture_of(result(n, "a", "a"), lines).shape for n in range(3)]
    assert shapes == [(HIGH, 192, 3), (5, WIDE, 3), (9, 9, 3)]
    gone = [Sample("no such file.png", "a", "")]
    assert picture_of(result(0, "a", "a"), gone) is None
    assert pictures([result(0, "a", "a")], gone) == []


def test_case_that_does_not_count_is_not_marked():
    image = noise(0, (8, 20))
    body = gallery([Picture(image, "Ab", "aX", ignore_case=True), Picture(image, "Ab", "aB", ignore_case=True)]).body
    assert body.count("<mark") == 2
    assert 'title="b read for X"' in body
    assert body.count("✓ right") == 1


class TestAcceptance:
    def test_by_hand(self):
        results = [result(n, "x" if n == 60 else "y", "y", 1 - n / 1000) for n in range(100)]
        found = findings(results).acceptance
        rows = threshold_rows(found)
        assert rows[0] == ("1 % seen", "0.901", "100", "0 (0.0 %)", "1", "4.66 %")
        assert rows[2][:5] == ("0.1 % seen", "0.941", "60", "40 (40.0 %)", "0")
        assert rows[1] == ("1 % promised", "none", "0", "100", "", "")
        assert promises(found)[0] == (
            "100 lines are too few to promise at most 1 % of errors: it takes 299 accepted lines without any error"
        )
        assert [row[2] for row in calibration_rows(found)] == ["100 in 5 bins", "100 in 5 bins"]
        assert "299 accepted lines" in text_of(acceptance_section(found).body)
        plain = json.loads(json.dumps(found.as_dict()))
        assert plain["thresholds"][0]["threshold"] == pytest.approx(0.901)
        assert plain["thresholds"][0]["promised"]["threshold"] is None
        assert plain["lines"]["readings"] == 100

    def test_a_promise(self):
        found = findings([result(n, "y", "y", 1 - n / 1000) for n in range(300)]).acceptance
        assert threshold_rows(found)[1] == ("1 % promised", "0.701", "300", "0 (0.0 %)", "0", "0.99 %")
        assert len(promises(found)) == 1
        assert ">-1<" not in acceptance_section(found).body  # no axis below 0 for want of errors

    def test_wrong_however_sure(self):
        results = [result(n, "x", "y", 1 - n / 1000) for n in range(400)]
        assert (
            promises(findings(results).acceptance)[0] == "no threshold can promise at most 1 % of errors on such lines"
        )

    def test_case_is_ignored(self):
        found = findings([result(0, "Y", "y"), result(1, "z", "z")], ignore_case=True).acceptance
        assert found.lines.right.tolist() == [True, True]
        assert found.characters.right.tolist() == [True, True]


class TestLines:
    def test_results_know_their_line(self):
        lines = [Sample(np.full((32, width), 255, np.uint8), "1", f"line {n}") for n, width in enumerate((64, 128))]
        reader = Reader("digits")
        found = evaluate_lines(reader, lines).results
        assert [r.number for r in found] == [0, 1]
        assert [r.width for r in found] == [reader.metadata.geometry.scaled_width(w, 32) for w in (64, 128)]
        assert all(len(r.characters) == len(r.text) for r in found)

    def test_a_line_that_is_too_wide_is_left_out(self):
        lines = [
            Sample(np.zeros((1, 40_000), np.uint8), "1", "line 0"),
            Sample(np.zeros((32, 64), np.uint8), "1", "line 1"),
        ]
        reader, errors = Reader("digits", decoding=Decoding()), []
        found = evaluate_lines(reader, lines, on_error=errors.append).results
        assert [r.number for r in found] == [1]
        assert "line 0" in str(errors[0])
        with pytest.raises(LabelError, match="none of the 1 lines can be read"):
            evaluate_lines(reader, lines[:1], on_error=errors.append)

    def test_no_lines(self):
        with pytest.raises(LabelError, match="there are no lines"):
            evaluate_lines(Reader("digits"), [])
