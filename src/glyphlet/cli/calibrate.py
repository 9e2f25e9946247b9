"""`glyphlet calibrate`: confidences that mean something on one's own lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def calibrate(
    model: Annotated[Path, typer.Argument(help="Model file, or the name of a model that ships.", show_default=False)],
    labels: Annotated[
        list[Path],
        typer.Argument(
            help="Labelled lines of any format, 100 or more, best of those that will be read.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write.", show_default=False)],
) -> None:
    """Correct the confidences of a model file on labelled lines, and find below which a reading is no text.

    The network stays as it is. Expected calibration error before and after are printed, and stand in the file. Training, export and
    quantising do this on their validation lines; this is for lines that look otherwise.
    """
    from rich.console import Console
    from rich.progress import Progress

    from glyphlet.data.open import open_lines
    from glyphlet.export.calibrate import calibrate_file

    lines, console = open_lines(labels), Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("reading", total=len(lines))
        found = calibrate_file(model, lines, output, lambda done: progress.update(bar, completed=done))
    typer.echo(f"{output}: {found.summary()}")
