"""The findings as text and as a page: complete, escaped, self-contained, with pictures."""

import base64
import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.data.auditing.audit import Rules, audit
from glyphlet.data.lineset import ListedLines
from glyphlet.data.sample import Sample
from glyphlet.errors import GlyphletError
from glyphlet.evaluate.bars import bar_chart, column_chart
from glyphlet.evaluate.dataset import findings_text, sparkline, write_page

NASTY = '<script>alert("&\'")</script>'


def picture(seed: int, width: int = 300, height: int = 40) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (height, width), dtype=np.uint8))


def lines(*texts: str, name: str = "train.txt", same: tuple[int, ...] = ()) -> ListedLines:
    images = [picture(0 if i in same else i + 1) for i in range(len(texts))]
    return ListedLines([Sample(image, t, f"{name} line {i + 1}") for i, (image, t) in enumerate(zip(images, texts, strict=True))], name)  # fmt: skip


class Checker(HTMLParser):
    """Collects the tags and texts of a page, and fails on tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(tmp_path):
    def write(found, source, test=None):
        write_page(tmp_path / "page.html", found, source, test)
        return (tmp_path / "page.html").read_text(encoding="utf-8")

    return write


def test_labels_are_escaped_and_what_is_invisible_is_shown(page):
    source = lines(NASTY, f"\u202e{NASTY} ", "a\u200bb", same=(0, 1))
    html = page(audit(source, Rules(charset=Charset.named("digits"))), source)
    seen = Checker(html)
    assert "script" not in seen.tags
    assert NASTY in seen.text
    assert "\u202e" not in html
    assert "\u200b" not in html
    assert '<mark class="space">[U+202E]</mark>' in html
    assert '<mark class="space">[U+200B]</mark>' in html
    assert '<mark class="space">·</mark>' in html


def test_the_page_asks_for_nothing_from_outside(page):
    source = lines(" a", "b")
    html = page(audit(source), source)
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    assert "@import" not in html


def test_examples_have_their_pictures_and_both_lines_of_a_pair(page):
    source, test = lines("cat", "car", "dog", same=(0, 1)), lines("x", name="test.txt", same=(0,))
    found = audit(source, test=test)
    html = page(found, source, test)
    images = [base64.b64decode(data) for data in re.findall(r'src="data:image/png;base64,([^"]+)"', html)]
    assert len(images) == 2 * found["contradiction"].count + 2 * found["leak"].count == 8
    opened = Image.open(io.BytesIO(images[0]))
    assert (opened.size, opened.mode) == ((300, 40), "L")
    assert "test.txt line 1" in html


def test_large_pictures_are_made_smaller(page):
    source = ListedLines([Sample(picture(0, 3000, 600), "a b", "line 1")])
    html = page(audit(source), source)
    assert 'width="320" height="64"' in html


def test_a_line_without_a_picture_says_so(page):
    source = ListedLines([Sample(b"nonsense", "abc", "line 1")])
    html = page(audit(source), source)
    assert "no picture" in html
    assert "is not an image" in html


def test_every_finding_and_histogram_is_on_the_page(page):
    source = lines(" a", "b  c", "d", "")
    found = audit(source)
    text = Checker(page(found, source)).text
    for finding in found.findings:
        assert finding.kind.advice in text
    for title in found.histograms:
        assert title in text


def test_a_page_that_cannot_be_written(tmp_path):
    source = lines("a")
    with pytest.raises(GlyphletError, match="cannot be written"):
        write_page(tmp_path / "none" / "page.html", audit(source), source)


def test_the_text_names_each_finding_with_its_lines():
    source = lines("good", " edge", "\u200bx")
    text = findings_text(audit(source)).plain
    assert "warning edge_space    1 labels with spaces at an end" in text
    assert "train.txt line 2 '·edge': at the start" in text
    assert "train.txt line 3 '[U+200B]x': U+200B ZERO WIDTH SPACE at 1" in text


def test_the_text_limits_examples():
    source = lines(*(f" {i}" for i in range(9)))
    text = findings_text(audit(source), examples=2).plain
    assert text.count("at the start") == 2
    assert "and 7 more" in text


def test_no_findings_are_said():
    assert findings_text(audit(lines("aaaaa", "aaaaa"))).plain == "nothing to complain about"


def test_sparkline_shows_what_is_little_but_not_nothing():
    assert sparkline([("1", 0), ("2", 1), ("3", 1000)]) == " ▁█"
    assert sparkline([]) == ""


@pytest.mark.parametrize("draw", [bar_chart, column_chart])
def test_charts_are_well_formed_and_escaped(draw):
    svg = ElementTree.fromstring(draw([("<a>", 5), ("b", 0), ("c", 10)], "T & t"))
    rects = [float(r.get("width" if draw is bar_chart else "height")) for r in svg.iter() if r.tag.endswith("rect")]
    assert max(rects) == pytest.approx(2 * rects[0], rel=0.01)
    titles = [t.text for t in svg.iter() if t.tag.endswith("title")]
    assert titles[0] == "<a>: 5"
    assert "No" not in draw([], "empty")
