import numpy as np
import pytest
from PIL import Image

from glyphlet.pages.cut import MARGIN, cut
from glyphlet.pages.layout import layout_of


def parts_of(grey):
    layout = layout_of(grey)
    return layout.view, [part for block in layout.blocks for row in block for part in row.parts]


def rgb(grey):
    return np.repeat(grey[:, :, None], 3, axis=2)


def test_a_level_line_is_cut_with_its_margin(letter):
    view, parts = parts_of(letter.pixels)
    found = cut(rgb(letter.pixels), view, parts[0])
    left, top, right, bottom = letter.boxes[0]
    room = MARGIN * (bottom - top)
    assert found.pixels.shape[0] == pytest.approx(bottom - top + 2 * room, abs=2)
    assert found.pixels.shape[1] == pytest.approx(right - left + 2 * room, abs=2)
    # the same pixels as on the page, not interpolated
    y, x = round(top - room), round(left - room)
    near = [
        letter.pixels[y + dy : y + dy + found.pixels.shape[0], x + dx : x + dx + found.pixels.shape[1]]
        for dy in (-1, 0, 1) for dx in (-1, 0, 1)
    ]  # fmt: skip
    assert any(np.array_equal(found.pixels[:, :, 0], piece) for piece in near)


def test_a_turned_line_is_cut_level(letter):
    turned = np.asarray(letter.image.rotate(-4, Image.Resampling.BICUBIC, expand=True, fillcolor=255))
    view, parts = parts_of(turned)
    straight = parts_of(letter.pixels)[1]
    for part, as_drawn in zip(parts, straight, strict=True):
        height, width = cut(rgb(turned), view, part).pixels.shape[:2]
        assert width == pytest.approx(as_drawn.width * (1 + 2 * MARGIN * as_drawn.height / as_drawn.width), rel=0.02)
        assert height == pytest.approx((1 + 2 * MARGIN) * as_drawn.height, rel=0.15)


def test_at_the_rim_the_page_goes_on(sheet):
    page = sheet(300, 40).write(0, 30, "at the rim", 36)
    view, parts = parts_of(page.pixels)
    found = cut(rgb(page.pixels), view, parts[0], margin=0.5)
    assert found.pixels.shape[0] > 1.8 * (parts[0].height)


def test_lines_of_a_large_page_are_cut_at_its_full_size(letter):
    large = np.asarray(letter.image.resize((3600, 2800), Image.Resampling.BICUBIC))
    view, parts = parts_of(large)
    assert view.scale < 1
    found = cut(rgb(large), view, parts[0])
    top, bottom = letter.boxes[0][1], letter.boxes[0][3]
    assert found.pixels.shape[0] == pytest.approx(4 * (bottom - top) * (1 + 2 * MARGIN), rel=0.05)
    assert found.corners[0] == pytest.approx([4 * letter.boxes[0][0], 4 * top], abs=8)
