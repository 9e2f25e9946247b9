"""Rendered lines as a folder of images with a label file, and as a contact sheet to look at.

    folder/images/000000.png ...
    folder/labels.txt            images/000000.png<TAB>text, UTF-8, LF

The label file is written last and under another name first, so a folder that has one is complete.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError
from glyphlet.spec import SynthSpec
from glyphlet.synth.render import RenderedLine, RenderedSet

LABELS = "labels.txt"
IMAGES = "images"
_OURS = re.compile(r"\d{6,}\.png")


def write_set(
    spec: SynthSpec,
    charset: Charset,
    folder: str | os.PathLike[str],
    stream: str = "train",
    progress: Callable[[int, int], None] | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Render a set into a folder.

    Args:
        spec: what to render.
        charset: the characters that may occur.
        folder: where to; it is made when it does not exist.
        stream: `train`, `test` or any other name; each is a different draw.
        progress: called with (lines done, lines in all) after each line.
        overwrite: replace the set that is in the folder; other files in it are left alone.

    Returns:
        The path of the label file.

    Raises:
        GlyphletError: the folder is not empty, cannot be written to, or the disk is full; or as `RenderedSet`.
    """
    root = Path(folder)
    lines = RenderedSet(spec, charset, stream)  # first, so that a bad spec leaves no folder behind
    done = 0
    try:
        _clear(root, overwrite)
        labels = []
        for line in lines:
            name = f"{IMAGES}/{done:06d}.png"
            line.image.save(root / name, compress_level=1)
            labels.append(f"{name}\t{line.text}\n")
            done += 1
            if progress:
                progress(done, len(lines))
        return _write_labels(root / LABELS, "".join(labels))
    except OSError as error:
        raise _cannot_write(root, error, done, len(lines)) from error


def _clear(root: Path, overwrite: bool) -> None:
    """Make the folder; refuse one with files in it, or take out the set that it holds."""
    if root.is_dir() and any(root.iterdir()) and not overwrite:
        raise GlyphletError(
            f"the folder {root} is not empty",
            allowed="a new or an empty folder",
            next_step="give another folder, or overwrite the set that is in it",
        )
    (root / IMAGES).mkdir(parents=True, exist_ok=True)
    (root / LABELS).unlink(missing_ok=True)
    for path in (root / IMAGES).iterdir():
        if _OURS.fullmatch(path.name):
            path.unlink()


def _write_labels(path: Path, text: str) -> Path:
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _cannot_write(root: Path, error: OSError, done: int, count: int) -> GlyphletError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return GlyphletError(
            f"the disk is full: {done} of {count} lines are in {root / IMAGES}, and there is no {LABELS}",
            allowed="about 2 to 20 kB of free space a line",
            next_step="free some space or lower the count, then render again with overwriting",
        )
    return GlyphletError(
        f"{root} cannot be written to: {error.strerror or error}",
        allowed="a folder that you may write to",
        next_step="check the path and its permissions, then render again",
    )


def contact_sheet(lines: Iterable[RenderedLine], columns: int = 4) -> Image.Image:
    """Lines side by side on grey, row by row, for looking at.

    Args:
        lines: the lines, each at its own size; all of them are held at once.
        columns: how many stand in a row.

    Returns:
        RGB image; every cell is as large as the largest line, with 4 pixels between.

    Raises:
        GlyphletError: there are no lines, or fewer than one column.
    """
    images = [line.image for line in lines]
    if not images or columns < 1:
        raise GlyphletError(
            f"a contact sheet of {len(images)} lines in {columns} columns is empty",
            allowed="at least one line and one column",
            next_step="give more",
        )
    gap = 4
    width, height = max(i.width for i in images) + gap, max(i.height for i in images) + gap
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (width * min(columns, len(images)) + gap, height * rows + gap), (128, 128, 128))
    for number, image in enumerate(images):
        sheet.paste(image, (number % columns * width + gap, number // columns * height + gap))
    return sheet
