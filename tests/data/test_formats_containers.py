"""Folders, archives and tables of images: every text and every byte comes back, and what must not be in them is refused."""

import io
import json
import pickle
import stat
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlet.data.files.names import Names
from glyphlet.data.files.zipfolder import ZipFolder, open_folder
from glyphlet.data.open import open_lines
from glyphlet.errors import ImageError, LabelError
from glyphlet.spec import SourceSpec
from support import SHARED

ROWS = [("a.png", b"one", "1.50"), ("b.png", b"two", " hé llo "), ("c.png", b"three", "好"), ("d.png", b"", "")]
LABELS = "".join(f"{name}\t{text}\n" for name, _, text in ROWS)


def opened(path, **settings):
    return open_lines(SourceSpec(path=str(path), **settings))


def content(lines):
    """Image bytes and texts, after a trip through another process's eyes."""
    again = pickle.loads(pickle.dumps(lines))
    found = [(again[i].source, again.text(i)) for i in range(len(lines))]
    again.close()
    lines.close()
    return [(s if isinstance(s, bytes) else s.read_bytes(), text) for s, text in found]


EXPECTED = [(data, text) for _, data, text in ROWS]


def zipped(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


class TestPairs:
    @pytest.mark.parametrize("suffix", [".gt.txt", ".txt"])
    def test_a_folder(self, tmp_path, suffix):
        for name, data, text in ROWS:
            (tmp_path / "deep").mkdir(exist_ok=True)
            (tmp_path / "deep" / name).write_bytes(data)
            (tmp_path / "deep" / name).with_suffix(suffix).write_text(text + "\n", encoding="utf-8")
        lines = opened(tmp_path)
        assert lines.format == "pairs"
        assert lines.origin(0) == str(tmp_path / "deep" / "a.png")
        assert content(lines) == EXPECTED

    def test_missing_partners_are_said(self, tmp_path):
        for name in ("a.png", "b.png", "c.gt.txt", "a.gt.txt"):
            (tmp_path / name).write_bytes(b"x")
        lines = opened(tmp_path)
        assert len(lines) == 1
        assert lines.notes == [
            "1 images have no text beside them and are left out: b.png",
            "1 texts have no image beside them and are left out: c.gt.txt",
        ]

    def test_calamari_has_several_scans_of_a_line(self, tmp_path):
        for name in ("1.bin.png", "1.nrm.png", "1.gt.txt", "2.nrm.png", "2.gt.txt", "3.a.png", "3.a.gt.txt"):
            (tmp_path / name).write_bytes(b"x")
        lines = opened(tmp_path)
        assert [lines.image_name(i) for i in range(3)] == ["1.bin.png", "2.nrm.png", "3.a.png"]
        assert lines.notes == ["1 images are other versions of a line that is read, and are left out"]

    def test_texts_of_two_lines_or_another_encoding(self, tmp_path):
        for name in ("a.png", "b.png"):
            (tmp_path / name).write_bytes(b"x")
        (tmp_path / "a.gt.txt").write_text("1\n2\n", encoding="utf-8")
        (tmp_path / "b.gt.txt").write_bytes("好".encode("gbk"))
        lines = opened(tmp_path)
        with pytest.raises(LabelError, match=r"a.gt.txt has 2 lines, and its image is one line"):
            lines.text(0)
        with pytest.raises(LabelError, match=r"b.gt.txt is not UTF-8"):
            lines.text(1)
        assert opened(tmp_path, encoding="gbk").text(1) == "好"

    def test_a_folder_of_nothing_known(self, tmp_path):
        (tmp_path / "x.doc").write_bytes(b"")
        with pytest.raises(LabelError, match=r"has 1 files, such as 'x.doc'.*looked for: a label file"):
            opened(tmp_path)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "pattern", "text"),
        [
            ("12.5_01.png", None, "12.5"),
            ("hello.jpg", None, "hello"),
            (".50_1.png", None, ".50"),
            ("7_SLINKING_71868.jpg", "_(?P<text>[^_]*)_", "SLINKING"),
            ("img_0042_8.png", "(?P<text>.)$", "8"),
        ],
    )
    def test_texts(self, tmp_path, name, pattern, text):
        (tmp_path / name).write_bytes(b"x")
        lines = opened(tmp_path, name_pattern=pattern, format="names")
        assert content(lines) == [(b"x", text)]
        assert f"{name!r} is {text!r}" in lines.notes[0]

    def test_names_that_do_not_match_are_listed(self, tmp_path):
        for name in ("a_1_b.png", "x.png"):
            (tmp_path / name).write_bytes(b"x")
        spec = SourceSpec(path=str(tmp_path), name_pattern="_(?P<text>.)_")
        with pytest.raises(LabelError, match=r"x.png has no text in its name"):
            open_lines(spec)
        assert open_lines(spec, lenient=True).text(0) == "1"

    def test_texts_are_not_taken_from_names_unasked(self, tmp_path):
        (tmp_path / "IMG_1.png").write_bytes(b"x")
        with pytest.raises(
            LabelError, match=r"has 1 images, and no labels.*'IMG_1.png' hold the texts, set format: names"
        ):
            opened(tmp_path)

    @pytest.mark.parametrize("pattern", ["(", "(x)"])
    def test_a_wrong_pattern(self, tmp_path, pattern):
        with pytest.raises(LabelError, match="name_pattern .* cannot be used"):
            opened(tmp_path, name_pattern=pattern, format="names")


