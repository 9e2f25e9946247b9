"""A recipe: everything that decides what is trained, on one page of YAML.

A recipe is complete: no base files and no interpolation. An unknown key is an error that names the nearest known one.
`--set train.lr=3e-4` on the command line overrides one value; the text after `=` is YAML.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from glyphlet.charset import NAMED, Charset
from glyphlet.errors import RecipeError
from glyphlet.image import Geometry
from glyphlet.registry import nearest


class _Loader(yaml.SafeLoader):
    """YAML in which `3e-4` is a number, as it is to everyone else; YAML 1.1 wants `3.0e-4`."""


class _Dumper(yaml.SafeDumper):
    """Quotes a string that `_Loader` would take for a number."""


_EXPONENT = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$")
for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class PartSpec(_Strict):
    """A part of a model: its registered name, and its options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})


class ModelSpec(_Strict):
    """Which parts a recogniser is built from. `none` stands for no part where one is optional."""

    transform: PartSpec = PartSpec(name="none")
    backbone: PartSpec = PartSpec(name="micro")
    neck: PartSpec = PartSpec(name="fold")
    head: PartSpec = PartSpec(name="ctc")


class CharsetSpec(_Strict):
    """Where the characters come from: `name` (see `charset.NAMED`), `file`, `text`, or, with none of these, the labels
    of the training data.
    """

    name: str | None = None
    file: str | None = None
    text: str | None = None
    half_width: bool = False

    def fixed(self) -> Charset | None:
        """The charset, or None when it is to be collected from the labels; raises as `resolve`."""
        return self.resolve([]) if self.name or self.file or self.text else None

    def resolve(self, labels: Sequence[str]) -> Charset:
        """The charset; `labels` are used when nothing else is given.

        Raises:
            CharsetError: the charset is malformed.
            RecipeError: more than one source is given.
        """
        given = {k: v for k in ("name", "file", "text") if (v := getattr(self, k)) is not None}
        if len(given) > 1:
            raise RecipeError(
                f"charset has {' and '.join(given)}",
                allowed="one of name, file, text, or none of them to collect the characters from the labels",
                next_step="remove all but one",
            )
        if self.name is not None:
            if self.name not in NAMED:
                Charset.named(self.name)  # raises, naming what there is
            return Charset.from_text(NAMED[self.name], self.half_width)
        if self.file is not None:
            return Charset.from_file(self.file, self.half_width)
        if self.text is not None:
            return Charset.from_text(self.text, self.half_width)
        return Charset.from_labels(labels, self.half_width)


