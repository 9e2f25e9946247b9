"""A model file to one that is computed in int8, measured against the first on labelled lines.

    found = quantize(Path("model.onnx"), Path("small.onnx"), training_images, validation_samples)

Layers with many inputs are quantised: their weights to 7 bits (`rounding`), what they read and give to 8. What is left, recurrent
layers among it, is computed in float32 from weights that are stored as int8 or float16 (`export.storage`). When more accuracy is lost than
allowed, the layers whose rounding moves the logits most stay in float.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper

from glyphlet.compress.compared import compared
from glyphlet.compress.int8.fallback import fewest, logits_of, noise
from glyphlet.compress.int8.observe import Observed, observe
from glyphlet.compress.int8.outcome import Quantized
from glyphlet.compress.int8.plain import Layer, Plain
from glyphlet.compress.int8.recurrent import with_dynamic_lstm
from glyphlet.compress.int8.rewrite import rewrite, shortened
from glyphlet.compress.int8.rounding import Rounded, rounded
from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.errors import CompressionError
from glyphlet.evaluate.lines import evaluate_lines
from glyphlet.evaluate.scores import Evaluation
from glyphlet.export.onnx import bundled
from glyphlet.export.storage import stored_as
from glyphlet.files import replace_file
from glyphlet.image import Geometry, ImageSource, prepare, scale, stack
from glyphlet.registry import nearest
from glyphlet.runtime.bundle import FOLDED, QUANTIZED, open_model
from glyphlet.runtime.metadata import SINGLE, Metadata
from glyphlet.runtime.reader import Reader

FEWEST_LINES = 16
"""Lines that ranges can be taken from at all; with fewer they are those of the texts that happen to be there."""
LINES = 200
"""Lines that ranges are taken from by default."""
FEWEST_INPUTS = 16
"""A dense layer that adds up fewer products for each output gains nothing."""
JUDGED = 60
"""Lines on which the noise of single layers is measured."""
RECURRENT = ("float", "dynamic")
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Quantizing:
    """How a model is quantised.

    Args:
        max_loss: the most word accuracy that may be lost, as a share: 0.005 is half a point.
        only: layers, or parts that hold some, that are quantised; all by default.
        skip: the same for those that stay in float.
        recurrent: `float`, or `dynamic` for LSTM layers in onnxruntime's dynamic int8.

    Raises:
        CompressionError: a value is out of range.
    """

    max_loss: float = 0.005
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    recurrent: str = "float"

    def __post_init__(self) -> None:
        if not 0 <= self.max_loss <= 1:
            raise CompressionError(
                f"{100 * self.max_loss:g} points of word accuracy may be lost",
                allowed="0 to 100",
                next_step="name how many points at most",
            )
        if self.recurrent not in RECURRENT:
            raise CompressionError(
                f"recurrent layers are to be {self.recurrent!r}", allowed=" or ".join(RECURRENT), next_step="choose one"
            )


def quantize(
    file: Path,
    output: Path,
    calibration: Sequence[ImageSource],
    validation: LineSet | Sequence[Sample],
    how: Quantizing | None = None,
    tell: Tell = lambda what, done, total: None,
) -> Quantized:
    """Write a quantised model file.

    Args:
        file: a model file; one in float32 gives the best result.
        output: the file to write.
        calibration: real lines to take ranges from, `FEWEST_LINES` or more, best of the training set.
        validation: labelled lines, other ones, on which the loss is measured.
        how: the settings.
        tell: called with what is done, how much of it, and how much there is.

    Returns:
        What was done and measured. Most of it also stands in the file, under `measured`.

    Raises:
        CompressionError: there are too few lines, the file is quantised already, a name is no layer, or more accuracy is lost than
            allowed whatever stays in float. Nothing is written then.
        GlyphletError: the file or a line cannot be read, or nothing can be written.
    """
    how = how or Quantizing()
    metadata = open_model(file).metadata
    graph = onnx.load(file)
    if any(c.name.endswith(QUANTIZED) for c in graph.graph.initializer):
        raise CompressionError(
            f"{file} is computed in int8 already", allowed="a model file in float", next_step="quantise the first one"
        )
    _check_lines(calibration, validation)
    images = [_image(source, metadata.geometry) for source in calibration]
    startable = "equal_weights" in metadata.training and how.recurrent == "float"
    work = _Work(graph, images, how, tell, startable)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
        trial = _Trial(work, metadata, Path(folder) / "model.onnx", file, validation, tell)
        kept = fewest(len(work.layers), lambda k: trial.loss(k) <= how.max_loss + 1e-9)
        if kept is None:
            raise trial.refusal(how)
        trial.loss(kept)
        found = trial.outcome(file, kept, len(calibration))
        data = bundled(trial.graph, trial.described(found))
    _write(output, data)
    return replace(found, file=output)


class _Work:
    """The layers of a graph, in the order in which they would stay in float, and all that is needed to quantise them."""

    def __init__(
        self,
        graph: onnx.ModelProto,
        images: list[NDArray[np.float32]],
        how: Quantizing,
        tell: Tell,
        startable: bool,
    ) -> None:
        self.plain, self.how, self.startable = Plain(graph), how, startable
        layers = wanted(self.plain, how)
        tell("lines", 0, len(images))
        self.seen: Observed = observe(self.plain, layers, images, lambda done: tell("lines", done, len(images)))
        layers = [layer for layer in layers if self.seen.positions[layer.name] > 1]
        if not layers:
            raise _none_left()
        self.weights: dict[str, Rounded] = {}
        for number, layer in enumerate(layers, 1):
            self.weights[layer.name] = rounded(self.plain, layer, self.seen)
            tell("layers", number, len(layers))
        self.judged = images[:: max(1, len(images) // JUDGED)][:JUDGED]
        self.exact = logits_of(self.plain.graph(), self.judged)
        self.noise = {}
        for number, layer in enumerate(layers, 1):
            alone = rewrite(self.plain, [layer], self.seen, self.weights)
            self.noise[layer.name] = noise(self.exact, logits_of(alone, self.judged))
            tell("noise", number, len(layers))
        self.layers = sorted(layers, key=lambda layer: -self.noise[layer.name])

    def graph(self, kept: int) -> onnx.ModelProto:
        """The graph with all layers but the first `kept` in int8."""
        made = rewrite(self.plain, self.layers[kept:], self.seen, self.weights)
        if self.how.recurrent == "dynamic":
            made = with_dynamic_lstm(made)
        made = shortened(stored_as("int8", made))
        if self.startable and self.plain.folded:
            vectors = np.concatenate([folded.vectors.ravel() for folded in self.plain.folded.values()])
            made.graph.initializer.append(numpy_helper.from_array(vectors, FOLDED))
        return made


class _Trial:
    """Quantised files, each read with. The last one is at `path`."""

    def __init__(
        self,
        work: _Work,
        metadata: Metadata,
        path: Path,
        file: Path,
        validation: LineSet | Sequence[Sample],
        tell: Tell,
    ) -> None:
        self.work, self.path, self.validation, self.tell = work, path, validation, tell
        single = (SINGLE,) if work.how.recurrent == "dynamic" else ()
        self.metadata = replace(
            metadata,
            features=(*metadata.features, *single),
            training=self._training(metadata),
            calibration={"kind": "none"},  # that of other numbers
        )
        self.before = self._read(file, "float")
        self.read: dict[int, Evaluation] = {}
        self.graph = work.plain.model

    def loss(self, kept: int) -> float:
        """The word accuracy that is lost while so many layers stay in float."""
        self.graph = self.work.graph(kept)
        _write(self.path, bundled(self.graph, self.metadata))
        if kept not in self.read:
            self.read[kept] = self._read(self.path, f"int8, {kept} in float" if kept else "int8")
        return self.before.scores.word_accuracy - self.read[kept].scores.word_accuracy

    def outcome(self, file: Path, kept: int, calibrated: int) -> Quantized:
        """What has come of it, timed in turns with the first file."""
        widths = sorted(line.shape[-1] for line in self.work.judged)
        rounding = logits_of(onnx.load(self.path), self.work.judged)
        names = [layer.name.removesuffix(".weight") for layer in self.work.layers]
        pair = compared((file, self.path), (self.before, self.read[kept]), widths[len(widths) // 2])
        return Quantized(
            **vars(pair),
            file=file,
            int8=tuple(names[kept:]),
            kept=tuple(names[:kept]),
            noise={layer.name.removesuffix(".weight"): self.work.noise[layer.name] for layer in self.work.layers},
            noise_of_all=noise(self.work.exact, rounding),
            calibrated=calibrated,
            recurrent=self.work.how.recurrent,
            max_loss=self.work.how.max_loss,
        )

    def described(self, found: Quantized) -> Metadata:
        """The description that goes into the file."""
        measured = {"int8": {**found.facts(), "onnxruntime": onnxruntime.__version__}}
        return replace(self.metadata, measured={**self.metadata.measured, **measured})

    def refusal(self, how: Quantizing) -> CompressionError:
        """The error when no choice of layers loses little enough."""
        least = min(self.before.scores.word_accuracy - e.scores.word_accuracy for e in self.read.values())
        return CompressionError(
            f"int8 loses {100 * least:.2f} points of word accuracy at least, and {100 * how.max_loss:g} are allowed; nothing was written",
            allowed=f"--max-loss of {100 * least:.2f} or more",
            next_step="allow more, calibrate on more lines, or store the weights alone as int8: glyphlet export --weights int8",
        )

    def _read(self, path: Path, what: str) -> Evaluation:
        total = len(self.validation)
        return evaluate_lines(
            Reader(path, calibrated=False),
            self.validation,
            progress=lambda done: self.tell(f"reading, {what}", done, total),
        )

    def _training(self, metadata: Metadata) -> dict[str, Any]:
        """What a training needs to undo the folding, if it can start from the file at all."""
        if not self.work.startable:
            return {key: value for key, value in metadata.training.items() if key != "equal_weights"}
        folded = {name: [how.name, how.epsilon] for name, how in self.work.plain.folded.items()}
        return {**metadata.training, "folded": folded}


def wanted(plain: Plain, how: Quantizing) -> list[Layer]:
    """The layers that take part.

    Args:
        plain: the graph.
        how: says which are named; by default all that gain by it.

    Raises:
        CompressionError: a name holds none, or none is left.
    """
    layers = plain.layers()
    names = [layer.name.removesuffix(".weight") for layer in layers]
    for said in (*how.only, *how.skip):
        if not any(_within(name, said) for name in names):
            raise CompressionError(
                f"{said!r} is no layer that can be computed in int8, and holds none{nearest(said, names)}",
                allowed=", ".join(names) or "none: this model has no such layer",
                next_step="correct --only or --skip",
            )
    kept = []
    for layer, name in zip(layers, names, strict=True):
        few = layer.groups == 1 and plain.constants[layer.name][0].size < FEWEST_INPUTS
        left_out = any(_within(name, said) for said in how.skip)
        named = any(_within(name, said) for said in how.only)
        if not left_out and (named if how.only else not few):
            kept.append(layer)
    if not kept:
        raise _none_left()
    return kept


def _within(name: str, said: str) -> bool:
    return name == said or name.startswith(f"{said}.")


def _none_left() -> CompressionError:
    return CompressionError(
        "no layer of the model can be computed in int8",
        allowed=f"convolutions and linear layers that add up {FEWEST_INPUTS} products or more, along the line",
        next_step="store the weights alone as int8: glyphlet export --weights int8",
    )


def _check_lines(calibration: Sequence[ImageSource], validation: LineSet | Sequence[Sample]) -> None:
    if len(calibration) < FEWEST_LINES:
        raise CompressionError(
            f"there are {len(calibration)} lines to calibrate on",
            allowed=f"{FEWEST_LINES} or more; {LINES} are better",
            next_step="give more training lines: --set 'data.train=[labels.txt]', and --lines",
        )
    if not len(validation):
        raise CompressionError(
            "there are no labelled lines to measure the loss on",
            allowed="one or more; with fewer than 200 half a point cannot be told",
            next_step="give some: --set 'data.validation=[labels.txt]'",
        )


def _image(source: ImageSource, geometry: Geometry) -> NDArray[np.float32]:
    return scale(stack([prepare(source, geometry)]), geometry)


def _write(output: Path, data: bytes) -> None:
    try:
        replace_file(output, data)
    except OSError as error:
        raise CompressionError(
            f"{output} cannot be written: {error.strerror or error}",
            allowed="a file in a folder that exists, may be written to and has room",
            next_step="check the folder and the free space",
        ) from error


__all__ = ["FEWEST_INPUTS", "FEWEST_LINES", "LINES", "Quantizing", "quantize", "wanted"]
