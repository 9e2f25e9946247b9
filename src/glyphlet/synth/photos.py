"""Places in photographs, as backgrounds: a folder of the user's own images, read when they are first needed."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from glyphlet.errors import GlyphletError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
_LARGEST = 1024  # pixels; larger photos are reduced when they are read


class Photos:
    """The images of a folder and the folders in it.

    Args:
        folder: where they are.

    Raises:
        GlyphletError: the folder holds no image.
    """

    def __init__(self, folder: str) -> None:
        root = Path(folder)
        found = sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not found:
            raise GlyphletError(
                f"the folder of photos {folder} " + ("holds no image" if root.is_dir() else "does not exist"),
                allowed=f"a folder with files that end in {', '.join(SUFFIXES)}",
                next_step="set photos to the path of one",
            )
        self._paths = [str(path) for path in found]

    def draw(self, width: int, height: int, rng: random.Random) -> NDArray[np.float32]:
        """A place in one of them at a random scale: float32 (height, width, 3), 0 to 255.

        Raises:
            GlyphletError: the file is not an image.
        """
        photo = _read(rng.choice(self._paths))
        fit = min(photo.width / width, photo.height / height)  # the largest part of this shape
        share = rng.uniform(0.3, 1.0) * fit
        across, down = max(1.0, width * share), max(1.0, height * share)
        left, top = rng.uniform(0, max(0.0, photo.width - across)), rng.uniform(0, max(0.0, photo.height - down))
        box = (left, top, min(left + across, photo.width), min(top + down, photo.height))
        part = photo.resize((width, height), Image.Resampling.BILINEAR, box=box)
        if rng.random() < 0.5:
            part = ImageOps.mirror(part)
        return np.asarray(part, np.float32)


@lru_cache(maxsize=64)
def _read(path: str) -> Image.Image:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (_LARGEST, _LARGEST))
            photo = (ImageOps.exif_transpose(image) or image).convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise GlyphletError(
            f"the photo {path} cannot be read: {error}",
            allowed="an image file",
            next_step="take it out of the folder of photos",
        ) from error
    photo.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
    return photo
