"""`glyphlet read`: line images, or whole pages, to texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from glyphlet.cli.decoding_options import (
    Beam,
    DecodingOptions,
    LanguageModel,
    LanguageModelBonus,
    LanguageModelWeight,
    Lexicon,
    LexiconWords,
    Pattern,
)
from glyphlet.runtime.shipped import DEFAULT


def read(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            help="Line images, folders of them, patterns such as 'scans/**/*.png', or - for an image on standard input.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[Path, typer.Option("-m", "--model", help="Model file, or the name of a model that ships.")] = Path(
        DEFAULT
    ),
    listed: Annotated[
        Path | None, typer.Option("--list", help="Text file with one path a line, or - for standard input.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="text, jsonl or csv; text by default. With --page text, json, hocr, alto or pdf."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Short for --format jsonl: with confidences and spans. With --page for json.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; standard output by default.")
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(
            help="PNG file: the line with its characters, or the page with its lines, framed. Of several, NAME-2.png ..."
        ),
    ] = None,
    turn: Annotated[
        str,
        typer.Option(
            help="Turn the images counterclockwise first: 90 for lines that run down, 270 up, 180 upside down; auto finds out."
        ),
    ] = "0",
    page: Annotated[bool, typer.Option("--page", help="The files are whole pages: images, TIFF files, PDF.")] = False,
    dpi: Annotated[int, typer.Option(min=72, max=600, help="With --page: at which PDF pages are drawn.")] = 300,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Texts with less confidence are left empty, and that is told.")
    ] = 0.0,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads; the cores that there are by default, at most 8.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Lines read together; it does not change a text.")] = 32,
    pattern: Pattern = None,
    lexicon: Lexicon = None,
    lexicon_words: LexiconWords = False,
    lm: LanguageModel = None,
    lm_weight: LanguageModelWeight = None,
    lm_bonus: LanguageModelBonus = None,
    beam: Beam = None,
) -> None:
    """Read line images. Prints `path<TAB>text`, or JSON lines, or CSV. With --page, read whole pages.

    An image that cannot be read is reported on stderr and the rest go on; the exit code is then 1. An image that shows no text, or on
    which no text is legal under --pattern or --lexicon, has an empty text; the reason is told on stderr, and in JSON and CSV.
    """
    from glyphlet.cli.inputs import check_outputs, inputs
    from glyphlet.cli.read_lines import LineOutput, read_lines
    from glyphlet.errors import GlyphletError, ModelFileError
    from glyphlet.runtime.reader import Reader
    from glyphlet.runtime.shipped import model_path

    if page and (turn != "0" or min_confidence):
        raise GlyphletError(
            "--turn or --min-confidence is given with --page",
            allowed="these for lines alone: how a page is turned is found out, and JSON has the confidence of each line",
            next_step="leave it out",
        )
    if str(model) == DEFAULT and not model_path(model).exists():
        raise ModelFileError(
            f"no model is named, and the model {DEFAULT} does not ship with this version",
            allowed="a model file that `glyphlet export` wrote",
            next_step="name one: -m model.onnx",
        )
    if as_json and format_ not in (None, "json", "jsonl"):
        raise GlyphletError(
            f"both --json and --format {format_} are given", allowed="one of them", next_step="leave one out"
        )
    decoding = DecodingOptions(pattern, lexicon, lexicon_words, lm, lm_weight, lm_bonus, beam).decoding()
    reader = Reader(model, threads=threads, decoding=decoding)
    if page:
        from glyphlet.cli.read_page import PAGES, PageOutput, read_pages

        given = inputs(images or [], listed, PAGES)
        check_outputs(given, output, draw)
        output_of_pages = PageOutput(format_ or ("json" if as_json else "text"), output, draw, dpi)
        if not read_pages(reader, given, output_of_pages):
            raise typer.Exit(1)
        return
    given = inputs(images or [], listed)
    check_outputs(given, output, draw)
    lines = LineOutput(format_ or ("jsonl" if as_json else "text"), output, draw, batch, turn, min_confidence)
    if not read_lines(reader, given, lines):
        raise typer.Exit(1)
