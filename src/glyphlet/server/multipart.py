"""The images of a `multipart/form-data` body, piece by piece as it arrives (RFC 7578), held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from glyphlet.server.errors import RequestError

PART = "image"
"""The name of every part."""
MAX_NAME = 200
"""Characters of a file name that are kept."""


@dataclass(slots=True)
class Upload:
    """The bytes of an image file, and what messages and readings call it."""

    data: bytes
    name: str


@dataclass
class _Part:
    """A part on its way."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)


class Multipart:
    """Takes the pieces of a body; `end` gives its images.

    Args:
        boundary: from the media type.
        max_images: parts that there may be.

    Raises:
        RequestError: 400, the boundary is too long.
    """

    def __init__(self, boundary: bytes, max_images: int) -> None:
        self._max_images = max_images
        self._uploads: list[Upload] = []
        self._part = _Part()
        self._header, self._value = bytearray(), bytearray()
        self._complete = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header_end,
                    "on_part_data": lambda data, start, end: self._part.data.extend(data[start:end]),
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def feed(self, piece: bytes) -> None:
        """The next piece of the body.

        Raises:
            RequestError: 400, it is malformed or a part has another name; 413, there are too many parts.
        """
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def end(self) -> list[Upload]:
        """The images, in order.

        Raises:
            RequestError: 400, the body ends early.
        """
        if not self._complete:
            raise _malformed("it ends before its last boundary")
        return self._uploads

    def _begin(self) -> None:
        if len(self._uploads) >= self._max_images:
            raise too_many(self._max_images)
        self._part = _Part()

    def _header_end(self) -> None:
        self._part.headers[bytes(self._header).lower()] = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _part_end(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name != PART:
            raise RequestError(
                400, f"the body has a part named {name[:MAX_NAME]!r}", allowed=f"parts named {PART!r}",
                next_step="name each image so, and give the pattern in the address: ?pattern=",
            )  # fmt: skip
        file = options.get(b"filename", b"").decode("utf-8", "replace")[:MAX_NAME]
        self._uploads.append(Upload(bytes(self._part.data), file or numbered(len(self._uploads))))

    def _end(self) -> None:
        self._complete = True


def numbered(position: int) -> str:
    """What an image without a name is called."""
    return f"image {position + 1}"


def too_many(limit: int) -> RequestError:
    """The error for a request of too many images."""
    return RequestError(
        413,
        f"the request has more than {limit} images",
        allowed=f"up to {limit}",
        next_step="send them in several requests",
    )


def _malformed(reason: str) -> RequestError:
    return RequestError(
        400, f"the multipart body is malformed: {reason}", allowed="multipart/form-data as RFC 7578 has it",
        next_step="let a library write it, or curl -F image=@line.png",
    )  # fmt: skip


__all__ = ["MAX_NAME", "PART", "Multipart", "Upload", "numbered", "too_many"]
