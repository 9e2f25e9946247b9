"""The only place where an image becomes an array.

Training, validation, export and the reader go through these four steps, in this order:

    decode    anything that is an image  -> uint8 (H, W, C), C = 1 grey or 3 RGB, upright, opaque
    fit       to the height of the model, ratio kept (or squeezed, or stretched to one width, where the model says so);
              width padded up to the next multiple of `width_step`
    stack     lines of equal padded width -> uint8 (N, C, H, W)
    scale     uint8 -> float32, (x / 255 - mean) / std

A line is padded to its *own* width only, so its array never depends on the lines beside it. Pillow resizes (bilinear
with antialiasing); no other resizing library is used, because no two agree.
"""

from __future__ import annotations

import io
import math
import os
import stat
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from glyphlet.errors import ImageError, RecipeError

ImageSource = str | Path | bytes | bytearray | memoryview | NDArray[Any] | Image.Image
"""What can be read: a path, the bytes of an image file, an array, or a Pillow image."""

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "PCX", "TGA", "ICO")
"""The image files that are opened. Pillow knows more, some of which are programs (EPS) or start other programs."""
MAX_PIXELS = 50_000_000
"""Images with more pixels than this are refused before they are decoded (50 million: a 600 dpi A4 page is 35)."""


@dataclass(frozen=True)
class Geometry:
    """How a line image is brought into the shape that a model reads. It is stored in the model file.

    Args:
        height: rows of the model's input, in pixels.
        channels: 1 for grey, 3 for RGB.
        width_step: the padded width is a multiple of this many pixels.
        min_width: no line is padded to less than this, in pixels.
        max_width: a wider line (after scaling to `height`) is refused, in pixels.
        padding: what fills the added columns on the right: `edge` repeats the last column, `black` is 0.
        mean, std: the input is `(x / 255 - mean) / std`, the same for every channel.
        width: above 0, every line is stretched to this width whatever its ratio, as CRNN does with 100.
        squeeze: the width at which the ratio is kept is divided by this: the Chinese CRNN's 1.75.

    Raises:
        RecipeError: a value is out of range.

    >>> Geometry().scaled_width(300, 48), Geometry(squeeze=2).scaled_width(300, 48), Geometry(width=96).scaled_width(300, 48)
    (200, 100, 96)
    """

    height: int = 32
    channels: int = 1
    width_step: int = 8
    min_width: int = 8
    max_width: int = 32_768
    padding: Literal["edge", "black"] = "edge"
    mean: float = 0.5
    std: float = 0.25
    width: int = 0
    squeeze: float = 1.0

    def __post_init__(self) -> None:
        rules = [
            ("height", self.height, 4 <= self.height <= 512, "4 to 512"),
            ("channels", self.channels, self.channels in (1, 3), "1 (grey) or 3 (RGB)"),
            ("width_step", self.width_step, 1 <= self.width_step <= 256, "1 to 256"),
            ("max_width", self.max_width, self.max_width >= self.width_step, f"{self.width_step} (width_step) or more"),
            ("min_width", self.min_width, 1 <= self.min_width <= self.max_width, f"1 to {self.max_width}"),
            ("padding", self.padding, self.padding in ("edge", "black"), "edge, black"),
            ("mean", self.mean, math.isfinite(self.mean), "a finite number"),
            ("std", self.std, 0 < self.std < math.inf, "a finite number above 0"),
            ("width", self.width, self._width_fits(), self._widths_allowed()),
            ("squeeze", self.squeeze, 0.1 <= self.squeeze <= 10, "0.1 to 10; 1 keeps the ratio"),
            ("squeeze", self.squeeze, not self.width or self.squeeze == 1, "1, where image.width stretches every line"),
        ]
        for name, value, good, allowed in rules:
            if not good:
                raise RecipeError(
                    f"image.{name} is {value!r}", allowed=allowed, next_step=f"correct image.{name} in the recipe"
                )

    def _width_fits(self) -> bool:
        return self.width == 0 or (
            self.min_width <= self.width <= self.max_width and not self.width % max(1, self.width_step)
        )

    def _widths_allowed(self) -> str:
        return f"0, or a multiple of {self.width_step} (width_step) from {self.min_width} to {self.max_width}"

    def scaled_width(self, width: int, height: int) -> int:
        """The width in pixels that a `width` x `height` image is scaled to, before it is padded."""
        return self.width or max(1, round(width * self.height / height / self.squeeze))

    def scaled_widths(self, widths: NDArray[Any], heights: NDArray[Any]) -> NDArray[np.int64]:
        """`scaled_width` of many images."""
        if self.width:
            return np.full(len(widths), self.width, np.int64)
        exact = np.asarray(widths, np.float64) * self.height / heights / self.squeeze
        whole: NDArray[np.int64] = np.maximum(1, np.rint(exact)).astype(np.int64)
        return whole

    def padded_width(self, scaled: int) -> int:
        """A scaled width rounded up to the next multiple of `width_step`, at least `min_width`."""
        return -(-max(scaled, self.min_width) // self.width_step) * self.width_step


@dataclass(frozen=True)
class Line:
    """A line in the shape that a model reads, not yet scaled to floats.

    Args:
        pixels: uint8 (C, H, W), padded.
        scaled_width: the columns of `pixels` that hold the image; the rest is padding.
        width: the width of the original image in pixels, so that spans can be given in its coordinates.
    """

    pixels: NDArray[np.uint8]
    scaled_width: int
    width: int


def name_of(source: ImageSource) -> str:
    """How a source is called in messages."""
    if isinstance(source, str | Path):
        return str(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return f"image of {len(source)} bytes"
    if isinstance(source, np.ndarray):
        return f"array {source.dtype} {source.shape}"
    return "Pillow image"


def _refuse(
    name: str, problem: str, next_step: str = "open it in an image viewer, or save it again as PNG"
) -> ImageError:
    return ImageError(
        f"{name} {problem}",
        allowed=f"{', '.join(FORMATS)} files; uint8 or uint16 arrays (H, W[, 1|3|4])",
        next_step=next_step,
    )


def check_regular(path: str | Path, name: str) -> None:
    """Refuse a pipe or a device, which would be waited for, or read, without end.

    Raises:
        ImageError: it is one.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # whoever opens it says what is wrong
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise _refuse(name, "is a pipe or a device, not a file", "give the path of an image file")


def open_image(source: str | Path | bytes | bytearray | memoryview, name: str | None = None) -> Image.Image:
    """Open an image file without decoding its pixels.

    Raises:
        ImageError: there is no such file, it is not an image, or it has more than `MAX_PIXELS`.
    """
    name = name or name_of(source)
    if isinstance(source, str | Path):
        check_regular(source, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(source if isinstance(source, str | Path) else io.BytesIO(bytes(source)), formats=FORMATS)
    except FileNotFoundError as error:
        raise _refuse(name, "does not exist", "check the path") from error
    except IsADirectoryError as error:
        raise _refuse(name, "is a folder, not an image", "give the files inside it") from error
    except UnidentifiedImageError as error:
        raise _refuse(name, "is not an image, or its header is damaged") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _refuse(name, f"has more than {MAX_PIXELS:,} pixels", "cut out the line first") from error
    except Exception as error:  # Pillow raises a dozen kinds for a damaged file, MemoryError among them
        raise _refuse(name, f"cannot be opened: {error or type(error).__name__}") from error
    if image.width * image.height > MAX_PIXELS:
        raise _refuse(
            name, f"has {image.width} x {image.height} pixels, more than {MAX_PIXELS:,}", "cut out the line first"
        )
    return image


def decode(source: ImageSource, channels: int = 3, name: str | None = None) -> NDArray[np.uint8]:
    """Any image as an array.

    Exif orientation is applied; transparency is laid over white; 16-bit values are divided by 257; CMYK, palette and
    1-bit images are converted. Arrays are grey (H, W) or (H, W, 1), RGB (H, W, 3) or RGBA (H, W, 4): RGB order, not
    OpenCV's BGR.

    Args:
        source: a path, the bytes of an image file, an array, or a Pillow image.
        channels: 1 for grey (ITU-R 601 luma), 3 for RGB.
        name: what to call the source in messages.

    Returns:
        uint8 (H, W, channels), C-contiguous.

    Raises:
        ImageError: the source is not an image, is damaged, has no pixels, or too many.
    """
    name = name or name_of(source)
    if isinstance(source, np.ndarray):
        image = _from_array(source, name)
    elif isinstance(source, Image.Image):
        image = source
    elif isinstance(source, str | Path | bytes | bytearray | memoryview):
        image = open_image(source, name)
    else:
        raise _refuse(f"a {type(source).__name__}", "is not an image", "give a path, bytes, an array or a Pillow image")
    if image.width < 1 or image.height < 1:
        raise _refuse(name, f"has no pixels ({image.width} x {image.height})")
    try:
        converted = _opaque(ImageOps.exif_transpose(image)).convert("L" if channels == 1 else "RGB")
    except Exception as error:  # Pillow raises a dozen kinds for a damaged file
        raise _refuse(name, f"is damaged: {error}") from error
    finally:
        if image is not source:
            image.close()  # a damaged file would otherwise stay open
    pixels = np.asarray(converted, dtype=np.uint8)
    return np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels)


def _from_array(array: NDArray[Any], name: str) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype.newbyteorder("=") == np.uint16:
        array = (array // 257).astype(np.uint8)
    if array.dtype != np.uint8:
        raise _refuse(name, f"has type {array.dtype}", "convert it: (x * 255).round().astype(np.uint8) if it is 0 to 1")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise _refuse(name, "does not have the shape of one image", "give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)")
    if 0 in array.shape:
        raise _refuse(name, "has no pixels", "give at least one row and one column")
    return Image.fromarray(np.ascontiguousarray(array))


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("its values are floats, whose range is not known")
    if image.mode.startswith("I"):
        # 16-bit PNG and TIFF: Pillow would clip these at 255 and leave a white image.
        return Image.fromarray((np.asarray(image) // 257).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image


def fit(pixels: NDArray[np.uint8], geometry: Geometry, name: str = "image") -> Line:
    """Scale a line to the model's height and the width of `Geometry.scaled_width`, and pad it on the right.

    Args:
        pixels: uint8 (H, W, C) with C as in the geometry.
        geometry: the model's input shape.
        name: what to call the image in messages.

    Returns:
        The line; its pixels are uint8 (C, height, padded width).

    Raises:
        ImageError: the scaled line would be wider than `max_width`, or have more than `MAX_PIXELS`.
    """
    height, width = pixels.shape[:2]
    scaled = geometry.scaled_width(width, height)
    if scaled > geometry.max_width:
        raise ImageError(
            f"{name} is {width} x {height} pixels, {scaled} wide at height {geometry.height}",
            allowed=f"lines up to {geometry.max_width} pixels wide at height {geometry.height}",
            next_step="cut the line into pieces",
        )
    if scaled * geometry.height > MAX_PIXELS:
        raise ImageError(
            f"{name} is {width} x {height} pixels, {scaled} wide at height {geometry.height}",
            allowed=f"lines of up to {MAX_PIXELS:,} pixels at height {geometry.height}",
            next_step="cut the line into pieces",
        )
    if (height, width) != (geometry.height, scaled):
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        image = image.resize((scaled, geometry.height), Image.Resampling.BILINEAR)
        pixels = np.asarray(image, dtype=np.uint8).reshape(geometry.height, scaled, -1)
    extra = geometry.padded_width(scaled) - scaled
    if extra:
        mode: Any = "edge" if geometry.padding == "edge" else "constant"
        pixels = np.pad(pixels, ((0, 0), (0, extra), (0, 0)), mode=mode)
    return Line(np.ascontiguousarray(pixels.transpose(2, 0, 1)), scaled, width)


def prepare(source: ImageSource, geometry: Geometry, name: str | None = None) -> Line:
    """`decode`, then `fit`: from anything that is an image to a line that a model can read."""
    name = name or name_of(source)
    return fit(decode(source, geometry.channels, name), geometry, name)


def stack(lines: Sequence[Line]) -> NDArray[np.uint8]:
    """Lines of equal padded width as uint8 (N, C, H, W); raises `ValueError` when the widths differ."""
    return np.stack([line.pixels for line in lines])


def scale(pixels: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.float32]:
    """uint8 of any shape as the float32 that a model takes: `(x / 255 - mean) / std`."""
    factor = np.float32(1 / (255 * geometry.std))
    return pixels.astype(np.float32) * factor - np.float32(geometry.mean / geometry.std)
