"""Pictures of lines on a page, each with what was read and where that differs from the truth."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glyphlet.errors import ImageError
from glyphlet.evaluate.aligned import aligned
from glyphlet.evaluate.report import Section, note_line, safe
from glyphlet.evaluate.scores import visible

_HEAVY = 16_384
"""A picture that needs more bytes than this as PNG becomes a JPEG."""
_LONG = 10
"""A picture that is wider than so many times its height takes a whole row of a gallery."""


@dataclass(frozen=True)
class Picture:
    """A line in a gallery.

    Args:
        image: uint8 (H, W), (H, W, 1) or (H, W, 3), or the bytes of a PNG file.
        text: what was read.
        truth: what it says; None when that is not known.
        confidence: 0 to 1; None when there is none.
        path: where the image came from; may be empty.
        raw: the path before it was merged, one sign for each time step; may be empty.
        ignore_case: whether texts that differ in their case alone are the same.
        remark: a few words below the texts.
        readings: names and texts of several readings, which are shown instead of `text`.
    """

    image: NDArray[np.uint8] | bytes
    text: str
    truth: str | None = None
    confidence: float | None = None
    path: str = ""
    raw: str = ""
    ignore_case: bool = False
    remark: str = ""
    readings: tuple[tuple[str, str], ...] = ()

    def is_right(self, text: str) -> bool:
        """Whether a text is known to be what stands there."""
        if self.truth is None:
            return False
        return text == self.truth or (self.ignore_case and text.casefold() == self.truth.casefold())


def gallery(pictures: Iterable[Picture], title: str = "Lines", note: str = "") -> Section:
    """Pictures of lines, and beside each what was read, what it says and where the two differ.

    Raises:
        ImageError: an image is neither a uint8 array of a line nor a PNG file.
    """
    items = "".join(map(_item, pictures))
    body = f'<ul class="grid lines">{items}</ul>' if items else note_line("No lines.")
    return Section(title, note_line(note) + body)


def _item(picture: Picture) -> str:
    kind, content, width, height = _file(picture.image)
    named = picture.truth if picture.truth is not None else picture.text
    foot = []
    if not picture.readings and picture.is_right(picture.text):
        foot.append('<span class="right">✓ right</span>')
    if picture.confidence is not None and math.isfinite(picture.confidence):
        foot.append(f"<span>confidence {certainty(picture.confidence)}</span>")
    foot += [f"<span>{safe(words)}</span>" for words in (picture.remark, picture.path) if words]
    data = base64.b64encode(content).decode()
    long = " long" if width > _LONG * height else ""
    return (
        f'<li class="card{long}"><div class="wide">'
        f'<img src="data:image/{kind};base64,{data}" width="{width}" height="{height}" '
        f'alt="Line image: {safe(named) or "no text"}"></div><dl class="texts">{_texts(picture)}</dl>'
        f'<div class="foot soft">{"".join(foot)}</div></li>'
    )


def certainty(confidence: float) -> str:
    """A confidence in percent; what is not quite certain is not rounded up to it.

    >>> certainty(0.985), certainty(0.99999), certainty(1.0)
    ('98.5 %', 'above 99.9 %', '100.0 %')
    """
    shown = f"{100 * confidence:.1f} %"
    return "above 99.9 %" if shown == "100.0 %" and confidence < 1 else shown


def _texts(picture: Picture) -> str:
    shown: list[tuple[str, str]] = []
    truth = None if picture.truth is None else safe(picture.truth)
    for name, text in picture.readings or (("read", picture.text),):
        read = safe(text)
        if picture.truth is not None and not picture.is_right(text):
            read, truth = differences(text, picture.truth, picture.ignore_case)
        elif picture.readings:
            read += ' <span class="right">✓</span>'
        shown.append((name, read))
    if truth is not None and (picture.readings or not picture.is_right(picture.text)):
        shown.append(("truth", truth))
    if picture.raw:
        shown.append(("raw", safe(picture.raw)))
    return "".join(f'<dt>{safe(name)}</dt><dd dir="auto">{html}</dd>' for name, html in shown)


def differences(read: str, truth: str, ignore_case: bool = False) -> tuple[str, str]:
    """Both texts as HTML, aligned and with their differences marked.

    A character that differs stands in `<mark>`, a differing space as `·` in `<mark class="space">`; where the other
    text has a character more, there is an empty box. With `ignore_case` case is no difference.

    >>> differences("a<b", "ab")[1]
    'a<span class="gap" title="extra: &lt;"></span>b'
    """
    read_html, truth_html = [], []
    for same, group in groupby(aligned(read, truth, ignore_case), key=lambda pair: pair.same):
        pairs = list(group)
        if same:
            read_html.append(safe("".join(pair.read for pair in pairs)))
            truth_html.append(safe("".join(pair.truth for pair in pairs)))
            continue
        for r, t, _ in pairs:
            said = f"missing: {visible(t)}" if not r else f"extra: {visible(r)}"
            said = f"{visible(r)} read for {visible(t)}" if r and t else said
            read_html.append(_marked(r, said))
            truth_html.append(_marked(t, said))
    return "".join(read_html), "".join(truth_html)


def _marked(char: str, said: str) -> str:
    said = safe(said)
    if not char:
        return f'<span class="gap" title="{said}"></span>'
    kind = ' class="space"' if char == " " else ""
    # A combining mark is left to join the letter before it; visible() would part the two.
    return f'<mark{kind} title="{said}">{safe("·" if char == " " else char)}</mark>'


def _file(image: NDArray[np.uint8] | bytes) -> tuple[str, bytes, int, int]:
    """The kind and the bytes of an image file, and its width and height in pixels: PNG, or JPEG where that is heavy."""
    if isinstance(image, bytes):
        if not image.startswith(b"\x89PNG\r\n\x1a\n") or len(image) < 24:
            raise _not_a_line(f"{len(image)} bytes that are not a PNG file")
        return "png", image, int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise _not_a_line(f"{image.dtype} {image.shape}")
    if image.ndim == 3 and image.shape[2] not in (1, 3):
        raise _not_a_line(f"{image.dtype} {image.shape}")
    pixels = image[:, :, 0] if image.ndim == 3 and image.shape[2] == 1 else image
    return *_packed(Image.fromarray(np.ascontiguousarray(pixels))), image.shape[1], image.shape[0]


def _packed(image: Image.Image) -> tuple[str, bytes]:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    if file.tell() <= _HEAVY:
        return "png", file.getvalue()
    lossy = io.BytesIO()
    image.save(lossy, "JPEG", quality=85)
    return ("jpeg", lossy.getvalue()) if lossy.tell() < file.tell() else ("png", file.getvalue())


def _not_a_line(what: str) -> ImageError:
    return ImageError(
        f"a picture for the report is {what}",
        allowed="uint8 of shape (H, W), (H, W, 1) or (H, W, 3), or the bytes of a PNG file",
        next_step="give the image as `glyphlet.image` decodes it",
    )


__all__ = ["Picture", "certainty", "differences", "gallery"]
