"""What `glyphlet read` is given: files, folders, patterns of names, lists, standard input."""

from __future__ import annotations

import contextlib
import glob
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from glyphlet.errors import GlyphletError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm", ".jp2")
"""Files of a folder that are read. A file that is named is read whatever its name."""
STDIN = "-"
MAX_LIST = 1_000_000_000
"""Bytes of a list of paths."""


@dataclass(frozen=True)
class Input:
    """An image that is to be read.

    Args:
        name: what it is called in the output: its path, or `-`.
        source: the path, or the bytes from standard input.
    """

    name: str
    source: Path | bytes


def inputs(named: Sequence[str], listed: Path | None = None, suffixes: Sequence[str] = SUFFIXES) -> list[Input]:
    """The images that were named, in the order in which they were.

    Args:
        named: paths of images; of folders, whose images are taken, sorted by name; patterns such as `scans/**/*.png`; `-` for an image
            on standard input.
        listed: a text file with one path a line; `-` for standard input.
        suffixes: of the files of a folder that are images.

    Raises:
        GlyphletError: nothing was named, a list cannot be read, or standard input is empty. A folder without images, or a pattern that no
            file matches, stands for itself: whoever opens it says what is wrong, and the others are read.
    """
    if not named and listed is None:
        raise GlyphletError(
            "nothing to read was named",
            allowed="images, folders, patterns such as 'scans/*.png', - for standard input, --list FILE",
            next_step="name one: glyphlet read line.png",
        )
    found = [one for name in named for one in _of(name, suffixes)]
    return found + ([Input(name, Path(name)) for name in _listed(listed)] if listed else [])


def check_outputs(given: Sequence[Input], output: Path | None, draw: Path | None) -> None:
    """Refuse files that cannot or must not be written, before anything is read.

    Args:
        given: what is read; none of it is written over.
        output: where the texts go.
        draw: where the picture goes.

    Raises:
        GlyphletError: the folder does not exist, the name is that of an input, or a picture is not called .png.
    """
    if draw is not None and draw.suffix.lower() != ".png":
        raise GlyphletError(
            f"--draw is {str(draw)!r}", allowed="a name that ends in .png", next_step="call it spans.png"
        )
    read = {one.source.resolve() for one in given if isinstance(one.source, Path)}
    for path in (output, draw):
        check_folder(path)
        if path is not None and path.resolve() in read:
            raise GlyphletError(
                f"{path} is read, and would be written over", allowed="another name", next_step="choose another file"
            )


def check_folder(path: Path | None) -> None:
    """Refuse a file in a folder that is not there, before anything is read.

    Raises:
        GlyphletError: it is not there, or the file is a folder itself.
    """
    if path is None:
        return
    if path.is_dir():
        raise GlyphletError(f"{path} is a folder", allowed="the name of a file", next_step=f"name one: {path / 'out'}")
    if not path.parent.is_dir():
        raise GlyphletError(
            f"the folder {path.parent} does not exist",
            allowed="a file in a folder that does",
            next_step="make the folder, or choose another",
        )


def _of(name: str, suffixes: Sequence[str]) -> Iterator[Input]:
    path = Path(name)
    if name == STDIN:
        data = sys.stdin.buffer.read()
        if not data:
            raise GlyphletError(
                "there is no image on standard input",
                allowed="the bytes of an image file",
                next_step="cat line.png | glyphlet read -",
            )
        yield Input(STDIN, data)
    elif path.is_dir():
        images = sorted(file for file in path.iterdir() if file.suffix.lower() in suffixes)
        yield from (Input(str(file), file) for file in images or [path])
    elif glob.has_magic(name) and not path.exists():
        matching = sorted(file for file in glob.glob(name, recursive=True) if Path(file).is_file())
        yield from (Input(file, Path(file)) for file in matching or [name])
    else:
        yield Input(name, path)


def _listed(path: Path) -> list[str]:
    """The paths in a list; lines that are empty are left out."""
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if str(path) == STDIN else path.open("rb") as file:
            data = file.read(MAX_LIST + 1)
    except OSError as error:
        raise GlyphletError(
            f"the list {path} cannot be read: {error.strerror}",
            allowed="a text file with one path a line, or - for standard input",
            next_step="check the path",
        ) from error
    if len(data) > MAX_LIST:
        raise GlyphletError(
            f"the list {path} has more than {MAX_LIST:,} bytes",
            allowed="a text file with one path a line",
            next_step="check the path, or give the list in parts",
        )
    lines = data.decode("utf-8", "surrogateescape").splitlines()  # names of files need not be UTF-8
    return [line for line in lines if line.strip()]


__all__ = ["STDIN", "SUFFIXES", "Input", "check_folder", "check_outputs", "inputs"]
