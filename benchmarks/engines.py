"""The engines that `benchmarks.peers` compares, each in a process of its own: `python engines.py NAME`.

Requests come on standard input, one JSON object a line: `how` an engine is loaded (a language, a model) and the `paths` of lines. The
answer is a line `RESULT {"texts": [...], "seconds": [...]}`. Seconds are those from the array of an image to its text; the
first line is read once more before, so that nothing is loaded within them. Nothing of this project is imported but by its own engine.
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

Read = Callable[[Any], str]


def tesseract(languages: str) -> Read:
    """Tesseract 5 by its C++ interface, page mode 7: the image is one line."""
    import tesserocr  # type: ignore[import-not-found]

    folders = sorted(Path("/usr/share/tesseract-ocr").glob("*/tessdata"))
    engine = tesserocr.PyTessBaseAPI(path=str(folders[-1]), lang=languages, psm=tesserocr.PSM.SINGLE_LINE)

    def read(pixels: Any) -> str:
        engine.SetImage(Image.fromarray(pixels))
        text: str = engine.GetUTF8Text()
        return text

    return read


def rapidocr(_: str) -> Read:
    """RapidOCR, the recognition alone; what it is unsure of counts, too."""
    from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-not-found]

    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def read(pixels: Any) -> str:
        found, _ = engine(pixels[:, :, ::-1], use_det=False, use_cls=False, use_rec=True, text_score=0)
        return str(found[0][0]) if found else ""

    return read


def glyphlet(model: str) -> Read:
    """One of our models, line after line as the others."""
    from glyphlet import Reader

    reader = Reader(model, threads=1)
    return lambda pixels: reader.read_one(pixels).text


ENGINES: dict[str, Callable[[str], Read]] = {"glyphlet": glyphlet, "tesseract": tesseract, "rapidocr": rapidocr}


def serve(name: str) -> None:
    """Answer requests until standard input ends."""
    loaded: dict[str, Read] = {}
    for request in map(json.loads, sys.stdin):
        how = request["how"]
        if how not in loaded:
            loaded[how] = ENGINES[name](how)
        read = loaded[how]
        images = [np.asarray(Image.open(path).convert("RGB")) for path in request["paths"]]
        read(images[0])
        texts, seconds = [], []
        for pixels in images:
            begin = time.perf_counter()
            texts.append(read(pixels))
            seconds.append(time.perf_counter() - begin)
        print("RESULT " + json.dumps({"texts": texts, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
