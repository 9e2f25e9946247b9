"""Folders of images whose texts are in files beside them, or in their names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from glyphlet.data.files.entries import NamedLines, limited, one_line, some
from glyphlet.data.files.folder import Folder, is_image
from glyphlet.data.files.names import Names
from glyphlet.data.files.zipfolder import open_folder
from glyphlet.data.formats import reads
from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec

_TEXTS = (".gt.txt", ".txt")
_SCANS = (".bin", ".nrm", ".dew", ".raw")  # Calamari, tesstrain: other versions of one scan
NO_LABELS = (".gt.txt", "readme.txt", "license.txt", "licence.txt", "chars.txt", "dict.txt", "dictionary.txt")
"""Ends of names of text files that are no label files."""


def pairs_lines(spec: SourceSpec, folder: Folder) -> LineSet:
    """Images and their texts in files of the same stem: `1.png` and `1.gt.txt` or `1.txt`; folders below are read, too.

    Raises:
        LabelError: there is no pair.
    """
    names = folder.names()
    packed = names if isinstance(names, Names) else Names(names)
    used = bytearray(len(packed))
    pairs: list[tuple[str, str]] = []
    lonely: list[str] = []
    others = 0
    last = ""
    for image in sorted((n for n in names if is_image(n)), key=_rank):
        number = partner(packed, image)
        if number < 0:
            lonely.append(image)
        elif used[number] and _stem(image) != last:
            others += 1  # the same line as a binarised or normalised scan
        else:
            used[number], last = 1, _stem(image)
            pairs.append((image, packed[number]))
    pairs.sort()
    unread = [
        n for i, n in enumerate(names) if n.endswith(_TEXTS) and not used[i] and not n.lower().endswith(NO_LABELS[1:])
    ]
    if not pairs:
        raise nothing_in(folder, names)
    lines = NamedLines(
        spec, "pairs", folder, pairs, folder.origin, lambda name: one_line(folder.content(name), spec.encoding)
    )
    if lonely:
        lines.notes.append(f"{len(lonely)} images have no text beside them and are left out: {some(lonely)}")
    if unread:
        lines.notes.append(f"{len(unread)} texts have no image beside them and are left out: {some(unread)}")
    if others:
        lines.notes.append(f"{others} images are other versions of a line that is read, and are left out")
    return lines


def _rank(image: str) -> tuple[str, int, str]:
    stem, suffix = posixpath.splitext(image)
    plain, version = posixpath.splitext(stem)
    return (plain, 1, image) if version in _SCANS else (stem, 0, suffix)


def _stem(image: str) -> str:
    return posixpath.splitext(image)[0]


def partner(names: Names, image: str) -> int:
    """The number of the text beside an image; -1 when there is none."""
    stem = _stem(image)
    plain, version = posixpath.splitext(stem)
    for base in (stem, plain) if version in _SCANS else (stem,):
        for suffix in _TEXTS:
            number = names.find(base + suffix)
            if number >= 0:
                return number
    return -1


def nothing_in(folder: Folder, names: Sequence[str]) -> LabelError:
    """The error for a folder without labels: what is in it, and what was looked for."""
    images = sum(1 for name in names if is_image(name))
    if images:
        example = next(name for name in names if is_image(name))
        return LabelError(
            f"{folder.name} has {images} images, and no labels",
            allowed="a label file, texts beside the images (1.png and 1.gt.txt), or texts in the file names",
            next_step=f"name the label file, or, when names such as {posixpath.basename(example)!r} hold the texts, set format: names",
        )
    if any(name in ("[Content_Types].xml", "content.xml") for name in names):
        return LabelError(
            f"{folder.name} is a spreadsheet or a document",
            allowed="CSV, and other text files",
            next_step="save it as CSV UTF-8",
        )
    shown = f", such as {names[0]!r}" if len(names) else ""
    return LabelError(
        f"{folder.name} has {len(names)} files{shown}, and nothing that is known as labelled lines",
        allowed="looked for: a label file (labels.txt, .tsv, .csv, .jsonl, labels.json), images with .gt.txt or .txt, "
        ".tar, .parquet, data.mdb of LMDB",
        next_step="check the path, or name the label file itself",
    )


@reads("images with their texts in .gt.txt or .txt beside them", looks=lambda path: False, rank=60)
def pairs(spec: SourceSpec) -> LineSet:
    """A folder or zip archive of images and texts."""
    return pairs_lines(spec, open_folder(spec.path))


DEFAULT_PATTERN = r"^(?P<text>[^_]*)"


def names_lines(spec: SourceSpec, folder: Folder) -> LineSet:
    """Images whose names hold their texts; the pattern is looked for in the name without folder and suffix.

    Raises:
        LabelError: the pattern is none, or there are no images.
    """
    pattern = _pattern(spec.name_pattern or DEFAULT_PATTERN)
    every = folder.names()
    problems: list[LabelError] = []

    def found() -> Iterator[tuple[str, str]]:
        for name in every:
            if not is_image(name):
                continue
            match = pattern.search(_stem(posixpath.basename(name)))
            if match is None or match["text"] is None:
                limited(problems, _no_match(folder.origin(name), pattern.pattern))
            else:
                yield name, match["text"]

    lines = NamedLines(spec, "names", folder, found(), folder.origin)
    lines.problems = problems
    if not len(lines) and not problems:
        raise nothing_in(folder, every)
    if len(lines):
        lines.notes.append(
            f"texts are taken from the file names: {posixpath.basename(lines.image_name(0))!r} is {lines.text(0)!r}"
        )
    return lines


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
        if "text" not in pattern.groupindex:
            raise re.error("it has no group named text")
    except re.error as error:
        raise LabelError(
            f"name_pattern {text!r} cannot be used: {error}",
            allowed="a regular expression with a group named text, such as _(?P<text>[^_]*)_ for 12_word_34.jpg",
            next_step="correct name_pattern",
        ) from error
    return pattern


def _no_match(name: str, pattern: str) -> LabelError:
    return LabelError(
        f"{name} has no text in its name",
        allowed=f"names that match {pattern}",
        next_step="correct name_pattern, or move the image away",
    )


@reads("images with their texts in their names", looks=lambda path: False, rank=96)
def names(spec: SourceSpec) -> LineSet:
    """A folder or zip archive of images."""
    return names_lines(spec, open_folder(spec.path))
