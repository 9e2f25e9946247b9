"""hOCR and ALTO: well-formed, with what their specifications ask for."""

import re
from xml.etree import ElementTree

import pytest

from glyphlet.pages.writers import writer_of
from glyphlet.pages.writers.alto import SPACE

HTML, ALTO = "{http://www.w3.org/1999/xhtml}", f"{{{SPACE}}}"


def tree(name, pages):
    return ElementTree.fromstring(b"".join(writer_of(name)(pages)))


def of_class(root, name):
    return [element for element in root.iter() if element.get("class") == name]


def test_hocr_pages_lines_words(two_pages):
    root = tree("hocr", two_pages)
    assert root.tag == f"{HTML}html"
    names = {meta.get("name"): meta.get("content") for meta in root.iter(f"{HTML}meta")}
    assert names["ocr-system"].startswith("glyphlet ")
    assert set(names["ocr-capabilities"].split()) == {
        "ocr_page",
        "ocr_carea",
        "ocr_par",
        "ocr_line",
        "ocrx_word",
        "ocrp_wconf",
    }
    first, second = of_class(root, "ocr_page")
    assert first.get("title") == 'image "scan.png"; bbox 0 0 600 400; ppageno 0; scan_res 150 150'
    assert "ppageno 1" in second.get("title")
    assert len(of_class(first, "ocr_carea")) == 2
    assert [len(of_class(line, "ocrx_word")) for line in of_class(first, "ocr_line")] == [2, 3, 1]
    words = of_class(root, "ocrx_word")
    assert [word.text for word in words] == ["Crème", "<brûlée>", "Straße", "&", '5"€', "end", "中文", "Ωж", "𝄞"]
    assert words[0].get("title") == "bbox 50 40 110 60; x_wconf 90"


def test_hocr_ids_are_unique(two_pages):
    ids = [element.get("id") for element in tree("hocr", two_pages).iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 10


@pytest.mark.parametrize(("angle", "rise"), [(0.0, 0), (2.0, 1), (-2.0, -1)])
def test_hocr_baselines_slope_and_stay_in_their_line(make, angle, rise):
    read = make.read(make.page([[make.line([make.word("word", 100, 100, 200)], angle)]]))
    title = of_class(tree("hocr", [read]), "ocr_line")[0].get("title")
    match = re.fullmatch(r"bbox 100 100 300 120; baseline (-?[\d.]+) (-?\d+)", title)
    assert match, title
    assert float(match[1]) * rise >= 0
    assert (float(match[1]) == 0) == (rise == 0)
    assert -20 <= int(match[2]) <= 0


def test_alto_pages_blocks_lines_words(two_pages):
    root = tree("alto", two_pages)
    assert root.tag == f"{ALTO}alto"
    assert root.find(f"{ALTO}Description/{ALTO}MeasurementUnit").text == "pixel"
    assert root.find(f".//{ALTO}fileName").text == "scan.png"
    first, second = root.findall(f"{ALTO}Layout/{ALTO}Page")
    assert (first.get("WIDTH"), first.get("HEIGHT"), second.get("PHYSICAL_IMG_NR")) == ("600", "400", "2")
    assert len(first.findall(f"{ALTO}PrintSpace/{ALTO}TextBlock")) == 2
    lines = list(first.iter(f"{ALTO}TextLine"))
    assert [len(line.findall(f"{ALTO}String")) for line in lines] == [2, 3, 1]
    assert [child.tag.removeprefix(ALTO) for child in lines[0]] == ["Shape", "String", "SP", "String"]
    string = next(first.iter(f"{ALTO}String"))
    place = {key: string.get(key) for key in ("CONTENT", "HPOS", "VPOS", "WIDTH", "HEIGHT", "WC")}
    assert place == {"CONTENT": "Crème", "HPOS": "50", "VPOS": "40", "WIDTH": "60", "HEIGHT": "20", "WC": "0.900"}
    assert [glyph.get("CONTENT") for glyph in string] == list("Crème")


def test_alto_has_what_the_schema_requires(two_pages):
    places = {"HPOS", "VPOS", "WIDTH", "HEIGHT"}
    required = {
        "Page": {"ID", "PHYSICAL_IMG_NR"}, "PrintSpace": places, "TextBlock": {"ID", *places}, "TextLine": places,
        "String": {"CONTENT"}, "Glyph": {"CONTENT"}, "Polygon": {"POINTS"},
    }  # fmt: skip
    root = tree("alto", two_pages)
    seen = set()
    for element in root.iter():
        tag = element.tag.removeprefix(ALTO)
        seen.add(tag)
        assert set(element.keys()) >= required.get(tag, set()), tag
        assert all(int(element.get(key)) >= 0 for key in places & set(element.keys()))
    assert seen >= set(required)
    ids = [element.get("ID") for element in root.iter() if element.get("ID")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ["hocr", "alto"])
def test_what_xml_cannot_hold(make, name):
    read = make.read(make.page([[make.line([make.word("a\x07b\ud800", 0, 0, 20)])]], name="a\x00\"<&'.png"))
    text = ElementTree.tostring(tree(name, [read]), encoding="unicode")
    assert "a?b?" in text
    assert "\x07" not in text


@pytest.mark.parametrize("name", ["hocr", "alto"])
def test_no_pages(name):
    assert len(list(tree(name, []).iter())) > 3


def test_boxes_outside_the_page_are_cut_off(make):
    read = make.read(make.page([[make.line([make.word("rim", 590.6, 395, 40)])]]))
    title = of_class(tree("hocr", [read]), "ocrx_word")[0].get("title")
    assert title.startswith("bbox 591 395 600 400;")
