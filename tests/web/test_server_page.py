"""The page as `glyphlet serve` shows it, with the real server behind it."""

import threading
import time

import pytest
import uvicorn

from glyphlet import Decoding, Reader
from glyphlet.server.app import create_app
from glyphlet.server.settings import Settings
from web.conftest import png, written


@pytest.fixture(scope="module")
def servers():
    """One without a token, and one that wants a token: their addresses, and what was posted."""
    posted: list[tuple[str, bytes]] = []
    started = [
        Running(recorded(create_app(Reader("print", threads=1), Settings(token=t)), posted))
        for t in ("", "open-sesame-open-sesame")
    ]
    yield [one.address for one in started], posted
    for one in started:
        one.stop()


class Running:
    """A server in a thread of its own, on a free port of this machine."""

    def __init__(self, app):
        self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        until = time.monotonic() + 20
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}/"

    def stop(self):
        self.server.should_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()


def recorded(app, posted):
    """The same application; media type and body of each request that is let through go into `posted`."""

    async def recording(scope, receive, send):
        body, types = [], [value.decode() for name, value in scope.get("headers", ()) if name == b"content-type"]

        async def heard():
            message = await receive()
            if scope.get("method") == "POST" and message["type"] == "http.request":
                body.append(message.get("body", b""))
                if not message.get("more_body"):
                    posted.append((types[0], b"".join(body)))
            return message

        await app(scope, heard, send)

    return recording


def test_a_file_is_sent_as_it_is_and_a_part_as_png(visit, servers):
    (address, _), posted = servers
    line = png(written("Total 12.50", 32))
    found = visit(address)
    assert found.page.text_content("#model") == "reads with print"
    assert found.give(line) == "Total 12.50"
    assert posted[-1] == ("image/png", line)
    found.page.click("#crop-details summary")
    found.page.fill("#crop-width", "90")
    found.page.press("#crop-width", "Enter")
    found.page.wait_for_selector("#overlay .frame", state="attached")
    assert found.read().startswith("Tota")
    assert posted[-1][0] == "image/png"
    assert posted[-1][1] != line
    assert [url for url in found.asked if not url.startswith(address)] == []


def test_a_pattern_its_reason_and_its_error(visit, servers):
    (address, _), posted = servers
    line = written("Total 12.50", 32)
    found = visit(address)
    found.give(png(line))

    def asked(pattern):
        found.page.fill("#pattern", pattern)
        with found.page.expect_response("**/v1/read*"):
            found.page.press("#pattern", "Enter")
        return found.read()

    assert (
        asked("[A-Z ]+") == Reader("print", decoding=Decoding(pattern="[A-Z ]+")).read_one(line).text != "Total 12.50"
    )
    assert asked(".{900}") == ""
    assert "needs at least 900 time steps" in found.page.text_content("#reason")
    asked("[a")
    assert "character 1: a '[' without its ']'" in found.page.text_content("#pattern-error")
    assert found.page.get_attribute("#pattern", "aria-invalid") == "true"
    assert not found.page.is_visible("#result")
    before = len(posted)
    assert asked("") == "Total 12.50"
    assert len(posted) == before + 1
    assert found.page.get_attribute("#pattern", "aria-invalid") == "false"


def test_a_server_that_wants_a_token(visit, servers):
    (_, address), _ = servers
    found = visit(address, ready=False)
    found.page.wait_for_selector("#token-form:not([hidden])")
    assert "wants a token" in found.page.text_content("#error")
    found.page.fill("#token", "wrong")
    found.page.press("#token", "Enter")
    found.page.wait_for_selector("#error:not([hidden])")
    found.page.fill("#token", "open-sesame-open-sesame")
    found.page.press("#token", "Enter")
    found.page.wait_for_selector("html[data-ready]")
    assert not found.page.is_visible("#token-form")
    assert not found.page.is_visible("#error")
    assert found.give(png(written("Total 12.50", 32))) == "Total 12.50"
