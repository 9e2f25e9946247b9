"""`--fix`: what is cleaned, what is dropped, that nothing is overwritten, and that the result has no errors."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlet.charset import Charset
from glyphlet.data.auditing.audit import Rules, audit
from glyphlet.data.auditing.repair import changes_beside, refuse_sources, repair, write_list, write_set
from glyphlet.data.conversion.convert import convert
from glyphlet.data.lineset import ListedLines
from glyphlet.data.open import open_lines
from glyphlet.data.sample import Sample
from glyphlet.errors import GlyphletError, LabelError

RULES = Rules(charset=Charset.named("ascii"))


def picture(seed: int, width: int = 80) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (32, width), dtype=np.uint8))


def folder(root: Path, *texts: str) -> Path:
    """A label file with an image for each text."""
    (root / "images").mkdir(parents=True)
    for i in range(len(texts)):
        picture(i).save(root / "images" / f"{i}.png")
    path = root / "train.txt"
    path.write_text("".join(f"images/{i}.png\t{text}\n" for i, text in enumerate(texts)), encoding="utf-8")
    return path


def fixed(source: Path, out: Path, rules: Rules = RULES, test=None, **options):
    lines = open_lines(source, lenient=True)
    done = repair(lines, audit(lines, rules, test=test), rules, **options)
    write_list(done, lines, out)
    return done


def texts(path: Path) -> list[str]:
    return [line.partition("\t")[2] for line in path.read_text(encoding="utf-8").splitlines()]


def test_labels_are_cleaned_and_lines_kept(tmp_path):
    source = folder(tmp_path / "set", " a ", "b  c", "d\u00a0e", "f\u200bg", "h", "\ufeffi")
    before = source.read_bytes()
    done = fixed(source, tmp_path / "out.txt")
    assert texts(tmp_path / "out.txt") == ["a", "b c", "d e", "fg", "h", "i"]
    assert (len(done.changed), done.dropped) == (5, {})
    assert source.read_bytes() == before
    out = open_lines(tmp_path / "out.txt")
    assert all(out.path(i).is_file() for i in range(len(out)))


def test_what_cannot_be_mended_is_dropped_with_its_reason(tmp_path):
    source = folder(tmp_path / "set", "good", "\u4e2d", "x" * 60, "a\ufffdb", "", "same", "other")
    (tmp_path / "set" / "images" / "6.png").write_bytes((tmp_path / "set" / "images" / "5.png").read_bytes())
    with source.open("a", encoding="utf-8") as file:
        file.write("images/none.png\tx\nno tab\n")
    done = fixed(source, tmp_path / "out.txt")
    assert texts(tmp_path / "out.txt") == ["good"]
    assert done.counts() == {
        "charset": 1, "too_long": 1, "replacement": 1, "empty": 1, "contradiction": 2, "unreadable": 1, "malformed": 1
    }  # fmt: skip
    rows = changes_beside(tmp_path / "out.txt").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "line\taction\treason\tbefore\tafter"
    assert rows[1].split("\t")[1:3] == ["dropped", "malformed"]
    assert rows[2].endswith("train.txt line 2\tdropped\tcharset\t中\t")
    assert len(rows) == 9


def test_the_result_has_no_errors_and_is_fixed_again_to_itself(tmp_path):
    source = folder(tmp_path / "set", " good ", "\u4e2d", "a\tb", "e\u0301", "x" * 60, "same", "other", "leaked", "   ")
    (tmp_path / "set" / "images" / "6.png").write_bytes((tmp_path / "set" / "images" / "5.png").read_bytes())
    test = ListedLines([Sample(picture(7), "leaked", "test.txt line 1")], "test.txt")
    rules = Rules(charset=Charset.from_text("abcdeghlmorstxé "))
    fixed(source, tmp_path / "out.txt", rules, test)
    assert texts(tmp_path / "out.txt") == ["good", "a b", "é"]
    again = open_lines(tmp_path / "out.txt")
    assert audit(again, rules, test=test).count("error") == 0
    fixed(tmp_path / "out.txt", tmp_path / "again.txt", rules, test)
    assert (tmp_path / "again.txt").read_bytes() == (tmp_path / "out.txt").read_bytes()


def test_a_line_that_cleaning_brings_into_the_charset_is_kept(tmp_path):
    source = folder(tmp_path / "set", "1\u00a02", "3\u200b4", "a")
    rules = Rules(charset=Charset.named("number"))
    fixed(source, tmp_path / "out.txt", rules)
    assert texts(tmp_path / "out.txt") == ["1 2", "34"]


def test_cleaning_never_takes_a_line_out_of_the_charset(tmp_path):
    """A charset may hold unusual spaces and lack the plain one."""
    source = folder(tmp_path / "set", "1\u30002")
    fixed(source, tmp_path / "out.txt", Rules(charset=Charset.from_text("12\u3000")))
    assert texts(tmp_path / "out.txt") == ["1\u30002"]


def test_more_kinds_are_dropped_on_request(tmp_path):
    source = folder(tmp_path / "set", "abc", "def")
    Image.new("L", (80, 32), 255).save(tmp_path / "set" / "images" / "1.png")
    assert fixed(source, tmp_path / "out.txt", drop=["blank"]).dropped == {1: "blank"}
    with pytest.raises(LabelError, match="--drop is 'blonk'"):
        fixed(source, tmp_path / "two.txt", drop=["blonk"])


def test_paths_are_relative_to_the_list_or_absolute(tmp_path):
    source = folder(tmp_path / "set", "a")
    (tmp_path / "lists").mkdir()
    lines = open_lines(source)
    done = repair(lines, audit(lines), Rules())
    write_list(done, lines, tmp_path / "lists" / "a.txt")
    assert (tmp_path / "lists" / "a.txt").read_text() == "../set/images/0.png\ta\n"
    write_list(done, lines, tmp_path / "lists" / "b.txt", absolute=True)
    assert (tmp_path / "lists" / "b.txt").read_text() == f"{os.path.realpath(tmp_path)}/set/images/0.png\ta\n"


def test_cleaned_lines_are_a_set_of_their_own(tmp_path):
    lines = ListedLines(
        [Sample(picture(i), t, f"train.txt line {i + 1}") for i, t in enumerate(["", " b", "c"])],
        groups=["x", "y", "z"],
    )
    kept = repair(lines, audit(lines), Rules()).lines
    assert [kept.text(i) for i in range(len(kept))] == ["b", "c"]
    assert (kept.sample(0).text, kept.origin(0), kept.group(0), kept.path(0)) == ("b", "train.txt line 2", "y", None)
    with pytest.raises(LabelError, match="not in a file of its own"):
        write_list(repair(lines, audit(lines), Rules()), lines, tmp_path / "out.txt")
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_is_read_is_overwritten(tmp_path):
    source = folder(tmp_path / "set", "a")
    (tmp_path / "link.txt").symlink_to(source)
    for out in (source, tmp_path / "link.txt"):
        with pytest.raises(LabelError, match="would overwrite"):
            refuse_sources(out, [source], overwrite=True)
    old = tmp_path / "old.txt"
    old.write_text("old")
    with pytest.raises(LabelError, match="exists.*--overwrite"):
        refuse_sources(old, [source])
    refuse_sources(old, [source], overwrite=True)
    with pytest.raises(LabelError, match="a folder that exists"):
        refuse_sources(tmp_path / "none" / "out.txt", [source])
    changes_beside(tmp_path / "new.txt").write_text("someone's")
    with pytest.raises(LabelError, match=r"new\.changes\.tsv exists"):
        refuse_sources(tmp_path / "new.txt", [source])


def test_a_full_disk_leaves_the_older_list(tmp_path, monkeypatch):
    source = folder(tmp_path / "set", "a")
    out = tmp_path / "out.txt"
    out.write_text("old")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        fixed(source, out)
    assert out.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.txt", "set"]


def test_a_set_that_holds_its_images(tmp_path):
    """What is in a container goes into a container."""
    pytest.importorskip("lmdb")
    lines = ListedLines([Sample(picture(i), t, f"line {i + 1}") for i, t in enumerate([" a", "", "c"])])
    changes, count = write_set(repair(lines, audit(lines), Rules()), lines, tmp_path / "clean.lmdb")
    assert (changes.name, count) == ("clean.changes.tsv", 2)
    clean = open_lines(tmp_path / "clean.lmdb")
    assert [clean.text(i) for i in range(len(clean))] == ["a", "c"]
    assert audit(clean).count("error") == 0
    clean.close()


def test_nothing_left_is_nothing_written(tmp_path):
    lines = ListedLines([Sample(picture(0), "", "line 1")])
    done = repair(lines, audit(lines), Rules())
    for write, name in ((write_list, "out.txt"), (write_set, "out.lmdb")):
        with pytest.raises(LabelError, match=r"no line is left.*empty 1"):
            write(done, lines, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_every_malformed_line_is_counted_and_listed_however_few_are_examples(tmp_path):
    source = folder(tmp_path, "one")
    with source.open("a", encoding="utf-8") as file:
        file.write("".join(f"no tab {i}\n" for i in range(60)))
    done = fixed(source, tmp_path / "clean.txt", Rules(charset=Charset.named("ascii"), examples=20))
    assert done.counts() == {"malformed": 60}
    rows = changes_beside(tmp_path / "clean.txt").read_text().splitlines()[1:]
    assert [int(row.partition(" line ")[2].split()[0]) for row in rows] == list(range(2, 62))
    assert all(row.split("\t")[1:3] == ["dropped", "malformed"] for row in rows)


def test_a_full_disk_leaves_nothing_that_the_next_run_refuses(tmp_path, monkeypatch):
    source, out = folder(tmp_path, "one", ""), tmp_path / "clean.txt"

    def full(path, data):
        if path == out:
            raise OSError(28, "No space left on device")
        path.write_bytes(data)

    with monkeypatch.context() as patched:
        patched.setattr("glyphlet.data.auditing.repair.replace_file", full)
        with pytest.raises(OSError, match="No space"):
            fixed(source, out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["images", "train.txt"]
    refuse_sources(out, [source])
    assert fixed(source, out).counts() == {"empty": 1}
    assert texts(out) == ["one"]


def test_cleaned_lines_have_groups_only_where_their_source_has(tmp_path):
    lines = open_lines(folder(tmp_path, "one", "two"))
    assert not lines.grouped
    assert not repair(lines, audit(lines, RULES), RULES).lines.grouped


def test_an_unfinished_set_of_other_labels_is_not_gone_on_with(tmp_path):
    source, out = folder(tmp_path, *"abcdef"), tmp_path / "clean.lmdb"

    def stop(done, total):
        raise RuntimeError

    for expected in ("abcdef", "uvwxyz"):
        lines = open_lines(source, lenient=True)
        done = repair(lines, audit(lines, RULES), RULES)
        if expected == "abcdef":
            with pytest.raises(RuntimeError):
                convert(done.lines, out, progress=stop)
            source.write_text("".join(f"images/{i}.png\t{text}\n" for i, text in enumerate("uvwxyz")))
        else:
            with pytest.raises(GlyphletError, match="unfinished conversion of another source.*--overwrite"):
                convert(done.lines, out)
            assert convert(done.lines, out, overwrite=True).resumed == 0
            with open_lines(out) as written:
                assert "".join(written.text(i) for i in range(6)) == expected
