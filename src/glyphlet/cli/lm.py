"""`glyphlet lm`: a text file to a language model of characters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HELD_OUT = 20
"""Of so many lines one is left out, to say how well the others foretell it."""


def lm(
    text: Annotated[
        Path, typer.Argument(help="UTF-8 text, one line as the model meets it on each line.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The language model to write.", show_default=False)],
    order: Annotated[int, typer.Option(help="Characters of the longest n-gram, 1 to 10.")] = 5,
    least: Annotated[
        int, typer.Option(min=1, help="n-grams of three characters and more that occur less often are left out.")
    ] = 1,
    case: Annotated[str, typer.Option(help="Letters: keep, lower or upper.")] = "keep",
) -> None:
    """Count the n-grams of a text file into a language model for `glyphlet read --lm`.

    Give it texts of the kind that is read: names for names, receipts for receipts. It says how many bits a character of every
    20th line takes, counted without these lines; less is better.
    """
    from typing import cast, get_args

    from glyphlet.charset import Case, Charset
    from glyphlet.decode.ngram import bits
    from glyphlet.decode.ngram_count import count, plain_lines
    from glyphlet.decode.ngram_file import save
    from glyphlet.decode.textfile import text_lines
    from glyphlet.errors import GlyphletError

    if case not in get_args(Case):
        raise GlyphletError(f"--case is {case!r}", allowed=", ".join(get_args(Case)), next_step="choose one of these")
    lines = plain_lines(text_lines(text, "the text", "UTF-8 text, one line of a text on each line"), cast(Case, case))
    model = count(lines, order, least)
    size = save(model, output)
    held, others = lines[::HELD_OUT], [line for number, line in enumerate(lines) if number % HELD_OUT]
    found = ""
    if others:
        charset = Charset.from_labels(lines)
        found = f", {bits(count(others, order, least).over(charset), held):.2f} bits a character on {len(held)} lines left out"
    grams = sum(len(level.counts) for level in model.levels)
    typer.echo(f"{output} ({size / 1024:.1f} kB): {len(lines)} lines, order {order}, {grams} n-grams{found}")
