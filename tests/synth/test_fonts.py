from __future__ import annotations

import string
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont, features

from glyphlet.errors import GlyphletError
from glyphlet.synth.fonts import Face, Glyph, coverage, find_faces, load, needs_shaping
from glyphlet.synth.strike import glyph, kerning


def test_no_fonts_means_pillows_own():
    assert find_faces([]) == [Face()]
    assert str(Face()) == "Pillow's own font"


def test_files_folders_and_collections_in_order(tmp_path: Path, font_bytes: bytes, collection: Path):
    for name in ("fonts/deep/b.TTF", "fonts/a.otf", "fonts/readme.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(font_bytes)
    faces = find_faces([str(tmp_path / "fonts"), f"{collection}#1", str(collection), str(collection)])
    assert [(Path(f.path).name, f.index) for f in faces] == [("a.otf", 0), ("b.TTF", 0), ("two.ttc", 1), ("two.ttc", 0)]
    assert str(faces[2]) == f"{collection}#1"


def test_a_missing_font_is_named(tmp_path: Path):
    with pytest.raises(GlyphletError, match=r"the font .*none\.ttf does not exist.*check the path of the font"):
        find_faces([str(tmp_path / "none.ttf")])
    # Pillow alone would find a font of the system with this name.
    with pytest.raises(GlyphletError, match=r"DejaVuSans\.ttf does not exist"):
        find_faces(["DejaVuSans.ttf"])


@pytest.mark.parametrize("keep", [0, 3, 100])
def test_a_broken_font_is_named(font_file: Path, font_bytes: bytes, keep: int):
    font_file.write_bytes(font_bytes[:keep])
    with pytest.raises(GlyphletError, match=r"the font .*a\.ttf cannot be used"):
        find_faces([str(font_file.parent)])


def test_a_damaged_outline_names_the_font(font_file: Path, monkeypatch: pytest.MonkeyPatch):
    def damaged(font: ImageFont.FreeTypeFont, char: str) -> Glyph:
        raise OSError("invalid outline")

    [face] = find_faces([str(font_file)])
    monkeypatch.setattr("glyphlet.synth.fonts.draw", damaged)
    with pytest.raises(GlyphletError, match=r"a\.ttf cannot be used: invalid outline"):
        coverage(face, "abc")


def test_a_face_that_is_not_in_the_collection(collection: Path):
    with pytest.raises(GlyphletError, match=r"two\.ttc#7 cannot be used"):
        find_faces([f"{collection}#7"])


def test_an_empty_folder_is_an_error(tmp_path: Path):
    with pytest.raises(GlyphletError, match="holds no font"):
        find_faces([str(tmp_path)])


def test_pillow_without_freetype(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(GlyphletError, match=r"without FreeType.*pip install"):
        find_faces([])


def test_coverage_of_pillows_own_font():
    wanted = string.ascii_letters + string.digits + " "
    assert coverage(Face(), wanted + "中é\u3042\u0301ש") == frozenset(wanted)


def test_notdef_is_never_covered():
    # The font draws a visible box for these, so an empty mask would not tell them apart.
    assert glyph(Face(), 24, "中").mask is not None
    assert not coverage(Face(), "中一\uffff")


@pytest.mark.parametrize(("char", "shaped"), [("a", False), ("中", False), ("ש", True), ("ب", True), ("\u0e31", True)])
def test_scripts_that_need_shaping(char: str, shaped: bool):
    assert needs_shaping(char) is shaped


@pytest.mark.parametrize("size", [8, 13, 25, 64])
def test_a_glyph_is_all_of_the_ink(size: int):
    for char in "Wgj|_Q@":
        drawn = glyph(Face(), size, char)
        canvas = Image.new("L", (4 * size, 4 * size))
        ImageDraw.Draw(canvas).text((size, 2 * size), char, fill=255, font=load(Face(), size), anchor="ls")
        again = Image.new("L", canvas.size)
        assert drawn.mask is not None
        again.paste(Image.fromarray(drawn.mask), (size + drawn.left, 2 * size + drawn.top))
        assert again.tobytes() == canvas.tobytes()


def test_a_space_has_an_advance_and_no_mask():
    drawn = glyph(Face(), 25, " ")
    assert drawn.mask is None
    assert drawn.advance > 0


def test_kerning_is_what_a_pair_is_narrower():
    font = load(Face(), 40)
    assert kerning(Face(), 40, "AV") == font.getlength("AV") - font.getlength("A") - font.getlength("V")
