"""Read checkpoints of other projects into recognisers.

A state dict holds weights only. Geometry, colour, normalisation and the axis of a recurrence are facts of the origin,
and each importer fixes them and says so in its notes.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from glyphlet.charset import Charset
from glyphlet.errors import CheckpointError, RecipeError
from glyphlet.image import Geometry
from glyphlet.models.recognizer import Recognizer, build
from glyphlet.spec import ModelSpec, PartSpec

Weights = Mapping[str, torch.Tensor]


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


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):  # torch's own text tells how to run the code in it
        return "it holds something else, or objects that only code could make"
    return " ".join(str(error).split())[:160]


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A PyTorch checkpoint on the CPU, wherever it was saved; no code in it is run.

    Raises:
        CheckpointError: the file does not exist, is damaged, or holds more than tensors and plain values.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"there is no file {path}", allowed="a PyTorch checkpoint", next_step="check the path"
        ) from error
    except Exception as error:  # torch.load raises a dozen kinds for a damaged file
        raise CheckpointError(
            f"{path} cannot be read as a PyTorch checkpoint: {_reason(error)}",
            allowed="a file of tensors and plain values, as torch.save writes for a state dict",
            next_step="if it holds a whole pickled model, save its state_dict() with the project that made it",
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(
            f"{path} holds a {type(state).__name__}",
            allowed="a dict with a state dict",
            next_step="save model.state_dict()",
        )
    return state


def _state_dict(state: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights, with or without `{"model": ...}` around them and DataParallel's `module.` before their names."""
    weights = state.get("model", state)
    if not isinstance(weights, dict):
        return {}
    return {str(k).removeprefix("module."): v for k, v in weights.items() if isinstance(v, torch.Tensor)}


def _another_network(problem: str) -> CheckpointError:
    return CheckpointError(
        problem,
        allowed="the micro network of MicroOCR's versions of October and November 2021",
        next_step="check --from; later versions of MicroOCR hold another network (MicroMLPNet)",
    )


def _shape(weights: Weights, key: str, dimensions: int, path: str | Path) -> tuple[int, ...]:
    """The shape of a tensor that the checkpoint must hold, none of its sizes 0."""
    if key not in weights:
        raise _another_network(f"{path} has no weights named {key!r}")
    shape = tuple(weights[key].shape)
    if len(shape) != dimensions or 0 in shape:
        raise _another_network(f"{path} has weights {key!r} of shape {shape}")
    return shape


