"""One function that opens labelled lines of any format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from glyphlet.data.formats import FORMATS
from glyphlet.data.lineset import LineSet
from glyphlet.data.mix import JoinedLines
from glyphlet.errors import LabelError
from glyphlet.registry import nearest
from glyphlet.spec import SourceSpec


def source_spec(source: Source) -> SourceSpec:
    """A path as a source without settings."""
    return source if isinstance(source, SourceSpec) else SourceSpec(path=os.fspath(source))


Source = str | os.PathLike[str] | SourceSpec


def open_lines(source: Source | Sequence[Source]) -> LineSet:
    """Labelled lines of any format.

    Args:
        source: a path, or a `SourceSpec` with settings; or several, which are joined.

    Raises:
        LabelError: there is no such file, no format fits, or it is malformed.
    """
    if isinstance(source, Sequence) and not isinstance(source, str):
        parts = [source_spec(entry) for entry in source]
        return JoinedLines([open_lines(part) for part in parts], [part.weight for part in parts])
    spec = source_spec(source)
    if spec.format != "auto":
        if spec.format not in FORMATS:
            raise LabelError(
                f"there is no format named {spec.format!r}{nearest(spec.format, list(FORMATS))}",
                allowed=", ".join(FORMATS),
                next_step="correct the format, or leave it out",
            )
        return FORMATS[spec.format].open(spec)
    path = Path(spec.path)
    for form in sorted(FORMATS.values(), key=lambda f: f.rank):
        if form.looks(path):
            return form.open(spec)
    return FORMATS["tsv"].open(spec)
