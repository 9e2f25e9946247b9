"""Backbones: images (N, C, H, W) to a list of feature maps from shallow to deep.

A builder takes the number of input channels, then its options by keyword, and returns a module with

    channels  the channels of each map
    strides   (vertical, horizontal) of each map, in input pixels
"""

from glyphlet.registry import Registry

BACKBONES = Registry("backbone", "model.backbone")
BACKBONES.import_all(__name__, __path__)
