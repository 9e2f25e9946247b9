"""A searchable PDF: the picture of each page, and over it the words as text that is not drawn.

PDF 1.5 (ISO 32000-1), text rendering mode 3, as Tesseract and hOCR tools do it. A line is one text object with one matrix,
which turns it: PDFium sorts objects that begin at one height by where they stand, and would mix the words of tilted lines.
Words stand on their own ink, spaces fill the gaps. So a character gets a number for each width in which it comes, in the
order in which they come; the map `ToUnicode` says which it is, so that copying gives the right text in any script.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet import __version__
from glyphlet.pages.page import Page, TextLine
from glyphlet.pages.writers import Read
from glyphlet.pages.writers.font import ADVANCE, ASCENT, DESCENT, empty_font

QUALITY = 85
"""Of the JPEG pictures."""
STEP, WIDEST = 20, 4000
"""Widths of characters in thousandths of the size: multiples of this, up to that."""
FINE = 0.1
"""The font is so much smaller and the matrix larger. PDFium takes a step down for a new line from a size of the font on; at a plain
scale it joins tilted lines, whose upright boxes overlap."""
MOST_NUMBERS = 65_000
CATALOG, PAGES, FONT = 1, 2, 3
"""Objects whose numbers are known before they are written; the font takes FONT to FONT + 4."""
INFO, FONT_FILE, FIRST_PAGE = 8, 9, 10


class _File:
    """Objects and where they begin."""

    def __init__(self) -> None:
        self.length = 0
        self.starts: dict[int, int] = {}

    def out(self, data: bytes) -> bytes:
        self.length += len(data)
        return data

    def object(self, number: int, body: bytes) -> bytes:
        self.starts[number] = self.length
        return self.out(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def trailer(self) -> bytes:
        count = max(self.starts) + 1
        rows = [b"%010d 00000 n \n" % self.starts[number] for number in range(1, count)]
        table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, b"".join(rows))
        ends = b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\n" % (count, CATALOG, INFO)
        return table + ends + b"startxref\n%d\n%%%%EOF\n" % self.length


class _Numbers:
    """A number for each character in each width, from 1."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, int], int] = {}

    def coded(self, text: str, width: int) -> bytes:
        return "".join(f"{self._number(char, width):04X}" for char in text).encode()

    def _number(self, char: str, width: int) -> int:
        if (char, width) not in self.of and len(self.of) >= MOST_NUMBERS:  # another width is better than no character
            return next((number for (known, _), number in self.of.items() if known == char), 0)
        return self.of.setdefault((char, width), len(self.of) + 1)


def write(pages: Iterable[Read]) -> Iterator[bytes]:
    """The pages as a PDF."""
    file, numbers, kids = _File(), _Numbers(), list[int]()
    yield file.out(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    for read in pages:
        number = FIRST_PAGE + 3 * len(kids)
        kids.append(number)
        yield from _page(file, number, read, numbers)
    yield file.object(CATALOG, b"<< /Type /Catalog /Pages %d 0 R >>" % PAGES)
    listed = b" ".join(b"%d 0 R" % kid for kid in kids)
    yield file.object(PAGES, b"<< /Type /Pages /Kids [%s] /Count %d >>" % (listed, len(kids)))
    yield from _font(file, numbers)
    yield file.trailer()


def _page(file: _File, number: int, read: Read, numbers: _Numbers) -> Iterator[bytes]:
    page, scale = read.page, 72 / read.page.dpi
    width, height = page.width * scale, page.height * scale
    resources = b"/Font << /F %d 0 R >> /XObject << /I %d 0 R >>" % (FONT, number + 2)
    box = f"/MediaBox [0 0 {width:.4f} {height:.4f}]".encode()
    body = b"<< /Type /Page /Parent %d 0 R %s /Resources << %s >> /Contents %d 0 R >>"
    yield file.object(number, body % (PAGES, box, resources, number + 1))
    shown = f"q {width:.4f} 0 0 {height:.4f} 0 0 cm /I Do Q\n".encode()
    yield file.object(number + 1, _stream(b"", shown + _text(page, scale, numbers)))
    yield file.object(number + 2, _picture(read.pixels))


def _stream(entries: bytes, data: bytes) -> bytes:
    packed = zlib.compress(data)
    return b"<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (entries, len(packed), packed)


def _picture(pixels: NDArray[np.uint8]) -> bytes:
    """The page as JPEG; grey where it has no colour."""
    height, width = pixels.shape[:2]
    grey = all(np.array_equal(pixels[:, :, 0], pixels[:, :, other]) for other in (1, 2))
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if grey else pixels).save(buffer, "JPEG", quality=QUALITY)
    data = buffer.getvalue()
    space = b"/DeviceGray" if grey else b"/DeviceRGB"
    entries = (
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s /BitsPerComponent 8 /Filter /DCTDecode"
    )
    return b"<< " + entries % (width, height, space) + b" /Length %d >>\nstream\n%s\nendstream" % (len(data), data)


