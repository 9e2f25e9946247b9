"""Transforms: images to images of the same shape, straightened for the backbone.

A builder takes the channels and the height of the images, then its options by keyword, and returns a module from
(N, C, H, W) to (N, C, H, W).
"""

from glyphlet.registry import Registry

TRANSFORMS = Registry("transform", "model.transform")
TRANSFORMS.import_all(__name__, __path__)
