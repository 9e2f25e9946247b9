"""One function that opens labelled lines of any format."""

from __future__ import annotations

import os
from pathlib import Path

from glyphlet.data.formats import FORMATS
from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError
from glyphlet.registry import nearest
from glyphlet.spec import SourceSpec


def open_lines(source: str | os.PathLike[str] | SourceSpec) -> LineSet:
    """Labelled lines of any format.

    Args:
        source: a path, or a `SourceSpec` with settings.

    Raises:
        LabelError: there is no such file, no format fits, or it is malformed.
    """
    spec = source if isinstance(source, SourceSpec) else SourceSpec(path=os.fspath(source))
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
