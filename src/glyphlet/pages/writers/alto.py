"""ALTO 4 (https://www.loc.gov/standards/alto/): XML with the place of each block, line, word and character in pixels.

`WC` is the confidence of a word, `GC` that of a character (`Glyph`). Lines that stand askew have their corners as a polygon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from xml.sax.saxutils import escape

from glyphlet import __version__
from glyphlet.pages.page import Box, Page, TextLine, Word, around
from glyphlet.pages.writers import Read
from glyphlet.pages.writers.marks import attribute, legal, whole

SPACE = "http://www.loc.gov/standards/alto/ns-v4#"
SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-2.xsd"


def write(pages: Iterable[Read]) -> Iterator[bytes]:
    """The pages as UTF-8."""
    begun = False
    for number, read in enumerate(pages, 1):
        if not begun:
            yield _head(read.page.name).encode()
            begun = True
        yield "\n".join([*_page(read.page, number), ""]).encode()
    if not begun:
        yield _head("").encode()
    yield b"</Layout>\n</alto>\n"


def _head(name: str) -> str:
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="{SPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="{SPACE} {SCHEMA}">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>{escape(legal(PurePath(name).name))}</fileName></sourceImageInformation>
<Processing ID="OCR_0"><processingSoftware><softwareName>glyphlet</softwareName><softwareVersion>{__version__}</softwareVersion></processingSoftware></Processing>
</Description>
<Layout>
"""


def _page(page: Page, number: int) -> Iterator[str]:
    size = f'WIDTH="{page.width}" HEIGHT="{page.height}"'
    yield f'<Page ID="page_{number}" PHYSICAL_IMG_NR="{number}" {size}>'
    yield f'<PrintSpace HPOS="0" VPOS="0" {size}>'
    for place, block in enumerate(page.blocks, 1):
        lines = [line for line in block if line.text]
        if not lines:
            continue
        yield f'<TextBlock ID="block_{number}_{place}" {_place(around([line.box for line in lines]), page)}>'
        for order, line in enumerate(lines, 1):
            yield from _line(line, page, f"{number}_{place}_{order}")
        yield "</TextBlock>"
    yield "</PrintSpace>"
    yield "</Page>"


def _line(line: TextLine, page: Page, label: str) -> Iterator[str]:
    (x0, y0), (x1, y1) = line.baseline
    baseline = f"{x0:.0f},{y0:.0f} {x1:.0f},{y1:.0f}"
    yield f'<TextLine ID="line_{label}" BASELINE="{baseline}" {_place(line.box, page)}>'
    points = " ".join(f"{x:.0f},{y:.0f}" for x, y in line.corners)
    yield f'<Shape><Polygon POINTS="{points}"/></Shape>'
    for order, word in enumerate(line.words, 1):
        if order > 1:
            yield _space(line.words[order - 2], word, page)
        yield from _word(word, page, f"{label}_{order}")
    yield "</TextLine>"


def _space(before: Word, after: Word, page: Page) -> str:
    box = (before.box[2], min(before.box[1], after.box[1]), after.box[0], max(before.box[3], after.box[3]))
    left, top, right, _ = whole(box, page.width, page.height)
    return f'<SP HPOS="{left}" VPOS="{top}" WIDTH="{right - left}"/>'


def _word(word: Word, page: Page, label: str) -> Iterator[str]:
    content = attribute(word.text)
    yield f'<String ID="string_{label}" CONTENT={content} WC="{word.confidence:.3f}" {_place(word.box, page)}>'
    for order, character in enumerate(word.characters, 1):
        place = _place(character.box, page)
        content = attribute(character.char)
        yield f'<Glyph ID="glyph_{label}_{order}" CONTENT={content} GC="{character.confidence:.3f}" {place}/>'
    yield "</String>"


def _place(box: Box, page: Page) -> str:
    left, top, right, bottom = whole(box, page.width, page.height)
    return f'HPOS="{left}" VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}"'


__all__ = ["SPACE", "write"]
