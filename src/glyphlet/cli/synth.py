"""`glyphlet synth`: labelled lines out of fonts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from glyphlet.charset import Charset
    from glyphlet.spec import SynthSpec
    from glyphlet.synth.audit import FontAudit

SMALL = 1000
"""Lines that one process renders before others have started."""


def synth(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to write images/ and labels.txt.", show_default=False)
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Lines to render; 5000 by default.")] = None,
    charset: Annotated[
        str | None,
        typer.Option(help="A name from above, or a file with one character a line; alphanumeric by default."),
    ] = None,
    length: Annotated[str | None, typer.Option(help="Characters in a line: 4 (the default), or 1-10.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same lines; 0 by default.")] = None,
    stream: Annotated[str, typer.Option(help="train and test lines of one seed are different.")] = "train",
    font: Annotated[
        list[str] | None, typer.Option(help="Font file or folder, may be repeated; Pillow's own font by default.")
    ] = None,
    size: Annotated[str | None, typer.Option(help="Font size in pixels: 25 (the default), or 18-30.")] = None,
    background: Annotated[
        str | None, typer.Option(help="plain (the default), random, textured, gradient or photos.")
    ] = None,
    polarity: Annotated[str | None, typer.Option(help="dark ink (the default), light ink, or both.")] = None,
    spacing: Annotated[
        str | None, typer.Option(help="pitch (fixed, the default), or proportional as a text is set.")
    ] = None,
    uncovered: Annotated[
        str | None, typer.Option(help="Characters that no font has: error (the default), or drop (and say so).")
    ] = None,
    text: Annotated[
        Path | None, typer.Option(help="A text file to take lines from, instead of random characters.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(help="A regular expression that the texts match, such as '[A-Z]{2}\\d{6}'.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Settings from a recipe's data.train (or, for the stream test, data.test).")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting: --set text=prices --set 'looks=[{name: shadow}]'."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    jpeg: Annotated[int | None, typer.Option(min=1, max=100, help="Write JPEG of this quality instead of PNG.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Also write a picture of the first lines.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an older set in the folder.")] = False,
    audit: Annotated[
        bool, typer.Option("--audit", help="Render nothing; say for each font which characters it lacks.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="With --audit: print JSON, with all characters.")] = False,
) -> None:
    """Render labelled lines: images/*.png and labels.txt of path<TAB>text.

    Run again with the same settings, it goes on with a set that was broken off. Charsets by name: digits, number,
    lowercase36, alphanumeric, ascii, western, chinese, chinese-common.
    """
    from rich.console import Console

    from glyphlet.errors import RecipeError

    settings: dict[str, Any] = {"count": count, "seed": seed, "background": background, "polarity": polarity}
    settings |= {"spacing": spacing, "uncovered": uncovered, "fonts": font or None}
    settings["min_length"], settings["max_length"] = _range("--length", length)
    settings["font_size"] = list(_range("--size", size)) if size else None
    if text is not None:
        settings |= {"text": "file", "text_file": str(text)}
    if pattern is not None:
        if text is not None:
            raise RecipeError("--text and --pattern are both given", allowed="one of them", next_step="leave one out")
        settings |= {"text": "pattern", "pattern": pattern}
    spec, characters = _settings(recipe, stream, settings, set_ or [], charset)
    console = Console()
    if audit:
        _audit(spec, characters, console, as_json=json_)
        return
    if folder is None:
        raise RecipeError(
            "there is no folder to write to",
            allowed="glyphlet synth FOLDER, or --audit alone",
            next_step="name a new folder: glyphlet synth lines",
        )
    labels = _write(spec, characters, folder, stream, console, workers, jpeg, overwrite=overwrite)
    if sheet is not None:
        _sheet(spec, characters, stream, sheet)
        console.print(f"picture {sheet}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"{spec.count} lines, labels {labels}", highlight=False, markup=False, soft_wrap=True)


def _settings(
    recipe: str | None, stream: str, options: dict[str, Any], settings: list[str], charset: str | None
) -> tuple[SynthSpec, Charset]:
    """What to render, and its characters: from a recipe, then from options, then from `--set`."""
    from glyphlet.charset import NAMED, Charset
    from glyphlet.errors import RecipeError
    from glyphlet.spec import SynthSpec, apply_settings, load_values, recipe_from

    values: dict[str, Any] = {}
    characters = None
    where = "glyphlet synth"
    if recipe is not None:
        loaded, where = recipe_from(load_values(recipe), recipe), recipe
        characters = loaded.charset.fixed()
        data = (
            loaded.data.test if stream.split("/")[0] == "test" and loaded.data.test is not None else loaded.data.train
        )
        rendered = [s for s in (data if isinstance(data, list) else [data]) if isinstance(s, SynthSpec)]
        if len(rendered) != 1:
            raise RecipeError(
                f"{recipe} renders {len(rendered)} sets of lines for the stream {stream}",
                allowed="one set of settings for rendered lines under data.train (or data.test)",
                next_step="write the settings of one set into a recipe of its own",
            )
        values = rendered[0].model_dump(mode="json", exclude_unset=True)
    values |= {key: value for key, value in options.items() if value is not None}
    for setting in settings:
        if re.match(r"pattern=[^'\"]", setting):  # [A-Z] would be a list in YAML
            values["pattern"] = setting.partition("=")[2]
        else:
            values = apply_settings(values, [setting])
    spec = recipe_from({"data": {"train": values}}, where).data.train
    assert isinstance(spec, SynthSpec)
    if charset is not None or characters is None:
        name = charset or "alphanumeric"
        characters = Charset.named(name) if name in NAMED else Charset.from_file(name)
    return spec, characters


def _write(
    spec: SynthSpec, characters: Charset, folder: Path, stream: str, console: Console,
    workers: int | None, jpeg: int | None, *, overwrite: bool,
) -> Path:  # fmt: skip
    import os

    from rich.progress import Progress

    from glyphlet.synth.dataset import ImageFormat, write_set

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = workers or (1 if spec.count < SMALL else cores)
    form = ImageFormat() if jpeg is None else ImageFormat("jpeg", jpeg)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("rendering", total=spec.count)
        return write_set(
            spec, characters, folder, stream, progress=lambda done, total: progress.update(bar, completed=done),
            overwrite=overwrite, workers=processes, image_format=form,
        )  # fmt: skip


def _sheet(spec: SynthSpec, characters: Charset, stream: str, path: Path) -> None:
    from itertools import islice

    from glyphlet.errors import RecipeError
    from glyphlet.synth.dataset import contact_sheet
    from glyphlet.synth.render import render_set

    picture = contact_sheet(list(islice(render_set(spec, characters, stream), 40)))
    try:
        picture.save(path)
    except ValueError as error:  # Pillow knows no format by this suffix
        raise RecipeError(
            f"--sheet is {str(path)!r}", allowed="a name that ends in .png", next_step="correct it"
        ) from error


def _audit(spec: SynthSpec, characters: Charset, console: Console, *, as_json: bool) -> None:
    """Print what each font covers; exit code 1 when a character is in none, or a file is no font."""
    import json

    from glyphlet.synth.audit import audit, examples, never_covered

    audits = audit(spec.fonts, characters, shaping=spec.shaping)
    nowhere = never_covered(audits, characters)
    if as_json:
        result = {"characters": characters.size, "in_no_font": nowhere, "fonts": [a.as_dict() for a in audits]}
        typer.echo(json.dumps(result, ensure_ascii=False, indent=1))
    else:
        for found in audits:
            console.print(_verdict(found, characters.size), highlight=False, markup=False, soft_wrap=True)
        shown = f": {examples(nowhere)}" if nowhere else ""
        console.print(
            f"{len(nowhere)} of {characters.size} characters are in no font{shown}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    if nowhere or any(found.error for found in audits):
        raise typer.Exit(1)


def _verdict(found: FontAudit, size: int) -> str:
    """One line on one font."""
    from glyphlet.synth.audit import examples

    if found.error:
        return found.error
    lacking = {"missing (drawn as a box)": found.missing, "blank": found.blank, "need shaping": found.unshaped}
    listed = [f"{len(c)} {what}: {examples(c)}" for what, c in lacking.items() if c]
    return "; ".join([f"{found.font}: {found.covered} of {size} characters", *listed])


def _range(option: str, text: str | None) -> tuple[int | None, int | None]:
    from glyphlet.errors import RecipeError

    if text is None:
        return None, None
    low, dash, high = text.partition("-")
    try:
        pair = int(low), int(high if dash else low)
    except ValueError:
        pair = 0, 0
    if not 1 <= pair[0] <= pair[1]:
        raise RecipeError(
            f"{option} is {text!r}", allowed="a number from 1, or two with a dash: 1-10", next_step="correct it"
        )
    return pair
