"""Checkpoints of MicroOCR (williamlzw/MicroOCR), its versions of October and November 2021."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from glyphlet.charset import Charset
from glyphlet.errors import CheckpointError
from glyphlet.models.importers.checkpoint import Foreign, Imported
from glyphlet.models.recognizer import Recognizer
from glyphlet.spec import ModelSpec, PartSpec

_ALLOWED = "the micro network of MicroOCR's versions of October and November 2021"
_NEXT_STEP = "check --from; later versions of MicroOCR hold another network (MicroMLPNet)"


def _recurrence(foreign: Foreign, over: str) -> tuple[PartSpec, str]:
    """The neck of a MicroOCR checkpoint, and the prefix of its weights (empty without one)."""
    weights = foreign.weights
    prefixes = [key.removesuffix(".weight_hh_l0") for key in weights if key.endswith(".weight_hh_l0")]
    if not prefixes:
        return PartSpec(name="fold"), ""
    rows, hidden = foreign.shape(prefixes[0] + ".weight_hh_l0", 2)
    both = prefixes[0] + ".weight_hh_l0_reverse" in weights
    layers = len({key for key in weights if re.fullmatch(re.escape(prefixes[0]) + r"\.weight_hh_l\d+", key)})
    kind = {(4, True): "bilstm", (3, True): "bigru", (3, False): "gru"}.get((rows // hidden, both))
    if kind is None:
        raise CheckpointError(
            f"{foreign.path}: the recurrent layer {prefixes[0]!r} has {rows} rows for {hidden} units",
            allowed="a bidirectional LSTM, or a GRU",
            next_step="this is not a checkpoint of MicroOCR's published versions",
        )
    if over == "auto":  # the LSTM versions ran over the batch axis, see docs/models/micro.md
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
    foreign = Foreign.read(path, _ALLOWED, _NEXT_STEP)
    weights = foreign.weights
    nh, channels = foreign.shape("conv.conv.weight", 4)[:2]
    depth = 1 + max((int(m[1]) for k in weights if (m := re.match(r"blocks\.(\d+)\.conv2\.", k))), default=-1)
    bias = "conv.conv.bias" in weights
    classes, features = foreign.shape("fc.weight", 2)
    foreign.check_charset(charset, classes)
    neck, recurrent = _recurrence(foreign, over)
    if recurrent:
        features = foreign.shape(recurrent + ".weight_ih_l0", 2)[1]
    backbone = PartSpec.model_validate({"name": "micro", "nh": nh, "depth": depth, "bias": bias})
    geometry = foreign.geometry(
        height=4 * features // nh, channels=channels, width_step=8, min_width=8, padding="black", mean=0.0, std=1.0
    )
    renamed = {_renamed(key, recurrent): value for key, value in weights.items()}
    model = foreign.load(ModelSpec(backbone=backbone, neck=neck), geometry, charset, renamed)
    measured = foreign.said(("word_acc", "char_acc", "wordAcc", "charAcc"))
    return Imported(model, measured, _notes(model, neck, over))


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
