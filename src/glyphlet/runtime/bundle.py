"""The one-file model: an ONNX graph that carries its own description and a digest of itself.

Two entries of the file's ONNX metadata make it a Glyphlet model:

    glyphlet          the description, JSON (see `runtime.metadata`)
    glyphlet_sha256   `glyphlet-sha256:` and 64 hexadecimal digits: SHA-256 of the file with these digits set to 0

so that any ONNX tool can still open it, and a file that was cut off or changed by one bit is refused instead of read
wrongly. The digest is found by its marker in the raw bytes and checked before onnxruntime sees the file: no parser
meets damaged data, and opening needs neither onnx nor protobuf. `producer_name`, which stands at the front of the file,
tells a Glyphlet model that lost its end from a file that was never one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime as ort

from glyphlet.codec import SequenceCodec
from glyphlet.runtime.metadata import Metadata, refusal
from glyphlet.runtime.shipped import model_path, those_that_ship

DESCRIPTION_KEY = "glyphlet"
DIGEST_KEY = "glyphlet_sha256"
PRODUCER = "glyphlet"
MARKER = b"glyphlet-sha256:"
UNSEALED = MARKER + b"0" * 64
"""The value of `DIGEST_KEY` in a file that `seal` has not seen."""
INPUT, OUTPUT = "image", "logits"
"""float32 (N, C, H, W) goes in, float32 (N, T, K) comes out."""
FLOAT16, INT8, SCALE = "/float16", "/int8", "/scale"
"""What stands after the name of a constant that is stored as float16 or int8, and after that of the step sizes of the latter."""
QUANTIZED, STEP = "/quantized", "/step"
"""The same for a constant of a layer that is computed in int8, whose step sizes are those of its rows."""
FOLDED = "/folded"
"""The constant of a quantised file that holds the normalisations which were folded into its weights, one after the other: weight, bias,
mean and variance. Nothing reads it but a training that starts from the file."""
_ALLOWED = "a model file that `glyphlet export` wrote"
_COPY_AGAIN = "copy or download the file again, and compare its size"


@dataclass(frozen=True)
class Bundle:
    """An open model file.

    Args:
        session: runs the graph.
        metadata: what the file says about itself.
        path: where it was opened.
    """

    session: Any
    metadata: Metadata
    path: Path

    @property
    def most(self) -> int:
        """The most characters that the model writes; 0 where the width of a line decides."""
        steps = self.session.get_outputs()[0].shape[1]
        return steps - 1 if isinstance(steps, int) and self.metadata.head == SequenceCodec.kind else 0


def seal(data: bytes) -> bytes:
    """Write the digest into the bytes of a model file whose metadata holds `UNSEALED`.

    Raises:
        ValueError: the marker is not there, or more than once.
    """
    if data.count(MARKER) != 1 or UNSEALED not in data:
        raise ValueError("the file needs exactly one unsealed digest")
    start = data.index(MARKER) + len(MARKER)
    return data[:start] + hashlib.sha256(data).hexdigest().encode() + data[start + 64 :]


def is_whole(data: bytes) -> bool | None:
    """Whether the digest in a file is that of the file; `None` when it has no digest."""
    start = data.rfind(MARKER) + len(MARKER)
    if start < len(MARKER):
        return None
    digest = hashlib.sha256(data[:start] + b"0" * 64 + data[start + 64 :]).hexdigest().encode()
    return data[start : start + 64] == digest


def open_model(path: str | Path, threads: int = 1) -> Bundle:
    """Open a model file.

    Args:
        path: the file, or the name of a model that ships.
        threads: CPU threads for each batch.

    Raises:
        ModelFileError: there is no such file, it is not a Glyphlet model, is damaged, contradicts itself, or needs what
            this version cannot do. The message names the file, the reason and the next step.
    """
    path = model_path(path)
    data = _whole_file(path)
    session = _session(data, path, threads)
    properties = session.get_modelmeta().custom_metadata_map
    if DESCRIPTION_KEY not in properties:
        raise refusal(
            str(path),
            "is an ONNX model, but not a Glyphlet model: it does not say which characters it writes",
            _ALLOWED,
            "export the model with `glyphlet export`",
        )
    metadata = Metadata.from_json(properties[DESCRIPTION_KEY], str(path))
    _check_graph(session, metadata, path)
    return Bundle(session, metadata, path)


def _whole_file(path: Path) -> bytes:
    """The bytes of a file, refused when it is one of ours and damaged."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise refusal(str(path), "does not exist", f"{_ALLOWED}, or {those_that_ship()}", "check the path") from error
    except IsADirectoryError as error:
        raise refusal(str(path), "is a folder", _ALLOWED, "name the .onnx file inside it") from error
    except OSError as error:
        raise refusal(
            str(path), f"cannot be read: {error.strerror}", _ALLOWED, "check the path and its rights"
        ) from error
    if not data:
        raise refusal(str(path), "is empty", _ALLOWED, _COPY_AGAIN)
    whole = is_whole(data)
    if whole is False:
        raise refusal(str(path), "is damaged: its content does not match its digest", _ALLOWED, _COPY_AGAIN)
    # A foreign ONNX file goes on, to be told apart from what is no ONNX at all; one of ours must have its digest.
    if whole is None and PRODUCER.encode() in data[:64]:
        raise refusal(
            str(path), f"is damaged: it ends after {len(data)} bytes, without its digest", _ALLOWED, _COPY_AGAIN
        )
    return data


def _session(data: bytes, path: Path, threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # onnxruntime also raises what it would print
    # Threads that spin between batches take the processor from whoever decodes the next images.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class of their own
        reason = " ".join(str(error).split())
        if is_whole(data):
            problem = f"is whole, but onnxruntime {ort.__version__} cannot run it: {reason}"
            raise refusal(str(path), problem, _ALLOWED, "pip install -U onnxruntime") from error
        raise refusal(str(path), f"is not an ONNX model: {reason}", _ALLOWED, "check the path") from error


def _check_graph(session: Any, metadata: Metadata, path: Path) -> None:
    """The graph must take the images and give the classes that the description speaks of."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    takes = [(i.name, i.type, len(i.shape)) for i in inputs]
    gives = [(o.name, o.type, len(o.shape)) for o in outputs]
    if takes != [(INPUT, "tensor(float)", 4)] or gives != [(OUTPUT, "tensor(float)", 3)]:
        found = f"takes {[name for name, *_ in takes]} and gives {[name for name, *_ in gives]}"
        raise refusal(
            str(path), f"has a graph that {found}", f"{INPUT} (N, C, H, W), {OUTPUT} (N, T, K)", "export it again"
        )
    _, channels, height, _ = inputs[0].shape
    geometry = metadata.geometry
    for what, graph, said in (
        ("channels", channels, geometry.channels),
        ("rows", height, geometry.height),
        ("classes", outputs[0].shape[2], metadata.codec.classes),
    ):
        if graph != said:
            raise refusal(
                str(path),
                f"contradicts itself: the graph has {graph} {what}, the description {said}"
                + (" (the characters and class 0)" if what == "classes" else ""),
                "a graph and a description of the same model",
                "export it again",
            )


__all__ = [
    "DESCRIPTION_KEY",
    "DIGEST_KEY",
    "FLOAT16",
    "FOLDED",
    "INPUT",
    "INT8",
    "OUTPUT",
    "PRODUCER",
    "QUANTIZED",
    "SCALE",
    "STEP",
    "UNSEALED",
    "Bundle",
    "is_whole",
    "open_model",
    "seal",
]
