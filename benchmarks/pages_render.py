"""Pages with known truth: letters, receipts and two columns, drawn with Pillow in the fonts of Debian packages.

Each page is a white sheet with lines of text at places that are kept, then turned, lit unevenly, blurred, made noisy and
packed as JPEG, as a scanner or a telephone would. The truth is the text of each line in reading order with the box of its ink.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.peers import DATA

TEXT = DATA / "text" / "en.txt"
FONTS = Path("/usr/share/fonts")
TUNING = {
    "book": ("truetype/liberation/LiberationSerif-Regular.ttf", "truetype/dejavu/DejaVuSans.ttf", "opentype/cabin/Cabin-Regular.otf",
             "truetype/lato/Lato-Regular.ttf", "opentype/linux-libertine/LinLibertine_R.otf"),
    "receipt": ("truetype/liberation/LiberationMono-Regular.ttf", "opentype/yanone-kaffeesatz/YanoneKaffeesatz-Regular.otf"),
}  # fmt: skip
KEPT = {
    "book": ("truetype/charis/CharisSIL-Regular.ttf", "truetype/crosextra/Carlito-Regular.ttf", "truetype/crosextra/Caladea-Regular.ttf",
             "opentype/ebgaramond/EBGaramond12-Regular.otf", "truetype/quicksand/Quicksand-Regular.ttf"),
    "receipt": ("opentype/courier-prime/CourierPrime-Regular.otf", "truetype/3270/3270-Regular.ttf", "truetype/crosextra/Carlito-Bold.ttf"),
}  # fmt: skip
"""Fonts of the table that is kept; `print` was not trained on any of them, and no setting of this part was chosen on them."""


@dataclass
class Truth:
    """A page and what stands on it."""

    image: Image.Image
    dpi: int
    kind: str
    lines: list[str] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    angle: float = 0.0


def fonts(group: tuple[str, ...]) -> list[Path]:
    """Those that are installed."""
    return [FONTS / name for name in group if (FONTS / name).is_file()]


def sentences() -> list[str]:
    """Running text."""
    rows = TEXT.read_text(encoding="utf-8").splitlines()
    return [row for row in rows if row.isascii() and 20 < len(row) < 160 and not set(row) & set("`*_|~^<>{}[]\\")]


class Sheet:
    """A white sheet that remembers what was written where."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("L", (width, height), 255)
        self.draw = ImageDraw.Draw(self.image)
        self.lines: list[str] = []
        self.boxes: list[tuple[float, float, float, float]] = []

    def write(
        self, x: float, y: float, text: str, font: ImageFont.FreeTypeFont, same: bool = False, ink: int = 15
    ) -> None:
        """Write a line with its baseline at `y`; with `same`, it goes on with the line before."""
        self.draw.text((x, y), text, ink, font, anchor="ls")
        box = self.draw.textbbox((x, y), text, font, anchor="ls")
        if same:
            last = self.boxes[-1]
            self.lines[-1] += " " + text
            self.boxes[-1] = (min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3]))
        else:
            self.lines.append(text)
            self.boxes.append(tuple(map(float, box)))  # type: ignore[arg-type]


