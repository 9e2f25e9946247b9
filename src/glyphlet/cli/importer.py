"""`glyphlet import`: checkpoints of other projects to the one-file model."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from glyphlet.charset import Charset


def import_(
    file: Annotated[Path, typer.Argument(help="A PyTorch checkpoint.", show_default=False)],
    origin: Annotated[str, typer.Option("--from", help="The project that wrote it: micro-ocr.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model file to write.", show_default=False)],
    charset: Annotated[
        str, typer.Option(help="Its characters, in its order: a name, or a file with one character a line.")
    ] = "alphanumeric",
    images: Annotated[
        list[Path] | None,
        typer.Option(
            help="Line images for the comparison of file and model; rendered ones by default.", show_default=False
        ),
    ] = None,
    recurrence: Annotated[
        str, typer.Option(help="What a recurrent layer runs over: auto, time, or step (each step alone).")
    ] = "auto",
) -> None:
    """Write a checkpoint of another project as one model file."""
    from glyphlet.charset import NAMED, Charset
    from glyphlet.errors import RecipeError
    from glyphlet.export.onnx import export_model
    from glyphlet.models.importers import IMPORTERS
    from glyphlet.models.summary import count_parameters

    for option, value, allowed in (
        ("--from", origin, tuple(IMPORTERS)),
        ("--recurrence", recurrence, ("auto", "time", "step")),
    ):
        if value not in allowed:
            raise RecipeError(f"{option} is {value!r}", allowed=", ".join(allowed), next_step="correct it")
    characters = Charset.named(charset) if charset in NAMED else Charset.from_file(charset)
    imported = IMPORTERS[origin](file, characters, recurrence)
    for note in imported.notes:
        typer.echo(note)
    for name, figure in imported.measured.items():
        typer.echo(f"the checkpoint says of itself: {name} {figure:.4f}")
    sources = list(images) if images else _rendered(characters)
    facts = {"imported_from": origin, "parameters": count_parameters(imported.model)}
    measured = {"said_by_the_checkpoint": imported.measured}
    parity = export_model(imported.model, output, sources, name=file.stem, training=facts, measured=measured)
    typer.echo(
        f"{output} ({output.stat().st_size / 1024:.1f} kB): {parity.lines} lines read as the imported model reads them, "
        f"largest difference {parity.max_difference:.1e}"
    )


def _rendered(characters: Charset) -> list[Any]:
    """200 line images of those characters that the built-in font has."""
    from glyphlet.errors import RecipeError
    from glyphlet.spec import SynthSpec
    from glyphlet.synth.render import render_set

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the comparison does not need every character
            return [line.image for line in render_set(SynthSpec(count=200, uncovered="drop"), characters, "test")]
    except RecipeError as error:
        raise RecipeError(
            "no lines can be rendered for the comparison: the built-in font has none of the characters",
            allowed="line images of your own",
            next_step="give some with --images IMAGE, which may be repeated",
        ) from error
