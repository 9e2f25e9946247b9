"""The section that describes rendered lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from glyphlet.spec.parts import PartSpec, Strict
from glyphlet.spec.texts import FileText, JoinText, TextSpec, WordsText, text_specs


class SynthSpec(Strict):
    """Lines rendered from fonts, as `glyphlet synth` writes them.

    The defaults are the generated set of MicroOCR: 120 x 30 pixels, one colour behind four black characters that stand
    30 pixels apart, drawn with Pillow's own font so that they are the same on every machine.
    """

    count: int = Field(5000, ge=1)
    """Lines in the set, or, when it is endless, in an epoch."""
    endless: bool = False
    """In training: every epoch draws new lines. Validation lines are drawn once."""
    weight: float = Field(1.0, gt=0, le=1000)
    """In a mix: how often each line is seen in an epoch."""
    seed: int = 0
    text: Literal["random", "file", "words", "pattern", "numbers", "dates", "prices", "mix"] = "random"
    """`random` draws characters of the charset; `file` takes lines of `text_file`, cut to the lengths; `words` takes words
    of `text_file`; `pattern` what `pattern` matches; `mix` draws from `texts`; see `spec.texts`."""
    text_file: str | None = None
    pattern: str | None = None
    """A regular expression, for `text: pattern`."""
    texts: list[TextSpec] = []
    """For `text: mix`: the sources, with weights."""
    min_length: int = Field(4, ge=1)
    """Fewest characters of `random` and `file` texts."""
    max_length: int = Field(4, ge=1)
    """Most characters of `random` and `file` texts."""
    fonts: list[str] = []
    """Font files (.ttf, .otf, .ttc; `x.ttc#2` is its third face) or folders; none means Pillow's own font."""
    broken_fonts: Literal["error", "skip"] = "error"
    """A file that is no usable font stops the rendering, or is left out (with a warning)."""
    uncovered: Literal["error", "drop"] = "error"
    """A character of the charset that no font can draw stops the rendering, or is left out (with a warning)."""
    mixed_fonts: bool = False
    """Where no font covers a whole text, take the rest from other fonts, as few as possible."""
    shaping: bool = False
    """Draw words of scripts that join or stack (Arabic, Devanagari, ...) as a whole; needs a Pillow with Raqm."""
    glyphs: str | None = None
    """Images of single characters instead of fonts: an .npz (`x_train`, `y_train`, ...) or a folder of class folders."""
    font_size: tuple[int, int] = (25, 25)
    """Smallest and largest size in pixels, 8 to 256."""
    background: Literal["plain", "random", "textured", "gradient", "photos"] = "plain"
    """`plain`: one fixed colour; `random`: one random colour a line; `textured`: gradients, blobs, lines and noise;
    `gradient`: from one colour to another; `photos`: places in the images of `photos`."""
    papers: list[str] = []
    """Colours such as `#ffffff` instead of the fixed one of `plain`; one is taken a line."""
    photos: str | None = None
    """A folder of images, for `background: photos`."""
    inks: list[str] = []
    """Colours such as `#1a2b80`; one is taken a line, made darker or lighter until it can be read."""
    polarity: Literal["dark", "light", "both"] = "dark"
    """Ink darker than the background, lighter, or either."""
    spacing: Literal["pitch", "proportional"] = "pitch"
    """`pitch`: a character every 30 pixels (scaled with the font size); `proportional`: as a text line is set."""
    margins: tuple[float, float] | None = None
    """Smallest and largest distance from the ink to each edge, in font sizes. None: room for the tallest letters, up to
    half a size at the sides and a quarter above and below. For `proportional` spacing."""
    stretch: tuple[float, float] | None = None
    """Each line is made narrower or wider by a factor between these, as condensed and expanded type is; 0.2 to 5."""
    looks: list[PartSpec] = []
    """How the letters are changed while they are drawn: outline, shadow, slant, arc, ...; see `synth.looks`."""
    effects: list[PartSpec] = []
    """Effects on each rendered line, in order; see `effects`. They need OpenCV."""

    @field_validator("max_length")
    @classmethod
    def _lengths_in_order(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("min_length", 1):
            raise ValueError(f"at least min_length, which is {info.data['min_length']}")
        return value

    @field_validator("font_size")
    @classmethod
    def _sizes_in_order(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 8 <= value[0] <= value[1] <= 256:
            raise ValueError("[smallest, largest], both from 8 to 256 pixels")
        return value

    @field_validator("margins")
    @classmethod
    def _margins_in_order(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not 0 <= value[0] <= value[1] <= 10:
            raise ValueError("[smallest, largest], both from 0 to 10 font sizes")
        return value

    @field_validator("stretch")
    @classmethod
    def _stretch_in_order(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not 0.2 <= value[0] <= value[1] <= 5:
            raise ValueError("[smallest, largest], both from 0.2 to 5")
        return value

    @field_validator("papers", "inks")
    @classmethod
    def _colours(cls, values: list[str]) -> list[str]:
        for value in values:
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
                raise ValueError(f"colours such as '#1a2b80', not {value!r}")
        return values

    @field_validator("texts", mode="before")
    @classmethod
    def _known_texts(cls, value: Any) -> Any:
        return text_specs(value, "texts")

    @model_validator(mode="after")
    def _complete(self) -> SynthSpec:
        if self.texts and self.text != "mix":
            raise ValueError(f"text: mix when texts are listed; text is {self.text!r}")
        if self.text == "mix" and not self.texts:
            raise ValueError("texts: a list of sources, for text: mix")
        if self.pattern is not None and self.text != "pattern":
            raise ValueError(f"text: pattern beside a pattern (here text is {self.text!r})")
        if self.text == "pattern" and not self.pattern:
            raise ValueError("text: pattern together with a pattern, such as pattern: '[A-Z]{2}\\d{6}'")
        if (self.background == "photos") != (self.photos is not None):
            raise ValueError("background: photos together with photos: a folder of images")
        if self.glyphs is not None and (self.fonts or self.shaping or self.mixed_fonts):
            raise ValueError("glyphs (images of characters) without fonts, mixed_fonts and shaping")
        return self

    def absolute(self) -> SynthSpec:
        """The same with every path made absolute, so that it means the same in any working directory."""
        changes = {
            "fonts": [_absolute(path) for path in self.fonts],
            **{key: _absolute(path) for key in ("text_file", "glyphs", "photos") if (path := getattr(self, key))},
            "texts": [_absolute_text(text) for text in self.texts],
        }
        return self.model_copy(update=changes)


def _absolute(path: str) -> str:
    return str(Path(path).resolve())


def _absolute_text(text: Any) -> Any:
    if isinstance(text, JoinText):
        return text.model_copy(update={"parts": [_absolute_text(part) for part in text.parts]})
    if isinstance(text, FileText | WordsText) and text.path:
        return text.model_copy(update={"path": _absolute(text.path)})
    return text
