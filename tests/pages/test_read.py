"""A whole page with the model that ships."""

import numpy as np
import pytest
from PIL import Image

from glyphlet.decode.reading import Character, Reading
from glyphlet.errors import ImageError
from glyphlet.metrics import edit_distance
from glyphlet.pages.draw import draw
from glyphlet.pages.read import read_page


def cer(page, sheet) -> float:
    text, truth = "\n".join(line.text for line in page.lines), "\n".join(sheet.lines)
    return edit_distance(text, truth) / len(truth)


class Constant:
    """Reads the same of every line."""

    def __init__(self, text: str, reason: str = "") -> None:
        self.reading = Reading(text, 0.5, tuple(Character(c, 0.99, 0.0, 1.0) for c in text), "", "", reason)

    def read(self, sources):
        return [self.reading for _ in sources]


def test_a_letter(reader, letter):
    page = read_page(reader, letter.image, name="letter.png", dpi=150)
    assert cer(page, letter) < 0.03
    assert (page.name, page.number, page.width, page.height, page.dpi) == ("letter.png", 1, 900, 700, 150)
    assert (page.angle, page.turn) == (0, 0)
    for line, box in zip(page.lines, letter.boxes, strict=True):
        assert line.box == pytest.approx(box, abs=4)
        assert line.baseline[0][1] == pytest.approx(line.baseline[1][1], abs=2)


def test_words_stand_where_they_were_written(reader, letter):
    page = read_page(reader, letter.image)
    font_line = letter.lines[1]
    line = list(page.lines)[1]
    assert [word.text for word in line.words] == font_line.split()
    gaps = [b.box[0] - a.box[2] for a, b in zip(line.words, line.words[1:], strict=False)]
    assert min(gaps) > 2
    assert max(gaps) < 14


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_or_head(reader, letter, turn):
    page = read_page(reader, letter.image.rotate(turn, expand=True))
    assert page.turn == turn  # rotate turns counterclockwise, so it is turned back clockwise
    assert (page.width, page.height) == (900, 700)
    assert cer(page, letter) < 0.03


def test_a_skewed_and_noisy_page(reader, letter):
    turned = letter.image.rotate(2.5, Image.Resampling.BICUBIC, fillcolor=255)
    noisy = np.asarray(turned) * 0.8 + np.random.default_rng(0).normal(20, 6, (700, 900))
    page = read_page(reader, noisy.clip(0, 255).astype(np.uint8))
    assert page.angle == pytest.approx(-2.5, abs=0.15)
    assert cer(page, letter) < 0.05
    for line in page.lines:
        assert line.angle == pytest.approx(-2.5, abs=0.4)


def test_a_receipt_keeps_prices_in_their_line(reader, sheet):
    page = sheet(500, 400)
    rows = [("Bread", "2.95"), ("Milk", "1.19"), ("Apples", "4.50"), ("Total", "8.64")]
    for number, (name, price) in enumerate(rows):
        page.write(30, 60 + 40 * number, name, 26).write(400, 60 + 40 * number, price, 26)
    found = read_page(reader, page.image)
    assert [line.text for line in found.lines] == [" ".join(row) for row in rows]
    assert [len(line.words) for line in found.lines] == [2] * 4


def test_quotation_marks_and_dashes_part_no_line(reader, sheet):
    texts = [
        '"The fox, I think, sir," said Holland.',
        '"Come in," he said; "you are late."',
        "He paid 5 - 3 = 2 pounds.",
    ]
    page = sheet().paragraph(50, 80, texts, 28, 1.5)
    found = read_page(reader, page.image)
    assert cer(found, page) < 0.06
    assert [sum(char in '"”“' for char in line.text) for line in found.lines] == [2, 4, 0]
    assert [line.text.count("-") for line in found.lines] == [0, 0, 1]


def test_a_blank_page_has_no_lines(reader):
    assert read_page(reader, np.full((300, 200), 255, np.uint8)).blocks == ()


def test_what_was_not_read_has_a_reason_and_no_text(letter):
    page = read_page(Constant("", "nothing there"), letter.image)
    assert {(line.text, line.reason, line.words) for line in page.lines} == {("", "nothing there", ())}
    assert len(list(page.lines)) == len(letter.lines)


def test_parts_are_joined_by_a_space(sheet):
    page = read_page(Constant("ab"), sheet().write(30, 60, "left", 26).write(700, 60, "right", 26).image)
    (line,) = page.lines
    assert line.text == "ab ab"
    assert line.confidence == 0.25
    assert line.box[0] == pytest.approx(31, abs=3)
    assert line.box[2] > 740


def test_no_image():
    with pytest.raises(ImageError, match="does not exist"):
        read_page(Constant(""), "missing.png")


def test_the_drawn_picture_frames_lines_and_words(letter):
    pixels = np.repeat(letter.pixels[:, :, None], 3, 2)
    page = read_page(Constant("a b"), letter.image)
    picture = np.asarray(draw(page, pixels))
    assert picture.shape == pixels.shape
    left, top, right, _ = (round(value) for value in next(page.lines).box)
    frame = picture[max(0, top - 1) : top + 2, left:right]
    assert (frame.max(axis=2) != frame.min(axis=2)).mean() > 0.3  # coloured
