"""Connections that never ask, and too many of them."""

import contextlib
import socket
import threading
import time

import pytest
import uvicorn

from glyphlet.server import run
from glyphlet.server.app import create_app
from glyphlet.server.settings import Settings

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.contextmanager
def running(plain, seconds):
    """The port of a server whose connections must ask within so many seconds."""
    config = uvicorn.Config(
        create_app(plain, Settings()), port=0, log_level="critical", http=run.limited(seconds), ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def answer(connection):
    connection.sendall(HEALTH)
    found = b""
    while not found.endswith(b"}"):
        found += connection.recv(4096)
    return found.split(b"\r\n")[0]


@pytest.mark.parametrize("begun", [b"", b"POST /v1/read HTTP/1.1\r\nHost: loc"])
def test_who_does_not_ask_is_shown_out(plain, begun):
    with running(plain, 0.4) as port, connected(port) as slow, connected(port) as other:
        slow.sendall(begun)
        assert answer(other) == b"HTTP/1.1 200 OK"
        assert slow.recv(100) == b""  # closed, long before the ten seconds of this socket


def test_a_second_request_that_is_never_finished(plain):
    with running(plain, 0.4) as port, connected(port) as connection:
        assert answer(connection) == b"HTTP/1.1 200 OK"
        connection.sendall(b"GET /heal")
        assert connection.recv(100) == b""


def test_too_many_are_turned_away(plain, monkeypatch):
    monkeypatch.setattr(run, "most_connections", lambda: 2)
    with running(plain, 10) as port, connected(port) as one, connected(port) as two:
        assert answer(one) == answer(two) == b"HTTP/1.1 200 OK"
        with connected(port) as three, contextlib.suppress(ConnectionError):
            assert three.recv(100) == b""
        assert answer(one) == b"HTTP/1.1 200 OK"


def test_most_connections_leave_room_for_the_server_itself():
    assert 16 <= run.most_connections() <= 4096
