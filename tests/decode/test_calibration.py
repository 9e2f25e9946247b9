"""The corrected confidences of a reading, and what is no text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.decode.calibration import NOTHING, Beta, Calibration, sureness
from glyphlet.decode.reading import Character, Reading
from glyphlet.errors import RecipeError
from glyphlet.image import Line

LINE = Line(np.zeros((1, 8, 16), np.uint8), scaled_width=16, width=32)
PROBABILITIES = st.floats(0, 1)


def reading(confidence=0.81, text="07", reason=""):
    characters = tuple(Character(char, 0.9, 4.0 * i, 4.0 * i + 4) for i, char in enumerate(text))
    return Reading(text, confidence, characters, "0_7", "line.png", reason)


class TestBeta:
    def test_by_hand(self):
        # odds 9 to 1; their square root is 3 to 1
        assert Beta(0.5, 0.5).of(0.9) == pytest.approx(0.75)
        # 0.5 ** 2 / (1 - 0.5) * 4 = 2, so 2 to 1
        assert Beta(2, 1, math.log(4)).of(0.5) == pytest.approx(2 / 3)

    @given(PROBABILITIES, PROBABILITIES, st.floats(0, 5), st.floats(0, 5), st.floats(-5, 5))
    def test_no_order_changes_and_no_value_leaves_0_to_1(self, p, q, a, b, c):
        low, high = (Beta(a, b, c).of(value) for value in sorted((p, q)))
        assert 0 <= low <= high + 1e-12 <= 1 + 1e-12

    @given(PROBABILITIES)
    def test_without_parameters_the_bits_stay(self, p):
        assert Beta().of(p) == p

    @pytest.mark.parametrize("values", [(-1, 1, 0), (1, -0.1, 0), (math.nan, 1, 0), (1, 1, math.inf)])
    def test_what_would_turn_the_order_is_refused(self, values):
        with pytest.raises(RecipeError, match="glyphlet calibrate"):
            Beta(*values)


class TestApply:
    def test_both_maps(self):
        made = Calibration(Beta(0.5, 0.5), Beta(1, 1, math.log(2))).apply(reading(0.9), LINE)
        assert made.confidence == pytest.approx(0.75)
        assert [one.confidence for one in made.characters] == pytest.approx([18 / 19] * 2)
        assert (made.text, made.raw, made.source, made.reason) == ("07", "0_7", "line.png", "")
        assert [one.left for one in made.characters] == [0, 4]

    @pytest.mark.parametrize(("confidence", "rejected"), [(0.25, False), (0.2499, True), (0.0, True)])
    def test_the_bound_is_for_the_mean_character(self, confidence, rejected):
        made = Calibration(least=math.log(0.5)).apply(reading(confidence), LINE)  # two characters of a half each
        assert bool(made.reason) == rejected
        assert made.text == ("" if rejected else "07")
        if rejected:
            assert (made.confidence, made.characters) == (0.0, ())
            assert made.reason.startswith("no text was found")
            assert made.reason.endswith("below 0.5")

    def test_what_must_be_legal_is_not_asked_whether_it_is_text(self):
        calibration = Calibration(least=math.log(0.5))
        assert calibration.rejects(reading(0.1))
        assert not calibration.rejects(reading(0.5))
        assert not calibration.rejects(
            reading(0.5**6), bound=True
        )  # three times the logarithm of a half, for each of two
        assert calibration.rejects(reading(0.5**6 - 1e-6), bound=True)
        made = calibration.apply(reading(0.1), LINE, alone=reading(0.5, "0Z"))
        assert (made.text, made.confidence, made.reason) == ("07", 0.1, "")
        made = calibration.apply(reading(0.1), LINE, alone=reading(0.01, "0Z"))
        assert (made.text, made.reason) == (
            "",
            "no text was found: the model gives a character 0.1 on average, below 0.5",
        )

    def test_an_empty_text_is_no_text(self):
        made = Calibration(least=-1.0).apply(reading(0.99, ""), LINE)
        assert (made.text, made.confidence, made.reason) == ("", 0.0, NOTHING)

    def test_without_a_bound_nothing_is_rejected(self):
        assert Calibration().apply(reading(1e-200), LINE) == reading(1e-200)
        assert Calibration().apply(reading(0.99, ""), LINE) == reading(0.99, "")

    def test_spans_go_back_by_the_shift_and_stay_on_the_image(self):
        made = Calibration(shift=3.0).apply(reading(), LINE)  # 3 pixels of the model are 6 of the image
        assert [(one.left, one.right) for one in made.characters] == [(0, 0), (0, 2)]
        made = Calibration(shift=-13.0).apply(reading(), LINE)
        assert [(one.left, one.right) for one in made.characters] == [(26, 30), (30, 32)]
        nowhere = Reading("7", 0.9, (Character("7", 0.9, None, None),), "7", "line.png")
        assert Calibration(shift=3.0).apply(nowhere, LINE) == nowhere

    def test_what_is_empty_for_a_reason_stays(self):
        empty = reading(0.0, "", "no text of the pattern fits")
        assert Calibration(least=-1.0).apply(empty, LINE) is empty


def test_sureness_of_what_is_impossible_is_finite():
    assert sureness(0.0, 3) == pytest.approx(math.log(1e-300) / 3)
    assert sureness(0.5, 0) == math.log(0.5)


@pytest.mark.parametrize(
    "calibration", [Calibration(), Calibration(Beta(0.5, 2, -1), Beta(3, 0, 1), -0.25, 9.0)], ids=["plain", "full"]
)
def test_stored_and_read_again(calibration):
    assert Calibration.of(calibration.to_dict()) == calibration


def test_none_is_none():
    assert Calibration.of({"kind": "none"}) is None
    with pytest.raises(RecipeError, match="is no calibration"):
        Calibration.of({"kind": "none", "line": [1, 1, 0]})
    with pytest.raises(RecipeError, match="True"):
        Calibration.of({**Calibration().to_dict(), "least": True})
