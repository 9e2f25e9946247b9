"""Start from a trained model: which weights are taken, and how its characters are matched with those of the new one.

    start_from(task)     load the weights that `start` of the recipe names into the task's model

Weights are taken part by part. In the head, some tensors have the classes along one dimension (the rows of a classifier,
of an embedding); there, the rows of characters that both charsets hold are taken and the rest stays as it was drawn.
Which dimension that is shows when the same head is built for one character more: it is the one that grows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from glyphlet.charset import Charset
from glyphlet.errors import CheckpointError, RecipeError
from glyphlet.image import Geometry
from glyphlet.models.recognizer import LAYOUTS, Recognizer, build
from glyphlet.models.widths import resize
from glyphlet.registry import nearest
from glyphlet.runtime.bundle import FLOAT16, FOLDED, INT8, QUANTIZED, SCALE, STEP, open_model
from glyphlet.runtime.shipped import model_path, those_that_ship
from glyphlet.spec import ModelSpec, Recipe, StartSpec, recipe_from
from glyphlet.train.checkpoint import BEST, load_checkpoint

Weights = dict[str, torch.Tensor]
_NORM = ("weight", "bias", "running_mean", "running_var")
"""The vectors of a folded normalisation, in the order of the file."""
SHOWN = 20
"""Characters of a list that are printed."""


@dataclass(frozen=True)
class Start:
    """A trained model as a start.

    Args:
        path: where it was read.
        recipe: what it was trained by.
        charset: its characters.
        weights: its state dict; the averaged one, if the training kept an average.
    """

    path: Path
    recipe: Recipe
    charset: Charset
    weights: Weights


@dataclass
class Begun:
    """What a model took over.

    Args:
        name: of the recipe of the start.
        parts: the kinds of the parts that were taken.
        kept, new, dropped: characters that both charsets hold, that only the new one holds, and only the old one.
        anchors: for each taken parameter its first values, and where they count (None is everywhere).
        notes: what a person should know.
    """

    name: str
    parts: list[str]
    kept: str
    new: str
    dropped: str
    anchors: dict[str, tuple[torch.Tensor, torch.Tensor | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """What a checkpoint and a model file say of it."""
        return {"name": self.name, "parts": self.parts, "new_characters": len(self.new)}


def load_start(path: Path) -> Start:
    """The start at a run folder (its best epoch), a checkpoint or a model file; or the model that ships under a name.

    Raises:
        CheckpointError: there is none, it is damaged or something else, or a model file without weights to train on.
        ModelFileError: a model file is damaged.
    """
    path = model_path(path)
    if path.suffix == ".onnx":
        return load_model_file(path)
    if not path.exists():
        raise CheckpointError(
            f"there is no checkpoint {path}",
            allowed=f"a run folder, a .pt file inside its checkpoints, a model file, or {those_that_ship()}",
            next_step="check the path",
        )
    state = load_checkpoint(path / "checkpoints" / BEST if path.is_dir() else path)
    try:
        recipe = recipe_from(state["recipe"], str(path))
        return Start(path, recipe, Charset.from_text(**state["charset"]), state.get("average") or state["model"])
    except KeyError as error:
        raise CheckpointError(
            f"{path} has no {error}", allowed="a checkpoint of `glyphlet train`", next_step="use another checkpoint"
        ) from error


def load_model_file(path: Path) -> Start:
    """The start in a model file, whose constants are the weights.

    Raises:
        CheckpointError: the file does not hold all of them: its head writes class after class, or it is of an older version.
        ModelFileError: there is no such file, or it is damaged or no model of Glyphlet.
    """
    metadata = open_model(path).metadata
    facts = metadata.training
    constants = constants_of(onnx.load(path), facts.get("folded", {}))
    if "model" not in facts or "equal_weights" not in facts:
        raise CheckpointError(
            f"{path} holds no weights to train on: {metadata.head} head, written by version {metadata.glyphlet}",
            allowed="a model file with a CTC head, a run folder of `glyphlet train`, or a .pt file inside its checkpoints",
            next_step="give the run folder that the model file was made in",
        )
    spec, equal = ModelSpec.model_validate(facts["model"]), facts["equal_weights"]
    with torch.random.fork_rng(devices=[]):
        # What the output does not depend on is not in the graph: counters, and layers that a network has for nothing.
        weights = build(spec, metadata.geometry, metadata.charset).state_dict()
    for name in weights:
        value = constants.get(equal.get(name, name))
        if value is not None:
            weights[name] = torch.tensor(value.astype(np.float32))
    recipe = Recipe(
        name=re.sub(r"[^A-Za-z0-9._-]+", "-", metadata.name) or "model", model=spec, image=metadata.geometry
    )
    return Start(path, recipe, metadata.charset, weights)


def constants_of(
    model: onnx.ModelProto, folded: Mapping[str, tuple[str, float]] | None = None
) -> dict[str, NDArray[Any]]:
    """The constants of a graph by name. Those stored with fewer bits are as they were before, but for the rounding.

    Args:
        model: the graph.
        folded: of a file that is computed in int8, the weights into which a normalisation was folded, its name, and what it adds to the
            variance. Both are taken apart again.
    """
    stored = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
    found = {}
    for name, values in stored.items():
        if name.endswith(INT8):
            plain = name.removesuffix(INT8)
            found[plain] = values.astype(np.float32) * stored[plain + SCALE]
        elif name.endswith(QUANTIZED):
            plain = name.removesuffix(QUANTIZED)
            step = stored[plain + STEP]
            found[plain] = values.astype(np.float32) * step.reshape(-1, *(1 for _ in values.shape[1:]))
        else:
            found[name.removesuffix(FLOAT16)] = values
    vectors = stored.get(FOLDED, np.zeros(0, np.float32))
    for weight, (norm, epsilon) in (folded or {}).items():
        outputs = len(found[weight])
        scale, shift, mean, variance = own = vectors[: 4 * outputs].reshape(4, outputs)
        vectors = vectors[4 * outputs :]
        found |= dict(zip((f"{norm}.{what}" for what in _NORM), own, strict=True))
        by = np.divide(np.sqrt(variance + epsilon), scale, out=np.zeros_like(scale), where=scale != 0)
        found[weight] = found[weight] * by[:, None, None, None]
        bias = weight.removesuffix("weight") + "bias"
        if bias in found:
            found[bias] = (found[bias] - shift) * by + mean
    return found


def class_dimensions(model: Recognizer) -> dict[str, int]:
    """The tensors of a head that have the classes along a dimension, by their name in the model, and that dimension.

    Raises:
        RecipeError: the classes share a dimension with something else.
    """
    spec, charset = model.spec.head, model.codec.charset
    more = next(chr(c) for c in range(0x4E00, 0x110000) if chr(c) not in charset)
    with torch.device("meta"):  # nothing is computed, and no random number drawn
        larger = LAYOUTS["head"].build(
            spec.name, spec.options, model.neck.features, Charset((*charset.characters, more))
        )
        resize(larger, {k.removeprefix("head."): v for k, v in model.spec.widths.items() if k.startswith("head.")})
    found = {}
    for name, tensor in larger.state_dict().items():
        own = model.head.state_dict()[name]
        for dim, (a, b) in enumerate(zip(own.shape, tensor.shape, strict=True)):
            if a != b and a != model.codec.classes:
                raise RecipeError(
                    f"head {spec.name!r} keeps its classes in a way that cannot be carried to another charset ({name})",
                    allowed="the charset of the start, or another head",
                    next_step="take the parts before it alone: start.only",
                )
            if a != b:
                found[f"head.{name}"] = dim
    return found


def _check_names(spec: StartSpec, model: Recognizer) -> None:
    parts = list(model.parts())
    for name in spec.only:
        if name not in parts:
            raise RecipeError(
                f"start.only names {name!r}, which is no part of this model{nearest(name, parts)}",
                allowed=", ".join(parts),
                next_step="correct start.only",
            )


def begin(model: Recognizer, start: Start, spec: StartSpec) -> Begun:
    """Put the weights of a start into a model.

    Args:
        model: with its first weights; what is not taken keeps them.
        start: where the weights come from.
        spec: which parts are taken, and what is done with them.

    Raises:
        RecipeError: a part does not fit, or parts are named that do not exist or cannot be frozen as they are.
    """
    _check_names(spec, model)
    ours, theirs = model.codec.charset, start.charset
    shared = [c for c in ours.characters if c in theirs]
    begun = Begun(
        start.recipe.name,
        [kind for kind in model.parts() if not spec.only or kind in spec.only],
        "".join(shared),
        "".join(c for c in ours.characters if c not in theirs),
        "".join(c for c in theirs.characters if c not in ours),
    )
    dims = class_dimensions(model) if "head" in begun.parts and ours.characters != theirs.characters else {}
    _check_fit(model, start, begun, dims)
    _check_frozen(spec, begun)
    rows = _rows(shared, ours), _rows(shared, theirs)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.partition(".")[0] not in begun.parts:
                continue
            where = None
            if name in dims:
                value.index_copy_(dims[name], rows[0], start.weights[name].index_select(dims[name], rows[1]))
                where = torch.zeros_like(value, dtype=torch.bool).index_fill_(dims[name], rows[0], True)
            else:
                value.copy_(start.weights[name])
            if spec.keep_weight and name in parameters:
                begun.anchors[name] = value.clone(), where
    begun.notes = _notes(model, start, begun)
    return begun


def _rows(shared: list[str], charset: Charset) -> torch.Tensor:
    """The classes of characters, and class 0."""
    return torch.tensor([0, *(charset.index(char) + 1 for char in shared)])


def _check_fit(model: Recognizer, start: Start, begun: Begun, dims: dict[str, int]) -> None:
    """Refuse weights whose shapes are not those of the model, but for the classes."""
    problems: dict[str, str] = {}
    own = model.state_dict()
    for kind in begun.parts:
        names = [name for name in {**own, **start.weights} if name.partition(".")[0] == kind]
        for name in names:
            a, b = own.get(name), start.weights.get(name)
            shapes = ["missing" if t is None else str(_shape(t, dims.get(name))) for t in (b, a)]
            if shapes[0] != shapes[1]:
                problems.setdefault(kind, f"{name} is {shapes[0]} there and {shapes[1]} here")
    if not problems:
        return
    fitting = [kind for kind in begun.parts if kind not in problems]
    listed = f"leave it out: --set 'start.only=[{', '.join(fitting)}]', or " if fitting else ""
    first = next(iter(problems))
    theirs = getattr(start.recipe.model, first)
    raise RecipeError(
        f"the start {start.path} does not fit this model in {', '.join(problems)}: {next(iter(problems.values()))}",
        allowed=f"parts of the same kind and size; its {first} is {theirs.name} {theirs.options or ''}".rstrip()
        + (", pruned: model.widths of its recipe says how" if start.recipe.model.widths else ""),
        next_step=f"{listed}set model and image as in the start",
    )


def _shape(tensor: torch.Tensor, classes: int | None) -> tuple[int | str, ...]:
    return tuple("K" if dim == classes else size for dim, size in enumerate(tensor.shape))


def _check_frozen(spec: StartSpec, begun: Begun) -> None:
    """Refuse to freeze what was drawn by chance."""
    for name in spec.freeze:
        kind = name.partition(".")[0]
        if kind in LAYOUTS and kind not in begun.parts:
            raise RecipeError(
                f"start.freeze names {name!r}, whose weights are not taken from the start",
                allowed=f"parts that are taken: {', '.join(begun.parts)}",
                next_step="remove it from start.freeze, or add it to start.only",
            )
        if kind == "head" and begun.new:
            raise RecipeError(
                f"start.freeze names {name!r}, and {len(begun.new)} characters are new: {_listed(begun.new)}",
                allowed="a frozen head with the characters of the start",
                next_step="remove it from start.freeze, or keep the charset of the start",
            )


def _listed(characters: str) -> str:
    return repr(characters[:SHOWN]) + ("..." if len(characters) > SHOWN else "")


def _notes(model: Recognizer, start: Start, begun: Begun) -> list[str]:
    notes = [f"starts from {start.path} ({begun.name}): {', '.join(begun.parts)}"]
    drawn = [kind for kind in model.parts() if kind not in begun.parts]
    if drawn:
        notes[0] += f"; drawn anew: {', '.join(drawn)}"
    if "head" in begun.parts and (begun.new or begun.dropped):
        counted = (("kept", begun.kept), ("new", begun.new), ("dropped", begun.dropped))
        notes.append(
            "characters: " + "; ".join(f"{len(c)} {what}" + (f" {_listed(c)}" if c else "") for what, c in counted)
        )
    elif "head" in begun.parts:
        notes.append(f"characters: all {len(begun.kept)} kept")
    notes += _differences(model.geometry, start.recipe.image)
    ours, theirs = model.codec.charset, start.charset
    for key in ("half_width", "case"):
        if getattr(ours, key) != getattr(theirs, key):
            notes.append(f"charset.{key} is {getattr(ours, key)}; the start was trained with {getattr(theirs, key)}")
    return notes


def _differences(ours: Geometry, theirs: Geometry) -> list[str]:
    before: dict[str, Any] = asdict(theirs)
    return [
        f"image.{key} is {value}; the start was trained with {before[key]}"
        for key, value in asdict(ours).items()
        if value != before[key]
    ]
