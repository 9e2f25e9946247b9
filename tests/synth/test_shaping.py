from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, features

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError, RecipeError
from glyphlet.spec import SynthSpec
from glyphlet.synth.fonts import Face, load
from glyphlet.synth.render import RenderedSet
from glyphlet.synth.shaping import cells, clusters, pieces, visual

DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
HELLO = "\u0633\u0644\u0627\u0645"  # salam: sin, lam with alef, mim
HEBREW = "\u05e9\u05dc\u05d5\u05dd"
needs_raqm = pytest.mark.skipif(not features.check("raqm") or not DEJAVU.exists(), reason="needs Raqm and DejaVu Sans")


def lines(text: str, count: int = 1, **values: object) -> RenderedSet:
    spec = {
        "count": count,
        "fonts": [str(DEJAVU)],
        "shaping": True,
        "spacing": "proportional",
        "papers": ["#ffffff"],
        "text": "mix",
    }
    texts = [{"kind": "words", "words": [text], "max_words": 1}]
    return RenderedSet(SynthSpec.model_validate({**spec, "texts": texts, **values}), Charset.from_labels([text]))


def test_words_are_pieces_only_where_they_must_be():
    assert pieces(f"ab {HELLO} 12") == ["a", "b", " ", HELLO, " ", "1", "2"]
    assert pieces("e\u0301a") == ["e\u0301a"]


def test_order_by_the_bidirectional_algorithm():
    assert visual(list("ab 1")) == (list("ab 1"), [0, 1, 2, 3])
    shown, order = visual([HELLO, " ", HEBREW, " ", "1", "2"])
    assert order == [4, 5, 3, 2, 1, 0]  # the number keeps its order
    assert shown == [HELLO, " ", HEBREW, " ", "1", "2"]
    assert visual(["a", " ", HELLO, " ", HEBREW, " ", "b"])[1] == [0, 1, 4, 3, 2, 5, 6]
    assert visual(["(", HELLO, ")"]) == ([")", HELLO, "("], [2, 1, 0])


def test_clusters():
    assert clusters(HELLO) == ["\u0633", "\u0644\u0627", "\u0645"]
    assert clusters("\u0645\u064e\u0631") == ["\u0645\u064e", "\u0631"]
    assert clusters("\u0915\u094d\u0937\u093f") == ["\u0915\u094d\u0937\u093f"]  # ka, virama, ssa, vowel sign
    assert clusters("a\u200db") == ["a\u200db"]


def test_without_raqm_it_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(features, "check", lambda name: name != "raqm")
    with pytest.raises(GlyphletError, match="built without Raqm.*set shaping to false"):
        RenderedSet(SynthSpec(shaping=True), Charset.named("digits"))


@needs_raqm
def test_scripts_that_need_it_are_covered_only_with_it():
    with pytest.raises(RecipeError, match="characters of the charset are in none"):
        lines(HELLO, shaping=False)
    assert lines(HELLO)[0].text == HELLO


@needs_raqm
def test_a_word_is_drawn_as_raqm_draws_it():
    line = lines(HELLO, font_size=(40, 40))[0]
    canvas = Image.new("L", (400, 200))
    ImageDraw.Draw(canvas).text((100, 100), HELLO, fill=255, font=load(Face(str(DEJAVU)), 40, True), anchor="ls")
    whole = canvas.crop(canvas.getbbox())
    left, top = min(b[0] for b in line.boxes), min(b[1] for b in line.boxes)
    drawn = 255 - np.asarray(line.image.convert("L"))
    np.testing.assert_array_equal(drawn[top : top + whole.height, left : left + whole.width], np.asarray(whole))


@needs_raqm
def test_cells_run_from_right_to_left_and_fill_the_word():
    total = load(Face(str(DEJAVU)), 40, True).getlength(HELLO)
    found = cells(Face(str(DEJAVU)), 40, HELLO)
    assert found[0][1] == pytest.approx(total)
    assert found[1] == found[2]  # lam and alef
    assert found[3][0] == pytest.approx(0, abs=1e-6)
    assert found[0][0] == pytest.approx(found[1][1])


@needs_raqm
def test_boxes_of_a_word_and_its_neighbours():
    line = lines(f"{HELLO} 12", font_size=(40, 40))[0]
    sin, lam, _, mim, space, one, two = line.boxes
    assert one[2] <= two[0] < two[2] <= mim[0] < lam[0] < sin[0]
    assert space[0] == space[2]
    ink = np.asarray(line.image.convert("L")) < 255
    inside = np.zeros_like(ink)
    for left, top, right, bottom in line.boxes:
        inside[top:bottom, left:right] = True
    assert not (ink & ~inside).any()


@needs_raqm
def test_texts_of_latin_letters_are_the_same_with_and_without():
    one, two = (
        lines("Avoid War", 3, shaping=flag, looks=[{"name": "slant", "least": 0.0, "most": 0.0}])
        for flag in (False, True)
    )
    assert [line.image.tobytes() for line in one] == [line.image.tobytes() for line in two]
