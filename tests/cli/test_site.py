"""`glyphlet site`, with stand-ins for onnxruntime-web."""

import json
from pathlib import Path

import pytest

from glyphlet.web.ortweb import MODULE, VERSION, WASM

FIXTURE = Path(__file__).parents[1] / "fixtures" / "format1.onnx"


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": VERSION}))
    for name in (MODULE, WASM):
        (folder / "dist" / name).write_bytes(b"x")
    return folder


def test_a_site(glyphlet, package, tmp_path):
    result = glyphlet("site", FIXTURE, tmp_path / "site", "--runtime", package)
    assert result.code == 0
    files = [path for path in (tmp_path / "site").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    assert result.out.splitlines() == [
        f"{tmp_path / 'site'}: {len(files)} files, {size:.1f} MB, reads with format1",
        f"Look at it: python -m http.server --bind 127.0.0.1 --directory {tmp_path / 'site'}",
    ]


def test_what_cannot_be_done_is_told_in_a_sentence(glyphlet, package, tmp_path, monkeypatch):
    glyphlet("site", "missing.onnx", tmp_path / "site", "--runtime", package).refused("missing.onnx does not exist")
    glyphlet("site", FIXTURE, package, "--runtime", package).refused("is not of a site", "dist/", "--force")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    glyphlet("site", FIXTURE, tmp_path / "site").refused("there is no npm", "apt-get install nodejs npm", "--runtime")
    assert not (tmp_path / "site").exists()
