"""Pages of files: images, TIFF files of many pages, PDF files.

A page comes as an array when it is asked for, so a long file costs the memory of one page. PDF pages are drawn by pdfium.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet.errors import ImageError
from glyphlet.image import FORMATS, MAX_PIXELS, check_regular, decode, open_image

if TYPE_CHECKING:
    import pypdfium2

MAX_PAGES = 1000
"""Files of more pages are refused."""
UNSAID_DPI = 300.0
"""Where an image does not say how many pixels an inch has."""
RENDER_DPI = 300
"""At which PDF pages are drawn."""
_PDF = b"%PDF-"


@dataclass(frozen=True)
class PageImage:
    """The picture of a page.

    Args:
        name: the file, as messages call it.
        number: of the page in its file, from 1.
        pixels: uint8 (H, W, 3).
        dpi: pixels an inch.
    """

    name: str
    number: int
    pixels: NDArray[np.uint8]
    dpi: float


def open_pages(path: str | Path, dpi: int = RENDER_DPI) -> Iterator[PageImage | ImageError]:
    """The pages of a file, one after the other; in the place of one that is damaged, what is wrong with it.

    Args:
        path: an image that `glyphlet.image` opens, or a PDF.
        dpi: at which the pages of a PDF are drawn; an image has its own.

    Raises:
        ImageError: the file is missing, damaged, locked by a password, has too many pages, or a page too many pixels.
    """
    check_regular(path, str(path))
    try:
        with open(path, "rb") as file:
            is_pdf = _PDF in file.read(1024)
    except OSError:
        is_pdf = False  # whoever opens it as an image says what is wrong
    return _pdf_pages(str(path), dpi) if is_pdf else _image_pages(str(path))


def _image_pages(name: str) -> Iterator[PageImage | ImageError]:
    with open_image(name) as image:
        count = _count(image, name)
        _check_count(name, count)
        for number in range(count):
            label = name if count == 1 else f"{name}, page {number + 1}"
            try:
                image.seek(number)
                _check_pixels(label, image.width, image.height)
                yield PageImage(name, number + 1, decode(image, 3, label), _dpi_of(image))
            except ImageError as error:
                yield error
            except Exception as error:  # Pillow raises a dozen kinds for a damaged file
                yield _refused(name, f"is damaged at page {number + 1}: {error}")


def _count(image: Image.Image, name: str) -> int:
    """The pages of an image file; frames of a GIF are none."""
    if image.format != "TIFF":
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:
        raise _refused(name, f"is a damaged TIFF: {error}") from error


def _dpi_of(image: Image.Image) -> float:
    """What the file says, where that can be true."""
    told: Any = image.info.get("dpi", (0, 0))
    try:
        value = float(told[0])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return UNSAID_DPI
    # 72 and 96 are what cameras and screens write without knowing
    return value if 100 <= value <= 4800 and math.isfinite(value) else UNSAID_DPI


def _pdf_pages(name: str, dpi: int) -> Iterator[PageImage | ImageError]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(name)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        problem = "is locked by a password" if locked else "is a damaged PDF"
        step = "save it without one" if locked else "open it in a viewer, or save it again"
        raise _refused(name, problem, step) from error
    try:
        _check_count(name, len(document))
        for number in range(len(document)):
            try:
                yield _drawn(document, name, number, dpi)
            except ImageError as error:
                yield error
    finally:
        document.close()


def _drawn(document: pypdfium2.PdfDocument, name: str, number: int, dpi: int) -> PageImage:
    import pypdfium2

    label = f"{name}, page {number + 1}"
    try:
        page = document[number]
        width, height = page.get_size()
        _check_pixels(label, math.ceil(width * dpi / 72), math.ceil(height * dpi / 72))
        bitmap = page.render(scale=dpi / 72, rev_byteorder=True)
        image = bitmap.to_pil()
        pixels = decode(image, 3, label)
        bitmap.close()
        page.close()
    except pypdfium2.PdfiumError as error:
        raise _refused(label, f"cannot be drawn: {error}") from error
    return PageImage(name, number + 1, pixels, float(dpi))


def _check_count(name: str, count: int) -> None:
    if not 0 < count <= MAX_PAGES:
        raise _refused(name, f"has {count:,} pages", "split it")


def _check_pixels(label: str, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _refused(
            label, f"has {width} x {height} pixels, more than {MAX_PIXELS:,}", "lower --dpi, or make it smaller"
        )


def _refused(name: str, problem: str, step: str = "open it in a viewer, or save it again") -> ImageError:
    return ImageError(
        f"{name} {problem}", allowed=f"PDF and {', '.join(FORMATS)} files of up to {MAX_PAGES:,} pages", next_step=step
    )


__all__ = ["MAX_PAGES", "RENDER_DPI", "UNSAID_DPI", "PageImage", "open_pages"]
