"""Label files of `path<TAB>text`, read whole into memory; `data.open.open_lines` reads them, and others, lazily."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glyphlet.data.open import open_lines
from glyphlet.data.sample import Sample
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec


def read_label_file(path: str | Path) -> list[Sample]:
    """The samples of one label file; each must have a text.

    Raises:
        LabelError: the file cannot be read, is empty, or a line is malformed (its number is named).
    """
    with open_lines(SourceSpec(path=str(path), format="tsv")) as lines:
        samples = lines[:]
    for sample in samples:
        if not sample.text:
            raise LabelError(
                f"{sample.origin} has no text",
                allowed="lines of path<TAB>text in UTF-8",
                next_step="complete or remove the line",
            )
    return samples


def read_label_files(paths: Sequence[str | Path]) -> list[Sample]:
    """The samples of several label files, in order."""
    return [sample for path in paths for sample in read_label_file(path)]
