"""`glyphlet read`: what is read, and what is written."""

import csv
import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet.image import decode

FONT = ImageFont.load_default(28)
TEXTS = {"a": "Total 12.50", "b": "No. 4-71", "c": "Main Street, 9"}


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """Three lines in a folder `in`, which lies in the working directory."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name, text in TEXTS.items():
        image = Image.new("L", (int(FONT.getlength(text)) + 16, 44), 255)
        ImageDraw.Draw(image).text((8, 4), text, font=FONT, fill=0)
        image.save(tmp_path / "in" / ("deep" if name == "c" else "") / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "in"


@pytest.fixture
def stdin(monkeypatch):
    def give(data):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return give


class TestInputs:
    @pytest.mark.parametrize(
        ("named", "names"),
        [
            (["in/a.png", "in/b.png"], ["in/a.png", "in/b.png"]),
            (["in"], ["in/a.png", "in/b.png"]),
            (["in/*.png"], ["in/a.png", "in/b.png"]),
            (["in/**/*.png"], ["in/a.png", "in/b.png", "in/deep/c.png"]),
            (["in/deep", "in/[a-b].png"], ["in/deep/c.png", "in/a.png", "in/b.png"]),
        ],
    )
    def test_files_folders_and_patterns(self, glyphlet, lines, named, names):
        result = glyphlet("read", *named)
        assert (result.code, result.err) == (0, "")
        expected = "".join(f"{name}\t{TEXTS[name[-5]]}\n" for name in names)
        assert result.out == expected

    def test_a_name_with_the_signs_of_a_pattern_is_that_file(self, glyphlet, lines):
        (lines / "a.png").rename(lines / "[x]*.png")
        assert glyphlet("read", "in/[x]*.png").out == f"in/[x]*.png\t{TEXTS['a']}\n"

    def test_an_image_on_standard_input(self, glyphlet, lines, stdin):
        stdin((lines / "a.png").read_bytes())
        result = glyphlet("read", "-", "in/b.png", "--json")
        rows = [json.loads(line) for line in result.out.splitlines()]
        assert [(row["path"], row["text"]) for row in rows] == [("-", TEXTS["a"]), ("in/b.png", TEXTS["b"])]

    def test_a_list(self, glyphlet, lines, stdin, tmp_path):
        stdin(b"in/b.png\n\nin/a.png\n")
        listed = glyphlet("read", "--list", "-")
        (tmp_path / "list.txt").write_text("in/b.png\r\nin/a.png")
        assert listed.out == glyphlet("read", "--list", "list.txt").out
        assert listed.out == f"in/b.png\t{TEXTS['b']}\nin/a.png\t{TEXTS['a']}\n"

    def test_what_cannot_be(self, glyphlet, lines, stdin):
        glyphlet("read").refused("nothing to read was named", "glyphlet read line.png")
        glyphlet("read", "--list", "none.txt").refused("the list none.txt cannot be read")
        stdin(b"")
        glyphlet("read", "-").refused("no image on standard input")
        glyphlet("read", "in/a.png", "--format", "xml").refused("--format is 'xml'", "text, jsonl, csv")


class TestOutput:
    def test_csv_is_read_again_as_it_was(self, glyphlet, lines):
        (lines / "bad.png").write_bytes(b"no")
        Image.new("L", (100, 40), 255).save(lines / "blank.png")
        result = glyphlet("read", "in", "in/deep", "--format", "csv")
        assert result.code == 1
        rows = list(csv.DictReader(io.StringIO(result.out)))
        assert [row["path"][3:] for row in rows] == ["a.png", "b.png", "bad.png", "blank.png", "deep/c.png"]
        assert [row["text"] for row in rows] == [TEXTS["a"], TEXTS["b"], "", "", TEXTS["c"]]
        assert [bool(row["error"]) for row in rows] == [False, False, True, False, False]
        assert rows[3]["reason"].startswith("no text was found")
        assert 0.5 < float(rows[0]["confidence"]) <= 1

    def test_a_blank_image_is_told(self, glyphlet, lines):
        Image.new("L", (100, 40), 255).save(lines / "blank.png")
        result = glyphlet("read", "in/blank.png")
        assert (result.code, result.out) == (0, "in/blank.png\t\n")
        assert result.err.startswith("glyphlet: in/blank.png: no text was found")

    def test_a_file_appears_when_all_is_written(self, glyphlet, lines, tmp_path):
        plain = glyphlet("read", "in")
        written = glyphlet("read", "in", "-o", "out.txt")
        assert (written.code, written.out) == (0, "")
        assert (tmp_path / "out.txt").read_text() == plain.out
        glyphlet("read", "in", "-o", "none/out.txt").refused("none")

    def test_spans_are_drawn(self, glyphlet, lines, tmp_path):
        assert glyphlet("read", "in", "--draw", "spans.png").code == 0
        found = sorted(path.name for path in tmp_path.glob("*.png"))
        assert found == ["spans-2.png", "spans.png"]
        with Image.open(tmp_path / "spans.png") as drawn:
            assert drawn.height > 96

    @pytest.mark.parametrize("turn", ["90", "auto"])
    def test_a_line_that_runs_down(self, glyphlet, lines, tmp_path, turn):
        upright = decode(lines / "a.png", 1)[:, :, 0]
        Image.fromarray(np.rot90(upright, -1)).save(tmp_path / "down.png")
        result = glyphlet("read", "down.png", "--turn", turn, "--draw", "drawn.png")
        assert result.out == f"down.png\t{TEXTS['a']}\n"
        with Image.open(tmp_path / "drawn.png") as drawn:
            assert drawn.width > drawn.height

    def test_threads_change_nothing(self, glyphlet, lines):
        outs = {glyphlet("read", "in", "in/deep", "--json", "--threads", threads).out for threads in (1, 2, 5)}
        assert len(outs) == 1


class TestRefusedFirst:
    def test_what_is_read_is_not_written_over(self, glyphlet, lines):
        before = (lines / "a.png").read_bytes()
        glyphlet("read", "in/a.png", "-o", "in/../in/a.png").refused("is read, and would be written over")
        glyphlet("read", "in", "--draw", "in/b.png").refused("in/b.png is read")
        assert (lines / "a.png").read_bytes() == before

    def test_outputs_that_cannot_be(self, glyphlet, lines):
        glyphlet("read", "in/a.png", "--draw", "x.jpg").refused("--draw is 'x.jpg'", ".png")
        glyphlet("read", "in/a.png", "-o", "none/x.txt").refused("the folder none does not exist")
        glyphlet("read", "in/a.png", "-o", "in").refused("in is a folder")
        glyphlet("read", "in/a.png", "--json", "--format", "csv").refused("both --json and --format csv")
        glyphlet("read", "--page", "in/a.png", "--turn", 90).refused("--turn or --min-confidence")

    def test_a_line_as_thin_as_a_hair_is_told_and_the_others_are_read(self, glyphlet, lines):
        Image.new("1", (3_000_000, 1)).save(lines / "hair.png")
        result = glyphlet("read", "in")
        assert result.code == 1
        assert result.out.count("\n") == 2
        assert "hair.png is 3000000 x 1 pixels" in result.err


def test_little_confidence_is_no_text(glyphlet, lines):
    result = glyphlet("read", "in/a.png", "in/b.png", "--min-confidence", 1, "--json")
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [row["text"] for row in rows] == ["", ""]
    assert rows[0]["reason"].startswith("'Total 12.50' has the confidence 0.9")
    assert glyphlet("read", "in/a.png", "--min-confidence", 0.5).out == f"in/a.png\t{TEXTS['a']}\n"


def test_a_pdf_among_lines_is_pointed_to_its_option(glyphlet, lines):
    (lines / "a.pdf").write_bytes(b"%PDF-1.4")
    glyphlet("read", "in/a.pdf").refused("A PDF is read with --page", code=1)
