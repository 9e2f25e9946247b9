from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError
from glyphlet.spec import SynthSpec
from glyphlet.synth.dataset import ImageFormat, contact_sheet, write_set
from glyphlet.synth.render import RenderedLine, RenderedSet

DIGITS = Charset.named("digits")


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder).as_posix()) for p in folder.rglob("*") if p.is_file())


def test_images_and_labels_are_the_rendered_lines(tmp_path: Path):
    calls: list[tuple[int, int]] = []
    path = write_set(SynthSpec(count=3), DIGITS, tmp_path / "new" / "set", "test", lambda *a: calls.append(a))
    assert path == tmp_path / "new" / "set" / "labels.txt"
    lines = RenderedSet(SynthSpec(count=3), DIGITS, "test")
    expected = "".join(f"images/{i:06d}.png\t{line.text}\n" for i, line in enumerate(lines))
    assert path.read_bytes() == expected.encode()
    for i, line in enumerate(lines):
        with Image.open(path.parent / f"images/{i:06d}.png") as image:
            np.testing.assert_array_equal(np.asarray(image), np.asarray(line.image))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    images = ["images/000000.png", "images/000001.png", "images/000002.png"]
    assert files_in(path.parent) == [*images, "labels.txt", "synth.json"]


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(GlyphletError, match="is not empty"):
        write_set(SynthSpec(count=1), DIGITS, tmp_path)
    assert files_in(tmp_path) == ["mine.txt"]


def test_overwriting_leaves_nothing_of_the_old_set_and_all_other_files(tmp_path: Path):
    write_set(SynthSpec(count=3), DIGITS, tmp_path)
    (tmp_path / "images" / "mine.png").write_bytes(b"x")
    write_set(SynthSpec(count=1), DIGITS, tmp_path, overwrite=True)
    assert files_in(tmp_path) == ["images/000000.png", "images/mine.png", "labels.txt", "synth.json"]
    assert (tmp_path / "labels.txt").read_text().count("\n") == 1


def test_a_bad_spec_touches_nothing(tmp_path: Path):
    write_set(SynthSpec(count=1), DIGITS, tmp_path)
    with pytest.raises(GlyphletError, match="does not exist"):
        write_set(SynthSpec(fonts=["none.ttf"]), DIGITS, tmp_path, overwrite=True)
    assert files_in(tmp_path) == ["images/000000.png", "labels.txt", "synth.json"]
    with pytest.raises(GlyphletError, match="does not exist"):
        write_set(SynthSpec(fonts=["none.ttf"]), DIGITS, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_full_disk_is_a_clear_error_and_what_is_there_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write = Path.write_bytes
    written: list[str] = []

    def full(self: Path, data: bytes) -> int:
        if "000002" in self.name and not written:
            write(self, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(GlyphletError, match=r"the disk is full: 2 of 9 lines .* no labels\.txt.*same command again"):
        write_set(SynthSpec(count=9), DIGITS, tmp_path / "a")
    assert files_in(tmp_path / "a") == ["images/000000.png", "images/000001.png", "synth.json"]
    written.append("now")
    monkeypatch.setattr(ImageFormat, "encode", counted(ImageFormat.encode, written))
    write_set(SynthSpec(count=9), DIGITS, tmp_path / "a")
    assert len(written) == 1 + 7
    write_set(SynthSpec(count=9), DIGITS, tmp_path / "b")
    assert content(tmp_path / "a") == content(tmp_path / "b")


def counted(function: Callable[..., bytes], calls: list[str]) -> Callable[..., bytes]:
    def wrapper(*values: object) -> bytes:
        calls.append("")
        return function(*values)

    return wrapper


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files_in(folder)}


def test_a_disk_that_is_full_at_the_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name == "labels.txt":
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(GlyphletError, match=r"the disk is full: 2 of 2 lines"):
        write_set(SynthSpec(count=2), DIGITS, tmp_path)
    assert files_in(tmp_path) == ["images/000000.png", "images/000001.png", "synth.json"]


def test_a_set_that_is_complete_is_left_alone(tmp_path: Path):
    write_set(SynthSpec(count=2), DIGITS, tmp_path)
    (tmp_path / "images/000001.png").write_bytes(b"mended by hand")
    calls: list[tuple[int, int]] = []
    write_set(SynthSpec(count=2), DIGITS, tmp_path, progress=lambda *a: calls.append(a))
    assert calls == [(2, 2)]
    assert (tmp_path / "images/000001.png").read_bytes() == b"mended by hand"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "another seed 0"),
        ({"count": 9}, "another count 3"),
        ({"background": "random"}, 'background "plain"'),
    ],
)
def test_a_set_of_other_settings_is_refused_and_the_setting_named(
    tmp_path: Path, change: dict[str, object], named: str
):
    write_set(SynthSpec(count=3), DIGITS, tmp_path)
    before = content(tmp_path)
    with pytest.raises(GlyphletError, match=f"is not empty: its set has .*{named}"):
        write_set(SynthSpec.model_validate({"count": 3, **change}), DIGITS, tmp_path)
    with pytest.raises(GlyphletError, match="has another stream"):
        write_set(SynthSpec(count=3), DIGITS, tmp_path, "test")
    with pytest.raises(GlyphletError, match="has another charset"):
        write_set(SynthSpec(count=3), Charset.from_text("123"), tmp_path)
    assert content(tmp_path) == before


def test_leftovers_are_removed_when_it_goes_on(tmp_path: Path):
    write_set(SynthSpec(count=3), DIGITS, tmp_path)
    before = content(tmp_path)
    (tmp_path / "labels.txt").unlink()
    (tmp_path / "images/000001.png").unlink()
    for name in ("000001.png.part", "000007.png"):
        (tmp_path / "images" / name).write_bytes(b"x")
    write_set(SynthSpec(count=3), DIGITS, tmp_path)
    assert content(tmp_path) == before


def test_any_number_of_processes_writes_the_same_set(tmp_path: Path):
    spec = SynthSpec(count=150, background="random", spacing="proportional")
    calls: list[tuple[int, int]] = []
    write_set(spec, DIGITS, tmp_path / "one")
    write_set(spec, DIGITS, tmp_path / "two", workers=2, progress=lambda *a: calls.append(a))
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert sorted(calls) == [(i, 150) for i in range(1, 151)]


def test_jpeg(tmp_path: Path):
    path = write_set(SynthSpec(count=1), DIGITS, tmp_path, image_format=ImageFormat("jpeg", 60))
    assert path.read_text().startswith("images/000000.jpg\t")
    with Image.open(tmp_path / "images/000000.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (120, 30))


def test_a_file_where_the_folder_should_be(tmp_path: Path):
    (tmp_path / "set").write_text("x")
    with pytest.raises(GlyphletError, match="cannot be written to"):
        write_set(SynthSpec(count=1), DIGITS, tmp_path / "set")


def test_contact_sheet_holds_every_line_in_its_cell():
    lines = [RenderedLine(Image.new("RGB", (10 + i, 5), (i, 0, 0)), "", ()) for i in range(3)]
    sheet = contact_sheet(lines, columns=2)
    assert sheet.size == (2 * (12 + 4) + 4, 2 * (5 + 4) + 4)
    assert [sheet.getpixel(at) for at in ((4, 4), (20, 4), (4, 13), (20, 13))] == [
        (0, 0, 0),
        (1, 0, 0),
        (2, 0, 0),
        (128, 128, 128),
    ]


def test_an_empty_contact_sheet_is_refused():
    with pytest.raises(GlyphletError, match="0 lines in 4 columns"):
        contact_sheet([])
