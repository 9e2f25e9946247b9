"""onnxruntime-web for a static site: fetched once by the user's own npm, checked, and kept.

One version is used, named with the SHA-512 that npm publishes of it. It is the build that runs on the CPU as WebAssembly, on one
thread: more threads would need a server that sends the headers of cross-origin isolation.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NoReturn

from glyphlet.errors import GlyphletError
from glyphlet.files import replace_file

VERSION = "1.30.0"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""Of the package as npm hands it out: `npm view onnxruntime-web@VERSION dist.integrity`."""
MODULE, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
"""The files of the package's folder `dist` that a page needs."""
PACKAGE = f"onnxruntime-web-{VERSION}.tgz"
TIMEOUT = 600
"""Seconds that npm may take."""
_ALLOWED = (
    f"onnxruntime-web {VERSION}: the .tgz that `npm pack onnxruntime-web@{VERSION}` writes, or its unpacked folder"
)


class RuntimeMissing(GlyphletError):
    """onnxruntime-web cannot be had, or is not what it should be."""


def cache_folder() -> Path:
    """Where the package is kept: `glyphlet` in $XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glyphlet"


def runtime_files(given: str | Path | None = None) -> dict[str, bytes]:
    """The files of onnxruntime-web that a page needs.

    Args:
        given: the package as a .tgz or an unpacked folder; None takes the kept one, and fetches it with npm where there is none.

    Returns:
        `MODULE` and `WASM`, by name.

    Raises:
        RuntimeMissing: npm is missing or fails, or what was found is another version or damaged.
    """
    if given is None:
        package = cache_folder() / PACKAGE
        return _from_package(package if _is_right(package) else _fetched(package))
    path = Path(given)
    return _from_folder(path) if path.is_dir() else _from_package(path)


def _is_right(package: Path) -> bool:
    return package.is_file() and _integrity(package.read_bytes()) == INTEGRITY


def _integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def _fetched(package: Path) -> Path:
    """Let npm fetch the package, and keep it when it is the right one."""
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeMissing(
            "a site needs onnxruntime-web, and there is no npm to fetch it with",
            allowed=_ALLOWED,
            next_step="install Node.js with npm (Debian: apt-get install nodejs npm), or give the package with --runtime",
        )
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="glyphlet-") as folder:
        command = [npm, "pack", f"onnxruntime-web@{VERSION}", "--pack-destination", folder, "--silent"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            _not_fetched(str(error))
        found = Path(folder) / PACKAGE
        if done.returncode or not found.is_file():
            _not_fetched(" ".join((done.stderr or done.stdout).split())[-300:] or f"exit code {done.returncode}")
        data = found.read_bytes()
    _check(data, "what npm fetched")
    replace_file(package, data)
    return package


def _not_fetched(reason: str) -> NoReturn:
    raise RuntimeMissing(
        f"npm could not fetch onnxruntime-web {VERSION}: {reason}",
        allowed=_ALLOWED,
        next_step="check the network and npm's registry, or give the package with --runtime",
    )


def _check(data: bytes, what: str) -> None:
    if _integrity(data) != INTEGRITY:
        raise RuntimeMissing(
            f"{what} is not onnxruntime-web {VERSION}: its SHA-512 differs",
            allowed=_ALLOWED,
            next_step="fetch it again",
        )


def _from_package(path: Path) -> dict[str, bytes]:
    if path.exists() and not path.is_file():
        raise RuntimeMissing(f"{path} is a pipe or a device", allowed=_ALLOWED, next_step="name the file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RuntimeMissing(
            f"{path} cannot be read: {error.strerror}", allowed=_ALLOWED, next_step="check the path"
        ) from error
    _check(data, str(path))
    with tarfile.open(path, "r:gz") as archive:
        members = ((name, archive.extractfile(f"package/dist/{name}")) for name in (MODULE, WASM))
        return {name: member.read() for name, member in members if member}


def _from_folder(folder: Path) -> dict[str, bytes]:
    try:
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
        files = {name: (folder / "dist" / name).read_bytes() for name in (MODULE, WASM)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RuntimeMissing(
            f"{folder} is not the unpacked package onnxruntime-web: {error}",
            allowed=_ALLOWED,
            next_step="name the folder that holds package.json and dist",
        ) from error
    if version != VERSION:
        raise RuntimeMissing(
            f"{folder} holds onnxruntime-web {version}",
            allowed=_ALLOWED,
            next_step="unpack this version, or leave --runtime out",
        )
    return files


__all__ = ["INTEGRITY", "MODULE", "PACKAGE", "VERSION", "WASM", "RuntimeMissing", "cache_folder", "runtime_files"]
