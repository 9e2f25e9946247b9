"""What the importers share: a checkpoint as data, its weights under plain names, and the errors that say what is wrong."""

from __future__ import annotations

import math
import pickle
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from glyphlet.charset import Charset
from glyphlet.errors import CheckpointError, RecipeError
from glyphlet.image import Geometry
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.spec import ModelSpec

Weights = Mapping[str, torch.Tensor]
_WRAPPERS = ("model", "state_dict")
"""Under which names the projects put a state dict beside other values."""


@dataclass(frozen=True)
class Imported:
    """A recogniser with another project's weights.

    Args:
        model: in evaluation mode.
        measured: what the checkpoint says of its own accuracy.
        notes: what was inferred or assumed, for the user to check.
    """

    model: Recognizer
    measured: dict[str, float]
    notes: list[str]


def load_tensors(path: str | Path) -> Any:
    """What `torch.save` wrote, on the CPU; no code in it is run.

    Raises:
        ValueError: a part of the file has another checksum than was stored with it, which torch does not look at.
        Exception: whatever `torch.load` raises.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as parts:
            damaged = parts.testzip()
        if damaged:
            raise ValueError(f"{damaged} in it is damaged")
    return torch.load(path, map_location="cpu", weights_only=True)


def unreadable(error: Exception) -> str:
    """Why `load_tensors` failed, in one line."""
    if isinstance(error, pickle.UnpicklingError):  # torch's own text tells how to run the code in it
        return "it holds something else, or objects that only code could make"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return " ".join(str(error).split())[:160] or "it is empty or cut off"


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A PyTorch checkpoint on the CPU, wherever it was saved; no code in it is run.

    Raises:
        CheckpointError: the file does not exist, is damaged, or holds more than tensors and plain values.
    """
    try:
        state = load_tensors(path)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"there is no file {path}", allowed="a PyTorch checkpoint", next_step="check the path"
        ) from error
    except Exception as error:  # torch.load raises a dozen kinds for a damaged file
        raise CheckpointError(
            f"{path} cannot be read as a PyTorch checkpoint: {unreadable(error)}",
            allowed="a file of tensors and plain values, as torch.save writes for a state dict",
            next_step="if it holds a whole pickled model, save its state_dict() with the project that made it"
            if isinstance(error, pickle.UnpicklingError)
            else "fetch the file again",
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(
            f"{path} holds a {type(state).__name__}",
            allowed="a dict with a state dict",
            next_step="save model.state_dict()",
        )
    return state


def check_values(path: str | Path, name: str, values: torch.Tensor) -> None:
    """Refuse weights that cannot be those of a trained network.

    Raises:
        CheckpointError: they are no real numbers, not finite, or variances below 0.
    """
    problem = ""
    if name.endswith("num_batches_tracked"):
        return
    if not values.is_floating_point():
        problem = f"of kind {str(values.dtype).removeprefix('torch.')}"
    elif not torch.isfinite(values.float()).all():
        problem = "with NaN or infinity"
    elif name.endswith("running_var") and (values < 0).any():
        problem = "below 0"
    if problem:
        raise CheckpointError(
            f"{path} has weights {name!r} {problem}",
            allowed="float64, float32, float16 or bfloat16, finite, and no variance below 0",
            next_step="take an earlier checkpoint of the training, saved before it was quantised or diverged",
        )


@dataclass(frozen=True)
class Foreign:
    """A checkpoint of another project.

    Args:
        path: where it came from, for messages.
        weights: by their names, without what wraps them.
        values: what stands beside the weights.
        allowed: the network that the importer knows, for messages.
        next_step: what to do when it is another one.
    """

    path: str | Path
    weights: dict[str, torch.Tensor]
    values: dict[str, Any]
    allowed: str
    next_step: str

    @classmethod
    def read(cls, path: str | Path, allowed: str, next_step: str) -> Foreign:
        """Read a checkpoint, with or without `{"model": ...}` or `{"state_dict": ...}` around its weights and
        DataParallel's `module.` before their names.

        Raises:
            CheckpointError: as `read_checkpoint`.
        """
        state = read_checkpoint(path)
        inner: Any = next((state[key] for key in _WRAPPERS if key in state), state)
        named = inner.items() if isinstance(inner, Mapping) else ()
        weights = {str(k).removeprefix("module."): v for k, v in named if isinstance(v, torch.Tensor)}
        return cls(path, weights, state, allowed, next_step)

    def another(self, problem: str) -> CheckpointError:
        """The error for a checkpoint of another network."""
        return CheckpointError(problem, allowed=self.allowed, next_step=self.next_step)

    def shape(self, key: str, dimensions: int) -> tuple[int, ...]:
        """The shape of a tensor that the checkpoint must hold, none of its sizes 0."""
        if key not in self.weights:
            some = ", ".join(list(self.weights)[:3])
            raise self.another(f"{self.path} has no weights named {key!r}" + (f" (but {some}, ...)" if some else ""))
        shape = tuple(self.weights[key].shape)
        if len(shape) != dimensions or 0 in shape:
            raise self.another(f"{self.path} has weights {key!r} of shape {shape}")
        return shape

    def check_charset(self, charset: Charset, classes: int) -> None:
        """Refuse a charset of another size than the number of classes says.

        Raises:
            CheckpointError: with both numbers.
        """
        if charset.size + 1 != classes:
            raise CheckpointError(
                f"the charset has {charset.size} characters, but {self.path} has {classes} classes",
                allowed=f"{classes - 1} characters: one for each class but the blank",
                next_step="give the charset that the model was trained with, in its order (--charset NAME|FILE)",
            )

    def geometry(self, **values: Any) -> Geometry:
        """A geometry with values that were read off the weights.

        Raises:
            CheckpointError: no network has such sizes.
        """
        try:
            return Geometry(**values)
        except RecipeError as error:
            raise self.another(f"{self.path} does not fit the network: {error.problem}") from error

    def load(self, spec: ModelSpec, geometry: Geometry, charset: Charset, renamed: Weights) -> Recognizer:
        """Build a model and give it the weights, renamed to its own names.

        Raises:
            CheckpointError: a weight lacks, is left over, has another shape, or values that no weight has.
        """
        for name, values in self.weights.items():
            check_values(self.path, name, values)
        try:
            model = build(spec, geometry, charset)
            # Versions of torch before 0.4.1 did not count batches; nothing reads the count.
            counters = {k: v for k, v in model.state_dict().items() if k.endswith(".num_batches_tracked")}
            model.load_state_dict({**counters, **renamed})
        except (RuntimeError, RecipeError) as error:
            problem = " ".join(str(error).split())[:200]
            raise self.another(f"{self.path} does not fit the network: {problem}") from error
        return model.eval()

    def said(self, names: Iterable[str]) -> dict[str, float]:
        """The finite numbers of these names that stand beside the weights."""
        found = {name: self.values[name] for name in names if name in self.values}
        return {k: float(v) for k, v in found.items() if isinstance(v, int | float) and math.isfinite(v)}
