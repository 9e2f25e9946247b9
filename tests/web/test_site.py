"""A site appears whole or not at all, holds no outside address, and replaces only what is a site."""

import json
import re
from pathlib import Path

import pytest

from glyphlet import GlyphletError
from glyphlet.errors import ModelFileError
from glyphlet.runtime.shipped import model_path
from glyphlet.web import server_files, site_files
from glyphlet.web.ortweb import MODULE, VERSION, WASM
from glyphlet.web.site import build_site
from web.conftest import FIXTURE


@pytest.fixture
def package(tmp_path):
    """What stands in for onnxruntime-web, unpacked."""
    folder = tmp_path / "package"
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": VERSION}))
    (folder / "dist" / MODULE).write_text("export {};")
    (folder / "dist" / WASM).write_bytes(b"\0asm")
    return folder


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_it_holds(package, tmp_path):
    made = build_site("digits", tmp_path / "site", runtime=package)
    files = files_of(tmp_path / "site")
    assert files["model.onnx"] == model_path("digits").read_bytes()
    assert files["onnxruntime-web/ort.js"] == b"export {};"
    assert files[f"onnxruntime-web/{WASM}"] == b"\0asm"
    assert {*site_files(), "licences.txt", "site.json"} < files.keys()
    about = json.loads(files["site.json"])
    assert about["files"] == {name: len(content) for name, content in files.items() if name != "site.json"}
    assert about["bytes"] == sum(about["files"].values())
    assert (about["model"], about["onnxruntime-web"], made.model) == ("digits", VERSION, "digits")
    assert (made.size, made.files) == (sum(map(len, files.values())), len(files))
    assert b"Microsoft" in files["licences.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["package", "site"]


@pytest.mark.parametrize("made", [site_files, server_files])
def test_no_outside_address_and_no_code_in_the_page(made):
    files = made()
    for name, (content, _) in files.items():
        addresses = re.findall(r"(?:https?:)?//[a-z0-9][\w.-]+\.[a-z]{2,}", content.decode())
        assert [found for found in addresses if "w3.org" not in found] == [], name  # the name of SVG is no address
    page = files["index.html"][0].decode()
    assert "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'" in page
    assert re.search(r"<script(?![^>]* src=)|\bstyle=|\bon\w+=|<style", page) is None


@pytest.mark.parametrize("made", [site_files, server_files])
def test_every_module_that_is_imported_is_there(made):
    files = made()
    assert files["index.html"][1] == "text/html; charset=utf-8"
    wanted = {"app.js", "style.css", "icon.svg"}
    for name, (content, media_type) in files.items():
        if name.endswith(".js"):
            assert media_type == "text/javascript; charset=utf-8"
            wanted |= set(re.findall(r'from "\./([^"]+)"', content.decode()))
    assert wanted - files.keys() <= {"onnxruntime-web/ort.js"}
    assert ("model.js" in files) == (made is site_files)


def test_an_older_site_is_replaced(package, tmp_path):
    build_site("print", tmp_path / "site", runtime=package)
    build_site(FIXTURE, tmp_path / "site", runtime=package)
    assert (tmp_path / "site" / "model.onnx").read_bytes() == FIXTURE.read_bytes()


@pytest.mark.parametrize("older", [False, True])
def test_files_of_others_are_kept_unless_forced(package, tmp_path, older):
    site = tmp_path / "site"
    if older:
        build_site(FIXTURE, site, runtime=package)
    site.mkdir(exist_ok=True)
    (site / "thesis.txt").write_text("years of work")
    with pytest.raises(GlyphletError, match="thesis.txt.*Next: name another folder, or .*--force"):
        build_site(FIXTURE, site, runtime=package)
    assert (site / "thesis.txt").read_text() == "years of work"
    build_site(FIXTURE, site, runtime=package, force=True)
    assert not (site / "thesis.txt").exists()


def test_an_empty_folder_will_do_and_a_file_will_not(package, tmp_path):
    (tmp_path / "empty").mkdir()
    assert build_site(FIXTURE, tmp_path / "empty", runtime=package).model == "format1"
    (tmp_path / "file").write_text("")
    with pytest.raises(GlyphletError, match="is a file"):
        build_site(FIXTURE, tmp_path / "file", runtime=package, force=True)


def test_a_full_disk_leaves_the_old_site(package, tmp_path, monkeypatch):
    site = tmp_path / "site"
    build_site(FIXTURE, site, runtime=package)
    before = files_of(site)
    write = Path.write_bytes

    def full(self, data):
        if self.name == "model.onnx":
            raise OSError(28, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        build_site("digits", site, runtime=package)
    assert files_of(site) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["package", "site"]


def test_a_stop_between_the_old_site_and_the_new_one(package, tmp_path, monkeypatch):
    site = tmp_path / "site"
    build_site(FIXTURE, site, runtime=package)
    before = files_of(site)
    rename = Path.rename

    def stopped(self, target):
        if self.name.endswith(".part"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        build_site("digits", site, runtime=package)
    assert files_of(site) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["package", "site"]


def test_a_model_that_is_none_is_told_before_anything_is_made(package, tmp_path):
    with pytest.raises(ModelFileError):
        build_site(tmp_path / "missing.onnx", tmp_path / "site", runtime=package)
    assert not (tmp_path / "site").exists()
