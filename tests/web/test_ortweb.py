"""Where onnxruntime-web comes from: npm once, the kept package, or what is given. Its bytes are checked."""

import io
import json
import tarfile

import pytest

from glyphlet.web import ortweb
from glyphlet.web.ortweb import MODULE, PACKAGE, VERSION, WASM, RuntimeMissing, runtime_files


def package_of(content=b"wasm"):
    """A package as npm packs it, with stand-ins."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in (("package.json", b"{}"), (f"dist/{MODULE}", b"module"), (f"dist/{WASM}", content)):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A program npm of our own, which counts its calls; `npm(data)` says what it packs."""
    calls = tmp_path / "calls"

    def packs(data, code=0):
        (tmp_path / "packed").write_bytes(data)
        program = tmp_path / "bin" / "npm"
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            f'#!/bin/sh\necho "$@" >> {calls}\n[ {code} = 0 ] || {{ echo "E404 no such package" >&2; exit {code}; }}\n'
            f'cp {tmp_path / "packed"} "$4/{PACKAGE}"\n'
        )
        program.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    packs.calls = lambda: calls.read_text().splitlines() if calls.exists() else []
    return packs


@pytest.fixture
def right(monkeypatch):
    data = package_of()
    monkeypatch.setattr(ortweb, "INTEGRITY", ortweb._integrity(data))
    return data


def test_the_digest_is_the_one_of_npm():
    """SHA-512 of nothing, in base64, as it stands in a package-lock.json."""
    assert ortweb._integrity(b"") == (
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
    )


def test_it_is_fetched_once(npm, right, tmp_path):
    npm(right)
    assert runtime_files() == {MODULE: b"module", WASM: b"wasm"}
    assert runtime_files() == {MODULE: b"module", WASM: b"wasm"}
    (call,) = npm.calls()
    assert call.startswith(f"pack onnxruntime-web@{VERSION} --pack-destination ")
    assert (tmp_path / "cache" / "glyphlet" / PACKAGE).read_bytes() == right


def test_a_damaged_package_is_fetched_again(npm, right, tmp_path):
    npm(right)
    kept = tmp_path / "cache" / "glyphlet" / PACKAGE
    kept.parent.mkdir(parents=True)
    kept.write_bytes(right[:-3])
    assert runtime_files()[WASM] == b"wasm"
    assert len(npm.calls()) == 1


def test_another_package_is_refused_and_not_kept(npm, right, tmp_path):
    npm(package_of(b"something else"))
    with pytest.raises(RuntimeMissing, match=f"what npm fetched is not onnxruntime-web {VERSION}: its SHA-512 differs"):
        runtime_files()
    assert not (tmp_path / "cache" / "glyphlet" / PACKAGE).exists()


def test_no_npm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(RuntimeMissing, match=r"no npm.*Next: install Node.js with npm .*--runtime"):
        runtime_files()


def test_npm_fails(npm, right):
    npm(right, code=1)
    with pytest.raises(
        RuntimeMissing, match="npm could not fetch onnxruntime-web .*E404 no such package.*Next: check the network"
    ):
        runtime_files()


def test_npm_hangs(npm, right, tmp_path, monkeypatch):
    npm(right)
    (tmp_path / "bin" / "npm").write_text("#!/bin/sh\nexec sleep 5\n")
    monkeypatch.setattr(ortweb, "TIMEOUT", 0.1)
    with pytest.raises(RuntimeMissing, match="timed out"):
        runtime_files()


def test_a_package_that_is_given(right, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    package = tmp_path / "given.tgz"
    package.write_bytes(right)
    assert runtime_files(package) == {MODULE: b"module", WASM: b"wasm"}
    package.write_bytes(right + b"!")
    with pytest.raises(RuntimeMissing, match="given.tgz is not onnxruntime-web"):
        runtime_files(package)
    with pytest.raises(RuntimeMissing, match="missing.tgz cannot be read: No such file"):
        runtime_files(tmp_path / "missing.tgz")


def test_a_folder_that_is_given(tmp_path):
    with pytest.raises(RuntimeMissing, match="is not the unpacked package"):
        runtime_files(tmp_path)
    (tmp_path / "dist").mkdir()
    for name in (MODULE, WASM):
        (tmp_path / "dist" / name).write_bytes(name.encode())
    (tmp_path / "package.json").write_text(json.dumps({"version": "1.2.3"}))
    with pytest.raises(RuntimeMissing, match="holds onnxruntime-web 1.2.3"):
        runtime_files(tmp_path)
    (tmp_path / "package.json").write_text(json.dumps({"version": VERSION}))
    assert runtime_files(tmp_path) == {MODULE: MODULE.encode(), WASM: WASM.encode()}
