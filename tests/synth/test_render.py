from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError, RecipeError
from glyphlet.spec import SynthSpec
from glyphlet.synth.background import MIN_CONTRAST, PLAIN, luminance
from glyphlet.synth.fonts import Face, glyph, load
from glyphlet.synth.render import RenderedLine, RenderedSet, render_set

SIXTY_TWO = Charset.named("alphanumeric")
ASCII = Charset.named("ascii")
DIGITS = Charset.named("digits")
OPTIONS: list[dict[str, object]] = [
    {},
    {"background": "random", "polarity": "both"},
    {"background": "textured", "polarity": "light"},
    {"spacing": "proportional", "min_length": 1, "max_length": 12, "font_size": (10, 40)},
    {"background": "textured", "spacing": "proportional", "polarity": "both", "font_size": (8, 20), "max_length": 9},
    {"min_length": 1, "max_length": 9, "font_size": (12, 40)},
]


def spec(**values: object) -> SynthSpec:
    return SynthSpec.model_validate({"count": 60, **values})


def facts(line: RenderedLine) -> tuple[object, ...]:
    return line.text, line.boxes, line.image.mode, line.image.size, line.image.tobytes()


@pytest.mark.parametrize("values", OPTIONS)
def test_the_same_seed_gives_the_same_pixels_in_any_order(values: dict[str, object]):
    forward = [facts(line) for line in render_set(spec(**values), ASCII)]
    lines = RenderedSet(spec(**values), ASCII)
    backward = [facts(lines[i]) for i in reversed(range(60))]
    assert forward == backward[::-1]
    assert facts(RenderedSet(spec(**values, seed=1), ASCII)[0]) != forward[0]


def test_more_lines_do_not_change_the_first_ones():
    assert facts(RenderedSet(spec(count=2), SIXTY_TWO)[1]) == facts(RenderedSet(spec(count=9), SIXTY_TWO)[1])


def test_streams_are_different_draws():
    train, test = (["".join(line.text) for line in render_set(spec(), SIXTY_TWO, s)] for s in ("train", "test"))
    assert len(set(train)) == len(set(test)) == 60
    assert not set(train) & set(test)


def test_texts_are_the_same_on_every_machine():
    assert [line.text for line in render_set(spec(count=4), SIXTY_TWO)] == ["arer", "scc2", "po52", "c2km"]
    assert [line.text for line in render_set(spec(count=2), SIXTY_TWO, "test")] == ["juBu", "evQ9"]


def test_the_default_is_the_set_of_microocr():
    lefts, tops = set(), set()
    for line in render_set(spec(count=300), DIGITS):
        assert (line.image.mode, line.image.size, len(line.text)) == ("RGB", (120, 30), 4)
        glyphs = [glyph(Face(), 25, char) for char in line.text]
        pens = [box[0] - g.left for box, g in zip(line.boxes, glyphs, strict=True)]
        assert [pen - pens[0] for pen in pens] == [0, 30, 60, 90]
        baselines = {box[1] - g.top for box, g in zip(line.boxes, glyphs, strict=True)}
        assert len(baselines) == 1
        lefts.add(pens[0])
        tops |= {baseline - round(0.86 * 25) for baseline in baselines}
        pixels = np.asarray(line.image)
        assert tuple(pixels[0, 0]) == PLAIN
        assert pixels.min() == 0  # the ink is black
    assert lefts == {10, 11, 12}
    assert tops == {1, 2, 3}


def test_boxes_are_the_ink():
    for line in render_set(spec(), ASCII):
        ink = np.any(np.asarray(line.image) != np.array(PLAIN), axis=2)
        inside = np.zeros_like(ink)
        for left, top, right, bottom in line.boxes:
            inside[top:bottom, left:right] = True
        assert not (ink & ~inside).any()
        rows, columns = np.nonzero(ink)
        seen = [b for b in line.boxes if b[2] > b[0]]
        assert (columns.min(), columns.max() + 1) == (min(b[0] for b in seen), max(b[2] for b in seen))
        assert (rows.min(), rows.max() + 1) == (min(b[1] for b in seen), max(b[3] for b in seen))


@pytest.mark.parametrize("values", OPTIONS)
def test_no_glyph_is_cut(values: dict[str, object]):
    """Each character is drawn again by Pillow on a canvas with room to spare; its ink has the size of its box."""
    sizes = range(spec(**values).font_size[0], spec(**values).font_size[1] + 1)
    for line in render_set(spec(**values), ASCII):
        for char, (left, top, right, bottom) in zip(line.text, line.boxes, strict=True):
            if char != " ":
                assert 0 <= left < right <= line.image.width
                assert 0 <= top < bottom <= line.image.height
        known = [[_ink_size(char, size) for char in line.text] for size in sizes]
        assert [(b[2] - b[0], b[3] - b[1]) for b in line.boxes] in known


