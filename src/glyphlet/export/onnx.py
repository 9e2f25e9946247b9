"""Writes a trained model as the one file that is served.

The graph is made on a copy of the model, so the model itself keeps its device, mode and weights. The file is written
beside its target, compared with the model (see `export.parity`), and only then moved into place: a refused export
leaves nothing behind, and what stood there before stays.
"""

from __future__ import annotations

import copy
import io
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from glyphlet import __version__
from glyphlet.codec import STOP
from glyphlet.errors import ExportError
from glyphlet.export.loop import CLASS, FIRST, GO, STATE, looped
from glyphlet.export.parity import ParityResult, compare, compare_rounded
from glyphlet.export.storage import KINDS, stored_as
from glyphlet.files import replace_file
from glyphlet.image import ImageSource
from glyphlet.models.heads.sequence import SequenceHead
from glyphlet.models.recognizer import Recognizer
from glyphlet.runtime import bundle
from glyphlet.runtime.metadata import Metadata
from glyphlet.runtime.reader import Reader

OPSET = 17
"""Read by every onnxruntime that Glyphlet supports, and by most other engines."""
WEIGHTS = ("float32", *KINDS)
"""How a file can store its weights."""
_TRACED_WIDTH = 128
Axes = dict[str, dict[int, str]]
"""The free dimensions of each input or output."""
_IMAGE = {0: "N", 3: "W"}
_EXPECTED_WARNINGS: tuple[tuple[str, type[Warning], str], ...] = (
    # Exporting by tracing is deprecated, but in torch 2.13 its successor (dynamo=True) fails on GRUs of variable width.
    (".*legacy TorchScript-based ONNX export", DeprecationWarning, ""),
    ("The feature will be removed", DeprecationWarning, r"torch\.onnx\."),
    # Recurrent layers check their shapes in Python, and torch does not trust a graph of them with another N than it was
    # traced with. The parity check reads batches and many widths.
    ("Converting a tensor to a Python boolean", torch.jit.TracerWarning, r"torch\.nn\.modules\.rnn"),  # type: ignore[attr-defined]
    ("Exporting a model to ONNX with a batch_size other than 1", UserWarning, r"torch\.onnx\."),
)
"""Message, category and module of what torch says while it exports, and why it may be ignored."""


def export_model(
    model: Recognizer,
    path: str | Path,
    sources: Sequence[ImageSource],
    *,
    trained: Sequence[str] | None = None,
    name: str,
    training: Mapping[str, Any],
    measured: Mapping[str, Any],
    weights: str = "float32",
) -> ParityResult:
    """Write a model file that reads as the trained model does.

    Args:
        model: the trained model, on any device and in any mode.
        path: the file to write; its folder must exist.
        sources: real lines to compare the file with the model on, at least one, best of the validation set.
        trained: what the training read on the sources, through its own loader; without it, the training's
            preprocessing is not compared.
        name: what the model is called.
        training: how it was trained; anything that JSON can hold.
        measured: accuracies and the like; anything that JSON can hold.
        weights: how the file stores them: `float32`; `float16` or `int8` for half or a quarter of the size at the same speed. The
            model is compared with float32 first, then both files with each other.

    Returns:
        What was compared. The same stands in the file.

    Raises:
        ExportError: the file would not read as the model does, a value is not JSON, `weights` is unknown, or the file
            cannot be written. Nothing is left at `path` then but what was there before.
        ImageError: a line of `sources` cannot be read.
    """
    if weights not in WEIGHTS:
        raise ExportError(
            f"there are no weights {weights!r}", allowed=", ".join(WEIGHTS), next_step="choose one of these"
        )
    path = Path(path)
    if path.is_dir():
        raise ExportError(f"{path} is a folder", allowed="the name of a file", next_step=f"write {path / 'model.onnx'}")
    model = copy.deepcopy(model).cpu().float().eval()
    _check_finite(model)
    graph = to_onnx(model)
    metadata = Metadata(
        name=name,
        charset=model.codec.charset,
        geometry=model.geometry,
        time_stride=model.time_stride,
        head=model.codec.kind,
        training={**training, **facts_to_train_on(model, graph)},
        measured=dict(measured),
    )
    # Beside the target, because only within one file system a move is all or nothing.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _write(temporary, bundled(graph, metadata))
        exact = Reader(temporary)
        result = compare(model, exact, sources, trained)
        if weights != "float32":
            graph = stored_as(weights, graph)
            _write(temporary, bundled(graph, metadata))
            result = replace(result, rounding=compare_rounded(weights, exact, Reader(temporary), sources))
        _write(temporary, bundled(graph, replace(metadata, parity=result.to_dict())))
        bundle.open_model(temporary)
        _move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return result


def to_onnx(model: Recognizer) -> onnx.ModelProto:
    """The graph of a model in eval mode: `image` float32 (N, C, H, W) to `logits` float32 (N, S, K), N and W free.

    S is free, too, where it grows with W; of a head that writes class after class it is the most that it can write.
    """
    geometry, head = model.geometry, model.head
    example = torch.zeros(1, geometry.channels, geometry.height, geometry.padded_width(_TRACED_WIDTH))
    if isinstance(head, SequenceHead):
        graph = _decoder(model, head, example)
    else:
        graph = _traced(model, (example,), {bundle.INPUT: _IMAGE}, {bundle.OUTPUT: {0: "N", 1: "T"}}, whole=True)
    graph.graph.output[0].type.tensor_type.shape.dim[2].dim_value = model.codec.classes
    return graph


