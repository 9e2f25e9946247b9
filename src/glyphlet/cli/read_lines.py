"""`glyphlet read` without `--page`: line images to text, JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import typer

from glyphlet.cli.inputs import Input
from glyphlet.errors import GlyphletError, ImageError

if TYPE_CHECKING:
    from glyphlet.decode.reading import Reading
    from glyphlet.runtime.reader import Reader

PART = 512
"""Images that are read before the next ones are opened."""
FORMATS = ("text", "jsonl", "csv")
COLUMNS = ("path", "text", "confidence", "reason", "error")


@dataclass(frozen=True)
class LineOutput:
    """What becomes of the lines.

    Args:
        format: `text` (`path<TAB>text`), `jsonl` (one object a line), `csv`.
        path: the file; standard output without one.
        draw: where a picture of each line with its spans goes: one file for one line, otherwise `NAME-2.png`, ...
        batch: lines that are read together.
        turn: by how many degrees they are turned first.
        least: texts with less confidence are left empty.
    """

    format: str = "text"
    path: Path | None = None
    draw: Path | None = None
    batch: int = 32
    turn: str = "0"
    least: float = 0.0


def read_lines(reader: Reader, given: Sequence[Input], output: LineOutput) -> bool:
    """Read line images. One that cannot be read is told on stderr and in the output, and the others are read.

    Args:
        reader: the model.
        given: the images.
        output: where it goes.

    Returns:
        Whether every image was read.

    Raises:
        GlyphletError: there is no such format.
        OSError: the output cannot be written; what stood there before is kept.
    """
    if output.format not in FORMATS:
        raise GlyphletError(
            f"--format is {output.format!r}",
            allowed=f"{', '.join(FORMATS)}; with --page text, json, hocr, alto, pdf",
            next_step="write one of these after --format",
        )
    good = True
    with _opened(output.path) as file, _bar(len(given), output) as advance:
        write = _WRITERS[output.format](file)
        for number, (one, result) in enumerate(_results(reader, given, output), 1):
            result = _sure(result, output.least)
            if isinstance(result, ImageError):
                good = False
                hint = " A PDF is read with --page." if one.name.lower().endswith(".pdf") else ""
                typer.secho(f"glyphlet: {result}{hint}", err=True, fg="red")
            elif result.reason:
                typer.secho(f"glyphlet: {one.name}: {result.reason}", err=True, fg="yellow")
            write(one.name, result)
            if output.draw and not isinstance(result, ImageError):
                _draw(reader, one, result, output, number)
            advance(number)
    return good


def _sure(result: Reading | ImageError, least: float) -> Reading | ImageError:
    """A reading whose text is left out, with the reason, where the model is not sure enough of it."""
    if isinstance(result, ImageError) or result.reason or result.confidence >= least:
        return result
    said = f"{result.text!r} has the confidence {result.confidence:.2g}, below {least:g}"
    return replace(result, text="", characters=(), reason=said)


def _results(
    reader: Reader, given: Sequence[Input], output: LineOutput
) -> Iterator[tuple[Input, Reading | ImageError]]:
    """What stands on each image, or why it cannot be read."""
    part = max(PART, output.batch)
    for start in range(0, len(given), part):
        some = given[start : start + part]
        try:
            yield from zip(some, reader.read([one.source for one in some], output.batch, output.turn), strict=True)
        except ImageError:  # one of them is at fault: find out which
            for one in some:
                try:
                    yield one, reader.read_one(one.source, output.turn)
                except ImageError as error:
                    yield one, error


def _text(file: IO[str]) -> Callable[[str, Reading | ImageError], None]:
    def write(name: str, result: Reading | ImageError) -> None:
        if not isinstance(result, ImageError):
            file.write(f"{name}\t{result.text}\n")

    return write


def _jsonl(file: IO[str]) -> Callable[[str, Reading | ImageError], None]:
    def write(name: str, result: Reading | ImageError) -> None:
        if isinstance(result, ImageError):
            found = {"path": name, "error": str(result)}
        else:
            found = {**result.to_dict(), "path": name}
        file.write(json.dumps(found, ensure_ascii=False) + "\n")

    return write


def _csv(file: IO[str]) -> Callable[[str, Reading | ImageError], None]:
    """As spreadsheets read it (RFC 4180): quoted where needed, with a head line."""
    rows = csv.writer(file)
    rows.writerow(COLUMNS)

    def write(name: str, result: Reading | ImageError) -> None:
        if isinstance(result, ImageError):
            rows.writerow((name, "", "", "", str(result)))
        else:
            rows.writerow((name, result.text, f"{result.confidence:.6g}", result.reason, ""))

    return write


_WRITERS = {"text": _text, "jsonl": _jsonl, "csv": _csv}


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[str]]:
    """Where the lines go. A file appears when all is written; what stood there before is kept until then."""
    if path is None:
        file = _Stdout()
        yield file
        return
    from glyphlet.files import replace_file

    held = io.StringIO()
    yield held
    replace_file(path, held.getvalue().encode("utf-8", "surrogateescape"))


class _Stdout(io.StringIO):
    """Standard output, in UTF-8 whatever the console says, so that no name and no text can fail to be printed."""

    def write(self, text: str) -> int:
        typer.echo(text.encode("utf-8", "surrogateescape"), nl=False)
        return len(text)


@contextmanager
def _bar(total: int, output: LineOutput) -> Iterator[Callable[[int], None]]:
    """Progress for many files, where a person looks on and nothing else is printed there."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    shown = total > 1 and console.is_terminal and (output.path is not None or not sys.stdout.isatty())
    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        bar = progress.add_task("reading", total=total)
        yield lambda done: progress.update(bar, completed=done)


def _draw(reader: Reader, one: Input, reading: Reading, output: LineOutput, number: int) -> None:
    """The first picture has the name that was given, the next ones a number."""
    from glyphlet.files import replace_file
    from glyphlet.runtime.draw import draw
    from glyphlet.runtime.turn import turned

    path = output.draw
    assert path is not None
    shown = turned(one.source, output.turn, 3)
    if len(shown) > 1:  # the one that was read
        shown.sort(key=lambda pixels: reader.read_one(pixels).characters != reading.characters)
    buffer = io.BytesIO()
    draw(shown[0], reading).save(buffer, "PNG")
    replace_file(path if number == 1 else path.with_stem(f"{path.stem}-{number}"), buffer.getvalue())


__all__ = ["COLUMNS", "FORMATS", "LineOutput", "read_lines"]
