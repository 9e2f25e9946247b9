"""`glyphlet read`: line images to texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def read(
    images: Annotated[list[Path], typer.Argument(help="Line images.", show_default=False)],
    model: Annotated[Path, typer.Option("-m", "--model", help="Model file.", show_default=False)],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, with confidences and spans.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Lines read together; it does not change a text.")] = 32,
) -> None:
    """Read line images. Prints `path<TAB>text`, or with --json one object a line.

    An image that cannot be read is reported on stderr and the rest go on; the exit code is then 1.
    """
    from glyphlet.errors import GlyphletError
    from glyphlet.image import decode
    from glyphlet.runtime.reader import Reader

    reader = Reader(model, threads=threads)
    failed = 0
    for start in range(0, len(images), 16 * batch):
        good: list[Path] = []
        pixels = []
        for path in images[start : start + 16 * batch]:
            try:
                pixels.append(decode(path, reader.metadata.geometry.channels))
                good.append(path)
            except GlyphletError as error:
                failed += 1
                typer.secho(f"glyphlet: {error}", err=True, fg="red")
        for path, reading in zip(good, reader.read(pixels, batch=batch), strict=True):
            if as_json:
                typer.echo(json.dumps({**reading.to_dict(), "path": str(path)}, ensure_ascii=False))
            else:
                typer.echo(f"{path}\t{reading.text}")
    if failed:
        raise typer.Exit(1)
