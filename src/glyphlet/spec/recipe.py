"""A recipe as a whole: reading it, changing single values, and the recipes that ship."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator

from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.registry import nearest
from glyphlet.spec.data import SOURCE_KINDS, DataSpec
from glyphlet.spec.parts import CharsetSpec, ModelSpec, PartSpec, Strict
from glyphlet.spec.start import StartSpec
from glyphlet.spec.teacher import TeacherSpec
from glyphlet.spec.train import TrainSpec


class _Loader(yaml.SafeLoader):
    """YAML in which `3e-4` is a number, as it is to everyone else; YAML 1.1 wants `3.0e-4`."""


class _Dumper(yaml.SafeDumper):
    """Quotes a string that `_Loader` would take for a number."""


_EXPONENT = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$")
for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))


class Recipe(Strict):
    """Everything that decides what is trained."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "micro"
    description: str = ""
    source: str = ""
    """The paper or project whose configuration this is."""
    model: ModelSpec = ModelSpec()
    image: Geometry = Geometry()
    charset: CharsetSpec = CharsetSpec()
    data: DataSpec = DataSpec()
    augment: list[PartSpec] = []
    """Effects on training lines, in order; see `effects`."""
    train: TrainSpec = TrainSpec()
    start: StartSpec | None = None
    """A trained model to start from; by default the first weights are drawn by chance."""
    teacher: TeacherSpec | None = None
    """A trained model whose outputs are learned beside the labels."""
    weights: Literal["float32", "float16", "int8", "quantized"] = "float32"
    """How the model file, which is written at the end of the training, stores the weights; `quantized` is computed in int8, too."""
    published: dict[str, Any] = {}
    """Figures that the source gives, for comparison: `parameters`, `epochs`, `word_accuracy`, ..."""

    @field_validator("image", mode="before")
    @classmethod
    def _known_image_keys(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            known = list(Geometry.__dataclass_fields__)
            for key in value:
                if key not in known:
                    raise RecipeError(
                        f"there is no setting image.{key}{nearest(str(key), known)}",
                        allowed=", ".join(known),
                        next_step="correct the recipe",
                    )
        return value

    def dump(self) -> dict[str, Any]:
        """The recipe as plain lists, numbers and strings, complete with every default."""
        plain: dict[str, Any] = self.model_dump(mode="json")
        return plain

    def to_yaml(self) -> str:
        """The recipe as YAML, complete with every default."""
        text: str = yaml.dump(self.dump(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
        return text


def recipe_from(values: Mapping[str, Any], where: str) -> Recipe:
    """Check plain values and make a recipe of them.

    Raises:
        RecipeError: a key is unknown (the nearest is named) or a value is not allowed.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = _first(error)
        path = [str(p) for p in first["loc"]]
        kept = [p for i, p in enumerate(path) if not _is_kind(path, i)]
        dotted = ".".join(
            p for p in kept if not p.startswith(("list[", "function-", "SynthSpec", "int", "literal", "constrained-"))
        )
        if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            parent = _fields_at(path[:-1])
            raise RecipeError(
                f"{where}: there is no setting {dotted}{nearest(path[-1], parent)}",
                allowed=", ".join(parent) or "see `glyphlet train --help`",
                next_step="correct the key",
            ) from error
        if first["type"] == "missing":
            raise RecipeError(f"{where}: {dotted} is missing", next_step=f"add {dotted}") from error
        value = first["input"]
        scalar = first["type"] == "string_type" and value is not None and not isinstance(value, list | dict)
        raise RecipeError(
            f"{where}: {dotted} is {value!r}",
            allowed=_ALLOWED_LINES if path[-1].startswith("list[") else first["msg"].removeprefix("Value error, "),
            next_step=f"put it in quotes: --set '{dotted}=\"...\"'" if scalar else "correct the value",
        ) from error


_ALLOWED_LINES = "a list of label files and other sources, or settings for rendered lines (count, seed, fonts, ...)"


def _first(error: ValidationError) -> Any:
    """The first error; of lines that are given as settings, the first one in the settings."""
    errors = error.errors()
    return next((e for e in errors if not (e["type"] == "list_type" and isinstance(e["input"], Mapping))), errors[0])


def _is_kind(path: Sequence[str], i: int) -> bool:
    """Whether an entry of pydantic's location says which kind a source is; it stands behind the source's place."""
    if not i or path[i] not in SOURCE_KINDS:
        return False
    return path[i - 1].isdigit() or (path[i - 1] == "source" and not _is_kind(path, i - 1))


def _fields_at(path: Sequence[str]) -> list[str]:
    """The keys that a recipe may have below a dotted path."""
    node: Any = Recipe
    entry = next((i for i in range(len(path)) if _is_kind(path, i)), None)
    if entry is not None:
        node, path = SOURCE_KINDS[path[entry]], path[entry + 1 :]
    for part in path:
        if isinstance(node, type) and issubclass(node, BaseModel) and part in node.model_fields:
            node = node.model_fields[part].annotation
        options = [a for a in (node, *get_args(node)) if isinstance(a, type) and issubclass(a, BaseModel)]
        node = options[0] if options else node
    return list(node.model_fields) if isinstance(node, type) and issubclass(node, BaseModel) else []


def apply_settings(values: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Override single values of a recipe.

    Args:
        values: a recipe as plain values; it is not changed.
        settings: `a.b=c`, where `c` is read as YAML.

    Raises:
        RecipeError: a setting has no `=`, no value, or names a value inside something that is not a section.
    """
    changed = copy.deepcopy(values)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise RecipeError(
                f"--set {setting!r} is not a setting",
                allowed="section.key=value",
                next_step="write --set train.lr=0.003",
            )
        *parents, last = key.strip().split(".")
        node = changed
        for parent in parents:
            if node.get(parent) is None:
                node[parent] = {}
            node = node[parent]
            if not isinstance(node, dict):
                raise RecipeError(
                    f"--set {setting!r}: {parent} is not a section but {node!r}",
                    allowed="section.key=value",
                    next_step="see the recipe for what stands where",
                )
        try:
            node[last] = yaml.load(text, _Loader)
        except yaml.YAMLError as error:
            raise RecipeError(
                f"--set {setting!r}: {text!r} is not YAML", allowed="a number, a word, [a, list]", next_step="quote it"
            ) from error
    return changed


PACKAGE = Path(__file__).parents[1]
"""The folder of the package's modules."""


def recipes_folder() -> Path:
    """Where the shipped recipes lie: beside the package's modules when installed, in the checkout otherwise."""
    installed = PACKAGE / "recipes"
    return installed if installed.is_dir() else PACKAGE.parents[1] / "recipes"


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with Glyphlet, by name; numbers in the names are sorted as numbers."""

    def key(path: Path) -> list[tuple[int, str]]:
        return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", path.stem)]

    return {path.stem: path for path in sorted(recipes_folder().glob("*.yaml"), key=key)}


def load_values(source: str | os.PathLike[str]) -> dict[str, Any]:
    """The plain values of a recipe file, or of a shipped recipe by its name.

    Raises:
        RecipeError: there is no such recipe, or it is not YAML.
    """
    path = Path(source)
    shipped = shipped_recipes()
    if not path.is_file() and str(source) in shipped:
        path = shipped[str(source)]
    try:
        values = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except FileNotFoundError as error:
        raise RecipeError(
            f"there is no recipe {str(source)!r}{nearest(str(source), list(shipped))}",
            allowed=f"the path of a YAML file, or one of: {', '.join(shipped)}",
            next_step="check the path; `glyphlet models` lists the shipped recipes",
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(
            f"{path} is not a recipe: {' '.join(str(error).split())}",
            allowed="a YAML file in UTF-8",
            next_step="compare it with a shipped recipe",
        ) from error
    if not isinstance(values, dict):
        raise RecipeError(
            f"{path} is not a recipe", allowed="a YAML mapping", next_step="compare it with a shipped recipe"
        )
    return values


def load_recipe(source: str | os.PathLike[str], settings: Sequence[str] = ()) -> Recipe:
    """A recipe from a YAML file or a shipped one by name, with single values overridden.

    Raises:
        RecipeError: it does not exist, is not YAML, or has an unknown key or a value that is not allowed.
    """
    return with_settings(load_values(source), settings, str(source))


def with_settings(values: Mapping[str, Any], settings: Sequence[str], where: str) -> Recipe:
    """A recipe from plain values, with single values overridden; a setting may go below a default.

    Raises:
        RecipeError: a key is unknown, or a value or a setting is not allowed.
    """
    recipe = recipe_from(values, where)
    return recipe_from(apply_settings(recipe.dump(), settings), where) if settings else recipe
