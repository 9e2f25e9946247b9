"""The PDF is opened by pdfium: what it shows, what it says, and where."""

import struct
from dataclasses import replace

import numpy as np
import pypdfium2
import pytest

from glyphlet.pages.writers import Read, writer_of
from glyphlet.pages.writers.font import ADVANCE, empty_font


@pytest.fixture
def opened():
    """Opens a PDF; closes all at the end."""
    files = []

    def open_(pages) -> pypdfium2.PdfDocument:
        files.append(pypdfium2.PdfDocument(b"".join(writer_of("pdf")(pages))))
        return files[-1]

    yield open_
    for file in files:
        file.close()


def words_in(page) -> list[str]:
    return page.get_textpage().get_text_bounded().split()


def test_the_text_of_each_page_in_any_script(opened, two_pages):
    first, second = opened(two_pages)
    assert words_in(first) == ["Crème", "<brûlée>", "Straße", "&", '5"€', "end"]
    assert words_in(second) == ["中文", "Ωж", "𝄞"]


def test_pages_keep_their_size(opened, two_pages):
    assert opened(two_pages)[0].get_size() == pytest.approx((600 * 72 / 150, 400 * 72 / 150))


@pytest.mark.parametrize("angle", [0.0, 3.0, -3.0])
def test_words_lie_on_their_ink(opened, make, angle):
    """The place of every found word, against its box in points, y upwards."""
    words = [make.word("first", 100, 100, 80), make.word("second", 200, 100, 120), make.word("5", 350, 100, 12)]
    page = opened([make.read(make.page([[make.line(words, angle)]]))])[0]
    found = page.get_textpage()
    for word in words:
        index, count = found.search(word.text).get_next()
        boxes = np.array([found.get_charbox(i, loose=True) for i in range(index, index + count)])
        left, right, middle = boxes[:, 0].min(), boxes[:, 2].max(), (boxes[:, 1].min() + boxes[:, 3].max()) / 2
        scale = 72 / 150
        assert left == pytest.approx(word.box[0] * scale, abs=2)
        assert right == pytest.approx(word.box[2] * scale, abs=2)
        drift = np.tan(np.radians(angle)) * (word.box[0] + word.box[2]) / 2
        start = np.tan(np.radians(angle)) * 100
        assert middle == pytest.approx((400 - 110 - drift + start) * scale, abs=4)


def tilted(make, angle: float):
    """Seven lines with a word beyond a wide gap, turned around the left end of the first one."""
    slope, lines = np.tan(np.radians(angle)), []
    for number in range(7):
        left, top = 60 - slope * 24 * number, 140 + 24 * number
        places = [(left + x, top + slope * x, width) for x, width in ((0, 20), (30, 90), (130, 60), (440, 40))]
        words = [make.word(f"{'abcd'[i]}{number}{'x' * (width // 20)}", *place[:2], width)
                 for i, (place, width) in enumerate(zip(places, (20, 90, 60, 40), strict=True))]  # fmt: skip
        made = make.line(words, angle)
        corners = ((left, top), (left + 480, top + slope * 480), (left + 480, top + slope * 480 + 20), (left, top + 20))
        feet = ((left, top + 16), (left + 480, top + 16 + slope * 480))
        lines.append(replace(made, corners=corners, baseline=feet))
    return lines


@pytest.mark.parametrize("angle", [-10.0, -5.0, -3.1, -1.8, 0.0, 1.8, 3.1, 5.0, 10.0])
def test_the_lines_of_a_tilted_page_come_out_whole(opened, make, angle):
    """At 3.1 degrees each line ends at the height at which the next one begins."""
    lines = tilted(make, angle)
    text = opened([make.read(make.page([lines]))])[0].get_textpage()
    assert [line.strip() for line in text.get_text_bounded().splitlines()] == [line.text for line in lines]
    for line in lines:
        assert text.search(" ".join(line.text.split()[1:])).get_next() is not None


def test_a_character_has_another_width_when_there_are_too_many_numbers(opened, make, monkeypatch):
    monkeypatch.setattr("glyphlet.pages.writers.pdf.MOST_NUMBERS", 3)  # a, the space, and a in another width
    words = [make.word("a", 50, 40, 10), make.word("a", 80, 40, 14), make.word("a", 120, 40, 18)]
    assert words_in(opened([make.read(make.page([[make.line(words)]]))])[0]) == ["a", "a", "a"]


def test_the_text_is_not_drawn(opened, two_pages):
    picture = opened(two_pages)[0].render(scale=1).to_numpy()
    assert np.abs(picture.astype(int) - 230).max() <= 2


@pytest.mark.parametrize("grey", [True, False])
def test_the_picture_is_that_of_the_page(opened, make, grey):
    made = make.page([])
    pixels = np.full((made.height, made.width, 3), 255, np.uint8)
    pixels[100:200, 150:300] = (0, 0, 0) if grey else (200, 30, 30)
    shown = opened([Read(made, pixels)])[0].render(scale=150 / 72, rev_byteorder=True).to_numpy()[:, :, :3]
    assert shown.shape == pixels.shape
    assert shown[110:190, 160:290].mean(axis=(0, 1)) == pytest.approx(pixels[150, 200], abs=4)
    assert shown[:90].min() > 245


def test_many_pages_and_characters(opened, make):
    texts = [chr(0x4E00 + i) + chr(0x4E01 + i) for i in range(0, 600, 2)]
    reads = [make.read(make.page([[make.line([make.word(text, 50, 40, 44)])]])) for text in texts[::60]]
    document = opened(reads)
    assert [words_in(page) for page in document] == [[text] for text in texts[::60]]


def test_objects_stand_where_the_table_says(two_pages):
    data = b"".join(writer_of("pdf")(two_pages))
    start = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    table = data[start:].split(b"\n")
    assert table[0] == b"xref"
    count = int(table[1].split()[1])
    for number in range(1, count):
        place = int(table[2 + number].split()[0])
        assert data[place:].startswith(b"%d 0 obj" % number)


def test_no_pages_is_a_file_all_the_same():
    data = b"".join(writer_of("pdf")([]))
    assert data.startswith(b"%PDF-1.5")
    assert b"/Count 0" in data


class TestFont:
    def test_the_sums_are_right(self):
        data = empty_font()
        assert sum(struct.unpack(f">{len(data) // 4}L", data)) & 0xFFFFFFFF == 0xB1B0AFBA
        for i in range(struct.unpack(">H", data[4:6])[0]):
            tag, total, offset, length = struct.unpack(">4sLLL", data[12 + 16 * i : 28 + 16 * i])
            body = data[offset : offset + length + -length % 4]
            if tag == b"head":
                body = body[:8] + b"\0\0\0\0" + body[12:]
            assert sum(struct.unpack(f">{len(body) // 4}L", body)) & 0xFFFFFFFF == total

    def test_freetype_opens_it(self):
        import io

        from PIL import ImageFont

        font = ImageFont.truetype(io.BytesIO(empty_font()), 100)
        assert font.getlength("ab") == pytest.approx(2 * 100 * ADVANCE / 1000)
