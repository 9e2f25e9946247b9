"""`glyphlet train`: from a recipe or from label files to a model file."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from glyphlet.job import Job
    from glyphlet.spec import Recipe

LABELS_RECIPE = "labels"
"""The recipe for label files alone."""
FINE_RATE, FINE_AVERAGE = 0.001, 0.98
"""`train.lr` and `train.ema` for label files alone that start from a model."""


def train(
    source: Annotated[
        list[str] | None,
        typer.Argument(
            help="A recipe (YAML file or shipped name), or labelled lines of any format.", show_default=False
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a value of the recipe: train.lr=0.003.", show_default=False),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option("--test", help="Labelled lines that are read once, at the end.", show_default=False),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--start",
            help="A run folder, a checkpoint, a model file or a model that ships, whose weights to start from.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", help="Go on with this run folder.", show_default=False)
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Where new run folders are made.")] = Path("runs"),
) -> None:
    """Train a recogniser, and write it as one model file.

    Labelled lines alone are enough: the settings are those of the recipe `labels`, a fifth of the lines (always the
    same ones) is kept for validation, and the charset is collected from the labels. With --start they take model, image
    and charset settings from there, unless they are given with --set.
    """
    from rich.console import Console

    from glyphlet.errors import RecipeError
    from glyphlet.job import REPORT, resume_recipe, run

    console = Console()
    if resume is not None:
        if source or set_ or test or start:
            raise RecipeError(
                "--resume is given together with a recipe, labels or settings",
                allowed="--resume RUN alone: a run goes on with the settings that it was started with",
                next_step="leave out the others, or start a new run",
            )
        resume = resume.resolve()  # `runs/latest` is a link that will point elsewhere
        recipe = resume_recipe(resume)
        if (resume / REPORT).is_file() and (resume / "model.onnx").is_file():  # its test lines were read, once
            console.print(
                f"{resume} is finished; its report is {resume / REPORT}", highlight=False, markup=False, soft_wrap=True
            )
            return
        report(run(recipe, resume.parent, console, folder=resume), console)
        return
    if not source:
        raise RecipeError(
            "there is nothing to train on",
            allowed="a recipe, or label files",
            next_step="glyphlet train labels.txt, or glyphlet models for the shipped recipes",
        )
    report(run(recipe_for(source, set_ or [], test or [], start), runs, console), console)


_CHARACTERS = re.compile(r"charset(\.(name|file|text))?=")
"""Settings that give other characters."""


def recipe_for(source: list[str], settings: list[str], test: list[Path], start: Path | None = None) -> Recipe:
    """The recipe that is named, or the recipe `labels` with the label files put in; and the start put into it."""
    from glyphlet.errors import RecipeError
    from glyphlet.spec import load_values, shipped_recipes, with_settings

    is_recipe = [
        name.endswith((".yaml", ".yml")) or (name in shipped_recipes() and not Path(name).is_file()) for name in source
    ]
    if any(is_recipe) and len(source) > 1:
        raise RecipeError(
            f"{source[is_recipe.index(True)]} is given together with other files",
            allowed="one recipe, or label files only",
            next_step="name the label files inside the recipe: --set 'data.train=[a.txt, b.txt]'",
        )
    # A word that is neither a file nor looks like one is a recipe's name, misspelt.
    named = is_recipe[0] or not (Path(source[0]).suffix or Path(source[0]).exists())
    values = load_values(source[0] if named else LABELS_RECIPE)
    own = [f"data.test={json.dumps([str(p) for p in test], ensure_ascii=False)}"] if test else []
    if not is_recipe[0]:
        values["name"] = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(source[0]).stem).strip("-") or "labels"
        values.setdefault("data", {})["train"] = source
        if start is not None:
            take_over(values, start, keep_charset=not any(_CHARACTERS.match(s) for s in settings))
    if start is not None:
        values["start"] = {**(values.get("start") or {}), "path": str(start)}
    return with_settings(values, [*own, *settings], source[0])


def take_over(values: dict[str, Any], start: Path, *, keep_charset: bool) -> None:
    """Put the model, the image settings and the charset of a start into the plain values of a recipe, and what few lines need.

    With a third of the rate, an average of the weights, and the start's own statistics of normalisation, 50 typewritten lines improve a
    model that the recipe's plain settings spoil (`docs/fine-tuning.md`).
    """
    from glyphlet.train.start import load_start

    found = load_start(start)
    before = found.recipe.dump()
    values["model"], values["image"] = before["model"], before["image"]
    values["start"] = {"keep_norm": True}
    values["train"] = {**values["train"], "lr": FINE_RATE, "ema": FINE_AVERAGE}
    if keep_charset:
        values["charset"] = found.charset.to_dict()


def report(job: Job, console: object) -> None:
    """Say what came of a job, and what to do with it."""
    from rich.console import Console

    from glyphlet.evaluate.scores import table

    assert isinstance(console, Console)
    if job.test is not None:
        console.print(table(job.test.scores))
    for name, path in (("report", job.report), ("model", job.model)):
        console.print(f"{name:<6} {path}", highlight=False, markup=False, soft_wrap=True)
    model = shlex.quote(str(job.model))
    console.print(f"read   glyphlet read -m {model} IMAGE...", highlight=False, markup=False, soft_wrap=True)
