"""What real lines give at the layers of a graph: how far values reach, and which inputs of a layer occur together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from glyphlet.compress.int8.plain import Layer, Plain, attribute
from glyphlet.runtime.bundle import INPUT

VALUES = 4000
"""Values of a tensor that are kept of each line."""
POSITIONS = 400
"""Positions of a layer that are looked at in each line, if its inputs are few; a layer with more of them needs more."""
LEVELS = 255
_SHARES = np.linspace(0.3, 1, 36)
Range = tuple[float, float]


@dataclass
class Observed:
    """What lines gave.

    Args:
        ranges: of each tensor the lowest and the highest value that int8 is to tell apart; 0 is between them.
        moments: of each layer X'X over positions, (groups, inputs of a group, the same).
        positions: of each layer the most positions that a line gave it; a layer behind global pooling has 1.
    """

    ranges: dict[str, Range] = field(default_factory=dict)
    moments: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)


def after(plain: Plain, layer: Layer) -> str | None:
    """The tensor behind a convolution that int8 is to hold: what it gives, or what a ReLU that alone reads it makes of that.

    A linear layer gives float32, and None is returned.
    """
    if not layer.conv:
        return None
    made = layer.node.output[0]
    read = plain.readers.get(made, [])
    relu = len(read) == 1 and read[0].op_type == "Relu" and made not in plain.outputs
    return str(read[0].output[0] if relu else made)


def observe(
    plain: Plain,
    layers: Sequence[Layer],
    images: Sequence[NDArray[np.float32]],
    progress: Callable[[int], None] = lambda done: None,
) -> Observed:
    """Run lines through a graph and look at the inputs and outputs of layers.

    Args:
        plain: the graph.
        layers: of it.
        images: (1, C, H, W) each, as the graph takes them.
        progress: called with the number of lines that are done.
    """
    random = np.random.default_rng(0)
    tensors = sorted({*(layer.node.input[0] for layer in layers), *(t for x in layers if (t := after(plain, x)))})
    session, names = _session(plain, [name for name in tensors if name != INPUT])
    kept: dict[str, list[NDArray[np.float32]]] = {name: [] for name in tensors}
    reach = dict.fromkeys(tensors, (0.0, 0.0))
    seen = Observed()
    for number, image in enumerate(images, 1):
        values = {INPUT: image, **dict(zip(names, session.run(names, {INPUT: image}), strict=True))}
        for name in tensors:
            flat = values[name].ravel()
            low, high = reach[name]
            reach[name] = min(low, float(flat.min())), max(high, float(flat.max()))
            kept[name].append(flat[random.integers(0, flat.size, min(VALUES, flat.size))])
        for layer in layers:
            _look(plain, layer, values[layer.node.input[0]], seen, random, len(images))
        progress(number)
    seen.ranges = {name: _told_apart(np.concatenate(kept[name]), *reach[name]) for name in tensors}
    return seen


def _session(plain: Plain, names: list[str]) -> tuple[Any, list[str]]:
    graph = plain.graph()
    have = {value.name for value in graph.graph.output}
    graph.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names if n not in have)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return ort.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"]), names


def _look(
    plain: Plain,
    layer: Layer,
    values: NDArray[np.float32],
    seen: Observed,
    random: np.random.Generator,
    lines: int,
) -> None:
    """Add a line to the moments of a layer."""
    rows = _rows(plain, layer, values)
    seen.positions[layer.name] = max(seen.positions.get(layer.name, 0), rows.shape[1])
    most = max(POSITIONS, 4 * rows.shape[2] // lines)
    if rows.shape[1] > most:
        rows = rows[:, random.integers(0, rows.shape[1], most)]
    found = np.matmul(rows.transpose(0, 2, 1), rows).astype(np.float64)
    seen.moments[layer.name] = seen.moments.get(layer.name, 0) + found


def _rows(plain: Plain, layer: Layer, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """What each position of a layer sees: (groups, positions, inputs of a group x rows x columns)."""
    if not layer.conv:
        return values.reshape(1, -1, values.shape[-1])
    kernel = plain.constants[layer.name].shape[2:]
    top, left, bottom, right = attribute(layer.node, "pads", [0] * 4)
    down, along = attribute(layer.node, "strides", [1, 1])
    padded = np.pad(values, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, (2, 3))[:, :, ::down, ::along]
    lines, channels, height, width = windows.shape[:4]
    of_group = windows.reshape(lines, layer.groups, channels // layer.groups, height, width, *kernel)
    moved = of_group.transpose(1, 0, 3, 4, 2, 5, 6)
    return np.ascontiguousarray(moved.reshape(layer.groups, lines * height * width, -1))


def _told_apart(values: NDArray[np.float32], low: float, high: float) -> Range:
    """The part of a range in which 256 levels come nearest to the values, by the mean squared error."""
    best = (np.inf, (low, high))
    for share in _SHARES:
        step, zero = steps(low * share, high * share)
        near = (np.clip(np.rint(values / step) + zero, 0, LEVELS) - zero) * step
        error = float(np.square(near - values, dtype=np.float64).mean())
        best = min(best, (error, (low * share, high * share)))
    return best[1]


def steps(low: float, high: float) -> tuple[float, int]:
    """The step size of 256 levels for a range that holds 0, and the level of 0."""
    step = max((high - low) / LEVELS, 1e-12)
    return step, int(np.clip(round(-low / step), 0, LEVELS))


__all__ = ["Observed", "Range", "after", "observe", "steps"]
