"""The section that says which trained model a training starts from, and what is done against forgetting."""

from __future__ import annotations

from pydantic import Field

from glyphlet.spec.data import AnySource
from glyphlet.spec.parts import Strict


class ReplaySpec(Strict):
    """Lines that the start was trained on, mixed into the new ones. They are never used to validate."""

    source: AnySource
    """A path, a source with settings, or settings for rendered lines. Lines that the new model cannot write are left out."""
    share: float = Field(0.2, gt=0, lt=1)
    """Share of the lines of an epoch that come from it; each epoch takes the next ones."""


class StartSpec(Strict):
    """Weights to start from, what of them is kept, and how it is seen whether the old task suffers."""

    path: str
    """A run folder (its best epoch), a checkpoint, a model file, or the name of a model that ships."""
    only: list[str] = []
    """Parts whose weights are taken (`transform`, `backbone`, `pyramid`, `neck`, `head`); all of them by default. The
    others are drawn as in a fresh model."""
    freeze: list[str] = []
    """Parts, or dotted names of modules in them, that do not change: no gradient, no optimiser state, no dropout, and the
    running statistics of normalisation stand still."""
    keep_norm: bool = False
    """Batch normalisation of the taken parts computes with the mean and the variance of the start throughout, as it does in
    reading. Those of a few lines, batch by batch, are not those that the weights were made for. Scale and shift are trained."""
    extend: bool = False
    """Characters of the labels that the charset lacks are added at its end."""
    replay: ReplaySpec | None = None
    keep_weight: float = Field(0.0, ge=0)
    """Weight of a pull back to the start (L2-SP, Li et al. 2018, arXiv 1802.01483): half of it times the squared distance
    of the taken weights to where they started is added to the loss. They are not pulled to 0 by `train.weight_decay`."""
    check: list[AnySource] = []
    """Old lines that are read before and after, by model files, to see what was forgotten."""
