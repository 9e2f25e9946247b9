from __future__ import annotations

import copy
import pickle
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, features
from pydantic import ValidationError

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError, RecipeError
from glyphlet.spec import SynthSpec
from glyphlet.synth.background import MIN_CONTRAST, PLAIN, luminance
from glyphlet.synth.fonts import Face, load
from glyphlet.synth.render import RenderedLine, RenderedSet, render_set
from glyphlet.synth.strike import glyph

SIXTY_TWO = Charset.named("alphanumeric")
ASCII = Charset.named("ascii")
DIGITS = Charset.named("digits")
ARPHIC = Path("/usr/share/fonts/truetype/arphic/uming.ttc")
LIBERATION = Path("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")
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


def test_to_another_process_a_set_is_small_and_warns_once(font_file: Path, tmp_path: Path):
    (tmp_path / "long.txt").write_text("some words to draw and \u4e2d\n" * 20_000, encoding="utf-8")
    values = spec(fonts=[str(font_file)], text="file", text_file=str(tmp_path / "long.txt"), max_length=20)
    with pytest.warns(UserWarning, match="are not in the charset"):
        lines = RenderedSet(values, ASCII)
    lines[0]
    sent = pickle.dumps(lines)
    assert len(sent) < 5000
    other = pickle.loads(sent)
    assert facts(other[3]) == facts(lines[3])
    assert pickle.dumps(other.at_epoch(0)) == sent


def test_every_epoch_is_another_draw_and_the_first_is_the_set():
    lines = RenderedSet(spec(background="random"), ASCII)
    assert facts(lines.at_epoch(0)[5]) == facts(lines[5])
    epochs = [lines.at_epoch(number) for number in (1, 2)]
    assert len({e[5].text for e in (lines, *epochs)}) == 3
    assert facts(epochs[1][5]) == facts(RenderedSet(spec(background="random"), ASCII, epoch=2)[5])
    assert facts(pickle.loads(pickle.dumps(epochs[0]))[5]) == facts(epochs[0][5])
    longer = lines.at_epoch(2, count=100)
    assert (len(longer), len(lines)) == (100, 60)
    assert facts(longer[5]) == facts(epochs[1][5])


def test_epochs_are_opened_once(monkeypatch: pytest.MonkeyPatch):
    lines = RenderedSet(spec(), DIGITS)
    monkeypatch.setattr("glyphlet.synth.render.open_corpus", None)
    assert lines.at_epoch(3)[0].text
    assert copy.copy(lines)[0].text == lines[0].text


def test_texts_without_pictures():
    for values in OPTIONS:
        lines = RenderedSet(spec(**values, looks=[{"name": "scale"}]), ASCII)
        assert [lines.text(i) for i in range(9)] == [lines[i].text for i in range(9)]


@pytest.mark.parametrize("size", [9, 20, 33])
def test_letters_are_put_on_the_paper_one_after_the_other(size: int):
    """The quick way gives what Pillow gives when it pastes one letter after the other, also where letters share pixels."""
    values = {"font_size": (size, size), "text": "pattern", "pattern": r"[AVTWfjgy/_.]{30}", "spacing": "proportional"}
    touching = 0
    for line in render_set(spec(**values), ASCII):
        image = Image.new("RGB", line.image.size, PLAIN)
        taken = np.zeros((image.height, image.width), bool)
        for char, (left, top, right, bottom) in zip(line.text, line.boxes, strict=True):
            mask = glyph(Face(), size, char).mask
            assert mask is not None
            image.paste((0, 0, 0), (left, top, right, bottom), Image.fromarray(mask))
            touching += bool((taken[top:bottom, left:right] & (mask > 0)).any())
            taken[top:bottom, left:right] |= mask > 0
        assert line.image.tobytes() == image.tobytes()
    assert touching > 10


@pytest.mark.skipif(features.version("freetype2") != "2.14.3", reason="outlines are those of another FreeType")
def test_the_published_set_is_the_same_to_the_pixel():
    sums = [zlib.crc32(line.image.tobytes()) for line in render_set(spec(count=4), SIXTY_TWO)]
    assert sums == [765999638, 108757134, 2403107472, 17588999]


def test_effects_are_applied_last_and_are_the_same_each_time():
    pytest.importorskip("cv2")
    effects = [{"name": "gaussian_noise", "sigma": 20.0}]
    plain, noisy, again = (
        [facts(line) for line in render_set(spec(count=5, effects=e), ASCII)] for e in ([], effects, effects)
    )
    assert noisy == again
    assert [line[:4] for line in noisy] == [line[:4] for line in plain]
    assert all(a[4] != b[4] for a, b in zip(plain, noisy, strict=True))


