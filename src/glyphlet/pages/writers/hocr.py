"""hOCR 1.2: XHTML in which classes and titles say what and where (http://kba.github.io/hocr-spec/1.2/).

`ocr_page` holds `ocr_carea` for each block, `ocr_par`, `ocr_line` with its baseline, and `ocrx_word` with `x_wconf`, the
confidence in percent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from glyphlet import __version__
from glyphlet.pages.page import Box, Page, TextLine, Word, around
from glyphlet.pages.writers import Read
from glyphlet.pages.writers.marks import attribute, legal, whole

HEAD = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<title></title>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
<meta name="ocr-system" content="glyphlet {__version__}"/>
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf"/>
</head>
<body>
"""


def write(pages: Iterable[Read]) -> Iterator[bytes]:
    """The pages as UTF-8."""
    yield HEAD.encode()
    for number, read in enumerate(pages, 1):
        yield "\n".join([*_page(read.page, number), ""]).encode()
    yield b"</body>\n</html>\n"


def _page(page: Page, number: int) -> Iterator[str]:
    name = page.name.replace('"', "'")
    title = f'image "{name}"; bbox 0 0 {page.width} {page.height}; ppageno {number - 1}; scan_res {page.dpi:.0f} {page.dpi:.0f}'
    yield f"<div class='ocr_page' id='page_{number}' title={attribute(title)}>"
    for place, block in enumerate(page.blocks, 1):
        lines = [line for line in block if line.text]
        if not lines:
            continue
        where = _bbox(around([line.box for line in lines]), page)
        yield f"<div class='ocr_carea' id='block_{number}_{place}' title=\"{where}\">"
        yield f"<p class='ocr_par' id='par_{number}_{place}' title=\"{where}\">"
        for order, line in enumerate(lines, 1):
            yield from _line(line, page, f"{number}_{place}_{order}")
        yield "</p>"
        yield "</div>"
    yield "</div>"


def _line(line: TextLine, page: Page, label: str) -> Iterator[str]:
    x0, y0 = line.baseline[0]
    slope = math.tan(math.radians(line.angle))
    offset = y0 - slope * (x0 - line.box[0]) - line.box[3]  # from the lower left corner of the box
    where = f"{_bbox(line.box, page)}; baseline {slope:.4f} {offset:.0f}"
    yield f"<span class='ocr_line' id='line_{label}' title=\"{where}\">"
    for order, word in enumerate(line.words, 1):
        yield _word(word, page, f"{label}_{order}")
    yield "</span>"


def _word(word: Word, page: Page, label: str) -> str:
    where = f"{_bbox(word.box, page)}; x_wconf {round(100 * word.confidence)}"
    return f"<span class='ocrx_word' id='word_{label}' title=\"{where}\">{escape(legal(word.text))}</span>"


def _bbox(box: Box, page: Page) -> str:
    return "bbox " + " ".join(map(str, whole(box, page.width, page.height)))


__all__ = ["write"]
