"""From the body of a request to the bytes of its images: multipart, one raw image, or base64 in JSON.

What is too long is refused as soon as that is known: by `Content-Length` before a byte of it is read, else while it arrives.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from typing import Any, Protocol

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from glyphlet.server.budget import Share
from glyphlet.server.errors import RequestError
from glyphlet.server.multipart import Multipart, Upload, numbered, too_many
from glyphlet.server.settings import Settings

KINDS = "multipart/form-data, image/*, application/octet-stream, application/json"
"""The media types of a body."""
LARGE = 100_000
"""Bytes of JSON from which it is parsed in a thread, so that other clients need not wait."""


class _Collector(Protocol):
    def feed(self, piece: bytes) -> None: ...
    def end(self) -> list[Upload]: ...


async def uploads(request: Request, settings: Settings, share: Share) -> list[Upload]:
    """The images of a request, at least one.

    Args:
        request: its body has not been read.
        settings: the limits.
        share: the memory of this request.

    Raises:
        RequestError: 400 malformed or empty, 413 too long or too many, 415 another media type, 503 no memory now.
        ClientDisconnect: the client went away.
    """
    collector = _collector(request, settings)
    _check_length(request.headers.get("content-length", ""), settings.max_bytes)
    count = 0
    async for piece in request.stream():
        count += len(piece)
        if count > settings.max_bytes:
            raise _too_long(settings.max_bytes)
        share.add(len(piece))
        collector.feed(piece)
    large = count > LARGE and isinstance(collector, _Json)
    found = await asyncio.to_thread(collector.end) if large else collector.end()
    if not found:
        raise RequestError(400, "the request has no image", allowed="one image or more", next_step="send one")
    return found


def _collector(request: Request, settings: Settings) -> _Collector:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise RequestError(
            415,
            f"the body is encoded: Content-Encoding {encoding!r}",
            allowed="a body as it is",
            next_step="send it unpacked",
        )
    media, options = parse_options_header(request.headers.get("content-type"))
    kind = media.decode("latin-1").lower()
    if kind == "multipart/form-data":
        return Multipart(options.get(b"boundary", b""), settings.max_images)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return _Raw()
    if kind == "application/json":
        return _Json(settings.max_images)
    raise RequestError(
        415, f"the media type of the body is {kind!r}", allowed=KINDS,
        next_step="curl -F image=@line.png, or --data-binary @line.png -H 'Content-Type: image/png'",
    )  # fmt: skip


def _check_length(told: str, limit: int) -> None:
    if told.isdigit() and int(told) > limit:
        raise _too_long(limit)


def _too_long(limit: int) -> RequestError:
    return RequestError(
        413, f"the body has more than {limit:,} bytes", allowed=f"up to {limit:,}",
        next_step="send fewer images at once, or smaller ones: a model scales each line to a few dozen rows",
    )  # fmt: skip


class _Raw:
    """The body is an image."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, piece: bytes) -> None:
        self._data += piece

    def end(self) -> list[Upload]:
        return [Upload(bytes(self._data), numbered(0))] if self._data else []


class _Json(_Raw):
    """The body is {"images": ["BASE64" or "data:image/png;base64,..."]}."""

    def __init__(self, max_images: int) -> None:
        super().__init__()
        self._max_images = max_images

    def end(self) -> list[Upload]:
        try:
            values = json.loads(self._data)
        except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
            raise _malformed(f"the body is not JSON ({error})") from error
        images = values.get("images") if isinstance(values, dict) and len(values) == 1 else None
        if not isinstance(images, list):
            raise _malformed("the body is JSON, but not one object with the one key 'images' and a list")
        if len(images) > self._max_images:
            raise too_many(self._max_images)
        return [Upload(_decoded(image, at), numbered(at)) for at, image in enumerate(images)]


def _decoded(image: Any, at: int) -> bytes:
    if not isinstance(image, str):
        raise _malformed(f"images[{at}] is no text")
    text = image
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise _malformed(f"images[{at}] is a data URL that is not base64")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _malformed(f"images[{at}] is not base64 ({error})") from error


def _malformed(problem: str) -> RequestError:
    return RequestError(
        400, problem, allowed='{"images": ["BASE64", "data:image/png;base64,BASE64"]}', next_step="correct the body"
    )


__all__ = ["KINDS", "LARGE", "uploads"]
