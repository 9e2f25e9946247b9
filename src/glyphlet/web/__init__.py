"""The page to try a model with.

    page/         the page: HTML, CSS and JavaScript modules without a build step
    site.py       a folder with the page, a model and onnxruntime-web that reads in the browser
    ortweb.py     where onnxruntime-web comes from: the user's npm
    vectors.py    images and the arrays that must come out of them, for readers in other languages

The page asks one module for readings, `engine.js`. Served by `glyphlet serve` it is `engine-server.js`, which posts to `/v1/read`; on a
static site it is `engine-local.js`, which runs the model.
"""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).with_name("page")
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""By the ending of a file of the page."""
_SERVER_ONLY, _LOCAL_ONLY = ("engine-server.js",), (
    "engine-local.js", "model.js", "metadata.js", "preprocess.js", "decode.js",
    "calibration.js", "pattern.js", "regex.js", "charset.js", "automaton.js", "named.js", "beam.js", "align.js",
)  # fmt: skip


def server_files() -> dict[str, tuple[bytes, str]]:
    """The page that a server shows: it posts images to `v1/read` beside it.

    Returns:
        For each path, relative to the page's own folder: the content and its media type. `index.html` is the page.

    >>> content, media_type = server_files()["index.html"]
    >>> media_type
    'text/html; charset=utf-8'
    """
    return _files("engine-server.js", _LOCAL_ONLY)


def site_files() -> dict[str, tuple[bytes, str]]:
    """The same page for a static site: it reads in the browser with the model and the onnxruntime-web beside it."""
    return _files("engine-local.js", _SERVER_ONLY)


def _files(engine: str, left_out: tuple[str, ...]) -> dict[str, tuple[bytes, str]]:
    files = {
        path.name: (path.read_bytes(), MEDIA_TYPES[path.suffix])
        for path in sorted(PAGE.iterdir())
        if path.suffix in MEDIA_TYPES and path.name not in left_out
    }
    files["engine.js"] = files.pop(engine)
    return files


__all__ = ["MEDIA_TYPES", "PAGE", "server_files", "site_files"]
