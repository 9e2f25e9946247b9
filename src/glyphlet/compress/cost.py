"""What a model costs, and whether that is within a budget: multiply-adds, parameters, kB of its file, measured time.

Meter    measures models for one width of line
Budget   the most of one kind of cost
"""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from glyphlet.errors import CompressionError
from glyphlet.export.onnx import WEIGHTS, bundled, facts_to_train_on, to_onnx
from glyphlet.export.parity import ParityResult, Rounding
from glyphlet.export.storage import stored_as
from glyphlet.models.recognizer import Recognizer
from glyphlet.models.summary import count_parameters, multiply_adds
from glyphlet.runtime.bundle import INPUT, open_model
from glyphlet.runtime.metadata import Metadata

KINDS = {"macs": "multiply-adds", "params": "parameters", "kb": "kB", "ms": "ms"}
"""The kinds of cost and their units; kB are 1,024 bytes."""
WARM, TIMED = 5, 100
"""Runs before a model is timed, and runs of which the median is taken."""
ROUNDS = 3
"""Turns in which two models are timed; the median of them is told."""
_PARITY = ParityResult(lines=200, real=200, widths=100, texts_differing=0, max_difference=1.2345678901234567e-07)
"""As long in a file as that of a real comparison, which is made when the model is exported."""


@dataclass(frozen=True)
class Meter:
    """Measures the costs of models.

    Args:
        width: of the line that is counted and timed, in pixels; a multiple of the geometry's step.
        name, facts: what the model file will say of the model and its training, which takes room in it.
    """

    width: int
    name: str = "model"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def cost(self, model: Recognizer, kind: str) -> float:
        """One kind of cost of a model, a name in `KINDS`; the model is left as it was."""
        if kind == "macs":
            return multiply_adds(model, self.width)
        if kind == "params":
            return count_parameters(model)
        data = self.exported(model)
        return len(data) / 1024 if kind == "kb" else self.milliseconds(data)

    def all(self, full: Recognizer, smaller: Recognizer) -> dict[str, tuple[float, float]]:
        """Every kind of cost of two models. They are timed in turns, so that what else the machine does falls on both."""
        models = full, smaller
        files = [self.exported(model) for model in models]
        rounds = [[self.milliseconds(data) for data in files] for _ in range(ROUNDS)]
        return {
            "macs": (self.cost(full, "macs"), self.cost(smaller, "macs")),
            "params": (self.cost(full, "params"), self.cost(smaller, "params")),
            "kb": (len(files[0]) / 1024, len(files[1]) / 1024),
            "ms": (statistics.median(a for a, _ in rounds), statistics.median(b for _, b in rounds)),
        }

    def exported(self, model: Recognizer) -> bytes:
        """The bytes of the model's float32 file. That of `glyphlet export` differs by what it says of its training
        and of its calibration, some 0.6 kB.
        """
        return self.files(model, ("float32",))["float32"]

    def files(self, model: Recognizer, kinds: Sequence[str] = WEIGHTS) -> dict[str, bytes]:
        """The bytes of the model's files, one for each way in which `glyphlet export` can store the weights."""
        model = copy.deepcopy(model).cpu().float().eval()
        graph = to_onnx(model)
        return {kind: self._file(model, graph, kind) for kind in kinds}

    def _file(self, model: Recognizer, graph: Any, kind: str) -> bytes:
        exact = kind == "float32"
        parity = _PARITY if exact else replace(_PARITY, rounding=Rounding(kind, 200, 0, _PARITY.max_difference))
        metadata = Metadata(
            name=self.name,
            charset=model.codec.charset,
            geometry=model.geometry,
            time_stride=model.time_stride,
            head=model.codec.kind,
            training={**self.facts, **facts_to_train_on(model, graph)},
            parity=parity.to_dict(),
        )
        return bundled(graph if exact else stored_as(kind, graph), metadata)

    def milliseconds(self, data: bytes) -> float:
        """The median time that onnxruntime takes for one line with one thread, in ms."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(data)
            return network_milliseconds(path, self.width)


def network_milliseconds(path: Path, width: int) -> float:
    """The median time that the network of a model file takes for one line of so many pixels, with one thread, in ms.

    Raises:
        ModelFileError: it is no model file.
    """
    bundle = open_model(path, threads=1)
    geometry = bundle.metadata.geometry
    line = {INPUT: np.zeros((1, geometry.channels, geometry.height, width), np.float32)}
    return 1000 * statistics.median([_seconds(bundle.session, line) for _ in range(WARM + TIMED)][WARM:])


def _seconds(session: Any, line: dict[str, Any]) -> float:
    begin = time.perf_counter()
    session.run(None, line)
    return time.perf_counter() - begin


@dataclass(frozen=True)
class Budget:
    """The most that a model may cost.

    Args:
        kind: a name in `KINDS`.
        most: above 0, in the unit of the kind.

    Raises:
        CompressionError: another kind, or a value that is not above 0.

    >>> str(Budget("macs", 1_500_000))
    '1,500,000 multiply-adds'
    """

    kind: str
    most: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise CompressionError(
                f"there is no cost {self.kind!r}", allowed=", ".join(KINDS), next_step="choose one of these"
            )
        if not 0 < self.most < float("inf"):
            raise CompressionError(
                f"the model may cost {self.most} {KINDS[self.kind]}",
                allowed="a number above 0",
                next_step="name what the smaller model may cost",
            )

    def __str__(self) -> str:
        return shown(self.kind, self.most)

    def check(self, full: float, least: float, how: str) -> None:
        """Refuse a budget that needs no pruning, or that none reaches.

        Args:
            full: the cost of the full model.
            least: that of the smallest model that the search may give.
            how: what that model is.

        Raises:
            CompressionError: with both costs.
        """
        costs = f"the full model has {shown(self.kind, full)}"
        allowed = f"{shown(self.kind, least)} or more, and less than {shown(self.kind, full)}"
        if full <= self.most:
            raise CompressionError(
                f"the target is {self}, and {costs}", allowed=allowed, next_step="keep it, or set a lower target"
            )
        if least > self.most:
            raise CompressionError(
                f"the target of {self} cannot be met: {costs}, and {how} has {shown(self.kind, least)}",
                allowed=allowed,
                next_step="raise the target, let more layers take part, or prune the result once more",
            )


def shown(kind: str, value: float) -> str:
    """A cost with its unit; counts are whole."""
    number = f"{value:,.0f}" if kind in ("macs", "params") else f"{value:,.1f}" if kind == "kb" else f"{value:,.3f}"
    return f"{number} {KINDS[kind]}"


__all__ = ["KINDS", "ROUNDS", "Budget", "Meter", "network_milliseconds", "shown"]
