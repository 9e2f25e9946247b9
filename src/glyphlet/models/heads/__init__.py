"""Heads: a sequence (N, T, D) to logits, with the codec and the loss that fit them.

A builder takes the width D and the charset, then its options by keyword, and returns a `Head`.
"""

from glyphlet.registry import Registry

HEADS = Registry("head", "model.head")
HEADS.import_all(__name__, __path__)
