"""`glyphlet synth`: labelled lines out of fonts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def synth(
    folder: Annotated[Path, typer.Argument(help="Where to write images/ and labels.txt.", show_default=False)],
    count: Annotated[int, typer.Option(min=1, help="Lines to render.")] = 5000,
    charset: Annotated[
        str, typer.Option(help="A name from above, or a file with one character a line.")
    ] = "alphanumeric",
    length: Annotated[str, typer.Option(help="Characters in a line: 4, or 1-10.")] = "4",
    seed: Annotated[int, typer.Option(help="The same seed gives the same lines.")] = 0,
    stream: Annotated[str, typer.Option(help="train and test lines of one seed are different.")] = "train",
    font: Annotated[
        list[str] | None, typer.Option(help="Font file or folder, may be repeated; Pillow's own font by default.")
    ] = None,
    size: Annotated[str, typer.Option(help="Font size in pixels: 25, or 18-30.")] = "25",
    background: Annotated[str, typer.Option(help="plain, random or textured.")] = "plain",
    polarity: Annotated[str, typer.Option(help="dark ink, light ink, or both.")] = "dark",
    spacing: Annotated[str, typer.Option(help="pitch (fixed), or proportional as a text is set.")] = "pitch",
    uncovered: Annotated[str, typer.Option(help="Characters that no font has: error, or drop (and say so).")] = "error",
    text: Annotated[
        Path | None, typer.Option(help="A text file to take lines from, instead of random characters.")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(help="Also write a picture of the first lines.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an older set in the folder.")] = False,
) -> None:
    """Render labelled lines: images/*.png and labels.txt of path<TAB>text.

    Charsets by name: digits, number, lowercase36, alphanumeric, ascii.
    """
    from itertools import islice

    from rich.console import Console
    from rich.progress import Progress

    from glyphlet.charset import NAMED, Charset
    from glyphlet.errors import RecipeError
    from glyphlet.spec import recipe_from
    from glyphlet.synth.dataset import contact_sheet, write_set
    from glyphlet.synth.render import render_set

    (shortest, longest), (small, large) = _range("--length", length), _range("--size", size)
    settings = {
        "count": count, "seed": seed, "min_length": shortest, "max_length": longest, "fonts": font or [],
        "font_size": [small, large], "background": background, "polarity": polarity, "spacing": spacing, "uncovered": uncovered,
        "text": "file" if text else "random", "text_file": str(text) if text else None,
    }  # fmt: skip
    spec = recipe_from({"data": {"train": settings}}, "glyphlet synth").data.train
    assert not isinstance(spec, list)
    characters = Charset.named(charset) if charset in NAMED else Charset.from_file(charset)
    console = Console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("rendering", total=count)
        labels = write_set(
            spec, characters, folder, stream,
            progress=lambda done, total: progress.update(bar, completed=done), overwrite=overwrite,
        )  # fmt: skip
    if sheet is not None:
        picture = contact_sheet(list(islice(render_set(spec, characters, stream), 40)))
        try:
            picture.save(sheet)
        except ValueError as error:  # Pillow knows no format by this suffix
            raise RecipeError(
                f"--sheet is {str(sheet)!r}", allowed="a name that ends in .png", next_step="correct it"
            ) from error
        console.print(f"picture {sheet}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"{count} lines, labels {labels}", highlight=False, markup=False, soft_wrap=True)


def _range(option: str, text: str) -> tuple[int, int]:
    from glyphlet.errors import RecipeError

    low, dash, high = text.partition("-")
    try:
        pair = int(low), int(high if dash else low)
    except ValueError:
        pair = 0, 0
    if not 1 <= pair[0] <= pair[1]:
        raise RecipeError(f"{option} is {text!r}", allowed="a number, or two with a dash: 1-10", next_step="correct it")
    return pair
