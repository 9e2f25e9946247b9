"""What a recogniser may cost, and what a network costs in each way of storing its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from glyphlet.compress.cost import Meter, shown
from glyphlet.errors import CompressionError
from glyphlet.export.onnx import WEIGHTS
from glyphlet.models.recognizer import Recognizer
from glyphlet.models.summary import count_parameters

ROOM = 0.5
"""kB of a model file that are kept free for what it will say of its training."""


@dataclass(frozen=True)
class Cost:
    """What a network costs.

    Args:
        kb: of its file, 1,024 bytes each, by how the weights are stored; with `ROOM`.
        ms: median time of one line on one thread, whichever way they are stored.
        parameters: how many it has.
    """

    kb: Mapping[str, float]
    ms: float
    parameters: int

    def as_dict(self) -> dict[str, Any]:
        """As the constructor takes it."""
        return {"kb": dict(self.kb), "ms": self.ms, "parameters": self.parameters}


@dataclass(frozen=True)
class Limits:
    """The most that a recogniser may cost; None is no limit.

    Args:
        kb: of the model file.
        ms: of one line.

    Raises:
        CompressionError: a limit is not above 0.
    """

    kb: float | None = None
    ms: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("--max-kb", self.kb), ("--max-ms", self.ms)):
            if value is not None and not 0 < value < float("inf"):
                raise CompressionError(
                    f"{name} is {value}", allowed="a number above 0", next_step="name what the recogniser may cost"
                )

    def weights(self, cost: Cost) -> str | None:
        """The most exact way of storing the weights that meets the limits; None where none does."""
        if self.ms is not None and cost.ms > self.ms:
            return None
        return next((kind for kind in WEIGHTS if self.kb is None or cost.kb[kind] <= self.kb), None)

    def excess(self, cost: Cost) -> float:
        """The cost as a share of the limits, the smallest file counted: 1 is just met, 2 is twice too much. 0 without limits."""
        shares = [min(cost.kb.values()) / self.kb] if self.kb is not None else []
        return max([*shares, *([cost.ms / self.ms] if self.ms is not None else [])], default=0.0)

    def key(self, kb: float, ms: float) -> float:
        """What counts as small: the time where it alone is limited, the size of the file otherwise."""
        return ms if self.kb is None and self.ms is not None else kb

    def __str__(self) -> str:
        given = [shown(kind, value) for kind, value in (("kb", self.kb), ("ms", self.ms)) if value is not None]
        return " and ".join(given) or "no limit"


@dataclass(frozen=True)
class Gauge:
    """Measures what networks cost on this machine."""

    meter: Meter

    def fresh(self, model: Recognizer) -> Cost:
        """What an untrained model will cost once it is trained; its weights are changed.

        As it is drawn, many of its vectors are equal, and a file holds equal ones once.
        """
        with torch.no_grad():
            for tensor in (*model.parameters(), *model.buffers()):
                if tensor.is_floating_point():
                    tensor += 0.01 * torch.rand_like(tensor)
        return self.cost(model)

    def cost(self, model: Recognizer) -> Cost:
        """Every way of storing, and the time; the model is left as it was."""
        files = self.meter.files(model)
        kb = {kind: len(data) / 1024 + ROOM for kind, data in files.items()}
        return Cost(kb, self.meter.milliseconds(files["float32"]), count_parameters(model))


__all__ = ["ROOM", "Cost", "Gauge", "Limits"]
