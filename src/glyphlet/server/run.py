"""The server as a process: where it listens, what it prints, how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from glyphlet.errors import GlyphletError
from glyphlet.runtime.reader import Reader
from glyphlet.server.app import Service, create_app
from glyphlet.server.settings import Settings

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(reader: Reader, settings: Settings, listening: socket.socket, ready: Callable[[str], None]) -> int:
    """Answer until SIGINT or SIGTERM comes.

    Args:
        reader: reads the lines.
        settings: limits and token.
        listening: from `listen`; it is closed at the end.
        ready: is called with the address when requests are answered.

    Returns:
        The exit code: 0 after every request was finished, 1 if some were cut off, 128 + n if a second signal n came.
    """
    _set_up_log(settings.log)
    app = create_app(reader, settings)
    config = uvicorn.Config(
        app, log_config=None, access_log=settings.log, server_header=False, proxy_headers=False, ws="none", lifespan="on",
        http=limited(settings.timeout),
        timeout_graceful_shutdown=settings.stop,  # type: ignore[arg-type]  # asyncio takes fractions of seconds, too
    )  # fmt: skip
    server = _Server(config, lambda: ready(address_of(listening)))
    server.run([listening])
    if server.forced:
        return 128 + server.forced
    service: Service = app.state.service
    cut_off = service.metrics.cut_off
    if cut_off:
        print(f"glyphlet: {cut_off} request{'s were' if cut_off > 1 else ' was'} cut off", file=sys.stderr)
    return 1 if cut_off else 0


def listen(host: str, port: int, token: str) -> socket.socket:
    """A socket that listens.

    Args:
        host: a name or an address.
        port: 0 takes any that is free.
        token: what is not on loopback needs one.

    Raises:
        GlyphletError: there is no such host, the port is taken, or a token is missing.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise GlyphletError(
            f"--host {host!r} is not known: {error}",
            allowed="a name or an address of this machine",
            next_step="use 127.0.0.1",
        ) from error
    if not token and not all(_on_loopback(str(address[0])) for *_, address in found):
        raise GlyphletError(
            f"--host {host} can be reached from other machines, and there is no token",
            allowed="127.0.0.1, ::1 or localhost without a token, any other with one",
            next_step="set GLYPHLET_TOKEN, or leave out --host",
        )
    family, kind, protocol, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _cannot_listen(error, host, port) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """The address as a browser takes it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _on_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _cannot_listen(error: OSError, host: str, port: int) -> GlyphletError:
    if error.errno == errno.EADDRINUSE:
        return GlyphletError(
            f"port {port} of {host} is taken by another program",
            next_step="give another --port, or 0 for any that is free",
        )
    if error.errno == errno.EACCES:
        return GlyphletError(
            f"port {port} is for the administrator", allowed="1024 and above", next_step="give another --port"
        )
    return GlyphletError(
        f"cannot listen on {host} port {port}: {error.strerror}",
        allowed="an address of this machine",
        next_step="give another --host",
    )


def limited(seconds: float) -> type[H11Protocol]:
    """A protocol whose connections are closed where the head of a request does not come in time, and when there are too many.

    Args:
        seconds: that the head may take, from the opening of the connection or from its first byte.
    """
    most = most_connections()

    class Limited(H11Protocol):
        late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.abort()
            else:
                self.late = self.loop.call_later(seconds, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            waits = self.cycle is None or self.cycle.response_complete  # for a head
            if not waits and self.late:
                self.late.cancel()
                self.late = None
            elif waits and not self.late:
                self.late = self.loop.call_later(seconds, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            if self.late:
                self.late.cancel()
            super().connection_lost(exc)

    return Limited


def most_connections() -> int:
    """Connections at once: what the process may open, but for a quarter that it needs itself; at most 4,096."""
    try:
        import resource

        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    except (ImportError, OSError):
        allowed = 1024
    return max(16, min(4096, allowed * 3 // 4)) if allowed > 0 else 4096


class _Server(uvicorn.Server):
    """Stops at the first signal in good order and at the second at once, and says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self.forced = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's, it does not raise the signal again at the end: a server that was told to stop and did is done."""
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        if self.should_exit:
            self.force_exit, self.forced = True, sig
        self.should_exit = True


def _set_up_log(requests: bool) -> None:
    """Faults of ours always go to the error stream, requests when asked; what uvicorn says of itself does not."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    for name, level in (("glyphlet.server", logging.WARNING), ("uvicorn.access", logging.INFO)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = not requests
    for name in ("uvicorn.error", "asyncio", "python_multipart"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


__all__ = ["address_of", "listen", "serve"]
