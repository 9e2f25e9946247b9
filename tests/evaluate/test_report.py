"""Reports are well-formed, self-contained and escaped, and charts put values where they belong."""

from __future__ import annotations

import base64
import io
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from glyphlet.errors import GlyphletError, ImageError
from glyphlet.evaluate.curves import training_curves
from glyphlet.evaluate.figures import confusion_section, score_figures, score_section
from glyphlet.evaluate.gallery import Picture, differences, gallery
from glyphlet.evaluate.plot import HEIGHT, WIDTH, line_chart, number
from glyphlet.evaluate.report import Section, key_figures, page, preformatted, table_section, write_report
from glyphlet.metrics import score

SVG = "{http://www.w3.org/2000/svg}"
NASTY = '<script>alert("&\'")</script>'


class Checker(HTMLParser):
    """Collects the text, tags and attributes of a page, and fails on tags that do not nest."""

    VOID = ("meta", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def text_of(html: str) -> str:
    return Checker(html).text


def full_report() -> str:
    image = np.full((8, 20), 200, np.uint8)
    scores = score([NASTY, "a b"], ["<script>", "ab"])
    rows = [{"epoch": e, "train_loss": 1 / e, "validation_accuracy": 0.5, "lr": 1e-3} for e in (1, 2, 3)]
    sections = [
        score_figures(scores, {NASTY: (NASTY, NASTY)}),
        training_curves(rows),
        gallery([Picture(image, NASTY, "<script>", 0.5, NASTY, NASTY), Picture(image, NASTY)], NASTY, NASTY),
        score_section(scores),
        confusion_section(scores),
        preformatted(NASTY),
    ]
    return page(NASTY, sections, NASTY)


def test_report_escapes_everything_from_outside() -> None:
    seen = Checker(full_report())
    assert "script" not in seen.tags
    assert seen.text.count(NASTY) >= 10
    assert ("alt", f"Line image: {NASTY}") in seen.attributes


def test_report_needs_nothing_from_outside() -> None:
    seen = Checker(full_report())
    assert not {"script", "link", "iframe", "object", "base"} & set(seen.tags)
    for name, value in seen.attributes:
        if name == "src":
            assert str(value).startswith("data:image/png;base64,")
        if name == "href":
            assert str(value).startswith("#s")
    assert re.search(r"@import|url\(", full_report()) is None
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in seen.attributes


def test_report_follows_the_readers_colours_and_links_its_sections() -> None:
    html = full_report()
    assert "prefers-color-scheme:dark" in html
    assert html.count('<a href="#s') == html.count("<section ") == 6


def test_report_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_report(target, "caf\udce9", [Section("One", "<p>é</p>")])  # a file name that is not UTF-8
    text = target.read_text(encoding="utf-8")
    assert "<p>é</p>" in text
    assert "caf\\udce9" in text
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(GlyphletError, match="cannot be written"):
        write_report(tmp_path, "a folder", [])


def test_key_figures_stand_with_their_remarks() -> None:
    body = key_figures({"CER": ("1.20 %", "0.90 to 1.50 %"), "Lines": "7"}).body
    assert text_of(body) == "CER1.20 %0.90 to 1.50 %Lines7"


@pytest.mark.parametrize("shape", [(8, 20), (8, 20, 1), (8, 20, 3)])
def test_arrays_become_png_files_without_loss(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    body = gallery([Picture(image, "a")]).body
    found = re.search(r'base64,([^"]+)" width="20" height="8"', body)
    assert found
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as opened:
        assert np.array_equal(np.asarray(opened).reshape(shape), image)


def test_png_bytes_are_taken_as_they_are() -> None:
    file = io.BytesIO()
    Image.new("L", (300, 20)).save(file, "PNG")
    body = gallery([Picture(file.getvalue(), "a")]).body
    assert base64.b64encode(file.getvalue()).decode() in body
    assert 'width="300" height="20"' in body
    assert '<li class="card long">' in body  # 15 times as wide as high


@pytest.mark.parametrize(
    "image",
    [b"GIF89a", np.zeros((8, 20), np.float32), np.zeros((8, 20, 4), np.uint8), np.zeros(8, np.uint8)],
    ids=["gif", "float", "alpha", "flat"],
)
def test_what_is_no_picture_is_refused(image: object) -> None:
    with pytest.raises(ImageError, match="a picture for the report is"):
        gallery([Picture(image, "a")])  # type: ignore[arg-type]


def test_gallery_shows_truth_only_where_it_differs() -> None:
    image = np.zeros((8, 20), np.uint8)
    right = text_of(gallery([Picture(image, "ab", "ab", 0.985)]).body)
    assert right == "readab✓ rightconfidence 98.5 %"
    wrong = text_of(gallery([Picture(image, "ax", "ab", math.nan, "p.png", "a_x")]).body)
    assert wrong == "readaxtruthabrawa_xp.png"
    assert text_of(gallery([Picture(image, "", "")]).body) == "read✓ right"


def test_differences_are_marked_and_spaces_seen() -> None:
    read, truth = differences("he1lo,x", "hello, x")
    assert read == (
        'he<mark title="1 read for l">1</mark>lo,<span class="gap" title="missing: ·"></span>x'
    )  # fmt: skip
    assert truth == 'he<mark title="1 read for l">l</mark>lo,<mark class="space" title="missing: ·">·</mark>x'


@given(st.text("ab<&\"' ", max_size=12), st.text("ab<&\"' ", max_size=12))
def test_differences_hold_both_texts(read: str, truth: str) -> None:
    for html, text in zip(differences(read, truth), (read, truth), strict=True):
        assert text_of(html).replace("·", " ") == text


def test_curves_take_strings_of_a_csv_file() -> None:
    rows = [
        {"epoch": "1", "train_loss": "0.5", "validation_loss": "", "lines_per_second": "100"},
        {"epoch": "2", "train_loss": "nan", "validation_loss": "0.25"},
    ]
    body = training_curves(rows).body
    titles = [t.text for svg in re.findall(r"<svg.*?</svg>", body) for t in drawing(svg).iter(f"{SVG}title")]
    assert titles == ["training: 0.5 at 1", "validation: 0.25 at 2", "training: 100 at 1"]
    assert "Learning rate" not in body


def test_losses_below_zero_are_shown() -> None:
    body = training_curves([{"epoch": 1, "train_loss": 1.0}, {"epoch": 2, "train_loss": -0.5}]).body
    assert "training: -0.5 at 2" in body
    assert ticks(body[body.index("<svg") : body.index("</svg>") + 6], "end")[0] == "-0.5"


def test_empty_sections_say_so() -> None:
    assert text_of(training_curves([]).body) == "No epochs."
    assert text_of(gallery([]).body) == "No lines."
    assert text_of(table_section("T", ("A",), []).body) == "None."
    assert text_of(confusion_section(score(["a"], ["a"])).body) == "None."


def drawing(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def ticks(svg: str, anchor: str) -> list[str]:
    """The labels at the axes: `end` for y, `middle` for x (the labels of the axes themselves excepted)."""
    found = [t for t in drawing(svg).iter(f"{SVG}text") if t.get("text-anchor") == anchor]
    return [str(t.text) for t in found if t.text not in ("x", "y")]


def places(svg: str) -> list[list[tuple[float, float]]]:
    """The corners of every drawn run."""
    paths = [str(p.get("d")) for p in drawing(svg).iter(f"{SVG}path")]
    return [
        [tuple(map(float, c.split())) for c in d[1:].split("L")]  # type: ignore[misc]
        for d in paths
        if not d.endswith("h26")
    ]


def test_axes_have_nice_ticks_and_points_lie_on_them() -> None:
    svg = line_chart({"a": [(0, 0.0), (10, 0.9)]}, "t", "x", "y")
    assert ticks(svg, "end") == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert ticks(svg, "middle") == ["0", "2", "4", "6", "8", "10"]
    [[first, last]] = places(svg)
    grid = [float(str(g.get("y1"))) for g in drawing(svg).iter(f"{SVG}line") if g.get("class") == "grid"]
    assert first[1] == grid[0]
    assert last[1] == pytest.approx((grid[4] + grid[5]) / 2, abs=0.1)  # 0.9 is midway between 0.8 and 1


def test_whole_numbers_have_no_ticks_between() -> None:
    assert ticks(line_chart({"a": [(1, 0), (2, 1), (3, 2)]}, "t", "x", "y"), "middle") == ["1", "2", "3"]


def test_gaps_part_a_line() -> None:
    points = [(1, 1.0), (2, None), (3, 2.0), (4, math.nan), (5, 3.0), (6, math.inf), (7, 4.0), (8, 5.0)]
    assert [len(run) for run in places(line_chart({"a": points}, "t", "x", "y"))] == [1, 1, 1, 2]


def test_log_axis_is_even_in_powers_and_skips_zero() -> None:
    svg = line_chart({"a": [(1, 1e-4), (2, 1e-2), (3, 0.0), (4, 1.0)]}, "t", "x", "y", log_y=True)
    assert ticks(svg, "end") == ["1e-4", "0.001", "0.01", "0.1", "1"]
    (low, middle), (high,) = places(svg)
    assert middle[1] == pytest.approx((low[1] + high[1]) / 2, abs=0.1)


def test_a_range_is_kept_and_what_lies_outside_drawn_at_its_edge() -> None:
    svg = line_chart({"a": [(1, -1.0), (2, 0.5), (3, 2.0)]}, "t", "x", "y", y_range=(0, 1))
    assert ticks(svg, "end")[::5] == ["0", "1"]
    [[low, middle, high]] = places(svg)
    assert middle[1] == pytest.approx((low[1] + high[1]) / 2, abs=0.1)


def test_zero_can_be_kept_in_view() -> None:
    assert ticks(line_chart({"a": [(1, 99.0), (2, 100.0)]}, "t", "x", "y", from_zero=True), "end")[0] == "0"


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [(1, None)]}])
def test_charts_without_values_say_so(series: dict[str, list[tuple[float, float | None]]]) -> None:
    svg = line_chart(series, "t", "x", "y")
    assert "No values" in svg
    assert places(svg) == []


