"""Images of single characters, such as MNIST's digits, as letters that lines are set from.

    mnist.npz            x_train (N, h, w) uint8, y_train (N,), x_test, y_test; or x and y
    folder/7/0001.png    one folder a character; also folder/train/7/..., folder/test/7/...

Labels are characters, or numbers: places in `classes` (an array in the same file), or, from 0 to 9, digits. A folder is
named by its character or by its code point (`U+002F`). The stream `test` takes the test images and all others take the
training images; where the two are not kept apart, every fifth image of a character is a test image. Ink is what differs
from the edge of the image, so white on black and black on white are both understood.

An image is as high as the font size says. Its ink stands on the baseline; letters with a descender hang below it, and
signs such as the hyphen keep their place in the image. A space, and `. , - / :` where no image is there, are made up.
"""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError
from glyphlet.synth.fonts import Glyph, Mask
from glyphlet.synth.strike import Cut, reduced

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm")
_MADE_UP = ".,-/:"
_DESCENDERS = dict.fromkeys("gjpqy", 0.22) | {"Q": 0.06, ",": 0.08, ";": 0.08}  # in parts of the font size
_IN_PLACE = set("-+=~*^'\"`_<>:")
_BEARING = 0.05  # the space on both sides of the ink, in parts of the font size
_SPACE = 0.4
_FINE = 2


class GlyphImages:
    """The images of a file or folder for one stream.

    Args:
        path: an .npz file or a folder.
        stream: `test` (or `test/...`) takes the test images, all others the training images.

    Raises:
        GlyphletError: there is no such file, or it does not hold labelled images.
    """

    def __init__(self, path: str, stream: str) -> None:
        self.path = path
        test = stream.split("/")[0] == "test"
        try:
            found = _from_folder(Path(path), test) if Path(path).is_dir() else _from_file(Path(path), test)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
            raise _unusable(path, getattr(error, "strerror", None) or str(error)) from error
        self._images = {char: images for char, images in found.items() if len(images)}
        if not self._images:
            raise _unusable(path, f"it holds no {'test' if test else 'training'} images")
        for char in _MADE_UP:
            self._images.setdefault(char, [_made_up(char)])

    def coverage(self, charset: Charset) -> frozenset[str]:
        """The characters of a charset that can be drawn."""
        return frozenset(c for c in charset.characters if c in self._images or c == " ")

    def choose(self, char: str, rng: random.Random) -> int:
        """One of the images of a character."""
        return rng.randrange(len(self._images[char])) if char in self._images else 0

    def advance(self, char: str, variant: int, size: int) -> float:
        """How far the pen moves, in pixels."""
        if char not in self._images:
            return _SPACE * size
        image = self._images[char][variant]
        columns = np.flatnonzero(_inked(image).any(axis=0))
        width = columns[-1] - columns[0] + 1 if len(columns) else image.shape[1] // 2
        return float(width * size / image.shape[0] + 2 * _BEARING * size)

    def glyph(self, char: str, variant: int, size: int, cut: Cut) -> Glyph:
        """The mask of a character at a size in pixels."""
        advance = self.advance(char, variant, size)
        if char not in self._images:
            return Glyph(None, 0, 0, advance)
        image = self._images[char][variant]
        ink = _inked(image)
        if not ink.any():
            return Glyph(None, 0, 0, advance)
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        scale = _FINE * size / image.shape[0]
        grown = round(cut.bold * _FINE / 4)
        letter = Image.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
        width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
        pad = 2 + grown
        large = Image.new("L", (width + 2 * pad, height + 2 * pad))
        large.paste(letter.resize((width, height), Image.Resampling.BICUBIC), (pad, pad))
        if grown:
            large = large.filter(ImageFilter.MaxFilter(2 * grown + 1))
        drop = _DESCENDERS.get(char, 0.0) * size * _FINE
        if char in _IN_PLACE:
            drop = (bottom - 0.86 * image.shape[0]) * scale
        y0 = round(drop) - height - pad
        return reduced(large, round(_BEARING * size * _FINE) - pad, y0, advance, cut, 1 / _FINE)