class SynthSpec(_Strict):
    """Lines rendered from fonts, as `glyphlet synth` writes them.

    The defaults are the generated set of MicroOCR: 120 x 30 pixels, one colour behind four black characters that stand
    30 pixels apart, drawn with Pillow's own font so that they are the same on every machine.
    """

    count: int = Field(5000, ge=1)
    seed: int = 0
    text: Literal["random", "file"] = "random"
    """`random` draws characters of the charset; `file` takes lines of `text_file`, cut to the lengths."""
    text_file: str | None = None
    min_length: int = Field(4, ge=1)
    max_length: int = Field(4, ge=1)
    fonts: list[str] = []
    """Font files (.ttf, .otf, .ttc; `x.ttc#2` is its third face) or folders; none means Pillow's own font."""
    uncovered: Literal["error", "drop"] = "error"
    """A character of the charset that no font can draw stops the rendering, or is left out (with a warning)."""
    font_size: tuple[int, int] = (25, 25)
    """Smallest and largest size in pixels, 8 to 256."""
    background: Literal["plain", "random", "textured"] = "plain"
    """`plain`: one fixed colour; `random`: one random colour a line; `textured`: gradients, blobs, lines and noise."""
    polarity: Literal["dark", "light", "both"] = "dark"
    """Ink darker than the background, lighter, or either."""
    spacing: Literal["pitch", "proportional"] = "pitch"
    """`pitch`: a character every 30 pixels (scaled with the font size); `proportional`: as a text line is set."""

    @field_validator("max_length")
    @classmethod
    def _lengths_in_order(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("min_length", 1):
            raise ValueError(f"at least min_length, which is {info.data['min_length']}")
        return value

    @field_validator("font_size")
    @classmethod
    def _sizes_in_order(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 8 <= value[0] <= value[1] <= 256:
            raise ValueError("[smallest, largest], both from 8 to 256 pixels")
        return value


class DataSpec(_Strict):
    """Training, validation and test lines.

    `train` and `test` are label files (`path<TAB>text`, one or several) or a `SynthSpec`. Validation lines are cut from
    the training lines, unless `validation` names label files of its own. `test` is read once, after the training.
    """

    train: list[str] | SynthSpec = []
    validation: list[str] = []
    validation_share: float = Field(0.2, gt=0, lt=1)
    split_seed: int = 12
    test: list[str] | SynthSpec | None = None
    unknown: Literal["error", "drop"] = "error"
    """A label with a character outside the charset stops the training, or is left out (and counted)."""
    unalignable: Literal["error", "drop"] = "error"
    """The same for a label that has more characters than its image has time steps."""
    unreadable: Literal["error", "drop"] = "error"
    """The same for an image that is missing or damaged."""


_Beta = Annotated[float, Field(ge=0, lt=1)]


class TrainSpec(_Strict):
    """How a recogniser is trained."""

    epochs: int = Field(30, ge=1)
    batch: int = Field(64, ge=1)
    seed: int = Field(1, ge=0, lt=2**63)
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    """`sgd` is with Nesterov momentum when `momentum` is above 0."""
    lr: float = Field(0.01, gt=0)
    """Peak learning rate. The loss is a mean over the lines of a batch."""
    betas: tuple[_Beta, _Beta] = (0.9, 0.999)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.01, ge=0)
    """Decoupled for adamw, coupled (L2) for adam and sgd. Not applied to biases and normalisation."""
    schedule: Literal["constant", "step", "multistep", "cosine", "onecycle"] = "onecycle"
    warmup: float = Field(0.3, ge=0, lt=1)
    """Share of all updates with a rising rate (cosine, onecycle)."""
    step_every: int = Field(10, ge=1)
    """Epochs between drops (step)."""
    milestones: list[int] = []
    """Epochs at whose end the rate drops (multistep)."""
    gamma: float = Field(0.1, gt=0, le=1)
    """Factor of each drop (step, multistep)."""
    clip: float = Field(5.0, ge=0)
    """Largest gradient norm; 0 switches clipping off."""
    entropy: float = Field(0.3, ge=0)
    """Weight of the confidence penalty (Pereyra et al. 2017, arXiv 1701.06548): the entropy of a line's outputs, summed
    over its steps, is subtracted from the loss. It keeps CTC from settling on an early, peaked alignment."""
    entropy_until: float = Field(0.6, gt=0)
    """Share of all updates after which the penalty has faded to 0, linearly."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    accelerator: str = "auto"
    devices: int | Literal["auto"] = 1
    threads: int = Field(0, ge=0, le=1024)
    """CPU threads; 0 leaves the choice to torch."""
    workers: int = Field(0, ge=0)
    """Threads that decode images while the model computes, when the lines do not fit into `cache_mb`."""
    cache_mb: int = Field(2048, ge=0)
    """Decoded lines are kept in memory up to this size."""
    patience: int = Field(0, ge=0)
    """Stop after this many epochs without a better validation result; 0 never."""
    target: float | None = Field(None, gt=0, le=1)
    """Stop once this word accuracy is reached on the validation lines in `target_epochs` epochs in a row; epochs in which
    the confidence penalty still acts do not count."""
    target_epochs: int = Field(1, ge=1)
    keep_every: int = Field(0, ge=0)
    """Keep a checkpoint of every n-th epoch; 0 keeps the best and the last only."""
    samples: int = Field(4, ge=0)
    """Validation lines whose `raw path => text | truth` is printed after each epoch."""


class Recipe(_Strict):
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
        dotted = ".".join(p for p in path if not p.startswith(("list[", "function-", "SynthSpec", "int", "literal")))
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


_ALLOWED_LINES = "a list of label files, or settings for rendered lines (count, seed, fonts, ...)"


def _first(error: ValidationError) -> Any:
    """The first error; of lines that are given as settings, the first one in the settings."""
    errors = error.errors()
    return next((e for e in errors if not (e["type"] == "list_type" and isinstance(e["input"], Mapping))), errors[0])


def _fields_at(path: Sequence[str]) -> list[str]:
    """The keys that a recipe may have below a dotted path."""
    node: Any = Recipe
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


def recipes_folder() -> Path:
    """Where the shipped recipes lie: beside the package's modules when installed, in the checkout otherwise."""
    installed = Path(__file__).parent / "recipes"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "recipes"


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


__all__ = [
    "CharsetSpec",
    "DataSpec",
    "ModelSpec",
    "PartSpec",
    "Recipe",
    "SynthSpec",
    "TrainSpec",
    "apply_settings",
    "load_recipe",
    "load_values",
    "recipe_from",
    "recipes_folder",
    "shipped_recipes",
    "with_settings",
]
