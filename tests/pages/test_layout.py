"""From pixels to rows: what is one line, what is not, and in which order."""

import numpy as np
import pytest
from PIL import Image

from glyphlet.pages.layout import layout_of

WORDS = [
    "several words of running text",
    "that fill a whole column",
    "from its left to its right",
    "and then go on below it",
]


def rows_of(pixels: np.ndarray) -> list[tuple[float, float, float, float]]:
    """The boxes of the rows in reading order."""
    return [
        (min(p.left for p in row.parts), row.top, max(p.right for p in row.parts), row.bottom)
        for block in layout_of(pixels).blocks for row in block
    ]  # fmt: skip


def same(found, truth, within=4.0):
    assert len(found) == len(truth)
    for a, b in zip(found, truth, strict=True):
        assert a == pytest.approx(b, abs=within)


def test_lines_and_their_boxes(letter):
    same(rows_of(letter.pixels), letter.boxes)


def test_light_on_dark(letter):
    same(rows_of(255 - letter.pixels), letter.boxes)


@pytest.mark.parametrize("size", [11, 16, 40, 90])
def test_sizes(sheet, size):
    page = sheet(2400, 900).paragraph(50, 130, ["A line of text, in any size;", "another (with points)."], size)
    same(rows_of(page.pixels), page.boxes, 3)


def test_one_word_alone(sheet):
    page = sheet(400, 200).write(100, 100, "Total")
    same(rows_of(page.pixels), page.boxes)


@pytest.mark.parametrize(
    "texts", [["Total 12.50", 'He said, "I know!"', "e.g. 5 - 3 = 2: yes; no?", "Äpfel, Öl und Übermut"]]
)
def test_points_and_accents_belong_to_their_line(sheet, texts):
    page = sheet().paragraph(50, 100, texts)
    same(rows_of(page.pixels), page.boxes)


def test_large_letters_between_small_ones(sheet):
    page = sheet().write(50, 60, "small print above it", 14).write(50, 140, "TOTAL 99.50!", 56)
    page.write(50, 190, "small print below it", 14).write(50, 215, "and some more of the same", 14)
    same(rows_of(page.pixels), page.boxes)


def test_a_price_at_the_edge_belongs_to_its_article(sheet):
    page, articles = sheet(), ["Bread and butter", "Milk", "Apples from the region", "Cheese", "Coffee beans"]
    for number, article in enumerate(articles):
        page.write(40, 80 + 34 * number, article).write(760, 80 + 34 * number, f"{number}.99")
    found = layout_of(page.pixels).blocks
    assert [len(row.parts) for block in found for row in block] == [2] * 5


def test_two_columns_under_a_heading(sheet):
    page = sheet(1000, 700).write(60, 80, "A heading over both columns of the page", 36)
    page.paragraph(60, 160, WORDS + WORDS)
    page.paragraph(540, 166, WORDS + WORDS)  # not on the rows of the left one
    page.write(60, 600, "A foot that is as wide as the page, under both of the columns")
    same(rows_of(page.pixels), page.boxes)


def test_blocks_are_parted_by_room(sheet):
    page = sheet().paragraph(60, 80, WORDS).paragraph(60, 300, WORDS)
    assert [len(block) for block in layout_of(page.pixels).blocks] == [4, 4]


def test_rules_and_frames_are_no_lines(sheet):
    page = sheet().paragraph(60, 100, WORDS)
    page.draw.line((20, 240, 880, 240), 0, 3)
    page.draw.rectangle((20, 40, 880, 320), outline=0, width=2)
    same(rows_of(page.pixels), page.boxes)


def test_light_letters_on_a_bar(sheet):
    page = sheet()
    page.draw.rectangle((40, 40, 860, 90), fill=20)
    page.write(60, 75, "A heading on a bar", 28, 255).paragraph(60, 140, WORDS)
    same(rows_of(page.pixels), page.boxes)


@pytest.mark.parametrize("angle", [-6, -2, 4])
def test_a_turned_page_is_found_level(letter, angle):
    turned = letter.image.rotate(-angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    layout = layout_of(np.asarray(turned))
    assert layout.view.angle == pytest.approx(angle, abs=0.15)
    assert sum(map(len, layout.blocks)) == len(letter.lines)


def test_specks_are_no_lines(letter):
    pixels = letter.pixels.copy()
    rng = np.random.default_rng(1)
    pixels[rng.integers(0, 700, 400), rng.integers(0, 900, 400)] = 0
    assert len(rows_of(pixels)) == len(letter.lines)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (5, 5), (40, 60)])
@pytest.mark.parametrize("value", [0, 255])
def test_empty_pages_of_any_size(shape, value):
    assert layout_of(np.full(shape, value, np.uint8)).blocks == []


def test_a_word_of_three_letters_beside_capitals_stays_whole(sheet):
    """Its letters are lower than the capitals, but they are no points or dashes of theirs."""
    page = sheet().paragraph(60, 100, WORDS).write(60, 300, "DINER")
    end = page.boxes[-1][2]
    page.write(end + 20, 300, "nox")
    rows = layout_of(page.pixels).blocks[-1]
    assert [(part.left, part.right) for part in rows[-1].parts] == [
        pytest.approx((box[0], box[2]), abs=2) for box in page.boxes[-2:]
    ]
    assert len(rows[-1].parts[1].pieces) == 3


def test_a_quotation_mark_alone_joins_the_row(sheet):
    page = sheet().paragraph(60, 100, WORDS).write(60, 300, "and said").write(260, 300, '"')
    rows = layout_of(page.pixels).blocks[-1]
    assert [len(row.parts) for row in rows][-1] == 2
