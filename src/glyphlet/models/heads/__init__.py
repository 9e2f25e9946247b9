"""Heads: a sequence (N, T, D) to logits, with the codec and the loss that fit them.

A builder takes the width D and the codec, then its options by keyword.
"""

from glyphlet.registry import Registry

HEADS = Registry("head")

from glyphlet.models.heads import ctc as _ctc  # noqa: E402, F401  (registers itself)
