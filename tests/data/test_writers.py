"""Every writer, read back by the reader of its name: texts and image bytes are what they were, or a text is refused."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import lmdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glyphlet.data.conversion.convert import convert
from glyphlet.data.lineset import ListedLines
from glyphlet.data.open import open_lines
from glyphlet.data.sample import Sample
from glyphlet.data.writers import WRITERS, Record, writer_for
from glyphlet.data.writers.folder import IN_A_FOLDER
from glyphlet.data.writers.indexed import DICTIONARY
from glyphlet.errors import GlyphletError
from glyphlet.spec import SourceSpec

KINDS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp", "GIF": ".gif", "PPM": ".ppm"}
TEXTS = [
    "abc", "two words", "three  spaces   inside", " leads", "trails ", "\ttab first", "tab\tinside", "", " ", "1.50", "007",
    "NaN", "null", '"quoted"', 'a "b', "comma, semi; pipe|", "'", "a_b", "x.y", ".hidden", "a/b", "back\\slash", "中文。",
    "\u00e9", "e\u0301", "a\u2028b", "a\u0085b", "x\u200by", "\ufeffmark", "\U0001f600", "{}", "[1, 2]", "#", "-", "blank",
    "images/000001.png other.png 3", "12 4 7", "%d", "con", "a" * 300, "line\nbreak", "carriage\rreturn", "end\r", "nul\0",
]  # fmt: skip
BREAKS = ["line\nbreak", "carriage\rreturn", "end\r", "nul\0"]
REFUSED = {
    "lmdb": [],
    "jsonl": [],
    "doctr": [],
    "parquet": [],
    "webdataset": [*BREAKS, "\ufeffmark"],
    "tsv": BREAKS,
    "csv": BREAKS,
    "zip": BREAKS,
    "pairs": [*BREAKS, "\ufeffmark"],
    "indexed": BREAKS,
    "spaced": [*BREAKS, " leads", "\ttab first", "tab\tinside", " "],
}
"""Texts that a format cannot hold; the names of files can hold much less, which a test of its own says."""


def encoded(format="PNG", seed=0, size=(24, 8)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


IMAGES = {format: encoded(format, seed) for seed, format in enumerate(KINDS)}


def lines_of(texts, groups=()):
    kinds = list(IMAGES.values())
    samples = [Sample(kinds[i % len(kinds)], text, f"memory line {i + 1}") for i, text in enumerate(texts)]
    return ListedLines(samples, "memory", groups=groups)


def target(folder: Path, name: str) -> Path:
    return folder / ("out" + (".file" if not WRITERS[name].folder else ""))


def reopened(path: Path, name: str):
    dictionary = str(path / DICTIONARY) if name == "indexed" else None
    if name in ("tsv", "spaced", "indexed", "csv", "jsonl", "doctr"):
        path = path / WRITERS[name].list_name
    return open_lines(SourceSpec(path=str(path), format=name, dictionary=dictionary))


def pairs_of(lines):
    with lines:
        return [
            (s.text, s.source if isinstance(s.source, bytes) else Path(s.source).read_bytes())
            for s in (lines.sample(i) for i in range(len(lines)))
        ]


class TestRoundTrip:
    @pytest.mark.parametrize("name", sorted(REFUSED))
    def test_texts_and_bytes(self, tmp_path, name):
        source = lines_of(TEXTS)
        done = convert(source, target(tmp_path, name), to=name)
        expected = [(s.text, s.source) for s in source if s.text not in REFUSED[name]]
        assert pairs_of(reopened(done.path, name)) == expected
        assert done.written == len(expected)
        assert done.dropped == ({"text": len(REFUSED[name])} if REFUSED[name] else {})

    def test_names_of_files(self, tmp_path):
        done = convert(lines_of(TEXTS), target(tmp_path, "names"), to="names")
        found = pairs_of(reopened(done.path, "names"))
        kept = [t for t in TEXTS if not set(t) & set('_/\\:*?"<>|\t\n\r\0') and t[:1] != "." and len(t) <= 200]
        assert sorted(text for text, _ in found) == sorted(kept)
        assert {image for _, image in found} <= set(IMAGES.values())

    def test_every_writer_is_among_these(self):
        assert {*REFUSED, "names"} == set(WRITERS)

    @pytest.mark.parametrize("name", sorted(WRITERS))
    @settings(max_examples=12, deadline=None)
    @given(texts=st.lists(st.text(max_size=12), min_size=1, max_size=6))
    def test_any_text_comes_back_or_is_refused(self, tmp_path_factory, name, texts):
        kind = WRITERS[name]
        kept = [text for text in texts if not kind.refuses(text)]
        if not kept:
            return
        done = convert(lines_of(texts), target(tmp_path_factory.mktemp("set"), name), to=name)
        found = [text for text, _ in pairs_of(reopened(done.path, name))]
        assert (sorted(found) == sorted(kept)) if name == "names" else (found == kept)

    @pytest.mark.parametrize("name", sorted(WRITERS))
    def test_from_every_format_to_every_other(self, tmp_path, name):
        texts = ["abc", "12", "x y", "中"]
        first = convert(lines_of(texts), target(tmp_path / "1", name), to=name)
        expected = sorted(pairs_of(lines_of(texts)))
        for other in sorted(WRITERS):
            done = convert(reopened(first.path, name), target(tmp_path / other, other), to=other)
            assert sorted(pairs_of(reopened(done.path, other))) == expected

    @pytest.mark.parametrize("name", ["tsv", "csv", "jsonl", "doctr", "pairs", "zip", "webdataset", "parquet", "lmdb"])
    def test_the_reader_finds_the_format_itself(self, tmp_path, name):
        suffix = {"zip": ".zip", "webdataset": ".tar", "parquet": ".parquet"}.get(name, "")
        done = convert(lines_of(["abc", "d e"]), tmp_path / f"out{suffix}", to=name)
        with open_lines(done.path) as lines:
            assert [line.text for line in lines] == ["abc", "d e"]

    @pytest.mark.parametrize("name", sorted(n for n, kind in WRITERS.items() if kind.groups))
    def test_groups(self, tmp_path, name):
        done = convert(lines_of(["a", "b", "c"], ["page 1", "", "page 2"]), target(tmp_path, name), to=name)
        path = done.path / WRITERS[name].list_name if WRITERS[name].list_name else done.path
        column = None if name == "lmdb" else "group"
        with open_lines(SourceSpec(path=str(path), format=name, group_column=column)) as lines:
            assert lines.grouped
            assert [lines.group(i) for i in range(3)] == ["page 1", "", "page 2"]
        assert done.notes == []

    def test_groups_that_are_left_behind_are_said(self, tmp_path):
        done = convert(lines_of(["a", "b"], ["1", "2"]), tmp_path / "out", to="tsv")
        assert done.notes == ["tsv keeps no groups: they are left behind"]

    def test_lone_surrogates_are_refused_everywhere(self, tmp_path):
        for name in WRITERS:
            done = convert(lines_of(["a", "\ud800"]), target(tmp_path / name, name), to=name)
            assert done.dropped == {"text": 1}


class TestFiles:
    def test_tsv(self, tmp_path):
        convert(lines_of(["abc", "d\te"]), tmp_path / "out")
        assert (tmp_path / "out" / "labels.txt").read_bytes() == b"images/000001.png\tabc\nimages/000002.jpg\td\te\n"
        assert (tmp_path / "out" / "images" / "000002.jpg").read_bytes() == IMAGES["JPEG"]
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["images", "labels.txt"]

    def test_suffixes_are_those_of_the_images(self, tmp_path):
        convert(lines_of(["x"] * len(KINDS)), tmp_path / "out")
        assert sorted(p.suffix for p in (tmp_path / "out" / "images").iterdir()) == sorted(KINDS.values())

    def test_doctr(self, tmp_path):
        convert(lines_of(["abc", 'd"e']), tmp_path / "out" / "labels.json")
        found = json.loads((tmp_path / "out" / "labels.json").read_text(encoding="utf-8"))
        assert found == {"000001.png": "abc", "000002.jpg": 'd"e'}
        assert (tmp_path / "out" / "images" / "000001.png").exists()

    def test_pairs(self, tmp_path):
        convert(lines_of(["abc"]), tmp_path / "out", to="pairs")
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["000001.gt.txt", "000001.png"]
        assert (tmp_path / "out" / "000001.gt.txt").read_bytes() == b"abc\n"

    def test_names(self, tmp_path):
        convert(lines_of(["3fK 9"]), tmp_path / "out", to="names")
        assert [p.name for p in (tmp_path / "out").iterdir()] == ["3fK 9_000001.png"]

    def test_indexed(self, tmp_path):
        convert(lines_of(["aba", "c a"]), tmp_path / "out", to="indexed")
        assert (tmp_path / "out" / DICTIONARY).read_bytes() == b"blank\na\nb\nc\n \n"
        assert (tmp_path / "out" / "labels.txt").read_bytes() == b"images/000001.png 1 2 1\nimages/000002.jpg 3 4 1\n"

    def test_csv(self, tmp_path):
        convert(lines_of(["1.50", 'a,"b"']), tmp_path / "out" / "list.csv")
        rows = b'filename,text,group\r\nimages/000001.png,1.50,\r\nimages/000002.jpg,"a,""b""",\r\n'
        assert (tmp_path / "out" / "list.csv").read_bytes() == rows

    def test_zip(self, tmp_path):
        convert(lines_of(["abc"]), tmp_path / "out.zip")
        with zipfile.ZipFile(tmp_path / "out.zip") as archive:
            assert archive.testzip() is None
            assert archive.read("labels.txt") == b"images/000001.png\tabc\n"

    def test_tar(self, tmp_path):
        convert(lines_of(["abc", "é"]), tmp_path / "out.tar")
        with tarfile.open(tmp_path / "out.tar") as archive:
            names = ["000000001.png", "000000001.txt", "000000002.jpg", "000000002.txt"]
            assert archive.getnames() == names
            assert archive.extractfile(names[3]).read() == "é".encode()
        assert (tmp_path / "out.tar").stat().st_size % tarfile.RECORDSIZE == 0

    def test_shards(self, tmp_path):
        convert(lines_of(list("abcdefg")), tmp_path / "out", to="webdataset", shard=3)
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["000000.tar", "000001.tar", "000002.tar"]
        with tarfile.open(tmp_path / "out" / "000002.tar") as archive:
            assert archive.getnames() == ["000000007.ppm", "000000007.txt"]
        with open_lines(tmp_path / "out") as lines:
            assert [line.text for line in lines] == list("abcdefg")

    def test_lmdb(self, tmp_path):
        convert(lines_of(["abc", "é"], ["g", ""]), tmp_path / "out.lmdb")
        assert [p.name for p in (tmp_path / "out.lmdb").iterdir()] == ["data.mdb"]
        environment = lmdb.open(str(tmp_path / "out.lmdb"), readonly=True, lock=False)
        with environment.begin() as transaction:
            found = dict(transaction.cursor())
        environment.close()
        sizes = found.pop(b"glyphlet-sizes-000000000")
        assert np.frombuffer(sizes, "<i4").tolist() == [24, 8, 24, 8]
        assert json.loads(found.pop(b"glyphlet-about")) == {"version": 1, "lines": 2, "groups": True}
        assert found == {
            b"num-samples": b"2",
            b"image-000000001": IMAGES["PNG"],
            b"image-000000002": IMAGES["JPEG"],
            b"label-000000001": b"abc",
            b"label-000000002": "é".encode(),
            b"group-000000001": b"g",
        }

    def test_lmdb_sizes(self, tmp_path):
        widths = [20, 30, 40]
        samples = [Sample(encoded(size=(w, 9)), "x", "") for w in widths]
        convert(ListedLines(samples), tmp_path / "out.lmdb")
        with open_lines(tmp_path / "out.lmdb") as lines:
            assert lines.sizes().tolist() == [[20, 9], [30, 9], [40, 9]]
            assert lines.notes == []

    def test_large_folders_are_divided(self, tmp_path):
        writer = WRITERS["tsv"](tmp_path / "part", IN_A_FOLDER + 1)
        record = Record(IN_A_FOLDER + 1, b"", ".png", 1, 1, "x")
        assert writer.file_name(record) == "001/010001.png"
        assert writer.file_name(record._replace(number=IN_A_FOLDER)) == "000/010000.png"

    @pytest.mark.parametrize(
        ("source", "mode"),
        [
            (np.full((6, 9), 7, np.uint8), "L"),
            (np.zeros((6, 9, 3), np.uint8), "RGB"),
            (Image.new("RGBA", (9, 6)), "RGBA"),
        ],
    )
    def test_pixels_become_png(self, tmp_path, source, mode):
        convert(ListedLines([Sample(source, "x", "memory")]), tmp_path / "out")
        with Image.open(tmp_path / "out" / "images" / "000001.png") as image:
            assert (image.format, image.mode, image.size) == ("PNG", mode, (9, 6))


class TestChoice:
    @pytest.mark.parametrize(
        ("destination", "to", "name"),
        [
            ("a.lmdb", None, "lmdb"), ("a.tar", None, "webdataset"), ("a.ZIP", None, "zip"), ("a.parquet", None, "parquet"),
            ("f/labels.csv", None, "csv"), ("f/labels.json", None, "doctr"), ("f/x.jsonl", None, "jsonl"), ("f", None, "tsv"),
            ("f/labels.txt", None, "tsv"), ("a.lmdb", "zip", "zip"), ("f", "indexed", "indexed"),
        ],
    )  # fmt: skip
    def test_by_name(self, destination, to, name):
        assert writer_for(Path(destination), to).name == name

    def test_unknown(self):
        with pytest.raises(GlyphletError, match=r"a.xyz does not say which format .* \.lmdb"):
            writer_for(Path("a.xyz"), None)
        with pytest.raises(GlyphletError, match=r"named 'lmbd' \(did you mean 'lmdb'\?\)"):
            writer_for(Path("a"), "lmbd")
