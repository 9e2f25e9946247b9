"""Label files: `path<TAB>text`."""

from __future__ import annotations

from pathlib import Path

from glyphlet.data.formats import reads
from glyphlet.data.labelfile import read_label_file
from glyphlet.data.lineset import LineSet, ListedLines
from glyphlet.spec import SourceSpec


@reads("path<TAB>text, UTF-8, one line a line", looks=Path.is_file, rank=90)
def tsv(spec: SourceSpec) -> LineSet:
    """A label file of `path<TAB>text`."""
    return ListedLines(read_label_file(spec.path), spec.path, "tsv")
