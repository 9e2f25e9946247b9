"""What a recogniser may cost, and what a network costs in each way of storing its weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from glyphlet.compress.cost import Meter, shown
from glyphlet.compress.int8.timing import for_timing
from glyphlet.errors import CompressionError
from glyphlet.export.onnx import WEIGHTS
from glyphlet.models.recognizer import Recognizer
from glyphlet.models.summary import count_parameters

ROOM, ROOM_INT8 = 0.5, 1.5
"""kB of a model file that are kept free for what it will say of its training, and of its quantisation."""
QUANTIZED = "quantized"
"""The kind of file that is computed in int8, beside those of `WEIGHTS`."""


@dataclass(frozen=True)
class Cost:
    """What a network costs.

    Args:
        kb: of its file, 1,024 bytes each, by how the weights are stored; with `ROOM`.
        ms: median time of one line on one thread, whichever way they are stored.
        parameters: how many it has.
        ms_int8: the same for a file that is computed in int8; infinite where that was not measured.
    """

    kb: Mapping[str, float]
    ms: float
    parameters: int
    ms_int8: float = math.inf

    def time(self, weights: str | None) -> float:
        """The time of a file of this kind."""
        return self.ms_int8 if weights == QUANTIZED else self.ms

    def as_dict(self) -> dict[str, Any]:
        """As the constructor takes it."""
        known = {"ms_int8": self.ms_int8} if self.ms_int8 < math.inf else {}
        return {"kb": dict(self.kb), "ms": self.ms, "parameters": self.parameters, **known}


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
        """The most exact kind of file that meets the limits, or where float is too slow the one that is computed in int8; None where
        none does."""
        kinds = WEIGHTS if self.ms is None or cost.ms <= self.ms else (QUANTIZED,)
        small = (kind for kind in kinds if self.kb is None or cost.kb.get(kind, math.inf) <= self.kb)
        return next((kind for kind in small if self.ms is None or cost.time(kind) <= self.ms), None)

    def excess(self, cost: Cost) -> float:
        """The cost as a share of the limits, the smallest file counted: 1 is just met, 2 is twice too much. 0 without limits."""
        shares = [min(cost.kb.values()) / self.kb] if self.kb is not None else []
        return max([*shares, *([min(cost.ms, cost.ms_int8) / self.ms] if self.ms is not None else [])], default=0.0)

    def key(self, kb: float, ms: float) -> float:
        """What counts as small: the time where it alone is limited, the size of the file otherwise."""
        return ms if self.kb is None and self.ms is not None else kb

    def __str__(self) -> str:
        given = [shown(kind, value) for kind, value in (("kb", self.kb), ("ms", self.ms)) if value is not None]
        return " and ".join(given) or "no limit"


@dataclass(frozen=True)
class Gauge:
    """Measures what networks cost on this machine.

    Args:
        meter: for one width of line.
        int8: whether files that are computed in int8 are measured, too.
    """

    meter: Meter
    int8: bool = False

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
        found = Cost(kb, self.meter.milliseconds(files["float32"]), count_parameters(model))
        quick = for_timing(files["float32"], self.meter.width) if self.int8 else None
        if quick is None:
            return found
        kb[QUANTIZED] = len(quick) / 1024 + ROOM_INT8
        return replace(found, ms_int8=self.meter.milliseconds(quick))


__all__ = ["QUANTIZED", "ROOM", "ROOM_INT8", "Cost", "Gauge", "Limits"]