def _ink_size(char: str, size: int) -> tuple[int, int]:
    if (char, size) not in _SIZES:
        canvas = Image.new("L", (4 * size, 4 * size))
        ImageDraw.Draw(canvas).text((size, size), char, fill=255, font=load(Face(), size))
        left, top, right, bottom = canvas.getbbox() or (0, 0, 0, 0)
        _SIZES[char, size] = right - left, bottom - top
    return _SIZES[char, size]


_SIZES: dict[tuple[str, int], tuple[int, int]] = {}


def test_wide_glyphs_move_the_line_and_never_overlap():
    lines = list(render_set(spec(min_length=6, max_length=6), Charset.from_text("W@M")))
    assert {line.image.size for line in lines} == {(180, 30)}
    for line in lines:
        assert all(a[2] <= b[0] for a, b in zip(line.boxes, line.boxes[1:], strict=False))


@pytest.mark.parametrize(("size", "width", "height"), [(25, 30, 30), (50, 60, 60), (10, 12, 12)])
def test_pitch_scales_with_the_font(size: int, width: int, height: int):
    for line in render_set(spec(font_size=(size, size), min_length=1, max_length=7), DIGITS):
        assert line.image.size == (width * len(line.text), height)


def test_lengths_and_sizes_stay_in_range():
    lines = list(render_set(spec(count=300, min_length=2, max_length=5, font_size=(20, 22)), DIGITS))
    assert {len(line.text) for line in lines} == {2, 3, 4, 5}
    assert {line.image.height for line in lines} == {round(30 * s / 25) for s in (20, 21, 22)}


def test_proportional_follows_the_advances_of_the_font():
    for line in render_set(spec(spacing="proportional", font_size=(40, 40)), DIGITS):
        glyphs = [glyph(Face(), 40, char) for char in line.text]
        pens = [box[0] - g.left for box, g in zip(line.boxes, glyphs, strict=True)]
        text_so_far = [load(Face(), 40).getlength(line.text[:i]) for i in range(4)]
        assert np.abs(np.subtract(pens, pens[0]) - text_so_far).max() <= 1
        assert line.boxes[0][0] >= 1
        assert line.boxes[-1][2] <= line.image.width - 1


@pytest.mark.parametrize("background", ["plain", "random", "textured"])
@pytest.mark.parametrize("polarity", ["dark", "light"])
def test_ink_stands_out_to_the_wanted_side(background: str, polarity: str):
    for line in render_set(spec(background=background, polarity=polarity), DIGITS):
        light = luminance(np.asarray(line.image))
        edge = np.concatenate([light[0], light[-1]])  # no ink there
        gap = edge.min() - light.min() if polarity == "dark" else light.max() - edge.max()
        assert gap >= MIN_CONTRAST - 1


def test_both_polarities_occur():
    inks = [np.asarray(line.image).max() for line in render_set(spec(polarity="both"), DIGITS)]
    assert 15 < sum(value == 255 for value in inks) < 45


def test_lines_use_all_fonts(font_file: Path):
    files = [font_file, font_file.with_name("b.ttf")]
    files[1].write_bytes(font_file.read_bytes())
    one, two = (list(render_set(spec(fonts=[str(f) for f in some]), DIGITS)) for some in (files[:1], files))
    assert [line.image.size for line in one] == [line.image.size for line in two]
    assert facts(one[0]) == facts(next(render_set(spec(), DIGITS)))  # Pillow's own font, from a file


def test_errors_come_at_once(tmp_path: Path):
    with pytest.raises(GlyphletError, match="does not exist"):
        render_set(spec(fonts=[str(tmp_path / "x.ttf")]), DIGITS)
    with pytest.raises(RecipeError, match=r"1 of 2 characters .* '中' \(U\+4E2D"):
        render_set(spec(), Charset.from_text("a中"))


def test_index_and_length():
    lines = RenderedSet(spec(count=3), DIGITS)
    assert len(lines) == len(list(lines)) == 3
    assert facts(lines[-1]) == facts(lines[2])
    with pytest.raises(IndexError, match="line 3 of 3"):
        lines[3]


def test_a_set_can_be_sent_to_another_process():
    lines = RenderedSet(spec(), DIGITS)
    assert facts(pickle.loads(pickle.dumps(lines))[7]) == facts(lines[7])


@pytest.mark.parametrize("values", [{"min_length": 5}, {"font_size": (30, 20)}, {"font_size": (4, 9)}])
def test_ranges_are_checked(values: dict[str, object]):
    with pytest.raises(ValidationError, match=r"at least min_length|smallest, largest"):
        spec(**values)
