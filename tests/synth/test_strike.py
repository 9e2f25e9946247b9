from __future__ import annotations

import numpy as np
import pytest

from glyphlet.synth.fonts import Face, Glyph
from glyphlet.synth.strike import PLAIN, Cut, Strike, strike


def weight(drawn: Glyph) -> float:
    assert drawn.mask is not None
    return float(drawn.mask.sum()) / 255


def test_letters_are_drawn_once():
    one = Strike(Face(), 20)
    assert one.glyph("a") is one.glyph("a")
    assert strike(Face(), 20) is strike(Face(), 20, PLAIN)


@pytest.mark.parametrize("char", list("aglW8"))
def test_a_fine_letter_without_change_is_about_the_plain_one(char: str):
    plain, fine = Strike(Face(), 40).glyph(char), Strike(Face(), 40, Cut(turn=360)).glyph(char)
    assert plain.mask is not None
    assert fine.mask is not None
    assert weight(fine) == pytest.approx(weight(plain), rel=0.1)
    assert fine.left == pytest.approx(plain.left, abs=1)
    assert fine.top == pytest.approx(plain.top, abs=1)
    assert fine.mask.shape == pytest.approx(plain.mask.shape, abs=2)


def test_a_half_turn_about_the_pen():
    plain, turned = Strike(Face(), 40, Cut(turn=360)).glyph("F"), Strike(Face(), 40, Cut(turn=180)).glyph("F")
    assert plain.mask is not None
    assert turned.mask is not None
    height, width = plain.mask.shape
    assert (turned.left + width, turned.top + height) == pytest.approx((-plain.left, -plain.top), abs=1)
    rows, columns = (min(a, b) for a, b in zip(plain.mask.shape, turned.mask.shape, strict=True))
    back = turned.mask[::-1, ::-1]
    difference = back[:rows, :columns].astype(float) - plain.mask[:rows, :columns]
    assert np.abs(difference).mean() < 12


def test_a_quarter_turn_is_clockwise():
    turned = Strike(Face(), 40, Cut(turn=90)).glyph("l")  # upright before
    assert turned.mask is not None
    assert turned.mask.shape[1] > 3 * turned.mask.shape[0]
    assert turned.left >= -1  # what was above the pen is now on its right


@pytest.mark.parametrize("bold", [1, 2, 4, 8])
def test_strokes_grow_by_quarters_of_a_pixel(bold: int):
    plain, heavy = Strike(Face(), 40, Cut(turn=360)).glyph("l"), Strike(Face(), 40, Cut(bold=bold)).glyph("l")
    assert plain.mask is not None
    assert heavy.mask is not None
    middle, thick = (g.mask[g.mask.shape[0] // 2].sum() / 255 for g in (plain, heavy) if g.mask is not None)
    assert thick - middle == pytest.approx(2 * bold / 4, abs=0.3)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("glyphlet.synth.strike._BUDGET", 20_000)
    one = Strike(Face(), 60)
    first = one.glyph("a")
    for char in "bcdefghijklmnopqrstuvwxyz":
        one.glyph(char)
        one.kerning("a" + char)
    kept = sum(g.mask.nbytes for g in one._glyphs.values() if g.mask is not None)
    assert 0 < kept < 20_000
    again = one.glyph("a")
    assert again.mask is not None
    assert first.mask is not None
    assert (again.mask == first.mask).all()


def test_a_space_stays_empty():
    for cut in (PLAIN, Cut(turn=5), Cut(bold=2)):
        drawn = Strike(Face(), 30, cut).glyph(" ")
        assert drawn.mask is None
        assert drawn.advance > 0
