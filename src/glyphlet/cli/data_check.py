"""`glyphlet data check`: what is wrong with labelled lines, before a training finds out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glyphlet.cli.data_source import (
    Delimiter,
    Dictionary,
    DictionaryEncoding,
    Encoding,
    Group,
    GroupColumn,
    ImageColumn,
    Images,
    NamePattern,
    TextColumn,
    cores,
)

if TYPE_CHECKING:
    from glyphlet.data.auditing.audit import Rules


def check(
    sources: Annotated[
        list[str], typer.Argument(metavar="SRC...", help="Labelled lines of any format.", show_default=False)
    ],
    test: Annotated[
        list[str] | None,
        typer.Option("--test", "--against", help="Test lines that must not be among them; may be repeated."),
    ] = None,
    charset: Annotated[
        str | None, typer.Option(help="The characters allowed: a name, or a file with one character a line.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Take characters, image size and time steps from a model file.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Take them from a recipe: a file, or a shipped one by name.")
    ] = None,
    height: Annotated[
        int, typer.Option(min=4, max=512, help="Rows of the model's input, without a model or recipe.")
    ] = 32,
    stride: Annotated[
        int, typer.Option(min=1, max=256, help="Pixels of width a time step, without a model or recipe.")
    ] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="List every line of a finding, not the first ones.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write an HTML page with pictures.")] = None,
    fix: Annotated[
        Path | None,
        typer.Option(
            help="Write a cleaned list (clean.txt) or set (clean.lmdb), and what changed in clean.changes.tsv."
        ),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="With --fix: also drop the lines of this kind of finding; may be repeated.")
    ] = None,
    keep_empty: Annotated[bool, typer.Option(help="Empty labels are meant: these images show no text.")] = False,
    absolute: Annotated[bool, typer.Option(help="With --fix: write absolute paths.")] = False,
    overwrite: Annotated[bool, typer.Option(help="With --fix: replace an older one.")] = False,
    near: Annotated[bool, typer.Option(help="With --test: also look for nearly equal images.")] = True,
    sample: Annotated[int | None, typer.Option(min=1, help="Decode only so many images, drawn at random.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that decode; 0 is one a core.")] = 0,
    strict: Annotated[bool, typer.Option(help="Exit with 1 for warnings, too.")] = False,
    format: Annotated[str, typer.Option(help="The format of the lines; auto looks at them.")] = "auto",
    encoding: Encoding = "auto",
    images: Images = None,
    dictionary: Dictionary = None,
    dictionary_encoding: DictionaryEncoding = "auto",
    image_column: ImageColumn = None,
    text_column: TextColumn = None,
    group_column: GroupColumn = None,
    delimiter: Delimiter = None,
    group: Group = None,
    name_pattern: NamePattern = None,
) -> None:
    """Check labelled lines: images, labels, characters, lengths, copies, leaks into the test lines.

    Settings of the format hold for SRC and for the test lines. Exit code: 0 no errors, 1 errors (with --strict also warnings), 2 could not run.
    """
    import json

    from rich.console import Console
    from rich.progress import Progress

    from glyphlet.data.auditing.audit import audit
    from glyphlet.data.auditing.repair import is_list, refuse_sources, repair, write_list, write_set
    from glyphlet.evaluate.dataset import figures_table, findings_text, write_page

    rules = replace(
        _rules(charset, model, recipe, height, stride), near=near, sample=sample, seed=seed,
        empty="keep" if keep_empty else "error", examples=None if everything else 20, workers=workers or cores(),
    )  # fmt: skip
    if fix is not None:
        refuse_sources(fix, [*sources, *(test or [])], overwrite)
    settings = {
        "format": format, "encoding": encoding, "images": images, "dictionary": dictionary,
        "dictionary_encoding": dictionary_encoding, "image_column": image_column, "text_column": text_column,
        "group_column": group_column, "delimiter": delimiter, "group": group, "name_pattern": name_pattern,
    }  # fmt: skip
    lines, against = _open(sources, settings), _open(test, settings) if test else None
    console = Console(stderr=as_json, highlight=False)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bars: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done)

        found = audit(lines, rules, test=against, progress=show)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False, allow_nan=False))
    else:
        console.print(figures_table(found))
        for note in found.notes:
            console.print(f"note: {note}", markup=False)
        console.print()
        console.print(findings_text(found, examples=1_000_000 if everything else 3), soft_wrap=True)
        errors, warnings = found.count("error"), found.count("warning")
        console.print(
            f"\n{_kinds(errors, 'error')}, {_kinds(warnings, 'warning')}; {found.seconds:.1f} s", markup=False
        )
    if html is not None:
        write_page(html, found, lines, against)
        console.print(f"page {html}", markup=False, soft_wrap=True)
    if fix is not None:
        done = repair(lines, found, rules, drop or [])
        if is_list(fix):
            changes, count = write_list(done, lines, fix, absolute)
        else:
            changes, count = write_set(done, lines, fix, rules.workers, overwrite)
        if count < len(done.lines):
            missing = f"{len(done.lines) - count:,} lines could not be written"
            console.print(f"{missing}; {fix}.dropped.txt names each", markup=False, soft_wrap=True)
        listed = ", ".join(f"{kind} {n:,}" for kind, n in done.counts().most_common())
        console.print(
            f"{fix}: {count:,} lines, {len(done.changed):,} changed, {sum(done.counts().values()):,} dropped"
            + (f" ({listed})" if listed else "") + f"; see {changes}", markup=False, soft_wrap=True,
        )  # fmt: skip
    if found.count("error") or (strict and found.count("warning")):
        raise typer.Exit(1)


def _kinds(count: int, what: str) -> str:
    return f"{count} kind{'s' * (count != 1)} of {what}s"


def _open(sources: list[str], settings: dict[str, str | None]) -> Any:
    """The lines, malformed ones left out and listed."""
    from glyphlet.data.open import open_lines
    from glyphlet.spec import SourceSpec

    return open_lines([SourceSpec.model_validate({"path": source, **settings}) for source in sources], lenient=True)


def _rules(charset: str | None, model: Path | None, recipe: str | None, height: int, stride: int) -> Rules:
    """What the lines are checked against."""
    from glyphlet.charset import NAMED, Charset
    from glyphlet.data.auditing.audit import Rules
    from glyphlet.errors import RecipeError
    from glyphlet.image import Geometry

    characters = None if charset is None else Charset.named(charset) if charset in NAMED else Charset.from_file(charset)
    if model is not None and recipe is not None:
        raise RecipeError("--model and --recipe are both given", allowed="one of them", next_step="leave one out")
    if model is not None:
        from glyphlet.runtime.bundle import open_model

        bundle = open_model(model)
        known, most = bundle.metadata, bundle.most
        return Rules(
            characters or known.charset, known.geometry, lambda width: most + 1 if most else width // known.time_stride,
            f"model {model.name}", most=most,
        )  # fmt: skip
    if recipe is not None:
        from glyphlet.models.recognizer import build
        from glyphlet.spec import load_recipe

        settings = load_recipe(recipe)
        characters = characters or settings.charset.fixed()
        built = build(settings.model, settings.image, characters or Charset.named("digits"))
        most = built.steps(built.geometry.min_width) - 1 if built.codec.kind == "sequence" else 0
        return Rules(characters, built.geometry, built.steps, f"recipe {settings.name}", most=most)
    geometry = Geometry(height=height, width_step=stride * -(-8 // stride))
    name = f"height {height}, a time step every {stride} pixel{'s' * (stride > 1)}"
    return Rules(characters, geometry, lambda width: width // stride, name)
