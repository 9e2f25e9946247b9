"""The section that describes rendered lines."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from glyphlet.spec.parts import Strict


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
    text: Literal["random", "file"] = "random"
    """`random` draws characters of the charset; `file` takes lines of `text_file`, cut to the lengths."""
    text_file: str | None = None
    min_length: int = Field(4, ge=1)
    max_length: int = Field(4, ge=1)
    fonts: list[str] = []
    """Font files (.ttf, .otf, .ttc; `x.ttc#2` is its third face) or folders; none means Pillow's own font."""
    uncovered: Literal["error", "drop"] = "error"
    """A character of the charset that no font can draw stops the rendering, or is left out (with a warning)."""
    font_size: tuple[int, int] = (25, 25)
    """Smallest and largest size in pixels, 8 to 256."""
    background: Literal["plain", "random", "textured"] = "plain"
    """`plain`: one fixed colour; `random`: one random colour a line; `textured`: gradients, blobs, lines and noise."""
    polarity: Literal["dark", "light", "both"] = "dark"
    """Ink darker than the background, lighter, or either."""
    spacing: Literal["pitch", "proportional"] = "pitch"
    """`pitch`: a character every 30 pixels (scaled with the font size); `proportional`: as a text line is set."""

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