def _text(page: Page, scale: float, numbers: _Numbers) -> bytes:
    shown = [_shown(line, page, scale, numbers) for line in page.lines if line.words]
    return b"".join([b"BT 3 Tr\n", *shown, b"ET\n"])


def _shown(line: TextLine, page: Page, scale: float, numbers: _Numbers) -> bytes:
    """One line: one matrix and one text, words and the gaps between them as spaces."""
    turn, (x0, y0) = math.radians(line.angle), line.baseline[0]
    start = line.words[0].box[0]
    y = y0 + (start - x0) * math.tan(turn)
    size = max(1.0, _height(line))
    c, s = math.cos(turn) / FINE, math.sin(turn) / FINE
    matrix = f"{c:.5f} {-s:.5f} {s:.5f} {c:.5f} {start * scale:.3f} {(page.height - y) * scale:.3f}"
    shown, behind = [f"/F {FINE * size * scale:.3f} Tf {matrix} Tm [".encode()], 0.0
    for text, width in _spans(line, size):
        wanted = 1000 * width / size - behind
        each = STEP * min(max(1, round(wanted / len(text) / STEP)), WIDEST // STEP)
        behind = each * len(text) - wanted
        shown.append(b"<" + numbers.coded(text, each) + b">")
        if text == " ":  # back to where the next word begins
            shown.append(f"{behind:.1f}".encode())
            behind = 0.0
    return b"".join([*shown, b"] TJ\n"])


def _spans(line: TextLine, size: float) -> Iterator[tuple[str, float]]:
    """Words and spaces with their widths along the line in pixels; each word ends where its ink does."""
    turn = max(0.1, math.cos(math.radians(line.angle)))
    start = line.words[0].box[0]
    starts = [(word.box[0] - start) / turn for word in line.words]
    reached = 0.0
    for number, word in enumerate(line.words):
        end = max(reached + 0.5, (word.box[2] - start) / turn)
        yield word.text, end - reached
        follows = starts[number + 1] if number + 1 < len(starts) else end + 0.25 * size
        reached = max(end + 0.5, follows)
        yield " ", reached - end


def _height(line: TextLine) -> float:
    """From its lowest to its highest ink, in pixels, across the line."""
    (x0, y0), _, _, (x1, y1) = line.corners
    return math.hypot(x1 - x0, y1 - y0)


def _font(file: _File, numbers: _Numbers) -> Iterator[bytes]:
    """The font as a Type 0 font whose codes are the numbers of the characters."""
    descriptor = f"/FontBBox [0 {DESCENT} {ADVANCE} {ASCENT}] /Ascent {ASCENT} /Descent {DESCENT} /CapHeight {ASCENT}"
    yield file.object(FONT, b"<< /Type /Font /Subtype /Type0 /BaseFont /GlyphletEmpty /Encoding /Identity-H "
                            b"/DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>" % (FONT + 1, FONT + 3))  # fmt: skip
    yield file.object(FONT + 1, b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /GlyphletEmpty /FontDescriptor %d 0 R /DW %d /W [1 [%s]] "
                                b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /CIDToGIDMap %d 0 R >>"
                                % (FONT + 2, ADVANCE, b" ".join(b"%d" % width for _, width in numbers.of), FONT + 4))  # fmt: skip
    yield file.object(FONT + 2, b"<< /Type /FontDescriptor /FontName /GlyphletEmpty /Flags 5 /ItalicAngle 0 /StemV 80 %s "
                                b"/FontFile2 %d 0 R >>" % (descriptor.encode(), FONT_FILE))  # fmt: skip
    yield file.object(FONT + 3, _stream(b"", _to_unicode(numbers)))
    yield file.object(FONT + 4, _stream(b"", b"\0\1" * (len(numbers.of) + 1)))
    yield file.object(INFO, b"<< /Producer (glyphlet %s) >>" % __version__.encode())
    data = empty_font()
    yield file.object(FONT_FILE, _stream(b"/Length1 %d" % len(data), data))


def _to_unicode(numbers: _Numbers) -> bytes:
    """Which character each number stands for, in UTF-16."""
    pairs = [f"<{number:04X}> <{char.encode('utf-16-be').hex().upper()}>" for (char, _), number in numbers.of.items()]
    parts = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    maps = "".join(f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar\n" for part in parts)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{maps}endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode()


__all__ = ["QUALITY", "write"]