class TestFolder:
    def test_the_label_file_in_it(self, tmp_path):
        for name, data, _ in ROWS:
            (tmp_path / name).write_bytes(data)
        (tmp_path / "labels.txt").write_text(LABELS, encoding="utf-8")
        (tmp_path / "README.txt").write_text("about", encoding="utf-8")
        lines = opened(tmp_path)
        assert lines.format == "tsv"
        assert content(lines) == EXPECTED

    def test_several_label_files(self, tmp_path):
        for name in ("train.txt", "test.txt"):
            (tmp_path / name).write_text(LABELS, encoding="utf-8")
        with pytest.raises(LabelError, match=r"2 files that may be its labels: test.txt, train.txt.*name one of them"):
            opened(tmp_path)

    def test_metadata_of_an_image_folder(self, tmp_path):
        (tmp_path / "metadata.csv").write_text("file_name,text\na.png,x\n", encoding="utf-8")
        assert opened(tmp_path).text(0) == "x"


class TestZip:
    @pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    @pytest.mark.parametrize("top", ["", "set/"])
    def test_a_label_file_inside(self, tmp_path, compression, top):
        members = [(top + "labels.txt", LABELS), ("__MACOSX/._a.png", b"x")]
        members += [(top + name, data) for name, data, _ in ROWS]
        path = zipped(tmp_path / "l.zip", members, compression)
        lines = opened(path)
        assert lines.origin(2) == f"{path}/{top}labels.txt line 3"
        assert content(lines) == EXPECTED

    def test_a_file_or_folder_in_it_may_be_named(self, tmp_path):
        members = [
            (f"{part}/{n}", d) for part in ("x", "y") for n, d in [("gt.txt", f"a.png\t{part}\n"), ("a.png", part)]
        ]
        path = zipped(tmp_path / "l.zip", members)
        assert content(opened(path / "y" / "gt.txt")) == [(b"y", "y")]
        assert content(opened(path / "x")) == [(b"x", "x")]
        with pytest.raises(LabelError, match=r"has no 'y/gtt.txt'.*did you mean 'y/gt.txt'"):
            opened(path / "y" / "gtt.txt")

    def test_pairs_and_images_for_a_label_file_outside(self, tmp_path):
        members = [m for n, d, t in ROWS for m in ((n, d), (n.replace(".png", ".gt.txt"), t))]
        assert content(opened(zipped(tmp_path / "p.zip", members))) == EXPECTED
        images = zipped(tmp_path / "i.zip", [(f"cells/{n}", d) for n, d, _ in ROWS])
        (tmp_path / "values.txt").write_text(LABELS, encoding="utf-8")
        assert content(opened(tmp_path / "values.txt", images=str(images / "cells"))) == EXPECTED

    @pytest.mark.parametrize("name", ["../x.png", "/etc/x.png", "C:\\x.png", "a/../../x.png", "..\\x.png"])
    def test_names_outside_are_refused(self, tmp_path, name):
        path = zipped(tmp_path / "l.zip", [("labels.txt", LABELS), (name, b"x")])
        with pytest.raises(LabelError, match="a name that leaves its folder"):
            opened(path)

    def test_label_lines_cannot_leave_either(self, tmp_path):
        (tmp_path / "secret.png").write_bytes(b"x")
        names = ["../secret.png", str(tmp_path / "secret.png"), "none.png"]
        lines = opened(zipped(tmp_path / "l.zip", [("labels.txt", "".join(f"{n}\tx\n" for n in names))]))
        for index, why in enumerate(("outside the archive", "outside the archive", "not in the archive")):
            with pytest.raises(ImageError, match=why):
                lines.sample(index)

    def test_links_are_refused(self, tmp_path):
        link = zipfile.ZipInfo("a.png")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        with pytest.raises(LabelError, match="holds 'a.png', a link"):
            opened(zipped(tmp_path / "l.zip", [("labels.txt", LABELS), (link, "/etc/passwd")]))

    def test_names_of_chinese_windows(self, tmp_path):
        path = zipped(tmp_path / "l.zip", [("AABB.png", b"x"), ("labels.txt", "中文.png\t1\n")])
        path.write_bytes(path.read_bytes().replace(b"AABB", "中文".encode("gbk")))
        lines = opened(path)
        assert lines[0].source == b"x"
        assert "1 names are not marked as UTF-8 and are read as GB18030, such as '中文.png'" in lines.notes

    def test_names_of_macs_are_decomposed(self, tmp_path):
        path = zipped(tmp_path / "l.zip", [("e\u0301.png", b"x"), ("labels.txt", "\u00e9.png\t1\n")])
        assert opened(path)[0].source == b"x"

    def test_a_bomb(self, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.data.files.zipfolder.MAX_MEMBER", 4000)
        path = zipped(tmp_path / "l.zip", [("labels.txt", "a.png\tx\n"), ("a.png", bytes(100_000))])
        with pytest.raises(ImageError, match=r"a.png unpacks to 100,000 bytes, more than 1,000"):
            opened(path).sample(0)

    def test_a_bomb_that_lies_about_its_size(self, tmp_path):
        path = zipped(tmp_path / "l.zip", [("labels.txt", "a.png\tx\n"), ("a.png", bytes(100_000))])
        data = path.read_bytes()
        place = data.rindex(b"PK\1\2")
        path.write_bytes(data[: place + 24] + (10).to_bytes(4, "little") + data[place + 28 :])
        with pytest.raises(ImageError, match="its checksum is wrong"):
            opened(path).sample(0)

    def test_a_password(self, tmp_path):
        path = zipped(tmp_path / "l.zip", [("labels.txt", "a.png\tx\n"), ("a.png", b"x")])
        data = bytearray(path.read_bytes())
        data[data.rindex(b"PK\1\2") + 8] |= 1
        path.write_bytes(data)
        with pytest.raises(ImageError, match=r"a.png needs a password"):
            opened(path).sample(0)

    def test_damage_and_cuts(self, tmp_path):
        path = zipped(tmp_path / "l.zip", [("labels.txt", "a.png\tx\n"), ("a.png", bytes(range(256)) * 9)])
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(LabelError, match="is no whole zip archive"):
            opened(path)
        middle = data.index(b"a.png") + 50
        path.write_bytes(data[:middle] + b"\xff\xff\xff" + data[middle + 3 :])
        with pytest.raises(ImageError, match="a.png is damaged"):
            opened(path).sample(0)

    def test_nothing_in_it(self, tmp_path):
        with pytest.raises(LabelError, match="has 0 files, and nothing that is known"):
            opened(zipped(tmp_path / "l.zip", []))


def tarred(path, members, **options):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w", **options) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def members_of(rows, extension=".txt"):
    return [m for n, d, t in rows for m in ((n, d), (n.replace(".png", extension), t.encode()))]


class TestWebDataset:
    @pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
    @pytest.mark.parametrize("top", ["", "x" * 60 + "/" + "y" * 70 + "/"])
    @pytest.mark.parametrize("extension", [".txt", ".gt.txt", ".cls"])
    def test_a_tar(self, tmp_path, form, top, extension):
        path = tarred(tmp_path / "l.tar", [(top + n, d) for n, d in members_of(ROWS, extension)], format=form)
        lines = opened(path)
        assert lines.format == "webdataset"
        assert lines.origin(1) == f"{path} {top}b"
        assert content(lines) == EXPECTED

    def test_json_any_order_and_lonely_members(self, tmp_path):
        members = [(n.replace(".png", ".json"), json.dumps({"text": t}, indent=1).encode()) for n, _, t in ROWS]
        members += [("z.png", b"lonely"), ("y.txt", b"lonely"), *((n, d) for n, d, _ in ROWS)]
        lines = opened(tarred(tmp_path / "l.tar", members))
        assert content(lines) == EXPECTED
        assert "2 stems have an image or a text only" in lines.notes[0]

    def test_shards(self, tmp_path):
        for number in range(3):
            tarred(tmp_path / f"s-{number:03d}.tar", members_of([(f"{number}.png", b"x", str(number))]))
        for path in (tmp_path, tmp_path / "s-{000..002}.tar"):
            assert content(opened(path)) == [(b"x", "0"), (b"x", "1"), (b"x", "2")]
        with pytest.raises(LabelError, match=r"1 of the 4 archives of .* do not exist: .*s-003.tar"):
            opened(tmp_path / "s-{000..003}.tar")

    def test_gzip(self, tmp_path, monkeypatch):
        path = tarred(tmp_path / "l.tar.gz", members_of(ROWS))
        lines = opened(path)
        assert "is compressed and is held in memory" in lines.notes[0]
        assert content(lines) == EXPECTED
        monkeypatch.setattr("glyphlet.data.files.tar.UNPACKED", 100)
        with pytest.raises(LabelError, match=r"no random access.*gunzip l.tar.gz"):
            opened(path)
        monkeypatch.undo()
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(LabelError, match="is damaged or cut off"):
            opened(path)

    def test_cut_off(self, tmp_path):
        path = tarred(tmp_path / "l.tar", members_of([(f"{i}.png", b"x" * 700, "t") for i in range(5)]))
        path.write_bytes(path.read_bytes()[:6000])  # a line is 1536 + 1024 bytes: the third image is cut
        with pytest.raises(LabelError, match=r"cut off at byte 6000, inside 2.png; 2 complete lines stand before it"):
            opened(path)
        lines = open_lines(path, lenient=True)
        assert content(lines) == [(b"x" * 700, "t")] * 2

    def test_damaged(self, tmp_path):
        path = tarred(tmp_path / "l.tar", members_of(ROWS))
        data = bytearray(path.read_bytes())
        data[2048 + 10] ^= 1  # the header of the third member
        path.write_bytes(data)
        with pytest.raises(LabelError, match=r"is damaged at byte 2048.*; 1 complete lines"):
            opened(path)

    @pytest.mark.parametrize("name", ["../x.png", "/x.png", "a/../../x.png"])
    def test_names_outside_are_refused(self, tmp_path, name):
        path = tarred(tmp_path / "l.tar", [*members_of(ROWS), (name, b"x")])
        with pytest.raises(LabelError, match="a name that leaves its folder"):
            open_lines(path, lenient=True)

    def test_links_are_refused(self, tmp_path):
        with tarfile.open(tmp_path / "l.tar", "w") as archive:
            link = tarfile.TarInfo("a.png")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
        with pytest.raises(LabelError, match="holds 'a.png', a link"):
            opened(tmp_path / "l.tar")

    def test_nothing_in_it(self, tmp_path):
        with pytest.raises(LabelError, match="holds no labels: no image and text of the same stem"):
            opened(tarred(tmp_path / "l.tar", [("a.png", b"x")]))


class TestParquet:
    @pytest.mark.parametrize("kind", ["bytes", "struct", "path"])
    def test_images_of_every_kind(self, tmp_path, kind):
        for name, data, _ in ROWS:
            (tmp_path / name).write_bytes(data)
        images = {
            "bytes": [d for _, d, _ in ROWS],
            "struct": [{"bytes": d if d else None, "path": n} for n, d, _ in ROWS],
            "path": [n for n, _, _ in ROWS],
        }[kind]
        table = pa.table({"image": images, "label": [t for _, _, t in ROWS], "page": ["p", "p", "q", None]})
        pq.write_table(table, tmp_path / "l.parquet", row_group_size=2)
        lines = opened(tmp_path / "l.parquet", group_column="page")
        assert [lines.group(i) for i in range(4)] == ["p", "p", "q", ""]
        assert lines.origin(3) == f"{tmp_path / 'l.parquet'} row 4"
        assert content(lines) == EXPECTED

    def test_a_folder_of_them(self, tmp_path):
        (tmp_path / "data").mkdir()
        for i in range(2):
            pq.write_table(pa.table({"image": [b"x", b"y"], "text": [i, i + 10]}), tmp_path / "data" / f"{i}.parquet")
        lines = opened(tmp_path)
        assert lines.origin(3).endswith("1.parquet row 2")
        assert content(lines) == [(b"x", "0"), (b"y", "10"), (b"x", "1"), (b"y", "11")]

    def test_few_row_groups_are_kept(self, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.data.formats.parquet._KEPT", 2000)
        table = pa.table({"image": [bytes([i]) * 500 for i in range(20)], "text": [str(i) for i in range(20)]})
        pq.write_table(table, tmp_path / "l.parquet", row_group_size=2)
        lines = opened(tmp_path / "l.parquet")
        assert [lines[i].source[:1] for i in (19, 0, 7, 8, 1)] == [bytes([i]) for i in (19, 0, 7, 8, 1)]
        assert sum(values.nbytes for values in lines._kept.values()) <= 2000
        lines.close()

    def test_no_text_no_image_no_column(self, tmp_path):
        path = tmp_path / "l.parquet"
        pq.write_table(pa.table({"image": [b"x", None], "text": pa.array([None, "t"], pa.string())}), path)
        lines = opened(path)
        with pytest.raises(LabelError, match=r"row 1 has no text \(null\)"):
            lines.text(0)
        with pytest.raises(ImageError, match="row 2 has no image in column 'image'"):
            lines.sample(1)
        lines.close()
        with pytest.raises(LabelError, match="has no columns for images and texts; it has image, text"):
            opened(path, text_column="caption")

    def test_numbers_are_said(self, tmp_path):
        pq.write_table(pa.table({"image": [b"x"], "text": [1.5]}), tmp_path / "l.parquet")
        lines = opened(tmp_path / "l.parquet")
        assert lines.text(0) == "1.5"
        assert "numbers of type double" in lines.notes[0]
        lines.close()

    def test_cut_off(self, tmp_path):
        path = tmp_path / "l.parquet"
        pq.write_table(pa.table({"image": [b"x"], "text": ["t"]}), path)
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(LabelError, match="it is no Parquet file, or cut off"):
            opened(path)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), unique=True, max_size=30))
