"""Reference vectors: images and the arrays that must come out of them, for readers in other languages.

`vectors.json` lies beside this file. It is made by `glyphlet.image` itself, and a test makes it again and compares. An image stands
there as raw pixels, not as a file: what decodes JPEG may differ by a level, and the vectors prove what comes behind.

    python -m glyphlet.web.vectors          writes the file anew
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.image import Geometry, prepare, scale

PATH = Path(__file__).with_name("vectors.json")
"""The vectors, in the package."""
ABOUT = (
    "Each case: `image` (base64, 8 bits, rows from top to bottom, `mode` L, RGB or RGBA), brought into the shape of `geometry` as "
    "docs/file-format.md says, gives `pixels` (base64, 8 bits, channels x height x padded_width), of which scaled_width columns "
    "hold the image. `sha256` is that of the float32 input of the model, little-endian, in the same order."
)
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_CASES: tuple[tuple[str, tuple[int, int, int], dict[str, Any]], ...] = (
    ("as it is", (32, 40, 1), {}),
    ("smaller", (45, 97, 1), {}),
    ("larger", (13, 29, 1), {}),
    ("a lot smaller", (101, 57, 1), {"height": 8}),
    ("a lot larger", (3, 7, 1), {}),
    ("half a pixel, to the even number below", (64, 41, 1), {}),
    ("half a pixel, to the even number above", (64, 43, 1), {}),
    ("one column", (40, 1, 1), {}),
    ("one row", (1, 3, 1), {}),
    ("only the width is padded", (32, 33, 1), {"width_step": 16, "min_width": 64}),
    ("colour to grey", (24, 50, 3), {}),
    ("colour", (24, 31, 3), {"channels": 3}),
    ("colour, smaller", (51, 80, 3), {"channels": 3, "mean": 0.485, "std": 0.229}),
    ("transparent to grey", (20, 37, 4), {}),
    ("transparent", (41, 30, 4), {"channels": 3}),
    ("black padding", (40, 53, 1), {"padding": "black", "width_step": 32}),
    ("one width for all, narrower", (40, 180, 1), {"width": 104}),
    ("one width for all, wider", (20, 31, 1), {"width": 64}),
    ("squeezed", (48, 150, 1), {"squeeze": 1.75, "padding": "black"}),
    ("height 64, as digits", (50, 61, 1), {"height": 64, "width_step": 16, "mean": 0.7}),
    ("taller than wide", (60, 45, 1), {}),
)
"""What is told of a case, the rows, columns and channels of its image, and what its geometry says other than the defaults."""


def noise(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Pixels that look random and are the same everywhere: they come from a multiplication, not from a generator.

    >>> noise((1, 3, 1)).ravel().tolist()
    [0, 178, 100]
    """
    numbers = np.arange(np.prod(shape), dtype=np.uint64) * np.uint64(2_654_435_761)
    return ((numbers ^ (numbers >> np.uint64(15))) >> np.uint64(13) & np.uint64(255)).astype(np.uint8).reshape(shape)


def vectors() -> dict[str, Any]:
    """All cases, as `vectors.json` holds them."""
    return {"about": ABOUT, "cases": [_case(*case) for case in _CASES]}


def _case(name: str, shape: tuple[int, int, int], changes: dict[str, Any]) -> dict[str, Any]:
    geometry, image = Geometry(**changes), noise(shape)
    line = prepare(image, geometry)
    tensor = scale(line.pixels, geometry).astype("<f4")
    return {
        "name": name,
        "mode": _MODES[shape[2]],
        "width": shape[1],
        "height": shape[0],
        "geometry": asdict(geometry),
        "image": base64.b64encode(image.tobytes()).decode(),
        "scaled_width": line.scaled_width,
        "padded_width": line.pixels.shape[2],
        "pixels": base64.b64encode(line.pixels.tobytes()).decode(),
        "sha256": hashlib.sha256(tensor.tobytes()).hexdigest(),
    }


def written() -> str:
    """The text of `vectors.json`: one case a line."""
    found = vectors()
    cases = ",\n".join(json.dumps(case) for case in found["cases"])
    return f'{{"about": {json.dumps(found["about"])},\n"cases": [\n{cases}\n]}}\n'


if __name__ == "__main__":
    PATH.write_text(written(), encoding="utf-8")
