from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError, RecipeError
from glyphlet.spec import SynthSpec
from glyphlet.synth.glyphimages import GlyphImages
from glyphlet.synth.render import RenderedSet
from glyphlet.synth.strike import PLAIN, Cut
from support import SHARED

MNIST = SHARED / "mnist.npz"


def bar(left: int, right: int, top: int = 4, bottom: int = 24, ink: int = 255) -> np.ndarray:
    image = np.full((28, 28), 255 - ink, np.uint8)
    image[top:bottom, left:right] = ink
    return image


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Test images are wider than training images: 1 is 4 or 8 wide, 7 is 12 or 16 wide."""
    path = tmp_path / "d.npz"
    train, test = [bar(10, 14), bar(8, 20)], [bar(10, 18), bar(6, 22)]
    np.savez(path, x_train=np.stack(train), y_train=np.array([1, 7]), x_test=np.stack(test), y_test=np.array([1, 7]))
    return path


def test_streams_take_their_own_images(images: Path):
    for stream, width in (("train", 4), ("validation", 4), ("train/epoch 3", 4), ("test", 8), ("test/epoch 1", 8)):
        drawn = GlyphImages(str(images), stream).glyph("1", 0, 28, PLAIN)
        assert drawn.mask is not None
        assert abs(drawn.mask.shape[1] - width) <= 1, stream


def test_sizes_and_baseline(images: Path):
    letters = GlyphImages(str(images), "train")
    for size in (28, 56):
        drawn = letters.glyph("7", 0, size, PLAIN)
        assert drawn.mask is not None
        assert drawn.mask.shape == pytest.approx((20 * size / 28, 12 * size / 28), abs=1.1)
        assert drawn.top + drawn.mask.shape[0] == pytest.approx(0, abs=1)
        assert letters.advance("7", 0, size) == pytest.approx(size * (12 / 28 + 0.1))
    leaning = letters.glyph("1", 0, 56, Cut(slant=45)).mask
    assert leaning is not None
    assert leaning.shape[1] == pytest.approx(8 + 40, abs=3)


def test_dark_ink_on_light_is_turned_over_and_classes_are_names(tmp_path: Path):
    np.savez(
        tmp_path / "x.npz", x=np.stack([bar(10, 14, ink=0)] * 10), y=np.array([1] * 10), classes=np.array(["a", "é"])
    )
    letters = GlyphImages(str(tmp_path / "x.npz"), "train")
    assert letters.coverage(Charset.from_text("aé 1")) == {"é", " "}
    assert len({letters.choose("é", random.Random(i)) for i in range(200)}) == 8  # every fifth is kept for the test
    mask = letters.glyph("é", 0, 28, PLAIN).mask
    assert mask is not None
    assert mask.shape[1] < 8


@pytest.mark.parametrize("split", [False, True])
def test_folders(tmp_path: Path, split: bool):
    for part in ("train", "test") if split else ("",):
        for name, count in (("7", 5), ("U+002F", 5)):
            folder = tmp_path / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                Image.fromarray(bar(10, 14)).save(folder / f"{i}.png")
    train, test = (GlyphImages(str(tmp_path), stream) for stream in ("train", "test"))
    assert train.coverage(Charset.from_text("7/8")) == {"7", "/"}
    choices = [len({s.choose("7", random.Random(i)) for i in range(200)}) for s in (train, test)]
    assert choices == ([5, 5] if split else [4, 1])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.zeros(3)}, "cannot be used: .*x"),
        ({"x": np.zeros((2, 4, 4)), "y": np.zeros(2, int)}, r"x is float64 \(2, 4, 4\)"),
        ({"x": np.zeros((2, 4, 4), np.uint8), "y": np.zeros(3, int)}, r"y is \(3,\)"),
        ({"x": np.zeros((2, 4, 4), np.uint8), "y": np.array([3, 12])}, "label 12 is none of 10 classes"),
        ({"x": np.zeros((2, 4, 4), np.uint8), "y": np.array(["a", "bc"])}, "'bc' is not one character"),
        ({"x": np.zeros((0, 4, 4), np.uint8), "y": np.zeros(0, int)}, "it holds no training images"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, arrays: dict[str, np.ndarray], message: str):
    np.savez(tmp_path / "x.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(GlyphletError, match=message):
        GlyphImages(str(tmp_path / "x.npz"), "train")


def test_files_that_are_not_there_or_something_else(tmp_path: Path):
    with pytest.raises(GlyphletError, match=r"none\.npz cannot be used: No such file"):
        GlyphImages(str(tmp_path / "none.npz"), "train")
    (tmp_path / "x.npz").write_bytes(b"nonsense")
    with pytest.raises(GlyphletError, match=r"x\.npz cannot be used"):
        GlyphImages(str(tmp_path / "x.npz"), "train")
    (tmp_path / "set" / "word").mkdir(parents=True)
    with pytest.raises(GlyphletError, match="not named by one character"):
        GlyphImages(str(tmp_path / "set"), "train")


def test_lines_of_images(images: Path):
    spec = SynthSpec.model_validate(
        {
            "count": 30,
            "glyphs": str(images),
            "spacing": "proportional",
            "papers": ["#ffffff"],
            "min_length": 2,
            "max_length": 8,
        }
    )
    lines = list(RenderedSet(spec, Charset.from_text("17")))
    assert [line.image.tobytes() for line in RenderedSet(spec, Charset.from_text("17"))] == [
        line.image.tobytes() for line in lines
    ]
    for line in lines:
        assert set(line.text) <= {"1", "7"}
        ink = np.asarray(line.image.convert("L")) < 255
        inside = np.zeros_like(ink)
        for left, top, right, bottom in line.boxes:
            assert 0 <= left < right <= line.image.width
            assert 0 <= top < bottom <= line.image.height
            inside[top:bottom, left:right] = True
        assert not (ink & ~inside).any()
    with pytest.raises(RecipeError, match=r"1 of 3 characters .* sets of character images: '5'"):
        RenderedSet(spec, Charset.from_text("175"))


def test_spaces_and_signs_are_made_up(images: Path):
    spec = SynthSpec.model_validate(
        {"glyphs": str(images), "text": "pattern", "pattern": r"1 7[.,/:-]7", "spacing": "proportional"}
    )
    line = RenderedSet(spec, Charset.from_text("17 .,-/:"))[0]
    assert line.boxes[1][0] == line.boxes[1][2]
    assert all(b[2] > b[0] for i, b in enumerate(line.boxes) if i != 1)


@pytest.mark.skipif(not MNIST.exists(), reason="needs MNIST beside the checkout")
def test_mnist_digits_of_the_two_streams_are_different_images():
    train, test = (GlyphImages(str(MNIST), stream) for stream in ("train", "test"))
    counts = [sum(len(images._images[c]) for c in "0123456789") for images in (train, test)]
    assert counts == [60000, 10000]
    with np.load(MNIST) as arrays:
        first = arrays["x_test"][arrays["y_test"] == 4][0]
    assert (test._images["4"][0] == first).all()
    assert not any((image == first).all() for image in train._images["4"])
