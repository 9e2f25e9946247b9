"""What a server is told: where it listens, who may ask, and how much."""

from __future__ import annotations

import os
from dataclasses import dataclass

from glyphlet.errors import GlyphletError
from glyphlet.image import MAX_PIXELS

MIN_TOKEN = 16
"""The fewest characters of a token. Nothing slows down who guesses, so a short one is no protection."""


def default_threads() -> int:
    """The processors that this process may use, at most 4."""
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@dataclass(frozen=True)
class Settings:
    """How a server answers.

    Args:
        token: what a client must send as `Authorization: Bearer TOKEN`; empty asks for none.
        max_bytes: of the body of a request.
        max_images: of a request.
        max_pixels: of an image, width times height, told by its header before it is decoded.
        max_width: of a line in pixels, after it was scaled to the model's height; wider ones would take a worker too long.
        timeout: seconds that a request may take: as long for its body, and as long again for its reading.
        queue: lines of all requests that may wait; who brings more is told to come back.
        batch: lines that are read together; 1 reads each alone.
        threads: workers that decode and read, each on one processor.
        stop: seconds that requests get to finish when the server is stopped.
        cors: origins of web pages that may ask, such as `https://example.org`, beside the server's own.
        log: whether each request is logged to the error stream.

    Raises:
        GlyphletError: a value is out of range.
    """

    token: str = ""
    max_bytes: int = 16_000_000
    max_images: int = 64
    max_pixels: int = 16_000_000
    max_width: int = 8192
    timeout: float = 10.0
    queue: int = 256
    batch: int = 32
    threads: int = 1
    stop: float = 10.0
    cors: tuple[str, ...] = ()
    log: bool = False

    def __post_init__(self) -> None:
        rules = [
            ("max-bytes", self.max_bytes, 1 <= self.max_bytes <= 2**30, "1 to 1,073,741,824"),
            ("max-images", self.max_images, 1 <= self.max_images <= 10_000, "1 to 10,000"),
            ("max-pixels", self.max_pixels, 1 <= self.max_pixels <= MAX_PIXELS, f"1 to {MAX_PIXELS:,}"),
            ("max-width", self.max_width, 1 <= self.max_width <= 32_768, "1 to 32,768"),
            ("timeout", self.timeout, 0 < self.timeout <= 3600, "seconds above 0, up to 3,600"),
            ("queue", self.queue, self.max_images <= self.queue <= 100_000, f"{self.max_images} (images of a request) to 100,000"),
            ("batch", self.batch, 1 <= self.batch <= 1024, "1 to 1,024"),
            ("threads", self.threads, 1 <= self.threads <= 256, "1 to 256"),
            ("stop", self.stop, 0 <= self.stop <= 3600, "seconds from 0 to 3,600"),
        ]  # fmt: skip
        for name, value, good, allowed in rules:
            if not good:
                raise GlyphletError(f"--{name} is {value}", allowed=allowed, next_step=f"give another --{name}")
        _check_token(self.token)
        for origin in self.cors:
            _check_origin(origin)

    @property
    def max_held_bytes(self) -> int:
        """Bytes of the bodies of all requests that are under way."""
        return 8 * self.max_bytes


def _check_token(token: str) -> None:
    """The token is not shown: messages end up in logs."""
    if token and (len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        raise GlyphletError(
            f"the token has {len(token)} characters, or some that a header cannot carry",
            allowed=f"{MIN_TOKEN} or more ASCII characters without spaces",
            next_step="make one: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )


def _check_origin(origin: str) -> None:
    scheme, mark, rest = origin.partition("://")
    if scheme not in ("http", "https") or not mark or not rest or "/" in rest or "*" in rest:
        raise GlyphletError(
            f"--cors is {origin!r}", allowed="an origin: scheme and host, such as https://example.org",
            next_step="leave out path and slash at the end, and name each origin",
        )  # fmt: skip


__all__ = ["MIN_TOKEN", "Settings", "default_threads"]
