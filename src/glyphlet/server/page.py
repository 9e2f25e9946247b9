"""The files of the page at `/`: those that `glyphlet.web` makes, or a plain form."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

STATIC = Path(__file__).with_name("static")
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
STYLE = "serve.css"
"""The style of the form and of `/docs`."""


def page_files(with_token: bool) -> dict[str, tuple[bytes, str]]:
    """Path below `/` to content and media type; `index.html` is the page itself.

    Args:
        with_token: whether the server has a token; the page must then ask for it, which the form does.
    """
    own = {path.name: (path.read_bytes(), MEDIA_TYPES[path.suffix]) for path in sorted(STATIC.iterdir())}
    if with_token or importlib.util.find_spec("glyphlet.web") is None:
        return own
    made: dict[str, tuple[bytes, str]] = importlib.import_module("glyphlet.web").server_files()
    return {STYLE: own[STYLE], **made}


__all__ = ["MEDIA_TYPES", "STYLE", "page_files"]
