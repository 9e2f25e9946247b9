"""onnxruntime-web, node, Chromium, and a web server in a thread. What a machine lacks makes its tests be skipped."""

import base64
import functools
import http.server
import io
import json
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from glyphlet import Reader
from glyphlet.web import PAGE
from glyphlet.web.ortweb import MODULE, PACKAGE, VERSION, RuntimeMissing, cache_folder, runtime_files
from glyphlet.web.site import build_site

HERE = Path(__file__).parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FIXTURE = HERE.parent / "fixtures" / "format1.onnx"


@pytest.fixture(scope="session")
def node():
    """Runs a node program of this folder, which prints JSON."""
    found = shutil.which("node")
    if not found:
        pytest.skip("there is no node")

    def run(*arguments):
        done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def ort_folder(tmp_path_factory):
    """What `npm install onnxruntime-web` leaves, as far as it is needed; node wants one file more than a browser."""
    try:
        files = runtime_files()
    except RuntimeMissing as error:
        pytest.skip(f"onnxruntime-web cannot be had: {error}")
    folder = tmp_path_factory.mktemp("npm") / "node_modules" / "onnxruntime-web"
    (folder / "dist").mkdir(parents=True)
    with tarfile.open(cache_folder() / PACKAGE) as package:
        files["ort-wasm-simd-threaded.mjs"] = package.extractfile("package/dist/ort-wasm-simd-threaded.mjs").read()
    for name, content in files.items():
        (folder / "dist" / name).write_bytes(content)
    about = {"name": "onnxruntime-web", "version": VERSION, "exports": {"./wasm": f"./dist/{MODULE}"}}
    (folder / "package.json").write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="session")
def node_reads(node, ort_folder, tmp_path_factory):
    """Reads uint8 (H, W, 3 or 4) arrays with a model file in node, by the modules of the page."""

    def read(model, arrays, pattern=""):
        images = tmp_path_factory.mktemp("node") / "images.json"
        images.write_text(json.dumps([raw(array) for array in arrays]))
        module = ort_folder / "dist" / MODULE
        return node(HERE / "node_read.mjs", PAGE, module, model, images, *([pattern] if pattern else []))["readings"]

    return read


def raw(array):
    """An array as the programs of this folder take it."""
    if array.shape[2] == 3:
        array = np.dstack([array, np.full(array.shape[:2], 255, np.uint8)])
    return {"width": array.shape[1], "height": array.shape[0], "rgba": base64.b64encode(array.tobytes()).decode()}


def written(text, size=28, ink=20, paper=245):
    """A line in Pillow's own font as uint8 (H, W, 3)."""
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (int(right - left) + 20, int(bottom - top) + 16), (paper,) * 3)
    ImageDraw.Draw(image).text((10 - left, 8 - top), text, font=font, fill=(ink, ink, ink + 30))
    return np.asarray(image)


def readings_of(reader, arrays):
    return [reader.read_one(array) for array in arrays]


@pytest.fixture(scope="session")
def site(ort_folder, tmp_path_factory):
    """The static site of `print`, in a subfolder of what is served."""
    root = tmp_path_factory.mktemp("www")
    build_site("print", root / "sub" / "site", runtime=ort_folder)
    return root


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, without a log."""

    def log_message(self, *arguments):
        pass


def serving(handler):
    """A server in a thread on a free port of this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="session")
def site_url(site):
    server = serving(functools.partial(Quiet, directory=str(site)))
    yield f"http://127.0.0.1:{server.server_port}/sub/site/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("there is no Chromium")
    flags = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()


class Visit:
    """A page, and what it asked for and complained of."""

    def __init__(self, context, url, ready=True):
        self.page = context.new_page()
        self.asked, self.complaints = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda message: self.complaints.append(message.text) if message.type == "error" else None
        )
        self.page.set_default_timeout(8000)
        self.page.goto(url)
        if ready:
            self.page.wait_for_selector("html[data-ready]")

    def read(self):
        """The text that the page shows, when it has read."""
        self.page.wait_for_selector("#status:empty", state="attached")
        self.page.wait_for_selector("#result:not([hidden]), #error:not([hidden]), #pattern-error:not([hidden])")
        return self.page.text_content("#text")

    def give(self, data, name="line.png", mime="image/png"):
        self.page.set_input_files("#file", {"name": name, "mimeType": mime, "buffer": data})
        return self.read()


@pytest.fixture
def visit(browser, site_url):
    """Opens the static site, or another address, in a window of its own."""
    contexts = []

    def open_page(url=site_url, ready=True, **options):
        contexts.append(browser.new_context(**options))
        return Visit(contexts[-1], url, ready)

    yield open_page
    for context in contexts:
        context.close()


def png(array):
    """An array as the bytes of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def shown(found):
    """The picture that a page shows, as a PNG."""
    address = found.page.evaluate("() => document.querySelector('#canvas').toDataURL('image/png')")
    return base64.b64decode(address.partition(",")[2])


LINE = written("Total 12.50", 32)


@pytest.fixture(scope="session")
def reader():
    return Reader("print")
