"""One function that opens labelled lines of any format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from glyphlet.data.files.content import unreadable
from glyphlet.data.files.textlines import no_label_file
from glyphlet.data.formats import FORMATS, Format
from glyphlet.data.lineset import LineSet
from glyphlet.data.mix import JoinedLines
from glyphlet.errors import LabelError
from glyphlet.registry import nearest
from glyphlet.spec import SourceSpec

Source = str | os.PathLike[str] | SourceSpec


def source_spec(source: Source) -> SourceSpec:
    """A path as a source without settings."""
    return source if isinstance(source, SourceSpec) else SourceSpec(path=os.fspath(source))


def open_lines(source: Source | Sequence[Source], lenient: bool = False) -> LineSet:
    """Labelled lines of any format.

    Args:
        source: a path, or a `SourceSpec` with settings; or several, which are joined.
        lenient: leave malformed lines out and keep what is wrong with each in `LineSet.problems`, instead of raising.

    Raises:
        LabelError: there is no such file, no format fits, or it is malformed.
    """
    if isinstance(source, Sequence) and not isinstance(source, str):
        parts = [source_spec(entry) for entry in source]
        if not parts:
            raise LabelError("no source of lines is named", allowed="one or more", next_step="name a label file")
        return JoinedLines([open_lines(part, lenient) for part in parts], [part.weight for part in parts])
    spec = source_spec(source)
    lines = format_of(spec).open(spec)
    if lines.problems and not lenient:
        lines.close()
        raise _refused(lines)
    return lines


def format_of(spec: SourceSpec) -> Format:
    """The format of a source: the one that is named, or the first that its file looks like.

    Raises:
        LabelError: there is no format of this name, or no such file.
    """
    if spec.format != "auto":
        if spec.format not in FORMATS:
            raise LabelError(
                f"there is no format named {spec.format!r}{nearest(spec.format, list(FORMATS))}",
                allowed=", ".join(FORMATS),
                next_step="correct the format, or leave it out",
            )
        return FORMATS[spec.format]
    path = Path(spec.path)
    error = no_label_file(path)
    if error and not path.is_dir():
        raise error
    for form in sorted(FORMATS.values(), key=lambda f: f.rank):
        if form.looks(path):
            return FORMATS[_named_by_settings(spec, form.name)]
    raise _missing(path)


def _named_by_settings(spec: SourceSpec, found: str) -> str:
    """A setting that one format alone has says more than the first lines of a label file."""
    if found in ("tsv", "spaced", "csv"):
        if spec.dictionary is not None:
            return "indexed"
        if spec.delimiter is not None or spec.image_column is not None or spec.text_column is not None:
            return "csv"
    if found in ("pairs", "folder", "names") and spec.name_pattern is not None:
        return "names"
    return found


def _missing(path: Path) -> LabelError:
    try:
        beside = sorted(os.listdir(path.parent)) if path.parent.is_dir() else []
        os.stat(path)
        return LabelError(
            f"{path} is no file and no folder", allowed="labelled lines", next_step="check the path"
        )  # a device, a socket
    except (OSError, ValueError) as error:
        failure = error if isinstance(error, OSError) else OSError(str(error))
    guess = nearest(path.name, [name for name in beside if name != path.name])
    return unreadable(path, failure, f"check the path{guess}")


def _refused(lines: LineSet) -> LabelError:
    first, *others = lines.problems
    more = ""
    if others:
        shown = "; ".join(error.problem.removeprefix(f"{lines.name} ") for error in others[:3])
        more = f". {len(others)} more: {shown}{'; and more' if len(others) > 3 else ''}"
    return LabelError(first.problem + more, allowed=first.allowed, next_step=first.next_step)
