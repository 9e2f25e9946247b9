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
            help="Labelled lines of any format, 100 or more (20 for the bound alone), best of those that will be read.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write.", show_default=False)],
    ignore_case: Annotated[
        bool, typer.Option(help="A text is right whatever its case: for labels whose case is not that of the lines.")
    ] = False,
) -> None:
    """Correct the confidences of a model file on labelled lines, and find below which a reading is no text.

    The network stays as it is. Expected calibration error before and after are printed, and stand in the file. Training, export and
    quantising do this on their validation lines; this is for lines that look otherwise.
    """
    from rich.console import Console
    from rich.progress import Progress

    from glyphlet.cli.inputs import check_folder
    from glyphlet.data.open import open_lines
    from glyphlet.errors import ExportError
    from glyphlet.export.calibrate import calibrate_file
    from glyphlet.runtime.shipped import shipped_models

    check_folder(output)
    if str(output) in shipped_models():
        raise ExportError(
            f"a model that ships is called {output}, and would be read in its place",
            allowed="another name",
            next_step=f"call it {output}-mine.onnx",
        )
    lines, console = open_lines(labels), Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("reading", total=len(lines))
        found = calibrate_file(model, lines, output, lambda done: progress.update(bar, completed=done), ignore_case)
    typer.echo(f"{output}: {found.summary()}")
