"""The sections that describe where lines come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from glyphlet.spec.parts import Strict
from glyphlet.spec.synth import SynthSpec


class SourceSpec(Strict):
    """Labelled lines in a file or folder. In a recipe a path alone stands for a `SourceSpec` with this path."""

    path: str
    format: str = "auto"
    """A name in `data.formats.FORMATS`; `auto` looks at the file."""
    weight: float = Field(1.0, gt=0, le=1000)
    """How often each line is seen in an epoch: 2 is twice; 0.5 is half of the lines, each epoch another half."""
    encoding: str = "auto"
    """Of label files: `auto` is UTF-8 (with or without a byte order mark) or UTF-16 with one; others are named."""
    dictionary: str | None = None
    """For index labels: the file that lists the characters, one a line; index 0 is its first line."""
    dictionary_encoding: str = "auto"
    """As `encoding`; the dictionary of the Chinese CRNN is GBK."""
    images: str | None = None
    """The folder that image paths are relative to; by default the folder of the label file."""
    image_column: str | None = None
    """CSV, JSON lines, Parquet: which column names (or holds) the image; by default a usual name is looked for."""
    text_column: str | None = None
    """The same for the text."""
    group_column: str | None = None
    """The same for the group; lines of a group stay together in a split."""
    delimiter: str | None = None
    """CSV: by default it is found in the header."""
    group: str | None = None
    """A regular expression on the image's path: what its first parenthesis (or all of it) matches is the line's group;
    `folder` groups by the folder of the image."""
    name_pattern: str | None = None
    """Text in the file name: a regular expression with a group `text`; by default all before the first `_`."""


SOURCE_KINDS: dict[str, type[Strict]] = {"path": SourceSpec, "source": SourceSpec, "synth": SynthSpec}
"""What an entry of a list of sources can be; the words stand in pydantic's error locations."""


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "source" if "path" in value else "synth"
    return "source" if isinstance(value, SourceSpec) else "synth" if isinstance(value, SynthSpec) else "path"


AnySource = Annotated[
    Annotated[str, Tag("path")] | Annotated[SourceSpec, Tag("source")] | Annotated[SynthSpec, Tag("synth")],
    Discriminator(_kind),
]
"""Lines that are read or rendered."""
FileSource = str | SourceSpec
"""Lines that are read."""


class DataSpec(Strict):
    """Training, validation and test lines.

    `train` and `test` are paths or `SourceSpec`s (one or several, mixed by their weights), or a `SynthSpec`; `train` may mix
    both. Validation lines are cut from the training lines, unless `validation` names lines of its own. `test` is read
    once, after the training.
    """

    train: list[AnySource] | SynthSpec = []
    validation: list[AnySource] = []
    validation_share: float = Field(0.2, gt=0, lt=1)
    split_seed: int = 12
    validation_most: int = Field(0, ge=0)
    """Cut at most so many validation lines, however large the share is; 0 sets no limit."""
    test: list[AnySource] | SynthSpec | None = None
    unknown: Literal["error", "drop"] = "error"
    """A label with a character outside the charset stops the training, or is left out (and counted)."""
    unalignable: Literal["error", "drop"] = "error"
    """The same for a label that has more characters than its image has time steps."""
    unreadable: Literal["error", "drop"] = "error"
    """The same for an image that is missing or damaged."""
    empty: Literal["error", "drop", "keep"] = "error"
    """The same for an empty label; `keep` trains on it: an image on which there is nothing to read."""
