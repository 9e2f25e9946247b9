"""The files of the page at `/`, which `glyphlet.web` makes, and the style of `/docs`."""

from __future__ import annotations

from pathlib import Path

from glyphlet.web import MEDIA_TYPES, server_files

STYLE = "serve.css"
"""The style of `/docs`."""


def page_files() -> dict[str, tuple[bytes, str]]:
    """Path below `/` to content and media type; `index.html` is the page itself, which asks for the token where there is one."""
    style = Path(__file__).with_name("static") / STYLE
    return {STYLE: (style.read_bytes(), MEDIA_TYPES[style.suffix]), **server_files()}


__all__ = ["STYLE", "page_files"]
