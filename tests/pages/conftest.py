"""Pages drawn with Pillow's own font, and the reader that ships."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet import Reader


@dataclass
class Sheet:
    """A sheet that remembers the ink box of each line."""

    width: int = 900
    height: int = 700
    ground: int = 255
    lines: list[str] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.image = Image.new("L", (self.width, self.height), self.ground)
        self.draw = ImageDraw.Draw(self.image)

    def write(self, x: float, y: float, text: str, size: int = 24, ink: int = 10) -> "Sheet":
        """A line with its baseline at `y`."""
        font = ImageFont.load_default(size)
        self.draw.text((x, y), text, ink, font, anchor="ls")
        self.lines.append(text)
        alone = Image.new("L", self.image.size)
        ImageDraw.Draw(alone).text((x, y), text, 255, font, anchor="ls")
        self.boxes.append(alone.point(lambda value: 255 * (value > 100)).getbbox())
        return self

    def paragraph(self, x: float, y: float, texts: list[str], size: int = 24, pitch: float = 1.4) -> "Sheet":
        for number, text in enumerate(texts):
            self.write(x, y + number * pitch * size, text, size)
        return self

    @property
    def pixels(self) -> np.ndarray:
        return np.asarray(self.image)


TEXTS = [
    "The quick brown fox jumps over the lazy dog",
    "and every page of this book has many lines",
    "which stand one below the other as they should",
    "with letters that reach up and others that go deep",
    "until the paragraph comes to its end here",
]


@pytest.fixture
def sheet():
    """Makes an empty sheet."""
    return Sheet


@pytest.fixture
def letter() -> Sheet:
    """A heading and a paragraph of five lines."""
    return Sheet().write(60, 90, "A Heading in Large Type", 48).paragraph(60, 180, TEXTS)


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader("print")
