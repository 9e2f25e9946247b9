"""A server in this process, around a model whose output is known: it reads stripes of grey (see tests/runtime)."""

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import onnx
import pytest
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.image import Geometry
from glyphlet.runtime import bundle
from glyphlet.runtime.metadata import Metadata
from glyphlet.runtime.reader import Reader
from glyphlet.server.app import create_app
from glyphlet.server.settings import Settings
from runtime.conftest import grey_graph

ADDRESS = "http://127.0.0.1"


def drawn(text: str) -> np.ndarray:
    """Stripes of 8 columns: a digit is so many tenths of white; white goes between."""
    columns = [255, *(grey for digit in text for grey in (round(25.5 * int(digit)), 255))]
    return np.repeat(np.array(columns, np.uint8)[None], 32, 0).repeat(8, 1)


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """The model of tests/runtime: it reads levels of grey."""
    metadata = Metadata("grey", Charset.named("digits"), Geometry(mean=0.0, std=1.0), time_stride=4)
    file = grey_graph()
    file.producer_name = bundle.PRODUCER
    properties = {bundle.DESCRIPTION_KEY: metadata.to_json(), bundle.DIGEST_KEY: bundle.UNSEALED.decode()}
    onnx.helper.set_model_props(file, properties)
    path = tmp_path_factory.mktemp("server") / "grey.onnx"
    path.write_bytes(bundle.seal(file.SerializeToString()))
    return path


@pytest.fixture(scope="session")
def plain(model_file) -> Reader:
    return Reader(model_file, threads=1)


@pytest.fixture
def png():
    """The PNG file of a line of digits."""
    return lambda text: encoded(drawn(text))


class Held:
    """A reader that waits for `go` before it reads, and notes how many images it was given each time."""

    def __init__(self, reader: Reader) -> None:
        self.inner, self.metadata = reader, reader.metadata
        self.go, self.begun = threading.Event(), threading.Event()
        self.sizes: list[int] = []
        self.error: Exception | None = None

    def read(self, sources, batch=32):
        self.sizes.append(len(sources))
        self.begun.set()
        assert self.go.wait(20)
        if self.error:
            raise self.error
        return self.inner.read(sources, batch)

    def read_one(self, source):
        return self.inner.read_one(source)

    def using(self, decoding):
        return self.inner.using(decoding)


@pytest.fixture
def held(plain):
    reader = Held(plain)
    yield reader
    reader.go.set()


@pytest.fixture
def serving(plain):
    """Runs `await scenario(client)` against a server of these settings; `client.app` is the application."""

    def run(scenario, reader=None, client_options=None, **settings):
        async def main():
            app = create_app(reader or plain, Settings(**settings))
            transport = httpx.ASGITransport(app)
            options = {"base_url": ADDRESS, **(client_options or {})}
            async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, **options) as client:
                client.app = app
                return await scenario(client)

        with ThreadPoolExecutor(1) as pool:  # Playwright leaves a running loop in the main thread
            return pool.submit(asyncio.run, main()).result()

    return run


@pytest.fixture
def ask(serving):
    """One request to a server of these settings."""

    def run(method, path, settings=None, **request):
        async def scenario(client):
            return await client.request(method, path, **request)

        return serving(scenario, **(settings or {}))

    return run


def refused(response, status, *fragments):
    """An error in the one form, which holds these fragments."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"problem", "allowed", "next"}
    assert all(isinstance(value, str) for value in body["error"].values())
    assert body["error"]["next"]
    for fragment in fragments:
        assert fragment in f"{body['error']['problem']} {body['error']['allowed']} {body['error']['next']}"


@pytest.fixture(name="refused")
def refused_():
    return refused
