"""The models that ship: found by name, and what is said of them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet import Reader
from glyphlet.charset import Charset
from glyphlet.errors import ModelFileError
from glyphlet.runtime import shipped
from glyphlet.runtime.bundle import open_model
from glyphlet.runtime.metadata import Metadata
from glyphlet.spec import SynthSpec
from glyphlet.synth.render import RenderedSet

FONT = ImageFont.load_default(28)


@pytest.fixture
def weights(model, tmp_path, monkeypatch):
    """A folder of models that ship, with the hand-made one as `print`."""
    folder = tmp_path / "weights"
    folder.mkdir()
    shutil.copy(model, folder / "print.onnx")
    monkeypatch.setattr(shipped, "WEIGHTS", folder)
    return folder


def test_a_name_is_the_file_that_ships(weights, stripes, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert shipped.model_path("print") == weights / "print.onnx"
    assert Reader("print").path == weights / "print.onnx"
    assert Reader().read_one(stripes("204")).text == "204"


def test_what_lies_in_the_working_directory_does_not_come_first(weights, write_model, monkeypatch, tmp_path):
    mine = write_model("print", edit=lambda values: values.update(name="mine"))
    monkeypatch.chdir(mine.parent)
    assert Reader("print").path == weights / "print.onnx"
    assert Reader(mine).metadata.name == "mine"
    mine.unlink()
    mine.mkdir()
    assert Reader("print").path == weights / "print.onnx"


def test_a_name_that_nothing_has_is_answered_with_those_that_ship(weights):
    with pytest.raises(ModelFileError, match=r"prnt does not exist.*Allowed: .*a model that ships: print"):
        open_model("prnt")
    (weights / "print.onnx").unlink()
    with pytest.raises(ModelFileError, match="a model that ships: none does here"):
        open_model("prnt")


def test_rows_say_what_was_measured(weights, model):
    kilobytes = round(model.stat().st_size / 1024)
    bare = {"name": "print", "file_kb": kilobytes, "reads": "", "ms": None, "accuracy": []}
    assert shipped.shipped_rows() == [bare]
    card = {"reads": "stripes", "ms": 1.5, "accuracy": [{"set": "s", "exact": 0.9, "cer": 0.01, "lines": 25}]}
    (weights / "cards.json").write_text(json.dumps({"print": card, "gone": {}}))
    assert shipped.shipped_rows() == [{"name": "print", "file_kb": kilobytes, **card}]


@pytest.mark.parametrize("name", sorted(shipped.shipped_models()))
def test_what_ships_is_whole_and_has_a_card(name):
    opened = open_model(name)
    assert isinstance(opened.metadata, Metadata)
    assert opened.metadata.name == name
    row = next(row for row in shipped.shipped_rows() if row["name"] == name)
    assert row["reads"]
    assert row["ms"] > 0
    assert all(0 <= found["exact"] <= 1 and found["lines"] > 0 for found in row["accuracy"])


def test_the_models_stay_within_what_a_wheel_should_weigh():
    sizes = {name: path.stat().st_size for name, path in shipped.shipped_models().items()}
    assert sum(sizes.values()) < 18e6
    limits = {"print": 1e6, "digits": 300e3, "chinese": 10e6}
    assert all(size <= limits[name] for name, size in sizes.items()), sizes


def test_print_reads_lines_in_a_font_that_every_machine_has():
    texts = ["Hello world", "Total: 12.50 EUR", "No. 4-71, Main Street"]
    lines = []
    for text in texts:
        line = Image.new("L", (int(FONT.getlength(text)) + 16, 44), 255)
        ImageDraw.Draw(line).text((8, 4), text, font=FONT, fill=0)
        lines.append(line)
    assert [reading.text for reading in Reader("print").read(lines)] == texts


def test_spans_lie_on_their_characters():
    """Within half a character's width, on rendered lines whose boxes are known."""
    spec = SynthSpec.model_validate({"count": 150, "text": "random", "min_length": 3, "max_length": 8})
    lines = list(RenderedSet(spec, Charset.named("alphanumeric"), "validation"))
    errors = []
    for line, reading in zip(lines, Reader("print").read([line.image for line in lines]), strict=True):
        if reading.text == line.text:
            for character, (left, _, right, _) in zip(reading.characters, line.boxes, strict=True):
                errors.append(abs(character.left + character.right - left - right) / 2 / (right - left))
    assert len(errors) > 100
    assert np.mean(np.array(errors) <= 0.5) > 0.97
