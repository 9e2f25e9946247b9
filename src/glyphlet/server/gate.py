"""What every request passes before it is answered: names, origin, token; and every answer after: headers, counting.

Plain ASGI, so that bodies go by unbuffered.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glyphlet.server.errors import RequestError, answer, busy, internal
from glyphlet.server.metrics import Metrics
from glyphlet.server.settings import Settings

LOG = logging.getLogger("glyphlet.server")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""Of every answer that does not set them itself."""
READ = "/v1/read"
MODEL, METRICS = "/v1/model", "/metrics"
GUARDED = frozenset({READ, MODEL, METRICS})
"""What there is that needs the token. The page, its files, the description and the health do not."""


class Gate:
    """Middleware around the application.

    Args:
        app: what answers those that pass.
        settings: token and origins.
        metrics: where answers are counted.
        paths: the paths that there are; answers to others are counted together, and others need the token.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app, self._settings, self._metrics, self._paths = app, settings, metrics, paths
        self._token, self._open = settings.token.encode(), paths - GUARDED

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, sending)
        except RequestError as error:
            await answer(error)(scope, receive, sending)
        except asyncio.CancelledError:  # the time to stop is over
            self._metrics.cut_off += 1
            if not status:
                await answer(busy("the server was stopped", "send it again"))(scope, receive, sending)
        except Exception as error:
            LOG.exception("%s %s failed", scope["method"], scope["path"])
            if not status:
                await answer(internal(error))(scope, receive, sending)
        self._count(scope["path"], status, time.perf_counter() - begun)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if not self._token:
            _check_names(headers, self._settings.cors)
        elif scope["path"] not in self._open:
            self._check_token(headers.get("authorization", ""))

    def _check_token(self, given: str) -> None:
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode("latin-1"), self._token):
            raise RequestError(
                401, "the token is wrong" if given else "the token is missing", allowed="Authorization: Bearer TOKEN",
                next_step="send the token that the server was started with", headers={"WWW-Authenticate": 'Bearer realm="glyphlet"'},
            )  # fmt: skip

    def _count(self, path: str, status: int, seconds: float) -> None:
        self._metrics.requests.labels(path if path in self._paths else "other", status or 499).inc()
        if path == READ:
            self._metrics.seconds.observe(seconds)


def _check_names(headers: Headers, trusted: tuple[str, ...]) -> None:
    """Without a token the server trusts this machine; so a web page from elsewhere must not ask through its browser.

    A name of the page's own that was made to point here (DNS rebinding) shows in `Host`; a plain cross-site request in `Origin`.
    """
    host = headers.get("host", "")
    if _name(f"//{host}") not in LOOPBACK:
        raise RequestError(
            403, f"the server was called as {host[:100]!r}", allowed=", ".join(sorted(LOOPBACK)),
            next_step="use one of these names, or start the server with --token",
        )  # fmt: skip
    origin: Any = headers.get("origin")
    if origin is not None and origin not in trusted and _netloc(origin) != host:
        raise RequestError(
            403,
            f"a page of {origin[:100]!r} asks",
            allowed="the server's own page",
            next_step=f"start the server with --cors {origin[:100]}",
        )


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _netloc(origin: str) -> str | None:
    """The host and port of an origin; None if it is none.

    >>> _netloc("http://127.0.0.1:8000"), _netloc("null")
    ('127.0.0.1:8000', None)
    """
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


__all__ = ["GUARDED", "HEADERS", "LOOPBACK", "METRICS", "MODEL", "READ", "Gate"]
