"""The 16 rows of lightweight-OCR's table: published parameters and sizes beside those of our model files.

Sizes need no training: the networks are built with as many classes as the source had, and exported. Where the source pruned a network,
the whole one stands beside it.
"""

from __future__ import annotations

from typing import Any

import torch

from glyphlet.charset import Charset
from glyphlet.export.onnx import bundled, to_onnx
from glyphlet.export.storage import stored_as
from glyphlet.models.catalogue import published_total
from glyphlet.models.recognizer import build
from glyphlet.runtime.metadata import Metadata
from glyphlet.spec import Recipe, load_recipe

ROWS = (
    "lightweight-baseline", "lightweight-ca", "lightweight-metaacon", "lightweight-fpn-a", "lightweight-fpn-a-blurpool",
    "lightweight-fpn-b", "lightweight-fpn-c", "lightweight-fpn-d", "lightweight-fpn-a-large", "lightweight-fpn-d-large",
    "rare", "star-net", "lightweight-r18-64-pruned", "lightweight-r18-48-pruned", "lightweight-r18se-64-pruned",
    "lightweight-r18se-48-pruned",
)  # fmt: skip
CHARACTERS = 3938
"""3,939 classes with the blank."""
STORED = ("float32", "float16", "int8")
MB = 1024 * 1024
BUDGET = 10 * MB


def sizes_of(recipe: Recipe) -> dict[str, int]:
    """The bytes of the model file of a recipe with the source's classes, for each way to store its weights."""
    torch.manual_seed(0)
    charset = Charset(tuple(chr(0x4E00 + i) for i in range(CHARACTERS)))
    model = build(recipe.model, recipe.image, charset).eval()
    graph = to_onnx(model)
    about = Metadata(recipe.name, charset, model.geometry, model.time_stride, model.codec.kind)
    graphs = {kind: graph if kind == "float32" else stored_as(kind, graph) for kind in STORED}
    return {kind: len(bundled(made, about)) for kind, made in graphs.items()}


def size_row(name: str) -> dict[str, Any]:
    """A row: what is published, and what our files take; `whole` is the network before pruning."""
    recipe = load_recipe(name)
    before = name.removesuffix("-pruned")
    return {
        "part": "sizes", "name": name, "parameters": published_total(recipe), "published": recipe.published,
        "bytes": sizes_of(recipe), "whole": sizes_of(load_recipe(before)) if before != name else None,
    }  # fmt: skip
