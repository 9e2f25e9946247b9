"""Backbones: images (N, C, H, W) to a list of feature maps from shallow to deep.

A builder takes the number of input channels, then its options by keyword, and returns a module with

    channels  the channels of each map
    strides   (vertical, horizontal) of each map, in input pixels
"""

from glyphlet.registry import Registry

BACKBONES = Registry("backbone")

from glyphlet.models.backbones import micro as _micro  # noqa: E402, F401  (registers itself)
