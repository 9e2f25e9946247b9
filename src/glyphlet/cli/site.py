"""`glyphlet site`: a folder with a page that reads in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def site(
    model: Annotated[Path, typer.Argument(help="Model file, or the name of a model that ships.", show_default=False)],
    out: Annotated[
        Path, typer.Argument(help="Folder of the site; an older site there is replaced.", show_default=False)
    ],
    runtime: Annotated[
        Path | None,
        typer.Option(help="onnxruntime-web as a .tgz or an unpacked folder; npm fetches it otherwise, once."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the folder whatever it holds.")] = False,
) -> None:
    """Build a static site that reads lines in the browser.

    Drop, paste, photograph, draw or crop an image there. Images stay in the browser: the site asks no other address. Any web server
    shows it.
    """
    from glyphlet.web.site import build_site

    made = build_site(model, out, runtime=runtime, force=force)
    typer.echo(f"{made.folder}: {made.files} files, {made.size / 1e6:.1f} MB, reads with {made.model}")
    typer.echo(f"Look at it: python -m http.server --bind 127.0.0.1 --directory {out}")
