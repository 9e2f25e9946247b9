"""From a recipe to lines that are ready: read or rendered, checked, split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glyphlet.charset import Charset
from glyphlet.codec import CTCCodec
from glyphlet.data.check import CheckedLine, CheckReport, check_lines, enforce
from glyphlet.data.labelfile import read_label_files
from glyphlet.data.sample import Sample
from glyphlet.data.split import split
from glyphlet.effects import build_effects
from glyphlet.errors import LabelError, RecipeError
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.spec import DataSpec, Recipe, SynthSpec
from glyphlet.synth.render import render_set


@dataclass
class Task:
    """What a training needs.

    Args:
        recipe: the settings.
        model: built, with weights drawn from the recipe's seed by the caller.
        train, validation: lines that passed the checks.
        reports: what the checks found.
    """

    recipe: Recipe
    model: Recognizer
    train: list[CheckedLine]
    validation: list[CheckedLine]
    reports: list[CheckReport]


def read_or_render(source: list[str] | SynthSpec, charset: Charset | None, stream: str) -> list[Sample]:
    """The samples of label files, or rendered ones.

    Args:
        source: label files, or what to render.
        charset: the characters to render; label files do not need it.
        stream: keeps rendered test lines apart from rendered training lines of the same seed.
    """
    if not isinstance(source, SynthSpec):
        return read_label_files(source)
    if charset is None:
        raise RecipeError(
            "rendered lines need a charset",
            allowed="charset.name, charset.file or charset.text",
            next_step="add charset.name: alphanumeric to the recipe",
        )
    return [
        Sample(line.image, line.text, f"rendered {stream} line {number}")
        for number, line in enumerate(render_set(source, charset, stream), 1)
    ]


def absolute_paths(recipe: Recipe) -> Recipe:
    """The recipe with every path made absolute, so that it means the same in any working directory."""
    values = recipe.dump()
    data = values["data"]
    for key in ("train", "validation", "test"):
        if isinstance(data[key], list):
            data[key] = [str(Path(path).resolve()) for path in data[key]]
        elif data[key] is not None:
            data[key]["fonts"] = [str(Path(path).resolve()) for path in data[key]["fonts"]]
            if data[key]["text_file"]:
                data[key]["text_file"] = str(Path(data[key]["text_file"]).resolve())
    if values["charset"]["file"]:
        values["charset"]["file"] = str(Path(values["charset"]["file"]).resolve())
    return Recipe.model_validate(values)


def load_task(recipe: Recipe) -> Task:
    """Read or render the lines, check them, cut the validation part, and build the model.

    Raises:
        GlyphletError: a label file, an image, the charset or the recipe is at fault; see `errors`.
    """
    data = recipe.data
    if data.train == []:
        raise RecipeError(
            "the recipe names no training lines",
            allowed="label files, or settings for rendered lines",
            next_step="add them: --set 'data.train=[labels.txt]'",
        )
    build_effects(recipe.augment)  # the loader builds them again; a misspelt one shows now
    charset = recipe.charset.fixed()
    samples = read_or_render(data.train, charset, "train")
    if data.validation:
        parts = samples, read_label_files(data.validation)
    else:
        parts = split(samples, data.validation_share, data.split_seed)
    charset = charset or recipe.charset.resolve([s.text for part in parts for s in part])
    try:
        model = build(recipe.model, recipe.image, CTCCodec(charset))
    except (TypeError, ValueError) as error:  # raised by a layer of torch
        raise RecipeError(
            f"the model cannot be built: {error}",
            allowed="options of the kind and range of their defaults, see `glyphlet models`",
            next_step="correct the options under model in the recipe",
        ) from error
    (train, train_report), (validation, validation_report) = (
        _checked(part, model, data, name)
        for part, name in zip(parts, ("training lines", "validation lines"), strict=True)
    )
    return Task(recipe, model, train, validation, [train_report, validation_report])


def _checked(
    samples: list[Sample], model: Recognizer, data: DataSpec, name: str
) -> tuple[list[CheckedLine], CheckReport]:
    lines, report = check_lines(samples, model.codec, model.geometry, model.steps, name)
    enforce(report, data.unknown, data.unalignable, data.unreadable)
    if not lines:
        raise LabelError(
            f"no {name} are left: {'; '.join(report.messages())}",
            allowed="at least one usable line",
            next_step="mend the lines that are named",
        )
    return lines, report
