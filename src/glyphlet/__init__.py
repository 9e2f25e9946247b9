"""Glyphlet trains, ships and runs very small text recognisers.

>>> from glyphlet import Reader                              # doctest: +SKIP
>>> Reader("model.onnx").read(["line.png"])[0].text          # doctest: +SKIP
'0423'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glyphlet.errors import GlyphletError

if TYPE_CHECKING:
    from glyphlet.decode.decoding import Decoding
    from glyphlet.decode.reading import Character, Reading
    from glyphlet.runtime.reader import Reader

__version__ = "0.1.0"
__all__ = ["Character", "Decoding", "GlyphletError", "Reader", "Reading", "__version__"]


def __getattr__(name: str) -> Any:
    # onnxruntime takes a tenth of a second to import: only what reads pays for it.
    if name == "Reader":
        from glyphlet.runtime.reader import Reader

        return Reader
    if name == "Decoding":
        from glyphlet.decode.decoding import Decoding

        return Decoding
    if name in ("Character", "Reading"):
        from glyphlet.decode import reading

        return getattr(reading, name)
    raise AttributeError(f"module 'glyphlet' has no attribute {name!r}")
