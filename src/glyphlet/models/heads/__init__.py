"""Heads: a sequence (N, T, D) to logits, with the codec and the loss that fit them.

A builder takes the width D and the codec, then its options by keyword.
"""

from glyphlet.registry import Registry

HEADS = Registry("head", "model.head")
HEADS.import_all(__name__, __path__)