def facts_to_train_on(model: Recognizer, graph: onnx.ModelProto) -> dict[str, Any]:
    """What a training needs to start from the file: the parts, and of weights that are equal the name that is in the graph.

    A head that writes class after class is not held whole, so only its parts are said.
    """
    parts = {"model": model.spec.model_dump(mode="json")}
    if isinstance(model.head, SequenceHead):
        return parts
    held = {constant.name: constant for constant in graph.graph.initializer}
    by_value = {(tuple(c.dims), c.raw_data): name for name, c in held.items()}
    equal = {}
    for name, value in model.state_dict().items():
        key = (tuple(value.shape), value.contiguous().numpy().tobytes())
        if name not in held and key in by_value:
            equal[name] = by_value[key]
    return {**parts, "equal_weights": equal}


def _traced(
    module: nn.Module, examples: tuple[torch.Tensor, ...], inputs: Axes, outputs: Axes, *, whole: bool = False
) -> onnx.ModelProto:
    """The graph of a module, with its inputs and outputs by name.

    With `whole` its constants are the module's weights under their own names, so that a training can start from the file;
    onnxruntime computes what follows from them alone (normalisation into convolution, transposes) when it loads it.
    """
    kept: dict[str, Any] = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False} if whole else {}
    file = io.BytesIO()
    with warnings.catch_warnings():
        for message, category, where in _EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message, category, where)
        torch.onnx.export(
            module,
            examples,
            file,  # type: ignore[arg-type]  # torch's annotation forgets files in memory
            dynamo=False,  # the one place where this is chosen, see above
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={**inputs, **outputs},
            **kept,
        )
    return onnx.load_from_string(file.getvalue())


def _decoder(model: Recognizer, head: SequenceHead, example: torch.Tensor) -> onnx.ModelProto:
    """The graph of a model that writes class after class; see `export.loop`."""
    begin, step = _Begin(model, head).eval(), _Step(head).eval()
    with torch.no_grad():
        _, *carried = begin(example)
    names = [CLASS, *(f"{STATE}{number}" for number in range(len(carried) - 1))]
    axes = {
        name: {0: "N", 1: "T"} if value.dim() == 3 else {0: "N"} for name, value in zip(names, carried, strict=True)
    }
    first = _traced(begin, (example,), {bundle.INPUT: _IMAGE}, {FIRST: {0: "N"}, **axes})
    after = {f"next_{name}": free for name, free in axes.items()}
    turn = _traced(step, tuple(carried), axes, {GO: {}, **after, bundle.OUTPUT: {0: "N"}})
    first.graph.output[0].type.tensor_type.shape.dim[1].dim_value = model.codec.classes
    return looped(first, turn, head.max_length + 1, bundle.OUTPUT)


class _Begin(nn.Module):
    """Images to the logits and the classes of the first step, and the state after it."""

    def __init__(self, model: Recognizer, head: SequenceHead) -> None:
        super().__init__()
        self.model, self.head = model, head

    def forward(self, images_NCHW: torch.Tensor) -> tuple[torch.Tensor, ...]:
        logits_NK, class_N, state = self.head.turn(self.head.begin(self.model.features(images_NCHW)), None)
        return logits_NK, class_N, *state


class _Step(nn.Module):
    """Classes and state to whether any line goes on, the next classes and state, and the logits."""

    def __init__(self, head: SequenceHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, class_N: torch.Tensor, *state: torch.Tensor) -> tuple[torch.Tensor, ...]:
        logits_NK, class_N, after = self.head.turn(state, class_N)
        return class_N.max() > STOP, class_N, *after, logits_NK


def bundled(graph: onnx.ModelProto, metadata: Metadata) -> bytes:
    """A graph and its description as the bytes of a model file.

    Raises:
        ExportError: the description holds NaN or what JSON has no word for.
    """
    try:
        description = metadata.to_json()
    except (TypeError, ValueError) as error:
        raise ExportError(
            f"the description of the model is not JSON: {error}",
            allowed="texts, finite numbers, true, false, null, lists and dictionaries",
            next_step="convert the values of `training` and `measured`",
        ) from error
    if bundle.MARKER.decode() in description:
        raise ExportError(
            f"the name or a description of the model holds {bundle.MARKER.decode()!r}, which marks the file's digest",
            allowed="any other text",
            next_step="choose another name",
        )
    file = onnx.ModelProto()
    file.CopyFrom(graph)
    file.producer_name, file.producer_version = bundle.PRODUCER, __version__
    properties = {bundle.DESCRIPTION_KEY: description, bundle.DIGEST_KEY: bundle.UNSEALED.decode()}
    onnx.helper.set_model_props(file, properties)
    return bundle.seal(file.SerializeToString(deterministic=True))


def _check_finite(model: Recognizer) -> None:
    for name, value in model.state_dict().items():
        if not torch.isfinite(value).all():
            raise ExportError(
                f"the weights {name} hold NaN or infinity",
                allowed="finite weights",
                next_step="the training diverged: export an earlier checkpoint, or train with a lower train.lr",
            )


def _write(path: Path, data: bytes) -> None:
    try:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path.parent, error) from error


def write_model(path: Path, data: bytes) -> None:
    """Write a model file, whole or not at all.

    Raises:
        ExportError: it cannot be written; what stood there before stays.
    """
    try:
        replace_file(path, data)
    except OSError as error:
        raise _unwritable(path.parent, error) from error


def _move(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(path: Path, error: OSError) -> ExportError:
    return ExportError(
        f"nothing can be written to {path}: {error.strerror}",
        allowed="a file in a folder that exists and can be written to",
        next_step="make the folder, or choose another path",
    )


__all__ = ["OPSET", "WEIGHTS", "bundled", "export_model", "facts_to_train_on", "to_onnx", "write_model"]
