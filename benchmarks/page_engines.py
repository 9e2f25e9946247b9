"""The engines that `benchmarks.pages` compares, each in a process of its own: `python page_engines.py NAME`.

Requests come on standard input, one JSON object a line: `how` (Tesseract's page mode, or our model) and the `paths` of pages. The answer
is a line `RESULT {"pages": [{"text", "boxes", "seconds"}]}`; boxes are those of the lines. Seconds go from the array of the page to its
texts and boxes; the first page of all is read once more before. Nothing of this project is imported but by its own engine.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Found = tuple[str, list[Any]]
Read = Callable[[Any, int], Found]


def tesseract(mode: str) -> Read:
    """Tesseract 5 by its C++ interface, English, told the resolution."""
    import tesserocr  # type: ignore[import-not-found]

    folders = sorted(Path("/usr/share/tesseract-ocr").glob("*/tessdata"))
    engine = tesserocr.PyTessBaseAPI(path=str(folders[-1]), lang="eng", psm=int(mode))

    def read(pixels: Any, dpi: int) -> Found:
        engine.SetImage(Image.fromarray(pixels))
        engine.SetSourceResolution(dpi)
        engine.Recognize()
        rows = tesserocr.iterate_level(engine.GetIterator(), tesserocr.RIL.TEXTLINE)
        boxes = [
            row.BoundingBox(tesserocr.RIL.TEXTLINE) for row in rows if row.GetUTF8Text(tesserocr.RIL.TEXTLINE).strip()
        ]
        return engine.GetUTF8Text(), boxes

    return read


def glyphlet(model: str) -> Read:
    """One of our models on whole pages."""
    import cv2

    from glyphlet import Reader
    from glyphlet.pages.read import read_page

    cv2.setNumThreads(1)
    reader = Reader(model, threads=1)

    def read(pixels: Any, dpi: int) -> Found:
        page = read_page(reader, pixels, dpi=dpi)
        lines = [line for line in page.lines if line.text]
        return "\n".join(line.text for line in lines), [line.box for line in lines]

    return read


ENGINES: dict[str, Callable[[str], Read]] = {"glyphlet": glyphlet, "tesseract": tesseract}


def serve(name: str) -> None:
    """Answer requests until standard input ends."""
    loaded: dict[str, Read] = {}
    for request in map(json.loads, sys.stdin):
        how, pages = request["how"], []
        for path in request["paths"]:
            image = Image.open(path)
            pixels, dpi = np.asarray(image.convert("L")), round(image.info["dpi"][0])
            if how not in loaded:
                loaded[how] = ENGINES[name](how)
                loaded[how](pixels, dpi)
            begin = time.perf_counter()
            text, boxes = loaded[how](pixels, dpi)
            pages.append({"text": text, "boxes": boxes, "seconds": time.perf_counter() - begin})
        print("RESULT " + json.dumps({"pages": pages}), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