def _recurrence(weights: Weights, over: str, path: str | Path) -> tuple[PartSpec, str]:
    """The neck of a MicroOCR checkpoint, and the prefix of its weights (empty without one)."""
    prefixes = [key.removesuffix(".weight_hh_l0") for key in weights if key.endswith(".weight_hh_l0")]
    if not prefixes:
        return PartSpec(name="fold"), ""
    rows, hidden = _shape(weights, prefixes[0] + ".weight_hh_l0", 2, path)
    both = prefixes[0] + ".weight_hh_l0_reverse" in weights
    layers = len({key for key in weights if re.fullmatch(re.escape(prefixes[0]) + r"\.weight_hh_l\d+", key)})
    kind = {(4, True): "bilstm", (3, True): "bigru", (3, False): "gru"}.get((rows // hidden, both))
    if kind is None:
        raise CheckpointError(
            f"the recurrent layer {prefixes[0]!r} has {rows} rows for {hidden} units",
            allowed="a bidirectional LSTM, or a GRU",
            next_step="this is not a checkpoint of MicroOCR's published versions",
        )
    if over == "auto":  # the LSTM versions ran over the batch axis, see above
        over = "step" if kind == "bilstm" else "time"
    return PartSpec.model_validate({"name": kind, "hidden": hidden, "layers": layers, "over": over}), prefixes[0]


_NAMES = (
    (r"^conv\.conv\.", "backbone.stem.0."),
    (r"^conv\.bn\.", "backbone.stem.1."),
    (r"^blocks\.(\d+)\.conv1\.conv\.", r"backbone.blocks.\1.depthwise.0."),
    (r"^blocks\.(\d+)\.conv1\.bn\.", r"backbone.blocks.\1.depthwise.1."),
    (r"^blocks\.(\d+)\.conv2\.conv\.", r"backbone.blocks.\1.pointwise.0."),
    (r"^blocks\.(\d+)\.conv2\.bn\.", r"backbone.blocks.\1.pointwise.1."),
    (r"^fc\.", "head.linear."),
)


def _renamed(key: str, recurrent: str) -> str:
    if recurrent and key.startswith(recurrent + "."):
        return "neck.rnn." + key[len(recurrent) + 1 :]
    for pattern, name in _NAMES:
        if re.match(pattern, key):
            return re.sub(pattern, name, key)
    return key


def from_micro_ocr(path: str | Path, charset: Charset, over: Literal["auto", "time", "step"] = "auto") -> Imported:
    """A checkpoint of MicroOCR (williamlzw/MicroOCR, October and November 2021): `{model, word_acc, char_acc}`.

    Channels, depth, biases, the recurrent layer and the number of classes are read off the weights. What they do not
    hold is fixed as that project had it: values from 0 to 1 without further normalisation, height 32, the ratio kept,
    black on the right up to a multiple of 8 pixels.

    Args:
        path: the checkpoint.
        charset: its characters in the order of its classes, the blank not among them.
        over: the axis that a recurrent layer was trained over. `step` treats every time step alone, which is what the
            LSTM versions do for a single image because they ran over the batch axis; `auto` takes `step` for an LSTM
            and `time` for a GRU.

    Raises:
        CheckpointError: it is not such a checkpoint, or the charset does not fit its classes.
    """
    state = read_checkpoint(path)
    weights = _state_dict(state)
    nh, channels = _shape(weights, "conv.conv.weight", 4, path)[:2]
    depth = 1 + max((int(m[1]) for k in weights if (m := re.match(r"blocks\.(\d+)\.conv2\.", k))), default=-1)
    bias = "conv.conv.bias" in weights
    classes, features = _shape(weights, "fc.weight", 2, path)
    if charset.size + 1 != classes:
        raise CheckpointError(
            f"the charset has {charset.size} characters, but {path} has {classes} classes",
            allowed=f"{classes - 1} characters: one for each class but the blank",
            next_step="give the charset that the model was trained with, in its order (--charset NAME|FILE)",
        )
    neck, recurrent = _recurrence(weights, over, path)
    if recurrent:
        features = _shape(weights, recurrent + ".weight_ih_l0", 2, path)[1]
    backbone = PartSpec.model_validate({"name": "micro", "nh": nh, "depth": depth, "bias": bias})
    try:
        geometry = Geometry(4 * features // nh, channels, width_step=8, min_width=8, padding="black", mean=0.0, std=1.0)
        model = build(ModelSpec(backbone=backbone, neck=neck), geometry, charset)
        model.load_state_dict({_renamed(key, recurrent): value for key, value in weights.items()})
    except (RuntimeError, RecipeError) as error:
        raise _another_network(
            f"{path} does not fit the micro network: {' '.join(str(error).split())[:200]}"
        ) from error
    said: dict[str, Any] = {k: state[k] for k in ("word_acc", "char_acc", "wordAcc", "charAcc") if k in state}
    measured = {k: float(v) for k, v in said.items() if isinstance(v, int | float) and math.isfinite(v)}
    return Imported(model.eval(), measured, _notes(model, neck, over))


def _notes(model: Recognizer, neck: PartSpec, over: str) -> list[str]:
    options, geometry = model.spec.backbone.options, model.geometry
    colour = "RGB" if geometry.channels == 3 else "grey"
    notes = [
        f"read off the weights: nh {options['nh']}, depth {options['depth']}, biases {'yes' if options['bias'] else 'no'}, "
        f"neck {neck.name}, {model.codec.classes} classes, {colour}",
        f"fixed as MicroOCR has it: values 0 to 1, height {geometry.height}, black padding to a multiple of 8 pixels",
    ]
    if neck.name != "fold":
        taken = "by the version that has this layer" if over == "auto" else "as you said"
        meaning = (
            "every time step alone (the recurrence was trained over the batch axis)"
            if neck.options["over"] == "step"
            else "over time"
        )
        if over == "auto" and neck.name != "bilstm":
            taken = "as MicroOCR has it since 1 November 2021 (before that day it ran over the batch axis: step)"
        notes.append(f"the recurrent layer is run {meaning}, {taken}; compare --recurrence time and step on your lines")
    return notes


IMPORTERS: dict[str, Callable[..., Imported]] = {"micro-ocr": from_micro_ocr}
"""What `glyphlet import --from` accepts."""
