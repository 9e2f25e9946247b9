"""Lines of any width: windows joined, and decoding in pieces."""

import numpy as np
import pytest

from glyphlet import Reader
from glyphlet.image import Line, prepare
from glyphlet.runtime import windows as windows_module
from glyphlet.runtime.windows import Windows


@pytest.fixture
def reader(model):
    return Reader(model)


@pytest.fixture
def small(monkeypatch):
    """Windows of 64 pixels and pieces of 40 steps, so that short lines need many."""
    monkeypatch.setattr(windows_module, "CORE", 64)
    monkeypatch.setattr(windows_module, "PIECE", 40)


def noisy(width, height=32, seed=0):
    """Dark blobs on white, like letters."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width), 230, np.uint8)
    for left in range(8, width - 24, 24):
        pixels[6:26, left : left + int(rng.integers(4, 18))] = rng.integers(0, 120)
    return pixels


def windows_of(reader):
    return Windows(reader.logits, reader.metadata.geometry, reader.metadata.time_stride)


def test_the_view_of_a_convolution_without_overlap_is_its_own_columns(reader):
    assert windows_of(reader).view == 0  # a change of 8 columns is felt in their two steps, and nowhere else
    assert windows_of(reader).margin == 0


@pytest.mark.parametrize("taps", [1, 3, 9])
def test_the_view_of_a_wider_kernel(taps, reader):
    """Each step also sees so many steps to the left and right."""
    kernel = np.ones(2 * taps + 1)

    def run(lines):
        logits = reader.logits(lines)
        return np.apply_along_axis(lambda steps: np.convolve(steps, kernel, "same"), 1, logits)

    assert Windows(run, reader.metadata.geometry, 4).view == 4 * taps


def test_a_view_without_end(reader):
    def run(lines):
        logits = reader.logits(lines)
        return logits - logits.mean(axis=1, keepdims=True)

    found = Windows(run, reader.metadata.geometry, 4)
    assert found.view is None
    assert found.margin == windows_module.MARGIN


@pytest.mark.parametrize("width", [1, 63, 64, 65, 500, 1999])
@pytest.mark.parametrize("name", ["print", "digits", "chinese"])
def test_joined_windows_are_the_whole(small, name, width):
    reader = Reader(name)
    line = prepare(noisy(width), reader.metadata.geometry)
    whole, joined = reader.logits([line]), windows_of(reader).logits(line)
    assert joined.shape == whole.shape
    assert windows_of(reader).view is not None
    assert np.abs(joined - whole).max() <= 1e-5 * np.abs(whole).max()


@pytest.mark.parametrize("digits", ["7", "0123456789" * 20])
def test_in_pieces_as_a_whole(small, reader, stripes, digits):
    line = prepare(stripes(digits), reader.metadata.geometry)
    whole = reader.read_one(stripes(digits))
    pieces = windows_of(reader).read(line, reader.metadata.codec, "array")
    assert pieces.text == whole.text == digits
    assert pieces.raw == whole.raw
    assert pieces.confidence == pytest.approx(whole.confidence, rel=1e-6)
    for one, other in zip(pieces.characters, whole.characters, strict=True):
        assert (one.char, one.left, one.right) == (other.char, other.left, other.right)


def test_no_piece_is_cut_in_a_character(small, reader, stripes):
    """Equal characters side by side with one blank between them: a cut elsewhere would double or join some."""
    digits = "11" * 150
    pixels = stripes(digits, gap=4)
    line = prepare(pixels, reader.metadata.geometry)
    assert windows_of(reader).read(line, reader.metadata.codec, "").text == digits


def test_memory_is_bounded(small, reader):
    held = []

    def run(lines):
        held.append(lines[0].pixels.shape[2])
        return reader.logits(lines)

    pixels = np.full((1, 32, 100_000), 255, np.uint8)
    found = Windows(run, reader.metadata.geometry, 4)
    assert found.view == 0
    held.clear()
    pieces = [piece.shape[1] for piece in found._pieces(Line(pixels, 100_000, 100_000))]
    assert max(held) == 64
    assert sum(pieces) == 25_000
    assert max(pieces) <= 2 * 40 + 16


def test_a_line_wider_than_the_file_allows_is_read(reader, stripes):
    digits = "0123456789" * 300
    wide = stripes(digits)
    assert wide.shape[1] > reader.metadata.geometry.max_width
    reading = reader.read_one(wide)
    assert reading.text == digits
    assert (reading.characters[-1].left, reading.characters[-1].right) == (wide.shape[1] - 16, wide.shape[1] - 8)
