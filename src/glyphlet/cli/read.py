"""`glyphlet read`: line images to texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glyphlet.runtime.shipped import DEFAULT

if TYPE_CHECKING:
    from glyphlet.decode.reading import Reading
    from glyphlet.errors import ImageError
    from glyphlet.runtime.reader import Reader


SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm", ".jp2")
"""Files of a folder that are read. A file that is named is read whatever its name."""


def read(
    images: Annotated[list[Path], typer.Argument(help="Line images, and folders of them.", show_default=False)],
    model: Annotated[Path, typer.Option("-m", "--model", help="Model file, or the name of a model that ships.")] = Path(
        DEFAULT
    ),
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, with confidences and spans.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Lines read together; it does not change a text.")] = 32,
    pattern: Annotated[
        str | None,
        typer.Option(help="A regular expression for the whole line, or luhn, iban, iso6346, mrz-td3, date, date-us."),
    ] = None,
    lexicon: Annotated[
        Path | None, typer.Option(help="Text file: each line of it is a line that there can be.")
    ] = None,
    lexicon_words: Annotated[
        bool, typer.Option("--lexicon-words", help="A line is entries of the lexicon with single spaces between them.")
    ] = False,
    lm: Annotated[Path | None, typer.Option(help="Language model, written by `glyphlet lm`.")] = None,
    lm_weight: Annotated[
        float | None, typer.Option(help="How much the language model counts; 0.5 by default.", show_default=False)
    ] = None,
    lm_bonus: Annotated[
        float | None,
        typer.Option(help="What each character adds to the logarithm, beside --lm; 0 by default.", show_default=False),
    ] = None,
    beam: Annotated[
        int | None,
        typer.Option(help="Texts that are followed at once; 8 with a pattern, a lexicon or a language model."),
    ] = None,
) -> None:
    """Read line images. Prints `path<TAB>text`, or with --json one object a line.

    An image that cannot be read is reported on stderr and the rest go on; the exit code is then 1. A line on which no text is legal
    under --pattern or --lexicon has an empty text; the reason is told on stderr, and with --json in `reason`.
    """
    from glyphlet.errors import GlyphletError, ImageError, ModelFileError
    from glyphlet.runtime.reader import Reader
    from glyphlet.runtime.shipped import model_path

    if str(model) == DEFAULT and not model_path(model).exists():
        raise ModelFileError(
            f"no model is named, and the model {DEFAULT} does not ship with this version",
            allowed="a model file that `glyphlet export` wrote",
            next_step="name one: -m model.onnx",
        )
    if lm is None and (lm_weight is not None or lm_bonus is not None):
        raise GlyphletError(
            "--lm-weight or --lm-bonus is given without a language model",
            allowed="both of them with --lm",
            next_step="make one with glyphlet lm text.txt -o text.lm, and give it with --lm",
        )
    weights = {"lm_weight": lm_weight, "length_bonus": lm_bonus}
    asked = {"pattern": pattern, "lexicon": lexicon, "lm": lm, "beam": beam, **weights}
    given = {key: value for key, value in asked.items() if value is not None}
    decoding = None
    if given or lexicon_words:
        from glyphlet.decode.decoding import Decoding

        decoding = Decoding(**given, words=lexicon_words)  # type: ignore[arg-type]
    reader = Reader(model, threads=threads, decoding=decoding)
    images = [path for named in images for path in _images_in(named)]
    failed = False
    part = max(512, batch)
    for start in range(0, len(images), part):
        for path, reading in _readings(reader, images[start : start + part], batch):
            if isinstance(reading, ImageError):
                failed = True
                typer.secho(f"glyphlet: {reading}", err=True, fg="red")
                if as_json:
                    typer.echo(json.dumps({"path": str(path), "error": str(reading)}, ensure_ascii=False))
                continue
            if reading.reason:
                typer.secho(f"glyphlet: {path}: {reading.reason}", err=True, fg="yellow")
            if as_json:
                typer.echo(json.dumps({**reading.to_dict(), "path": str(path)}, ensure_ascii=False))
            else:
                typer.echo(f"{path}\t{reading.text}")
    if failed:
        raise typer.Exit(1)


def _images_in(path: Path) -> list[Path]:
    """The image files of a folder, sorted by name; a path that is no folder, or one without images, is itself."""
    inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES) if path.is_dir() else []
    return inside or [path]


def _readings(reader: Reader, paths: list[Path], batch: int) -> Iterator[tuple[Path, Reading | ImageError]]:
    """What stands on each image, or why it cannot be read."""
    from glyphlet.errors import ImageError

    try:
        yield from zip(paths, reader.read(paths, batch=batch), strict=True)
    except ImageError:  # one of them is at fault: find out which
        for path in paths:
            try:
                yield path, reader.read_one(path)
            except ImageError as error:
                yield path, error
