"""A static site that reads in the browser: the page, one model and onnxruntime-web in a folder.

Nothing of it asks another address, and its addresses are relative, so any web server shows it from any folder. The site appears whole or
not at all: it is made beside its place and moved there.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphlet import __version__
from glyphlet.errors import GlyphletError
from glyphlet.runtime.bundle import Bundle, open_model
from glyphlet.web import site_files
from glyphlet.web.ortweb import MODULE, VERSION, WASM, runtime_files

ABOUT = "site.json"
"""What the site says of itself; its presence tells that a folder is a site of ours."""
MODEL, RUNTIME = "model.onnx", "onnxruntime-web"
LICENCES = "licences.txt"
_LICENCES = """This folder holds

- a page and programs of Glyphlet, under the MIT licence (its text is below);
- onnxruntime-web {version} in the folder onnxruntime-web, taken unchanged from the package of this name on npm. Its package.json names
  the MIT licence; Copyright (c) Microsoft Corporation. All rights reserved. The notices of what it contains in turn stand in its
  source repository, github.com/microsoft/onnxruntime: ThirdPartyNotices.txt;
- the model {model}. Whoever made it says what may be done with it.

The MIT licence

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to
the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR
ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH
THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclass(frozen=True)
class Site:
    """A site that was built.

    Args:
        folder: where it lies.
        size: the bytes of all its files.
        files: how many they are.
        model: what the model is called.
    """

    folder: Path
    size: int
    files: int
    model: str


def build_site(model: str | Path, out: str | Path, *, runtime: str | Path | None = None, force: bool = False) -> Site:
    """Build a static site that reads with one model.

    Args:
        model: a model file, or the name of a model that ships.
        out: the folder of the site. An older site there is replaced.
        runtime: onnxruntime-web as a .tgz or an unpacked folder; None fetches it once with npm (`ortweb`).
        force: replace the folder whatever it holds.

    Raises:
        ModelFileError: the model cannot be read.
        RuntimeMissing: onnxruntime-web cannot be had.
        GlyphletError: the folder holds something else.
        OSError: the site cannot be written; what stood there before stands there still.
    """
    folder = Path(os.path.realpath(out))  # a link stays, and leads to the new site
    _check_place(folder, force)
    bundle = open_model(model)
    files = _contents(bundle, runtime)
    _appear(folder, files)
    return Site(folder, sum(map(len, files.values())), len(files), bundle.metadata.name)


def _check_place(folder: Path, force: bool) -> None:
    """Refuse to replace what is no site, or a site with files that were added to it."""
    if folder.exists() and not folder.is_dir():
        raise GlyphletError(f"{folder} is a file", allowed="a folder for the site", next_step="name another place")
    if force or not folder.exists():
        return
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    if others := sorted(found - _ours(folder)):
        raise GlyphletError(
            f"{folder} holds what is not of a site that Glyphlet built: {', '.join(others[:3])}",
            allowed="a folder that is new, empty, or holds an older site and nothing else",
            next_step="name another folder, or replace all that it holds with --force",
        )


def _ours(folder: Path) -> set[str]:
    """The files of the site in a folder, as it lists them itself."""
    try:
        return {ABOUT, *json.loads((folder / ABOUT).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _contents(bundle: Bundle, runtime: str | Path | None) -> dict[str, bytes]:
    """The files of a site, by their path in it."""
    files = {name: content for name, (content, _) in site_files().items()}
    ours = runtime_files(runtime)
    files[f"{RUNTIME}/ort.js"] = ours[MODULE]  # .js, for some web servers do not know .mjs
    files[f"{RUNTIME}/{WASM}"] = ours[WASM]
    files[MODEL] = bundle.path.read_bytes()
    files[LICENCES] = _LICENCES.format(version=VERSION, model=bundle.metadata.name).encode()
    files[ABOUT] = _about(bundle, files)
    return files


def _about(bundle: Bundle, files: dict[str, bytes]) -> bytes:
    about: dict[str, Any] = {
        "glyphlet": __version__,
        "model": bundle.metadata.name,
        "onnxruntime-web": VERSION,
        "bytes": sum(map(len, files.values())),
        "files": {name: len(content) for name, content in sorted(files.items())},
    }
    return json.dumps(about, ensure_ascii=False, indent=1).encode()


def _appear(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files beside the folder, and put them in its place."""
    part, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("part", "old"))
    try:
        for name, content in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    finally:
        if old.exists() and not folder.exists():  # stopped between the two
            old.rename(folder)
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


__all__ = ["ABOUT", "LICENCES", "MODEL", "RUNTIME", "Site", "build_site"]
