"""The bytes of a line's image, verified: what `image.decode` takes is taken, what it refuses is refused.

The whole image is decoded, because damage behind the header shows only then; the bytes are handed on untouched.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from glyphlet.errors import ImageError
from glyphlet.image import ImageSource, check_regular, decode, name_of, open_image

SUFFIXES = {
    "PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp", "GIF": ".gif",
    "PPM": ".ppm", "JPEG2000": ".jp2", "PCX": ".pcx", "TGA": ".tga", "ICO": ".ico",
}  # fmt: skip
"""The usual suffix of a format, by Pillow's name of it."""
_PLAIN = ("L", "RGB", "1")
"""Modes that `decode` only copies or looks up."""


class Verified(NamedTuple):
    """An image file that decodes.

    Args:
        data: its bytes.
        suffix: the usual suffix of its format: `.jpg`.
        width, height: in pixels, upright.
    """

    data: bytes
    suffix: str
    width: int
    height: int


def verify(source: ImageSource, name: str | None = None) -> Verified:
    """The bytes of an image file, after decoding all of it.

    Args:
        source: a path or bytes: handed on byte for byte. An array or a Pillow image: encoded as PNG.
        name: what to call it in messages.

    Raises:
        ImageError: as `image.decode`.
    """
    name = name or name_of(source)
    data = _bytes(source, name)
    image = open_image(data, name)
    suffix = SUFFIXES.get(image.format or "", f".{(image.format or 'img').lower()}")
    if image.mode in _PLAIN and not {"exif", "xmp", "transparency", "Raw profile type exif"} & image.info.keys():
        try:
            image.load()
        except Exception as error:  # as in decode: Pillow raises a dozen kinds for a damaged file
            raise ImageError(
                f"{name} is damaged: {error}",
                allowed="image files that can be decoded to their end",
                next_step="make the image again, or leave the line out",
            ) from error
        width, height = image.size
        image.close()
        if width and height:
            return Verified(data, suffix, width, height)
    image.close()
    height, width = decode(data, 3, name).shape[:2]  # turned by Exif, transparent, 16 bit: decode knows what to refuse
    return Verified(data, suffix, width, height)


def _bytes(source: ImageSource, name: str) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | Path):
        check_regular(source, name)
        try:
            with open(source, "rb") as file:
                return file.read()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise ImageError(
                f"{name} cannot be read: {getattr(error, 'strerror', None) or error}",
                allowed="a path to an image file",
                next_step="check the path, or leave the line out",
            ) from error
    if isinstance(source, np.ndarray):
        pixels = decode(source, 3 if source.ndim == 3 and source.shape[2] > 1 else 1, name)
        source = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    buffer = io.BytesIO()
    source.save(buffer, "PNG")
    return buffer.getvalue()
