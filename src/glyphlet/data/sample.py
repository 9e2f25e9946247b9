"""A labelled line."""

from __future__ import annotations

from dataclasses import dataclass

from glyphlet.image import ImageSource


@dataclass(frozen=True)
class Sample:
    """A labelled line.

    Args:
        source: its image: a path, bytes, an array or a Pillow image.
        text: its label, exactly as written.
        origin: where it comes from, for messages: `train.txt line 7`.
    """

    source: ImageSource
    text: str
    origin: str
