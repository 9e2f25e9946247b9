"""Old lines among new ones, so that a model does not forget what it could do (replay, Robins 1995).

The old lines are no part of the split: all of them may be trained on, and none validates.
"""

from __future__ import annotations

import numpy as np

from glyphlet.charset import Charset
from glyphlet.data.check import CheckedLines
from glyphlet.data.mix import JoinedLines
from glyphlet.data.prepare import Endless
from glyphlet.spec import ReplaySpec, SynthSpec
from glyphlet.synth.render import RenderedSet


def needed(spec: ReplaySpec, lines: CheckedLines, endless: list[Endless]) -> float:
    """How many old lines an epoch takes, so that they are the share of it that the recipe wants."""
    new = float(len(lines) if lines.weights is None else lines.weights.sum()) + sum(map(len, endless))
    return new * spec.share / (1 - spec.share)


def rendered_anew(spec: ReplaySpec, charset: Charset, count: float, lines: CheckedLines) -> Endless:
    """Old lines that are rendered without end: so many new ones in every epoch."""
    assert isinstance(spec.source, SynthSpec)
    source = spec.source.model_copy(update={"count": max(1, round(count)), "weight": 1.0})
    return Endless(RenderedSet(source, charset, "train"), lines.codec)


def joined(lines: CheckedLines, old: CheckedLines, count: float) -> CheckedLines:
    """New lines and old ones, of which an epoch sees `count`."""
    source = JoinedLines([part for part in (lines.source, old.source) if len(part)])
    weights = np.ones(len(lines), np.float32) if lines.weights is None else lines.weights
    return CheckedLines(
        source,
        lines.codec,
        np.concatenate([lines.indices, old.indices + len(lines.source)]),
        np.concatenate([lines.widths, old.widths]),
        np.concatenate([weights, np.full(len(old), count / len(old), np.float32)]),
    )
