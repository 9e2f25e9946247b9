from __future__ import annotations

import math
import random

import numpy as np
import pytest

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.spec import PartSpec, SynthSpec
from glyphlet.synth.background import MIN_CONTRAST, luminance
from glyphlet.synth.looks import LOOKS, build_looks
from glyphlet.synth.looks.style import Style
from glyphlet.synth.render import RenderedLine, RenderedSet

ASCII = Charset.named("ascii")
WHITE = np.array([255, 255, 255])


def style_of(count: int = 8, seed: int = 1, words: list[int] | None = None, **look: object) -> Style:
    style = Style(words or [0] * count)
    [built] = build_looks([PartSpec.model_validate(look)])
    built(style, random.Random(seed))
    return style


def lines_of(looks: list[dict[str, object]], count: int = 12, **values: object) -> list[RenderedLine]:
    spec = {"count": count, "spacing": "proportional", "font_size": (30, 30), "papers": ["#ffffff"], "max_length": 9}
    return list(RenderedSet(SynthSpec.model_validate({**spec, "looks": looks, **values}), ASCII))


@pytest.mark.parametrize("name", list(LOOKS))
def test_boxes_are_the_ink_and_nothing_is_cut(name: str):
    """Without rules and shadows, ink lies in boxes alone, and their common edges are those of the ink."""
    looks: list[dict[str, object]] = [{"name": name}]
    for line, plain in zip(lines_of(looks), lines_of([]), strict=True):
        assert line.text == plain.text  # looks do not change what is written
        assert line.image.tobytes() != plain.image.tobytes()
        ink = np.any(np.asarray(line.image) != WHITE, axis=2)
        seen = [b for b in line.boxes if b[2] > b[0]]
        assert all(0 <= x < r <= line.image.width and 0 <= t < b <= line.image.height for x, t, r, b in seen)
        edges = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
        assert not edges.any()
        if name in ("underline", "strikethrough", "shadow"):
            continue
        inside = np.zeros_like(ink)
        for left, top, right, bottom in seen:
            inside[top:bottom, left:right] = True
        assert not (ink & ~inside).any()
        rows, columns = np.nonzero(ink)
        assert columns.min() == min(b[0] for b in seen)
        assert rows.max() + 1 == max(b[3] for b in seen)


@pytest.mark.parametrize("spacing", ["pitch", "proportional"])
def test_all_looks_together_are_the_same_each_time(spacing: str):
    looks = [{"name": name, "p": 0.7} for name in LOOKS]
    one, two = (
        [
            (line.image.tobytes(), line.boxes)
            for line in lines_of(looks, 30, spacing=spacing, background="random", papers=[])
        ]
        for _ in range(2)
    )
    assert one == two


def test_p_is_the_share_of_lines():
    [look] = build_looks([PartSpec.model_validate({"name": "slant", "p": 0.3})])
    slanted = 0
    for seed in range(1000):
        style = Style([0])
        look(style, random.Random(seed))
        slanted += style.slant != 0
    assert 250 < slanted < 350


def test_values_stay_in_their_ranges():
    for seed in range(200):
        assert -12 <= style_of(seed=seed, name="slant").slant <= 18
        assert 0.02 <= style_of(seed=seed, name="bold", least=0.02, most=0.03).bold <= 0.03
        tracking = style_of(seed=seed, name="tracking", least=0.1, most=0.2, change=0.05).tracking
        assert all(0.05 <= t <= 0.25 for t in tracking)
        assert max(tracking) - min(tracking) <= 0.1 + 1e-9
        jitter = style_of(seed=seed, name="jitter", lift=0.1, turn=2.0, size=0.2)
        assert all(abs(v) <= 0.1 for v in jitter.lift)
        assert all(0.8 <= v <= 1.2 for v in jitter.scale)
        shadow = style_of(seed=seed, name="shadow", least=0.1, most=0.2).shadow
        assert shadow is not None
        assert 0.1 <= math.hypot(*shadow) <= 0.2 + 1e-9


def test_scale_by_word_and_along_the_line():
    words = [0, 0, 0, 1, 1, 2]
    by_word = style_of(words=words, name="scale", by="word").scale
    assert by_word[0] == by_word[1] == by_word[2] != by_word[3] == by_word[4] != by_word[5]
    along = style_of(9, name="scale", by="line").scale
    np.testing.assert_allclose(np.diff(along), along[1] - along[0])
    assert len(set(style_of(9, name="scale", by="letter").scale)) == 9


def test_an_arc_is_part_of_a_circle():
    curve = style_of(name="arc", least=90.0, most=90.0).curve
    assert curve is not None
    length = 20.0
    radius = length / math.radians(90)
    start, middle, stop = (curve(place, length) for place in (0, length / 2, length))
    assert middle == (10.0, 0.0, 0.0)
    assert abs(start[2]) == pytest.approx(45)
    assert start[2] == -stop[2]
    assert stop[0] - start[0] == pytest.approx(2 * radius * math.sin(math.radians(45)))
    assert abs(start[1]) == pytest.approx(radius * (1 - math.cos(math.radians(45))))


