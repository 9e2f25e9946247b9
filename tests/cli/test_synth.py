"""`glyphlet synth` beyond what test_verbs and test_bad_input look at."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image, ImageFont

from glyphlet.data.labelfile import read_label_file


def texts_of(folder: Path) -> list[str]:
    return [sample.text for sample in read_label_file(folder / "labels.txt")]


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def font(tmp_path) -> Path:
    path = tmp_path / "fonts" / "a.ttf"
    path.parent.mkdir()
    path.write_bytes(ImageFont.load_default(20).font_bytes)
    return path


def test_any_setting_can_be_given(glyphlet, tmp_path):
    options = ["--set", "text=pattern", "--set", r"pattern=[A-Z]{2}\d{6}", "--set", "papers=['#ffffff']"]
    looks = ["--set", "looks=[{name: shadow, p: 0.5}]", "--set", "margins=[0.1, 0.2]"]
    result = glyphlet("synth", tmp_path / "set", "--count", 5, "--spacing", "proportional", *options, *looks)
    assert (result.code, result.err) == (0, "")
    assert all(re.fullmatch(r"[A-Z]{2}\d{6}", text) for text in texts_of(tmp_path / "set"))
    settings = json.loads((tmp_path / "set" / "synth.json").read_text())["spec"]
    assert settings["looks"] == [{"name": "shadow", "p": 0.5}]
    assert settings["count"] == 5


def test_settings_of_a_recipe(glyphlet, tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "charset: {text: abc}\ndata:\n  train: {count: 3, min_length: 2, max_length: 2}\n  test: {count: 4}\n"
    )
    assert glyphlet("synth", tmp_path / "a", "--recipe", recipe, "--seed", 5).code == 0
    assert [len(text) for text in texts_of(tmp_path / "a")] == [2, 2, 2]
    assert set("".join(texts_of(tmp_path / "a"))) <= set("abc")
    assert glyphlet("synth", tmp_path / "b", "--recipe", recipe, "--stream", "test").code == 0
    assert [len(text) for text in texts_of(tmp_path / "b")] == [4] * 4
    recipe.write_text("data: {train: [labels.txt]}\n")
    glyphlet("synth", tmp_path / "c", "--recipe", recipe).refused("renders 0 sets of lines")


def test_the_same_command_again_does_nothing_and_other_settings_are_refused(glyphlet, tmp_path):
    command = ["synth", tmp_path / "set", "--count", 3]
    assert glyphlet(*command).code == 0
    before = content(tmp_path / "set")
    assert glyphlet(*command).code == 0
    glyphlet(*command, "--seed", 2).refused("is not empty: its set has another seed 0")
    assert content(tmp_path / "set") == before


def test_jpeg_and_sheet(glyphlet, tmp_path):
    assert glyphlet("synth", tmp_path / "set", "--count", 2, "--jpeg", 70, "--sheet", tmp_path / "s.png").code == 0
    with Image.open(tmp_path / "set" / "images" / "000001.jpg") as image:
        assert image.format == "JPEG"
    assert (tmp_path / "s.png").is_file()


def test_a_set_that_was_killed_is_gone_on_with(glyphlet, tmp_path):
    options = ["--count", "300", "--workers", "2", "--background", "textured", "--length", "10-30", "--set", "seed=3"]
    command = [sys.executable, "-m", "glyphlet", "synth", str(tmp_path / "a"), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "a").glob("images/*.png")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "a" / "labels.txt").exists()
    count = -1
    while count != (count := len(list((tmp_path / "a" / "images").iterdir()))):
        time.sleep(0.3)  # its workers end by themselves
    assert 0 < count < 300
    options[3] = "1"
    assert glyphlet("synth", tmp_path / "a", *options).code == 0
    assert glyphlet("synth", tmp_path / "b", *options).code == 0
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_audit(glyphlet, tmp_path, font):
    (tmp_path / "c.txt").write_text("a\nb\n中\n", encoding="utf-8")
    (font.parent / "bad.ttf").write_bytes(b"nothing")
    result = glyphlet("synth", "--audit", "--charset", tmp_path / "c.txt", "--font", font.parent)
    assert result.code == 1
    assert f"{font}: 2 of 3 characters; 1 missing (drawn as a box): 中\n" in result.out
    assert "bad.ttf cannot be used" in result.out
    assert "1 of 3 characters are in no font: 中" in result.out
    result = glyphlet("synth", "--audit", "--json", "--charset", tmp_path / "c.txt", "--font", font)
    found = json.loads(result.out)
    assert (result.code, found["in_no_font"], found["fonts"][0]["covered"]) == (1, "中", 2)
    assert glyphlet("synth", "--audit", "--charset", "digits").code == 0


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ([], "there is no folder to write to"),
        (["x", "--set", "txt=1"], "there is no setting data.train.txt (did you mean 'text'?)"),
        (["x", "--set", "text=pattern", "--set", "pattern=[A-"], "character 1: a '[' without its ']'"),
        (["x", "--set", "looks=[{name: blur}]"], "there is no look named 'blur'"),
        (["x", "--set", "effects=[{name: blurr}]"], "there is no effect named 'blurr'"),
        (["x", "--set", "glyphs=none.npz"], "none.npz cannot be used"),
        (["x", "--background", "photos"], "background: photos together with photos"),
        (["x", "--recipe", "none.yaml"], "there is no recipe 'none.yaml'"),
        (["--audit", "--font", "none.ttf"], "none.ttf does not exist"),
    ],
)
def test_bad_settings(glyphlet, tmp_path, monkeypatch, options, fragment):
    monkeypatch.chdir(tmp_path)
    glyphlet("synth", *options).refused(fragment)
    assert not (tmp_path / "x").exists()
