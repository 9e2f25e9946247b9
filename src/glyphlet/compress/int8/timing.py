"""A quantised file of a network that has learned nothing yet: as large and as fast as the one that it will be."""

from __future__ import annotations

import numpy as np
import onnx

from glyphlet.compress.int8.observe import observe
from glyphlet.compress.int8.plain import Plain
from glyphlet.compress.int8.quantize import Quantizing, wanted
from glyphlet.compress.int8.rewrite import rewrite
from glyphlet.compress.int8.rounding import nearest
from glyphlet.errors import CompressionError
from glyphlet.export.onnx import bundled
from glyphlet.export.storage import stored_as
from glyphlet.runtime.bundle import DESCRIPTION_KEY
from glyphlet.runtime.metadata import Metadata


def for_timing(data: bytes, width: int) -> bytes | None:
    """The bytes of a quantised file, its ranges those of random pixels and its weights rounded to the nearest.

    Args:
        data: of a float32 model file.
        width: pixels of the lines.

    Returns:
        None where the network has no layer that can be computed in int8.
    """
    graph = onnx.load_from_string(data)
    description = {entry.key: entry.value for entry in graph.metadata_props}[DESCRIPTION_KEY]
    metadata = Metadata.from_json(description, "the network")
    plain, geometry = Plain(graph), metadata.geometry
    try:
        layers = wanted(plain, Quantizing())
    except CompressionError:
        return None
    shape = (1, geometry.channels, geometry.height, width)
    seen = observe(plain, layers, [np.random.default_rng(0).normal(size=shape).astype(np.float32)])
    layers = [layer for layer in layers if seen.positions[layer.name] > 1]
    if not layers:
        return None
    weights = {layer.name: nearest(plain, layer) for layer in layers}
    return bundled(stored_as("int8", rewrite(plain, layers, seen, weights)), metadata)


__all__ = ["for_timing"]