def test_a_wave_has_the_direction_of_its_slope():
    curve = style_of(name="wave").curve
    assert curve is not None
    for place in np.linspace(0, 10, 20):
        (_, y0, angle), (_, y1, _) = curve(float(place), 10), curve(float(place) + 1e-4, 10)
        assert math.tan(math.radians(angle)) == pytest.approx((y1 - y0) / 1e-4, abs=1e-3)


def test_tracking_moves_letters_apart():
    close, wide = (
        [line.image.width for line in lines_of([{"name": "tracking", "least": v, "most": v}], min_length=9)]
        for v in (0.0, 0.5)
    )
    assert all(b - a >= 8 * 14 for a, b in zip(close, wide, strict=True))


def test_a_slant_moves_the_top_to_the_right():
    def tops(degrees: float) -> list[float]:
        line = next(iter(lines_of([{"name": "slant", "least": degrees, "most": degrees}], text="pattern", pattern="l")))
        ink = 255 - np.asarray(line.image.convert("L"), float)
        rows = np.flatnonzero(ink.any(axis=1))
        columns = np.arange(ink.shape[1])
        return [float((ink[row] * columns).sum() / ink[row].sum()) for row in (rows[1], rows[-2])]

    top, bottom = tops(20)
    assert top - bottom == pytest.approx(math.tan(math.radians(20)) * 20, abs=2.5)
    top, bottom = tops(-20)
    assert top < bottom - 4


def test_bold_has_more_ink():
    for one, two in zip(lines_of([]), lines_of([{"name": "bold", "least": 0.03, "most": 0.03}]), strict=True):
        assert (
            np.asarray(two.image.convert("L")).sum() / two.image.width
            < np.asarray(one.image.convert("L")).sum() / one.image.width
        )


def test_an_outline_stands_out_from_the_ink_and_a_hollow_one_leaves_the_paper():
    for line in lines_of([{"name": "outline", "least": 0.1, "most": 0.1, "hollow": 0.0}]):
        colours = {tuple(c) for c in np.asarray(line.image).reshape(-1, 3)}
        rims = [c for c in colours if luminance(c) >= MIN_CONTRAST and c != (255, 255, 255)]
        assert rims
        assert (0, 0, 0) in colours
    [line] = lines_of(
        [{"name": "outline", "least": 0.05, "most": 0.05, "hollow": 1.0}],
        1,
        text="pattern",
        pattern="I",
        font_size=(64, 64),
    )
    middle = np.asarray(line.image.convert("L"))[line.image.height // 2]
    dark = np.flatnonzero(middle < 128)
    assert middle[(dark[0] + dark[-1]) // 2] == 255  # ink, paper, ink


@pytest.mark.parametrize("polarity", ["dark", "light"])
def test_a_shadow_is_as_far_from_the_ink_as_all_that_lies_behind(polarity: str):
    looks = [{"name": "shadow", "least": 0.2, "most": 0.2, "strength": 1.0}]
    for line in lines_of(looks, polarity=polarity, background="random", papers=[]):
        light = luminance(np.asarray(line.image))
        ink = light.min() if polarity == "dark" else light.max()
        left, top, right, bottom = line.boxes[0]
        outside = light.copy()
        for left, top, right, bottom in line.boxes:
            outside[top:bottom, left:right] = np.nan
        rest = outside[~np.isnan(outside)]
        gap = rest.min() - ink if polarity == "dark" else ink - rest.max()
        assert gap >= MIN_CONTRAST - 1


def test_an_underline_is_below_and_a_strike_goes_through():
    [line] = lines_of([{"name": "underline"}], 1, text="pattern", pattern="nnnn")
    ink = np.asarray(line.image.convert("L")) < 128
    full = np.flatnonzero(ink[:, line.boxes[0][0] + 1 : line.boxes[-1][2] - 1].all(axis=1))
    assert full.min() >= max(b[3] for b in line.boxes)
    [line] = lines_of([{"name": "strikethrough"}], 1, text="pattern", pattern="nnnn")
    ink = np.asarray(line.image.convert("L")) < 128
    full = np.flatnonzero(ink[:, line.boxes[0][0] + 1 : line.boxes[-1][2] - 1].all(axis=1))
    assert min(b[1] for b in line.boxes) <= full.min() <= full.max() < max(b[3] for b in line.boxes)


@pytest.mark.parametrize(
    ("look", "message"),
    [
        ({"name": "shaddow"}, r"no look named 'shaddow' \(did you mean 'shadow'\?\)"),
        ({"name": "slant", "degrees": 3}, "no option 'degrees'"),
        ({"name": "slant", "p": 2}, "look slant has p 2"),
        ({"name": "slant", "least": 9.0, "most": 3.0}, r"least and most 9\.0 and 3\.0"),
        ({"name": "outline", "hollow": 1.5}, r"hollow 1\.5"),
        ({"name": "scale", "by": "page"}, "by 'page'"),
        ({"name": "jitter", "turn": 90.0}, r"turn 90\.0"),
        ({"name": "wave", "longest": 2.0}, "shortest and longest"),
    ],
)
def test_wrong_looks_are_named(look: dict[str, object], message: str):
    with pytest.raises(RecipeError, match=message):
        build_looks([PartSpec.model_validate(look)])
