"""Lines that run up, down or upside down."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet import GlyphletError, Reader
from glyphlet.decode.reading import Character, Reading
from glyphlet.errors import ImageError
from glyphlet.runtime.turn import TURNS, surest, turned

FONT = ImageFont.load_default(28)
TEXT = "Total 12.50"


def line():
    image = Image.new("L", (int(FONT.getlength(TEXT)) + 16, 44), 255)
    ImageDraw.Draw(image).text((8, 4), TEXT, font=FONT, fill=0)
    return np.asarray(image)


@pytest.mark.parametrize("turn", ["0", "90", "180", "270"])
def test_the_turn_puts_it_right(turn):
    lying = np.rot90(line(), -int(turn) // 90)
    upright, reading = Reader("print").read_one(line()), Reader("print").read_one(lying, turn=turn)
    assert reading.text == upright.text == TEXT
    assert reading.characters == upright.characters


@pytest.mark.parametrize("quarters", range(4))
def test_auto_finds_out(quarters):
    readings = Reader("print").read([np.rot90(line(), quarters), line()], turn="auto")
    assert [reading.text for reading in readings] == [TEXT, TEXT]


def test_what_is_tried():
    tall, wide = np.zeros((20, 10), np.uint8), np.zeros((10, 20), np.uint8)
    assert [image.shape for image in turned(tall, "auto", 1)] == [(10, 20, 1)] * 2
    assert [image.shape for image in turned(wide, "auto", 1)] == [(10, 20, 1)] * 2
    assert [image.shape for image in turned(np.zeros((14, 10), np.uint8), "auto", 1)] == [(14, 10, 1)] * 2
    marked = wide.copy()
    marked[0, -1] = 255  # the upper right corner goes to the upper left
    assert turned(marked, "90", 1)[0][0, 0, 0] == 255


def test_the_surest_has_text_and_sure_characters():
    def reading(text, confidence):
        return Reading(text, confidence, tuple(Character(char, 0.9, 0, 1) for char in text), "", "")

    empty, long, short = reading("", 0.0), reading("abcd", 0.5), reading("a", 0.6)
    assert surest([empty, long, short]) is long  # 0.5 over four characters is surer than 0.6 of one
    assert surest([empty]) is empty


def test_messages_name_the_source(tmp_path):
    with pytest.raises(GlyphletError, match="turn is '45'.*0, 90, 180, 270, auto"):
        Reader("print").read([line()], turn="45")
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(ImageError, match=r"a\.png is not an image"):
        Reader("print").read([tmp_path / "a.png"], turn="auto")
    assert Reader("print").read_one(line(), turn="180").source.startswith("array")
    assert TURNS == ("0", "90", "180", "270", "auto")
