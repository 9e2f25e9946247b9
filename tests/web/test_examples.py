"""The examples of docs/examples read as the reader does: without Glyphlet, from the model file alone."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlet import Reader
from web.conftest import FIXTURE, written
from web.test_node import sequence_model  # noqa: F401, a fixture

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def in_python(model, image):
    """In a process that cannot import Glyphlet."""
    command = [sys.executable, "-W", "error", "-I", str(EXAMPLES / "read_line.py"), str(model), str(image)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def in_javascript(node, ort_folder):
    """In the folder where onnxruntime-web is installed."""
    program = ort_folder.parents[1] / "read_line.mjs"
    shutil.copy(EXAMPLES / "read_line.mjs", program)
    return lambda model, image: node(program, model, image)


def assert_same(found, reader, image, confidence):
    expected = reader.read_one(image)
    assert found["text"] == expected.text
    assert found["confidence"] == pytest.approx(expected.confidence, abs=confidence)
    for sign, (char, sure, left, right) in zip(expected.characters, found["characters"], strict=True):
        assert char == sign.char
        assert sure == pytest.approx(sign.confidence, abs=confidence)
        assert (left, right) == ((None, None) if sign.left is None else pytest.approx((sign.left, sign.right)))


CASES = [
    *((FIXTURE, text, size, 1e-4) for text, size in (("036", 20), ("630", 41))),
    *(("print", text, size, 0.1) for text, size in (("Total 12.50", 33), ("Straße 7", 41), ("2026-11-22", 14))),
    *(("digits", text, size, 1e-4) for text, size in (("036", 50), ("2026-11-22", 33))),
]
"""A model, a line and its size, and by what the confidences may differ in JavaScript: there a float layer before an int8 one may round
otherwise."""


@pytest.fixture(params=CASES, ids=[f"{Path(model).stem}-{text}" for model, text, *_ in CASES])
def case(request, tmp_path):
    """A reader, the file of a line, and the confidence."""
    model, text, size, confidence = request.param
    Image.fromarray(written(text, size)).save(tmp_path / "line.ppm")
    return Reader(model), tmp_path / "line.ppm", confidence


def test_in_javascript(in_javascript, case):
    reader, image, confidence = case
    assert_same(in_javascript(reader.path, image), reader, image, confidence)


def test_in_python(case):
    reader, image, _ = case
    assert_same(in_python(reader.path, image), reader, image, 1e-4)


def test_transparent_and_turned_images_in_python(tmp_path):
    path = tmp_path / "line.png"
    line = np.dstack([written("036", 40), np.full(written("036", 40).shape[:2], 200, np.uint8)])
    turned = Image.fromarray(np.rot90(line))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(path, exif=exif)
    assert_same(in_python(Reader("digits").path, path), Reader("digits"), path, 1e-4)


def test_a_model_that_writes_character_after_character(in_javascript, sequence_model, tmp_path):  # noqa: F811
    for grey in (0, 255):
        path = tmp_path / f"{grey}.pgm"
        Image.fromarray(np.full((32, 40), grey, np.uint8)).save(path)
        for read in (in_python, in_javascript):
            assert_same(read(sequence_model, path), Reader(sequence_model), path, 1e-4)


def test_a_damaged_file_is_refused(tmp_path, node, ort_folder):
    data = FIXTURE.read_bytes()
    (tmp_path / "bad.onnx").write_bytes(data[:100] + b"?" + data[101:])
    Image.new("L", (40, 32)).save(tmp_path / "line.pgm")
    for command in (
        [sys.executable, EXAMPLES / "read_line.py"],
        [shutil.which("node"), ort_folder.parents[1] / "read_line.mjs"],
    ):
        shutil.copy(EXAMPLES / "read_line.mjs", ort_folder.parents[1])
        done = subprocess.run(
            [*command, tmp_path / "bad.onnx", tmp_path / "line.pgm"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert "the file is damaged" in done.stderr


def test_they_are_short():
    assert len((EXAMPLES / "read_line.py").read_text(encoding="utf-8").splitlines()) <= 126
