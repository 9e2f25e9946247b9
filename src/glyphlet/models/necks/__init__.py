"""Necks: feature maps to a sequence (N, T, D).

A builder takes the channels and heights of the backbone's maps, then its options by keyword, and returns a module with
`features`, the width D of its output.
"""

from glyphlet.registry import Registry

NECKS = Registry("neck", "model.neck")
NECKS.import_all(__name__, __path__)
