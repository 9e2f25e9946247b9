"""`glyphlet read --page`."""

import io
import json
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

ROWS = ["The first line of the page", "and the second one below it"]


@pytest.fixture
def scan(tmp_path):
    """A page of two lines at 150 dpi."""
    image = Image.new("L", (600, 300), 255)
    for number, text in enumerate(ROWS):
        ImageDraw.Draw(image).text((40, 100 + 40 * number), text, 0, ImageFont.load_default(26), anchor="ls")
    path = tmp_path / "scan.png"
    image.save(path, dpi=(150, 150))
    return path


def test_text(glyphlet, scan):
    result = glyphlet("read", "--page", scan)
    assert (result.code, result.out) == (0, "\n".join([*ROWS, ""]))


def test_pages_are_parted_by_a_form_feed(glyphlet, scan):
    assert glyphlet("read", "--page", scan, scan).out == "\f".join(["\n".join([*ROWS, ""])] * 2)


@pytest.mark.parametrize("options", [("--json",), ("--format", "json")])
def test_json(glyphlet, scan, options):
    (page,) = json.loads(glyphlet("read", "--page", scan, *options).out)["pages"]
    assert [line["text"] for line in page["lines"]] == ROWS
    assert page["path"] == str(scan)
    assert page["dpi"] == pytest.approx(150, abs=0.1)


@pytest.mark.parametrize("name", ["hocr", "alto"])
def test_xml_to_a_file(glyphlet, scan, tmp_path, name):
    result = glyphlet("read", "--page", scan, "--format", name, "-o", tmp_path / "out.xml")
    assert (result.code, result.out) == (0, "")
    assert "second" in ElementTree.tostring(ElementTree.parse(tmp_path / "out.xml").getroot(), encoding="unicode")


def test_a_pdf_of_a_pdf_keeps_its_size(glyphlet, scan, tmp_path):
    with Image.open(scan) as image:
        image.save(tmp_path / "in.pdf", resolution=150)
    result = glyphlet(
        "read", "--page", tmp_path / "in.pdf", "--format", "pdf", "-o", tmp_path / "out.pdf", "--dpi", 150
    )
    assert result.code == 0, result.err
    document = pypdfium2.PdfDocument(tmp_path / "out.pdf")
    assert document[0].get_size() == pytest.approx((288, 144), abs=0.01)
    assert document[0].get_textpage().get_text_bounded().split() == " ".join(ROWS).split()
    document.close()


def test_pictures_of_what_was_found(glyphlet, scan, tmp_path):
    glyphlet("read", "--page", scan, scan, "--draw", tmp_path / "look.png")
    for name in ("look.png", "look-2.png"):
        with Image.open(tmp_path / name) as image:
            assert image.size == (600, 300)


def test_a_bad_file_is_told_and_the_others_are_read(glyphlet, scan, tmp_path):
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    result = glyphlet("read", "--page", tmp_path / "bad.pdf", scan)
    assert result.out == "\n".join([*ROWS, ""])
    result.refused("bad.pdf", "damaged PDF", code=1)


def test_a_folder(glyphlet, scan, tmp_path):
    with Image.open(scan) as image:
        image.save(tmp_path / "b.pdf", resolution=150)
    (tmp_path / "notes.txt").write_text("no page")
    pages = json.loads(glyphlet("read", "--page", tmp_path, "--json").out)["pages"]
    assert [page["path"] for page in pages] == [str(tmp_path / "b.pdf"), str(scan)]


@pytest.mark.parametrize("module", ["cv2", "pypdfium2"])
def test_what_is_missing_is_named(glyphlet, scan, tmp_path, monkeypatch, module):
    with Image.open(scan) as image:
        image.save(tmp_path / "b.pdf", resolution=150)
    for name in [name for name in sys.modules if name.startswith("glyphlet.pages")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    result = glyphlet("read", "--page", tmp_path / "b.pdf")
    assert result.code == 2
    assert result.err == f"glyphlet: this needs {module}. Next: pip install 'glyphlet[pages]'.\n"


def test_an_unknown_format(glyphlet, scan):
    glyphlet("read", "--page", scan, "--format", "docx").refused("docx", "hocr")


def test_a_pdf_is_not_printed(glyphlet, scan):
    glyphlet("read", "--page", scan, "--format", "pdf").refused("-o")


@pytest.mark.parametrize("name", ["hocr", "alto", "pdf", "json"])
def test_formats_of_pages_without_page(glyphlet, scan, name):
    glyphlet("read", scan, "--format", name).refused(f"--format is '{name}'", "with --page text, json, hocr, alto, pdf")


def test_standard_input(glyphlet, scan, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(scan.read_bytes())))
    (page,) = json.loads(glyphlet("read", "--page", "-", "--json").out)["pages"]
    assert [line["text"] for line in page["lines"]] == ROWS
    assert page["path"] == "-"


def test_what_stood_there_is_kept_when_nothing_can_be_written(glyphlet, scan, tmp_path):
    glyphlet("read", "--page", scan, "-o", tmp_path / "missing" / "out.txt").refused("missing")
    assert not (tmp_path / "missing").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.png"]
