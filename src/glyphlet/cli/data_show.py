"""`glyphlet data show`: lines, and what the augmentation makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from glyphlet.data.lineset import LineSet
    from glyphlet.effects import Effect
    from glyphlet.evaluate.sheet import Row
    from glyphlet.image import Geometry
    from glyphlet.spec import PartSpec


def show(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Lines of any format.", show_default=False)],
    picture: Annotated[Path, typer.Argument(metavar="OUT.png", help="The picture to write.", show_default=False)],
    recipe: Annotated[
        str | None, typer.Option(help="Take augmentation and image height from this recipe (a file or a name).")
    ] = None,
    augment: Annotated[
        list[str] | None,
        typer.Option(help="An effect: robust, or '{name: jpeg, quality: 30}'; may be repeated. [default: robust]"),
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="One row for every effect there is, on its own.")] = False,
    lines: Annotated[int, typer.Option(min=1, max=500, help="How many lines, drawn from all of the set.")] = 8,
    versions: Annotated[int, typer.Option(min=0, max=50, help="How many augmented versions of each.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same picture.")] = 0,
    height: Annotated[
        int | None, typer.Option(min=4, max=512, help="Height of the lines in pixels. [default: the recipe's, or 32]")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(min=1, max=3, help="1 grey, 3 RGB. [default: the recipe's, or 3]")
    ] = None,
    zoom: Annotated[int, typer.Option(min=1, max=8, help="Enlarge every pixel.")] = 1,
    font: Annotated[str | None, typer.Option(help="A font file for the texts above the lines.")] = None,
) -> None:
    """Write a picture of lines (first column) and augmented versions of them, with their texts."""
    from rich.console import Console

    from glyphlet.data.open import open_lines
    from glyphlet.errors import RecipeError
    from glyphlet.evaluate.sheet import sheet

    parts, geometry = _settings(recipe, augment or [], height, channels)
    if each and (recipe or augment):
        raise RecipeError(
            "--each shows every effect on its own",
            allowed="--each, or --recipe and --augment",
            next_step="leave one of them out",
        )
    with open_lines(source) as opened:
        rows = (
            _each(opened, geometry, versions, seed) if each else _rows(opened, parts, geometry, lines, versions, seed)
        )
    headings = [] if each else ["original", *(f"version {n}" for n in range(1, versions + 1))]
    image = sheet(rows, headings, font, zoom)
    try:
        image.save(picture)
    except ValueError as error:  # Pillow knows no format by this suffix
        raise RecipeError(
            f"the picture is {str(picture)!r}", allowed="a name that ends in .png", next_step="correct it"
        ) from error
    names = "every effect" if each else ", ".join(part.name for part in parts) or "no augmentation"
    Console().print(f"{len(rows)} rows, {names}: {picture}", highlight=False, markup=False, soft_wrap=True)


def _settings(
    recipe: str | None, augment: list[str], height: int | None, channels: int | None
) -> tuple[list[PartSpec], Geometry]:
    """The effects to show and the shape of the lines."""
    from dataclasses import replace

    from glyphlet.image import Geometry
    from glyphlet.spec import PartSpec, load_recipe

    loaded = load_recipe(recipe) if recipe else None
    geometry = loaded.image if loaded else Geometry(channels=3)
    geometry = replace(geometry, height=height or geometry.height, channels=channels or geometry.channels)
    parts = [*(loaded.augment if loaded else []), *map(_part, augment)]
    if not loaded and not augment:
        parts = [PartSpec(name="robust")]
    return parts, geometry


def _part(text: str) -> PartSpec:
    """An effect from the command line, which is read as YAML."""
    import yaml

    from glyphlet.effects.combine import parts_of
    from glyphlet.errors import RecipeError

    try:
        value: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(
            f"--augment {text!r} is not YAML", allowed="robust, or {name: jpeg, quality: 30}", next_step="quote it"
        ) from error
    return parts_of("--augment", [value])[0]


def _chosen(opened: LineSet, count: int, seed: int) -> list[int]:
    """Which lines to show: a random choice, in the order of the set."""
    import numpy as np

    from glyphlet.errors import LabelError

    if not len(opened):
        raise LabelError(f"{opened.name} has no lines", allowed="one line or more", next_step="check the path")
    random = np.random.default_rng(seed)
    drawn = random.permutation(len(opened))[:count] if len(opened) < 10**6 else random.integers(0, len(opened), count)
    return sorted({int(i) for i in drawn})


def _versions(pixels: Any, effects: Sequence[Effect], count: int, *seed: int) -> list[Any]:
    import numpy as np

    from glyphlet.effects import apply

    return [pixels, *(apply(effects, pixels, np.random.default_rng((*seed, n))) for n in range(count))]


def _rows(
    opened: LineSet, parts: Sequence[PartSpec], geometry: Geometry, lines: int, versions: int, seed: int
) -> list[Row]:
    """One row for every line: itself, and its versions."""
    from glyphlet.effects import build_effects
    from glyphlet.evaluate.sheet import Row
    from glyphlet.image import prepare

    effects = build_effects(parts)
    rows = []
    for index in _chosen(opened, lines, seed):
        sample = opened.sample(index)
        pixels = prepare(sample.source, geometry, sample.origin).pixels
        rows.append(Row(sample.text[:_LONGEST], _versions(pixels, effects, versions, seed, index)))
    return rows


_LONGEST = 200
"""Characters of a label that are shown; a longer one would make the picture as wide as itself."""
COMBINATIONS = {"one_of", "some_of", "sequence"}
"""Effects that are nothing without others."""


def _each(opened: LineSet, geometry: Geometry, versions: int, seed: int) -> list[Row]:
    """One row for every effect, all on one line of usual length: the one nearest to six times its height."""
    from glyphlet.effects import EFFECTS, build_effects
    from glyphlet.evaluate.sheet import Row
    from glyphlet.image import prepare
    from glyphlet.spec import PartSpec

    samples = [opened.sample(index) for index in _chosen(opened, 12, seed)]
    seen = [prepare(sample.source, geometry, sample.origin).pixels for sample in samples]
    pixels = min(seen, key=lambda line: abs(line.shape[2] - 6 * geometry.height))
    rows = []
    for number, name in enumerate(name for name in sorted(EFFECTS) if name not in COMBINATIONS):
        rows.append(Row(name, _versions(pixels, build_effects([PartSpec(name=name)]), versions, seed, number)))
    return rows
