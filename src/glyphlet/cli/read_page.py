"""`glyphlet read --page`: pages to text, JSON, hOCR, ALTO or a searchable PDF."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from glyphlet.cli.inputs import SUFFIXES, Input

if TYPE_CHECKING:
    from glyphlet.errors import ImageError
    from glyphlet.pages.reader import LineReader
    from glyphlet.pages.source import PageImage
    from glyphlet.pages.writers import Read


@dataclass(frozen=True)
class PageOutput:
    """What becomes of the pages.

    Args:
        format: `text`, `json`, `hocr`, `alto` or `pdf`.
        path: the file; standard output without one.
        draw: where a picture of each page with its lines goes: one file for one page, otherwise `NAME-1.png`, `NAME-2.png`, ...
        dpi: at which the pages of a PDF are drawn.
    """

    format: str = "text"
    path: Path | None = None
    draw: Path | None = None
    dpi: int = 300


PAGES = (*SUFFIXES, ".pdf")
"""Files of a folder that are read."""


def read_pages(reader: LineReader, files: Sequence[Input], output: PageOutput) -> bool:
    """Read all pages of some files into one output.

    A file that cannot be read is told on stderr, and the others are read.

    Args:
        reader: reads the lines.
        files: images and PDF files.
        output: where it goes.

    Returns:
        Whether every file was read.

    Raises:
        GlyphletError: there is no such format, or the format needs a file.
        OSError: the output cannot be written; what stood there before is kept.
    """
    from glyphlet.pages.writers import writer_of

    _check(output)
    failed: list[str] = []
    pieces = writer_of(output.format)(_pages(reader, files, output, failed))
    if output.path is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    else:
        _save(output.path, pieces)
    return not failed


def _check(output: PageOutput) -> None:
    from glyphlet.errors import GlyphletError
    from glyphlet.pages.writers import FORMATS

    if output.format not in FORMATS:
        raise GlyphletError(
            f"--format is {output.format!r}", allowed=", ".join(FORMATS), next_step="write one of these after --format"
        )
    if output.format == "pdf" and output.path is None:
        raise GlyphletError(
            "a PDF is not written to the terminal", allowed="--format pdf with -o", next_step="add -o out.pdf"
        )


def _pages(reader: LineReader, files: Sequence[Input], output: PageOutput, failed: list[str]) -> Iterator[Read]:
    """The pages that can be read, one after the other."""
    from glyphlet.errors import ImageError
    from glyphlet.pages.orientation import turned
    from glyphlet.pages.read import read_page
    from glyphlet.pages.writers import Read

    count = 0
    for one in files:
        try:
            for image in _opened(one, output.dpi):
                if isinstance(image, ImageError):
                    failed.append(one.name)
                    typer.secho(f"glyphlet: {image}", err=True, fg="red")
                    continue
                page = read_page(reader, image.pixels, name=one.name, number=image.number, dpi=image.dpi)
                read = Read(page, turned(image.pixels, page.turn))
                if not page.lines:
                    said = f"glyphlet: {one.name}, page {image.number}: no lines of text were found"
                    typer.secho(said, err=True, fg="yellow")
                count += 1
                if output.draw:
                    _draw(read, output.draw, count)
                yield read
        except ImageError as error:
            failed.append(one.name)
            typer.secho(f"glyphlet: {error}", err=True, fg="red")


def _opened(one: Input, dpi: int) -> Iterator[PageImage | ImageError]:
    """The pages of a file; what came from standard input is put into one."""
    from glyphlet.pages.source import open_pages

    if isinstance(one.source, Path):
        yield from open_pages(one.source, dpi)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "standard-input"
        path.write_bytes(one.source)
        yield from open_pages(path, dpi)


def _draw(read: Read, path: Path, count: int) -> None:
    """The first picture has the name that was given, the next ones a number."""
    import io

    from glyphlet.files import replace_file
    from glyphlet.pages.draw import draw

    buffer = io.BytesIO()
    draw(read.page, read.pixels).save(buffer, "PNG")
    replace_file(path if count == 1 else path.with_stem(f"{path.stem}-{count}"), buffer.getvalue())


def _save(path: Path, pieces: Iterator[bytes]) -> None:
    """Write beside the target, then rename: what stood there stays until all is written."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


__all__ = ["PAGES", "PageOutput", "read_pages"]
