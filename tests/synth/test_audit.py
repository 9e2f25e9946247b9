from __future__ import annotations

from pathlib import Path

import pytest

from glyphlet.charset import Charset
from glyphlet.errors import GlyphletError
from glyphlet.synth.audit import audit, examples, never_covered
from glyphlet.synth.fonts import Probe

NOTO = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def test_pillows_own_font():
    [found] = audit([], Charset.from_text("aZ 9中文\u05d0"))
    assert (found.font, found.error, found.covered, found.missing) == ("Pillow's own font", "", 4, "中文\u05d0")
    assert found.as_dict()["missing"] == {"count": 3, "characters": "中文\u05d0"}


def test_files_that_are_no_fonts_are_reported_and_missing_ones_refused(font_file: Path):
    bad = font_file.with_name("bad.ttf")
    bad.write_bytes(b"nothing")
    charset = Charset.from_text("ab中")
    found = audit([str(font_file.parent)], charset)
    assert [(Path(f.font).name, bool(f.error), f.covered) for f in found] == [("a.ttf", False, 2), ("bad.ttf", True, 0)]
    assert "bad.ttf cannot be used" in found[1].error
    assert never_covered(found, charset) == "中"
    with pytest.raises(GlyphletError, match=r"none\.ttf does not exist"):
        audit([str(font_file), "none.ttf"], charset)
    empty = font_file.parent / "empty"
    empty.mkdir()
    with pytest.raises(GlyphletError, match="holds no font"):
        audit([str(empty)], charset)


def test_blank_glyphs_are_told_from_missing_ones(font_file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Probe, "state", lambda self, char: {"a": "covered", "b": "blank", "c": "missing"}[char])
    [found] = audit([str(font_file)], Charset.from_text("abc"))
    assert (found.covered, found.blank, found.missing) == (1, "b", "c")


@pytest.mark.skipif(not DEJAVU.exists(), reason="needs DejaVu Sans")
def test_what_needs_shaping_is_counted_apart_and_blanks_are_found():
    charset = Charset.from_text("a\u0633\u2800\u2801\u200b中")
    [found] = audit([str(DEJAVU)], charset)
    assert (found.covered, found.unshaped, found.missing) == (2, "\u0633", "中")
    assert found.blank == "\u2800\u200b"  # the empty Braille pattern, and a space without width
    [found] = audit([str(DEJAVU)], charset, shaping=True)
    assert (found.covered, found.unshaped) == (3, "")


@pytest.mark.skipif(not NOTO.exists(), reason="needs Noto Sans CJK")
def test_a_large_font():
    common = "".join(chr(c) for c in range(0x4E00, 0x4E00 + 1500))
    [found] = audit([f"{NOTO}#2"], Charset.from_text(common))
    assert found.covered == 1500


def test_examples_are_few_and_readable():
    assert examples("a\u200b ") == "a U+200B U+0020"
    assert examples("x" * 25) == " ".join("x" * 20) + " ..."