def test_packed_names_are_a_list_of_names(names):
    packed = Names(names)
    assert list(packed) == names
    assert [packed.find(name) for name in names] == list(range(len(names)))
    assert packed.find("\0none") == -1


@given(st.lists(st.tuples(st.text("ab/é", min_size=1, max_size=6), st.binary(max_size=50)), max_size=8))
def test_a_zip_reads_as_zipfile_does(tmp_path_factory, members):
    plain = {n.strip("/").replace("//", "/").replace("//", "/"): d for n, d in members}
    plain = {n: d for n, d in plain.items() if n}
    path = zipped(tmp_path_factory.mktemp("z") / "l.zip", plain.items())
    folder = ZipFolder(path)
    assert {name: folder.image(name) for name in folder.names()} == plain
    folder.close()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(LabelError, match="none does not exist"):
        open_folder(tmp_path / "none")


@pytest.mark.skipif(not SHARED.exists(), reason="real lines lie beside the developers' checkouts only")
@pytest.mark.parametrize("name", ["chinese_screen_lines", "document_lines"])
def test_real_lines_in_archives(tmp_path, name):
    folder = SHARED / name
    rows = [line.split("\t", 1) for line in (folder / "test.txt").read_text("utf-8").split("\n") if line]
    expected = [((folder / image).read_bytes(), text) for image, text in rows]
    assert content(opened(folder / "test.txt")) == expected
    pairs = [(f"{i:04d}.png", data, text) for i, (data, text) in enumerate(expected)]
    assert content(opened(tarred(tmp_path / "l.tar", members_of(pairs)))) == expected
    assert content(opened(zipped(tmp_path / "l.zip", members_of(pairs, ".gt.txt")))) == expected


def test_another_process_gets_the_index_of_a_tar(tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data, text in ROWS[:3]:
            for inner, raw in ((name, data), (name.replace(".png", ".txt"), text.encode())):
                info = tarfile.TarInfo(inner)
                info.size = len(raw)
                tar.addfile(info, io.BytesIO(raw))
    lines = opened(tmp_path / "a.tar", group="^(.)")
    sent = pickle.dumps(lines)
    monkeypatch.setattr("glyphlet.data.formats.webdataset.members", None)  # nobody passes over the headers again
    again = pickle.loads(sent)
    assert [(again[i].source, again.text(i)) for i in range(3)] == EXPECTED[:3]
    assert [again.group(i) for i in range(3)] == ["a", "b", "c"]
    assert [again.origin(i) for i in range(3)] == [lines.origin(i) for i in range(3)]
    again.close()
    lines.close()