def test_effects_without_opencv_name_what_to_install(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith("glyphlet.effects")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(GlyphletError, match=r"effects need cv2.*pip install 'glyphlet\[data\]'"):
        RenderedSet(spec(effects=[{"name": "gaussian_noise"}]), ASCII)
    assert RenderedSet(spec(), ASCII)[0].text


def test_a_stretched_line_is_wider_and_its_boxes_move_along():
    plain, wide = (render_set(spec(spacing="proportional", stretch=stretch), DIGITS) for stretch in (None, (2, 2)))
    for a, b in zip(plain, wide, strict=True):
        assert (b.text, b.image.size) == (a.text, (2 * a.image.width, a.image.height))
        assert b.boxes == tuple((2 * left, top, 2 * right, bottom) for left, top, right, bottom in a.boxes)
        back = np.asarray(b.image.resize(a.image.size, Image.Resampling.BOX), np.int16)
        assert np.abs(back - np.asarray(a.image, np.int16)).mean() < 12


def test_stretches_lie_between_the_limits_and_half_of_them_narrow():
    drawn = zip(*(render_set(spec(count=200, stretch=stretch), DIGITS) for stretch in (None, (0.5, 2))), strict=True)
    factors = [b.image.width / a.image.width for a, b in drawn]
    assert 0.49 < min(factors) < 0.55
    assert 1.8 < max(factors) < 2.01
    assert 80 < sum(f < 1 for f in factors) < 120


def test_margins_are_measured_from_the_ink():
    for line in render_set(spec(spacing="proportional", margins=(0.5, 0.5), font_size=(20, 20)), DIGITS):
        left, top = min(b[0] for b in line.boxes), min(b[1] for b in line.boxes)
        right, bottom = max(b[2] for b in line.boxes), max(b[3] for b in line.boxes)
        assert (left, top, line.image.width - right, line.image.height - bottom) == (10, 10, 10, 10)


def test_files_that_are_no_fonts_can_be_skipped(font_file: Path):
    font_file.with_name("bad.ttf").write_bytes(b"nothing")
    fonts = [str(font_file.parent)]
    with pytest.raises(GlyphletError, match=r"bad\.ttf cannot be used"):
        RenderedSet(spec(fonts=fonts), DIGITS)
    with pytest.warns(UserWarning, match=r"1 of 2 fonts are left out: the font .*bad\.ttf cannot be used"):
        lines = RenderedSet(spec(fonts=fonts, broken_fonts="skip"), DIGITS)
    assert facts(lines[0]) == facts(RenderedSet(spec(), DIGITS)[0])
    with pytest.raises(GlyphletError, match=r"none\.ttf does not exist"):
        RenderedSet(spec(fonts=[*fonts, "none.ttf"], broken_fonts="skip"), DIGITS)
    font_file.unlink()
    with pytest.raises(GlyphletError, match=r"bad\.ttf cannot be used"):
        RenderedSet(spec(fonts=fonts, broken_fonts="skip"), DIGITS)


@pytest.mark.skipif(
    not (ARPHIC.exists() and LIBERATION.exists()), reason="needs Debian's fonts-arphic-uming and fonts-liberation"
)
def test_scripts_are_mixed_in_one_line():
    charset = Charset.from_text("aƒ中文")
    values = {
        "fonts": [str(LIBERATION), str(ARPHIC)],
        "text": "pattern",
        "pattern": "aƒ中文aƒ",
        "spacing": "proportional",
    }
    line = RenderedSet(spec(**values, mixed_fonts=True, font_size=(30, 30)), charset)[0]
    one, two = Face(str(LIBERATION)), Face(str(ARPHIC))
    faces = [two, one, two, two, two, one]  # the font that covers most, and the other one for the rest
    shapes = [glyph(face, 30, char).mask.shape for face, char in zip(faces, line.text, strict=True)]
    assert [(b[3] - b[1], b[2] - b[0]) for b in line.boxes] == shapes


@pytest.mark.parametrize("values", [{"min_length": 5}, {"font_size": (30, 20)}, {"font_size": (4, 9)}])
def test_ranges_are_checked(values: dict[str, object]):
    with pytest.raises(ValidationError, match=r"at least min_length|smallest, largest"):
        spec(**values)