def wrapped(words: list[str], font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Words as lines that are no wider than `width`; the last may be short."""
    lines, line = [], ""
    for word in words:
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def justified(sheet: Sheet, x: float, y: float, text: str, font: ImageFont.FreeTypeFont, width: float) -> None:
    """Write a line that fills the width."""
    words = text.split()
    gap = (width - sum(font.getlength(word) for word in words)) / max(1, len(words) - 1)
    for place, word in enumerate(words):
        sheet.write(x, y, word, font, same=place > 0)
        x += font.getlength(word) + gap


def paragraphs(
    sheet: Sheet, rng: random.Random, texts: list[str], face: Path, size: float, area: tuple[float, float, float, float]
) -> None:
    """Fill an area with paragraphs."""
    left, top, right, bottom = area
    font, pitch = ImageFont.truetype(str(face), size), size * rng.choice((1.15, 1.25, 1.4))
    block, y = rng.random() < 0.5, top + size
    while y < bottom:
        words = " ".join(rng.sample(texts, rng.randint(2, 6))).split()
        lines = wrapped(words, font, right - left)
        for place, line in enumerate(lines):
            if y > bottom:
                return
            if block and place < len(lines) - 1 and len(line.split()) > 3:
                justified(sheet, left, y, line, font, right - left)
            else:
                sheet.write(left, y, line, font)
            y += pitch
        y += pitch * rng.choice((0.0, 0.6, 1.0))


def letter(rng: random.Random, texts: list[str], faces: list[Path], dpi: int) -> Sheet:
    """A letter or a page of a book on A4: a heading, paragraphs, a page number."""
    sheet = Sheet(round(8.27 * dpi), round(11.69 * dpi))
    face, size, edge = rng.choice(faces), rng.choice((9, 10, 11, 12)) * dpi / 72, rng.uniform(0.9, 1.3) * dpi
    width, height = sheet.image.size
    heading = " ".join(rng.choice(texts).split()[:5])
    sheet.write(edge, edge + 1.6 * size, heading, ImageFont.truetype(str(face), size * rng.choice((1.4, 1.8, 2.2))))
    end = rng.uniform(0.5, 0.9) * height
    paragraphs(sheet, rng, texts, face, size, (edge, edge + 3 * size, width - edge, end))
    sheet.write(width / 2, height - 0.6 * edge, str(rng.randint(2, 480)), ImageFont.truetype(str(face), size))
    return sheet


def columns(rng: random.Random, texts: list[str], faces: list[Path], dpi: int) -> Sheet:
    """Two columns of text under a heading."""
    sheet = Sheet(round(8.27 * dpi), round(11.69 * dpi))
    face, size, edge = rng.choice(faces), rng.choice((9, 10)) * dpi / 72, 0.8 * dpi
    width, height = sheet.image.size
    gutter = rng.uniform(1.6, 3.0) * size
    heading = " ".join(rng.choice(texts).split()[:8])
    sheet.write(edge, edge + 1.6 * size, heading, ImageFont.truetype(str(face), size * 1.8))
    middle, top, end = width / 2, edge + 3 * size, rng.uniform(0.5, 0.9) * height
    paragraphs(sheet, rng, texts, face, size, (edge, top, middle - gutter / 2, end))
    paragraphs(sheet, rng, texts, face, size, (middle + gutter / 2, top, width - edge, end))
    return sheet


def receipt(rng: random.Random, texts: list[str], faces: list[Path], dpi: int) -> Sheet:
    """A receipt 80 mm wide: shop, articles with prices, rules, a total in large letters."""
    words = [
        w.strip(".,;:!?'\"")
        for row in rng.sample(texts, 60)
        for w in row.split()
        if len(w) > 3 and w.strip(".,;:!?'\"").isalpha()
    ]
    sheet = Sheet(round(3.15 * dpi), round(rng.uniform(4.5, 7.5) * dpi))
    face, size = rng.choice(faces), rng.choice((8, 9, 10)) * dpi / 72
    font, large = ImageFont.truetype(str(face), size), ImageFont.truetype(str(face), size * 1.7)
    width, height = sheet.image.size
    edge, pitch, y = 0.2 * dpi, 1.3 * size, 0.2 * dpi + 1.8 * size
    shop = " ".join(rng.sample(words, 2)).upper()[:16].strip()
    sheet.write((width - large.getlength(shop)) / 2, y, shop, large)
    for text in (f"{rng.randint(1, 240)} {rng.choice(words).title()} Road", f"Tel {rng.randint(100, 999)}-{rng.randint(1000000, 9999999)}",
                 f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/20{rng.randint(18, 26)} {rng.randint(8, 21):02d}:{rng.randint(0, 59):02d}"):  # fmt: skip
        y += pitch
        sheet.write((width - font.getlength(text)) / 2, y, text, font)
    y = rule(sheet, y, edge, pitch)
    total = 0
    while y < height - 7 * pitch:
        name = " ".join(rng.sample(words, rng.randint(1, 3)))
        name = (name.upper() if rng.random() < 0.5 else name.title())[: rng.randint(8, 20)].strip()
        cents = rng.randint(49, 4999)
        total += cents
        priced(sheet, (edge, y, width - edge), name, f"{cents / 100:.2f}", font)
        y += pitch
    y = rule(sheet, y - pitch, edge, pitch) + 0.6 * size
    priced(sheet, (edge, y, width - edge), "TOTAL", f"{total / 100:.2f}", large)
    y += 1.5 * pitch
    priced(sheet, (edge, y, width - edge), "CASH", f"{total / 100 + 5:.2f}", font)
    text = "Thank you for your visit"
    sheet.write((width - font.getlength(text)) / 2, y + 1.7 * pitch, text, font)
    return sheet


def priced(sheet: Sheet, at: tuple[float, float, float], name: str, price: str, font: ImageFont.FreeTypeFont) -> None:
    """An article and its price at the right edge, one line."""
    left, y, right = at
    sheet.write(left, y, name, font)
    sheet.write(right - font.getlength(price), y, price, font, same=True)


def rule(sheet: Sheet, y: float, edge: float, pitch: float) -> float:
    """A drawn line across; gives the baseline below it."""
    sheet.draw.line((edge, y + 0.6 * pitch, sheet.image.width - edge, y + 0.6 * pitch), 20, max(1, round(pitch / 20)))
    return y + 1.8 * pitch


KINDS = {"letter": letter, "receipt": receipt, "columns": columns}


def page(kind: str, seed: int, group: dict[str, tuple[str, ...]], texts: list[str]) -> Truth:
    """Draw a page and wear it; `kind` is one of `KINDS`, with `-worn` behind it turned, lit unevenly and noisy."""
    rng = random.Random(f"{kind} {seed}")
    base, _, worn = kind.partition("-")
    dpi = rng.choice((150, 200, 300)) if base == "letter" else rng.choice((200, 300))
    sheet = KINDS[base](rng, texts, fonts(group["receipt" if base == "receipt" else "book"]), dpi)
    found = Truth(sheet.image, dpi, kind, sheet.lines, sheet.boxes)
    return wear(found, rng) if worn else found


def wear(page: Truth, rng: random.Random) -> Truth:
    """Turn by up to 3 degrees, light unevenly, blur, add noise, pack as JPEG."""
    noise = np.random.default_rng(rng.getrandbits(32))
    page.angle = rng.uniform(-3, 3)
    image = page.image.rotate(-page.angle, Image.Resampling.BICUBIC, fillcolor=255)
    page.boxes = [turned(box, page.angle, image.size) for box in page.boxes]
    pixels = np.asarray(image, np.float32)
    height, width = pixels.shape
    rows, cols = np.mgrid[0:height, 0:width]
    direction, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.4)
    light = 1 - depth * (
        0.5 + 0.5 * (np.cos(direction) * (cols / width - 0.5) + np.sin(direction) * (rows / height - 0.5)) / 0.7
    )
    pixels = (30 + pixels * 0.85) * light + noise.normal(0, rng.uniform(2, 9), pixels.shape)
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=rng.randint(45, 85))
    page.image = Image.open(io.BytesIO(buffer.getvalue())).convert("L")
    return page


def turned(
    box: tuple[float, float, float, float], angle: float, size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """The upright box around a box that is turned clockwise about the middle of the page."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    x0, y0 = size[0] / 2, size[1] / 2
    points = [(x - x0, y - y0) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = [c * x - s * y + x0 for x, y in points], [s * x + c * y + y0 for x, y in points]
    return min(xs), min(ys), max(xs), max(ys)