def _inked(image: Mask) -> NDArray[np.bool_]:
    return np.asarray(image > 40)


def _unusable(path: str, reason: str) -> GlyphletError:
    return GlyphletError(
        f"the character images {path} cannot be used: {reason}",
        allowed="an .npz file with x_train, y_train, x_test, y_test (or x, y), or a folder with one folder a character",
        next_step="check the path and what it holds",
    )


def _light_ink(image: Mask) -> Mask:
    """An image with its ink light on dark."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return np.asarray(255 - image if np.median(edge) > 127 else image)


def _from_file(path: Path, test: bool) -> Mapping[str, list[Mask]]:
    with np.load(path, allow_pickle=False) as arrays:
        part = "test" if test else "train"
        split = "x_train" in arrays
        x, y = arrays[f"x_{part}" if split else "x"], arrays[f"y_{part}" if split else "y"]
        classes = [str(c) for c in arrays["classes"]] if "classes" in arrays else None
    if x.ndim != 3 or x.dtype != np.uint8 or y.shape != x.shape[:1] or min(x.shape[1:]) < 2:
        raise ValueError(f"x is {x.dtype} {x.shape} and y is {y.shape}, not uint8 (N, h, w) and (N,)")
    if len(x) and np.median(np.concatenate([x[:, 0].ravel(), x[:, -1].ravel()])) > 127:
        x = 255 - x
    found: dict[str, list[Mask]] = {}
    for label in np.unique(y):
        images = x[y == label]
        found[_character(label, classes)] = list(images if split else _share(list(images), test))
    return found


def _character(label: object, classes: list[str] | None) -> str:
    if isinstance(label, str):
        char = str(label)
    else:
        number = int(label)  # type: ignore[call-overload]  # a NumPy integer
        names = classes if classes is not None else list("0123456789")
        if not 0 <= number < len(names):
            raise ValueError(f"label {number} is none of {len(names)} classes; name them in an array `classes`")
        char = names[number]
    if len(char) != 1:
        raise ValueError(f"the label {char!r} is not one character")
    return char


def _share(images: list[Mask], test: bool) -> list[Mask]:
    """Every fifth image, or all others."""
    return [image for number, image in enumerate(images) if (number % 5 == 4) == test]


def _from_folder(path: Path, test: bool) -> Mapping[str, list[Mask]]:
    split = (path / "train").is_dir()
    root = path / ("test" if test else "train") if split else path
    found: dict[str, list[Mask]] = {}
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        char = folder.name
        if re.fullmatch(r"U\+[0-9A-Fa-f]{4,6}", char):
            char = chr(int(char[2:], 16))
        if len(char) != 1:
            raise ValueError(f"the folder {folder} is not named by one character or a code point (U+002F)")
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
        images = [_light_ink(_read(file)) for file in files]
        found[char] = images if split else _share(images, test)
    return found


def _read(file: Path) -> Mask:
    try:
        with Image.open(file) as image:
            return np.array(image.convert("L"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file} is not an image") from error


def _made_up(char: str) -> Mask:
    """A stroke as wide as MNIST's, in an image of 28 x 28."""
    image = Image.new("L", (112, 112))
    pen = ImageDraw.Draw(image)
    if char == "-":
        pen.line((36, 62, 76, 58), fill=255, width=11)
    elif char == "/":
        pen.line((40, 94, 72, 16), fill=255, width=10)
    else:
        pen.ellipse((49, 80, 63, 94), fill=255)
        if char == ",":
            pen.line((58, 88, 50, 104), fill=255, width=8)
        elif char == ":":
            pen.ellipse((49, 44, 63, 58), fill=255)
    return np.array(image.reduce(4))
