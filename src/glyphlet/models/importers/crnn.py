"""Checkpoints of CRNN: meijieru/crnn.pytorch, and the two Chinese projects that grew out of it.

All three have one network under the same names: backbone `vgg`, then two bidirectional LSTMs with a linear layer between
them. What they do to an image differs, and no checkpoint says it.
"""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path

from glyphlet.charset import Charset
from glyphlet.image import Geometry
from glyphlet.models.importers.checkpoint import Foreign, Imported
from glyphlet.spec import ModelSpec, PartSpec

_ALLOWED = "CRNN: seven convolutions `cnn.conv0` to `cnn.conv6` and two LSTMs `rnn.0`, `rnn.1`"
_NEXT_STEP = "check --from, and that the file is a state dict of the model"
_NAMES = (
    (r"cnn\.(conv\d)\.", r"backbone.layers.\1."),
    (r"cnn\.batchnorm(\d)\.", r"backbone.layers.norm\1."),
    (r"rnn\.(\d)\.rnn\.", r"neck.rnn.layers.\1."),
    (r"rnn\.0\.embedding\.", "neck.rnn.projections.0."),
    (r"rnn\.1\.embedding\.", "head.linear."),
)


def _renamed(key: str) -> str:
    for pattern, name in _NAMES:
        if re.match(pattern, key):
            return re.sub(pattern, name, key, count=1)
    return key


def _imported(path: str | Path, charset: Charset, setup: Geometry, notes: list[str]) -> Imported:
    """A CRNN, its sizes read off the weights."""
    foreign = Foreign.read(path, _ALLOWED, _NEXT_STEP)
    channels = foreign.shape("cnn.conv0.weight", 4)[1]
    hidden = foreign.shape("rnn.0.rnn.weight_hh_l0", 2)[1]
    project = foreign.shape("rnn.0.embedding.weight", 2)[0]
    classes = foreign.shape("rnn.1.embedding.weight", 2)[0]
    foreign.check_charset(charset, classes)
    neck = PartSpec.model_validate({"name": "bilstm", "hidden": hidden, "layers": 2, "project": project})
    geometry = foreign.geometry(**{**asdict(setup), "channels": channels})
    model = foreign.load(
        ModelSpec(backbone=PartSpec(name="vgg"), neck=neck),
        geometry,
        charset,
        {_renamed(key): value for key, value in foreign.weights.items()},
    )
    colour = "RGB" if channels == 3 else "grey"
    read_off = f"read off the weights: {hidden} units in each direction, {classes} classes, {colour}"
    return Imported(model, foreign.said(("best_acc",)), [read_off, *notes])


def from_crnn_pytorch(path: str | Path, charset: Charset) -> Imported:
    """A checkpoint of meijieru/crnn.pytorch: a bare state dict.

    Fixed as that project has it: every line stretched to 100 x 32, values from -1 to 1.

    Args:
        path: the checkpoint.
        charset: its alphabet, in its order. Where that is all lower case, texts are put into lower case, as its converter
            does.

    Raises:
        CheckpointError: it is not such a checkpoint, or the charset does not fit its classes.
    """
    notes = ["fixed as crnn.pytorch has it: every line is stretched to 100 x 32, values (x / 255 - 0.5) / 0.5"]
    if charset.case == "keep" and all(char == char.lower() for char in charset.characters):
        charset = replace(charset, case="lower")
        notes.append("labels are compared in lower case, as its converter does")
    return _imported(path, charset, Geometry(width_step=4, width=100, mean=0.5, std=0.5), notes)


def from_chinese_crnn(path: str | Path, charset: Charset) -> Imported:
    """A checkpoint of Sierkinhane/CRNN_Chinese_Characters_Rec: `{state_dict, epoch, best_acc}`.

    Fixed as that project's demo has it: the ratio kept at height 32, then the width divided by 1.75, since it was trained on
    280 x 32 squeezed to 160 x 32; values (x / 255 - 0.588) / 0.193.

    Args:
        path: the checkpoint.
        charset: its alphabet (`alphabets.py`), in its order.

    Raises:
        CheckpointError: it is not such a checkpoint, or the charset does not fit its classes.
    """
    notes = [
        "fixed as CRNN_Chinese_Characters_Rec has it: height 32, the width squeezed by 1.75, values (x / 255 - 0.588) / 0.193",
        "lines are resized by Pillow, where the project had OpenCV's cubic filter, and padded to a multiple of 4 pixels",
    ]
    return _imported(path, charset, Geometry(width_step=4, squeeze=1.75, mean=0.588, std=0.193), notes)


def from_crnn_model(path: str | Path, charset: Charset) -> Imported:
    """A checkpoint of CodeAchieveDream/crnn_model: a bare state dict.

    Fixed as that project's reader has it: the ratio kept at height 32, values from -1 to 1. (Its settings name a mean and a
    deviation that are not used.)

    Args:
        path: the checkpoint.
        charset: its alphabet (`alphabet.py`), in its order.

    Raises:
        CheckpointError: it is not such a checkpoint, or the charset does not fit its classes.
    """
    notes = [
        "fixed as crnn_model has it: height 32, the ratio kept, values (x / 255 - 0.5) / 0.5",
        "lines are padded to a multiple of 4 pixels",
    ]
    return _imported(path, charset, Geometry(width_step=4, mean=0.5, std=0.5), notes)
