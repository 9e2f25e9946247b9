"""Pages as files. Each writer takes pages one by one and gives pieces of the file, so a long document needs the memory of one.

`WRITERS` names them as the command line does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glyphlet.pages.page import Page


@dataclass(frozen=True)
class Read:
    """A page that was read, and its picture.

    Args:
        page: what was found.
        pixels: uint8 (H, W, 3), upright.
    """

    page: Page
    pixels: NDArray[np.uint8]


Writer = Callable[[Iterable[Read]], Iterator[bytes]]


def writer_of(name: str) -> Writer:
    """The writer of a format; raises `KeyError` for one that is not in `FORMATS`."""
    from glyphlet.pages.writers import alto, hocr, json, pdf, text

    return {"text": text.write, "json": json.write, "hocr": hocr.write, "alto": alto.write, "pdf": pdf.write}[name]


FORMATS = ("text", "json", "hocr", "alto", "pdf")

__all__ = ["FORMATS", "Read", "Writer", "writer_of"]
