"""What `glyphlet read` is given: files, folders, patterns of names, lists, standard input."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from glyphlet.errors import GlyphletError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm", ".jp2")
"""Files of a folder that are read. A file that is named is read whatever its name."""
STDIN = "-"


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


def _of(name: str, suffixes: Sequence[str]) -> Iterator[Input]:
    path = Path(name)
    if name == STDIN:
        data = sys.stdin.buffer.read()
        if not data:
            raise GlyphletError(
                "there is no image on standard input",
                allowed="the bytes of an image file",
                next_step="cat line.png | ...",
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
        data = sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
    except OSError as error:
        raise GlyphletError(
            f"the list {path} cannot be read: {error.strerror}",
            allowed="a text file with one path a line, or - for standard input",
            next_step="check the path",
        ) from error
    lines = data.decode("utf-8", "surrogateescape").splitlines()  # names of files need not be UTF-8
    return [line for line in lines if line.strip()]


__all__ = ["STDIN", "SUFFIXES", "Input", "inputs"]
