from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError
from glyphlet.spec import SynthSpec
from glyphlet.synth.dataset import contact_sheet, write_set
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
    assert files_in(path.parent) == ["images/000000.png", "images/000001.png", "images/000002.png", "labels.txt"]


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(GlyphletError, match="is not empty"):
        write_set(SynthSpec(count=1), DIGITS, tmp_path)
    assert files_in(tmp_path) == ["mine.txt"]


def test_overwriting_leaves_nothing_of_the_old_set_and_all_other_files(tmp_path: Path):
    write_set(SynthSpec(count=3), DIGITS, tmp_path)
    (tmp_path / "images" / "mine.png").write_bytes(b"x")
    write_set(SynthSpec(count=1), DIGITS, tmp_path, overwrite=True)
    assert files_in(tmp_path) == ["images/000000.png", "images/mine.png", "labels.txt"]
    assert (tmp_path / "labels.txt").read_text().count("\n") == 1


def test_a_bad_spec_touches_nothing(tmp_path: Path):
    write_set(SynthSpec(count=1), DIGITS, tmp_path)
    with pytest.raises(GlyphletError, match="does not exist"):
        write_set(SynthSpec(fonts=["none.ttf"]), DIGITS, tmp_path, overwrite=True)
    assert files_in(tmp_path) == ["images/000000.png", "labels.txt"]
    with pytest.raises(GlyphletError, match="does not exist"):
        write_set(SynthSpec(fonts=["none.ttf"]), DIGITS, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_full_disk_is_a_clear_error_and_leaves_no_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save = Image.Image.save

    def full(self: Image.Image, path: Path, **options: object) -> None:
        if "000002" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, path, **options)

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(GlyphletError, match=r"the disk is full: 2 of 9 lines .* no labels\.txt"):
        write_set(SynthSpec(count=9), DIGITS, tmp_path)
    assert "labels.txt" not in files_in(tmp_path)


def test_a_disk_that_is_full_at_the_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(GlyphletError, match=r"the disk is full: 2 of 2 lines"):
        write_set(SynthSpec(count=2), DIGITS, tmp_path)
    assert files_in(tmp_path) == ["images/000000.png", "images/000001.png"]


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
