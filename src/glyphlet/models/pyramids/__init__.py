"""Pyramids: the feature maps of a backbone joined across levels into fewer maps.

A builder takes the channels and strides of the backbone's maps, as the backbone gives them, then its options by keyword,
and returns a module from a list of maps to a list of maps with `channels` and `strides` of its own.
"""

from glyphlet.registry import Registry

PYRAMIDS = Registry("pyramid", "model.pyramid")
PYRAMIDS.import_all(__name__, __path__)
