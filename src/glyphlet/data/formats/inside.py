"""Folders and zip archives in which the labels are looked for."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from pathlib import Path

from glyphlet.data.files.entries import some
from glyphlet.data.files.folder import DiskFolder, Folder, is_image
from glyphlet.data.files.names import Names
from glyphlet.data.files.sniff import head, kind_of
from glyphlet.data.files.textlines import Located, SourceLines
from glyphlet.data.files.zipfolder import open_folder
from glyphlet.data.formats import reads
from glyphlet.data.formats.doctr import doctr_lines
from glyphlet.data.formats.files import NO_LABELS, names_lines, nothing_in, pairs_lines, partner
from glyphlet.data.formats.jsonl import jsonl_lines
from glyphlet.data.formats.labels import indexed_lines, spaced_lines, tsv_lines
from glyphlet.data.formats.table import csv_lines
from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError
from glyphlet.registry import nearest
from glyphlet.spec import SourceSpec

LABEL_FORMATS: dict[str, Callable[[SourceSpec, Located], LineSet]] = {
    "tsv": tsv_lines, "spaced": spaced_lines, "indexed": indexed_lines, "csv": csv_lines, "jsonl": jsonl_lines,
    "doctr": doctr_lines,
}  # fmt: skip
"""Formats of label files, which may lie in an archive."""
LABEL_NAMES = ("labels", "label", "gt", "metadata", "annotations", "annotation")
"""Names of label files that are taken before others."""


def inside(spec: SourceSpec, root: Folder) -> LineSet:
    """The lines of a folder or archive: those of its label file, or else of its pairs of files.

    Raises:
        LabelError: there is no label file and no pair, or several label files.
    """
    every = root.names()
    inner = _common(every)
    files = [name for name in every if posixpath.dirname(name) == inner and _may_be_labels(name)]
    known = [name for name in files if posixpath.basename(name).split(".")[0].lower() in LABEL_NAMES]
    if spec.name_pattern is not None:
        return names_lines(spec, root)
    if len(known) == 1:
        return label_file(spec, root, known[0])
    packed = every if isinstance(every, Names) else Names(every)
    if any(partner(packed, name) >= 0 for name in every if is_image(name)):
        return pairs_lines(spec, root)
    if len(files) > 1:
        shown = [root.origin(name) for name in files]
        raise LabelError(
            f"{root.name} has {len(files)} files that may be its labels: {some(files)}",
            allowed="one label file, or the path of one",
            next_step=f"name one of them: {', '.join(shown[:4])}",
        )
    if not files:
        raise nothing_in(root, every)
    return label_file(spec, root, files[0])


def _common(every: Sequence[str]) -> str:
    """The only folder at the top, which an archive often has; empty when there are files beside it."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in every}
    top = tops.pop() if len(tops) == 1 else ""
    return top if any(posixpath.dirname(name) == top and _may_be_labels(name) for name in every) else ""


def _may_be_labels(name: str) -> bool:
    lower = posixpath.basename(name).lower()
    return lower.endswith((".txt", ".tsv", ".csv", ".jsonl", ".ndjson", ".json")) and not lower.endswith(NO_LABELS)


def label_file(spec: SourceSpec, root: Folder, name: str) -> LineSet:
    """The lines of a label file in a folder or archive, in whatever format it is."""
    content = root.content(name)
    images = open_folder(spec.images) if spec.images else root.at(posixpath.dirname(name))
    data = content.read(0, 1 << 16)
    kind = kind_of(name, head(data, len(data) == content.size))
    if spec.dictionary is not None:
        kind = "indexed"
    elif kind in ("tsv", "spaced") and (spec.delimiter or spec.image_column or spec.text_column):
        kind = "csv"
    return LABEL_FORMATS[kind](spec, Located(content, images))


@reads("a folder with a label file, or with pairs of files", looks=lambda path: path.is_dir(), rank=95)
def folder(spec: SourceSpec) -> LineSet:
    """A folder in which the labels are looked for."""
    return _as("folder", inside(spec, DiskFolder(spec.path)))


def _as(format: str, lines: LineSet) -> LineSet:
    """Lines that another process opens as this format; the notes say what was found inside."""
    if isinstance(lines, SourceLines) and lines.format != format:
        if format == "zip":
            lines.notes.append(f"labels inside: {lines.format}")
        lines.reopened_as = format
    return lines


def _zip_of(path: Path) -> Path | None:
    """The archive that a path is, or is in."""
    for outer in (path, *path.parents):
        if outer.is_file():
            try:
                with outer.open("rb") as file:
                    start = file.read(4)
            except OSError:
                return None
            return outer if start in (b"PK\3\4", b"PK\5\6") or outer.suffix.lower() == ".zip" else None
        if outer.is_dir():
            return None
    return None


@reads("a zip archive of any of these, or a file in one", looks=lambda path: _zip_of(path) is not None, rank=20)
def zip(spec: SourceSpec) -> LineSet:
    """A zip archive, or a label file or folder in one: `lines.zip/train.txt`."""
    archive = _zip_of(Path(spec.path))
    if archive is None:
        raise LabelError(
            f"{spec.path} is no zip archive",
            allowed="a zip archive",
            next_step="check the path, or leave the format out",
        )
    whole = open_folder(archive)
    inner = Path(spec.path).relative_to(archive).as_posix() if Path(spec.path) != archive else ""
    if inner and whole.has(inner):
        return _as("zip", label_file(spec, whole, inner))
    view = whole.at(inner)
    if inner and not len(view.names()):
        guess = nearest(inner, [name for name in whole.names() if not is_image(name)])
        raise LabelError(
            f"{archive} has no {inner!r}{guess}",
            allowed="the path of a file or folder in it",
            next_step="correct the path",
        )
    return _as("zip", inside(spec, view))