@pytest.mark.parametrize("y_range", [(1, 1), (2, 1), (0, 1)])
def test_a_range_must_rise(y_range: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="does not rise"):
        line_chart({}, "t", "x", "y", y_range=y_range, log_y=True)


def test_chart_texts_are_escaped_and_told_to_screen_readers() -> None:
    root = drawing(line_chart({"<&'\">": [(1, 2.5)]}, "<t>", "<x>", "<y>"))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "<t>: <y> by <x>; <&'\"> ends at 2.5"
    assert {"<t>", "<x>", "<y>", "<&'\">"} <= {t.text for t in root.iter(f"{SVG}text")}


values = st.floats(-1e30, 1e30, allow_subnormal=False) | st.none() | st.just(math.nan)


@given(st.lists(st.tuples(st.floats(0, 1e6, allow_subnormal=False), values)), st.booleans())
@example([(0.0, 999999.9999999999)], True)
def test_everything_stays_inside_the_drawing(points: list[tuple[float, float | None]], log_y: bool) -> None:
    svg = line_chart({"a": sorted(points, key=lambda p: p[0])}, "t", "x", "y", log_y=log_y)
    for run in places(svg):
        for x, y in run:
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    assert len(ticks(svg, "end")) <= 13


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.1 + 0.2, "0.3"),
        (12000, "12,000"),
        (3e-5, "3e-5"),
        (-2.5, "-2.5"),
        (1.5e9, "1.5e9"),
        (123456, "123,456"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown
