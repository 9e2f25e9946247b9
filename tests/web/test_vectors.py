"""The reference vectors are what glyphlet.image makes, and the page's preprocessing gives them to the bit."""

import base64
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from glyphlet.image import Geometry, prepare
from glyphlet.web import PAGE, vectors

HERE = Path(__file__).parent


def test_the_file_is_what_would_be_written():
    assert vectors.PATH.read_text(encoding="utf-8") == vectors.written(), "run: python -m glyphlet.web.vectors"


def test_it_is_small_and_covers_what_it_should():
    assert vectors.PATH.stat().st_size < 200_000
    cases = json.loads(vectors.PATH.read_text(encoding="utf-8"))["cases"]
    assert {case["mode"] for case in cases} == {"L", "RGB", "RGBA"}
    geometries = [case["geometry"] for case in cases]
    assert {geometry["channels"] for geometry in geometries} == {1, 3}
    assert {geometry["padding"] for geometry in geometries} == {"edge", "black"}
    assert any(geometry["width"] for geometry in geometries)
    assert any(geometry["squeeze"] != 1 for geometry in geometries)
    assert any(case["height"] > case["width"] for case in cases)
    assert any(case["padded_width"] > case["scaled_width"] for case in cases)


def test_a_case_worked_by_hand():
    """One row of the same grey: every column and row is that grey."""
    line = prepare(np.full((1, 3), 77, np.uint8), Geometry())
    assert line.scaled_width == line.pixels.shape[2] == 96
    assert set(line.pixels.ravel().tolist()) == {77}


def test_every_vector_in_javascript(node):
    results = node(HERE / "node_vectors.mjs", PAGE, vectors.PATH)
    assert len(results) == len(vectors.vectors()["cases"])
    assert [result for result in results if not (result["widths"] and result["pixels"] and result["tensor"])] == []


def test_other_sizes_in_javascript(node, tmp_path):
    """Lines of many sizes; as the published vectors, only such as every version of Pillow makes alike: wider than high."""
    rng = np.random.default_rng(5)
    cases = []
    for number in range(120):
        height = int(rng.integers(1, 90))
        shape = (height, int(rng.integers(height, 260)), int(rng.choice([1, 3, 4])))
        changes = {"channels": int(rng.choice([1, 3])), "height": int(rng.choice([8, 32, 48])), "mean": 0.4}
        cases.append(vectors._case(str(number), shape, changes))
    path = tmp_path / "more.json"
    path.write_text(json.dumps({"cases": cases}))
    results = node(HERE / "node_vectors.mjs", PAGE, path)
    assert [result["name"] for result in results if not (result["pixels"] and result["tensor"])] == []


def test_every_transparency_of_every_grey_in_javascript(node, tmp_path):
    grey, alpha = np.meshgrid(np.arange(256), np.arange(256))
    image = np.dstack([grey, grey, grey, alpha]).astype(np.uint8)
    geometry = Geometry(height=256, width_step=1, min_width=1)
    line = prepare(image, geometry)
    encoded = {
        key: base64.b64encode(value.tobytes()).decode() for key, value in (("image", image), ("pixels", line.pixels))
    }
    widths = {"width": 256, "height": 256, "scaled_width": 256, "padded_width": 256}
    case = {"name": "all", "mode": "RGBA", "geometry": asdict(geometry), "sha256": "", **widths, **encoded}
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"cases": [case]}))
    (result,) = node(HERE / "node_vectors.mjs", PAGE, path)
    assert result["pixels"]
