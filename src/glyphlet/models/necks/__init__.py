"""Necks: feature maps to a sequence (N, T, D).

A builder takes the channels and heights of the backbone's maps, then its options by keyword, and returns a module with
`features`, the width D of its output.
"""

from glyphlet.registry import Registry

NECKS = Registry("neck")

# They register themselves.
from glyphlet.models.necks import fold as _fold  # noqa: E402, F401
from glyphlet.models.necks import recurrent as _recurrent  # noqa: E402, F401
