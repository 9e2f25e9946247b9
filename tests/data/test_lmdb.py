"""LMDB: the field's keys, what others' writers get wrong, and damage."""

import multiprocessing
import os
import pickle
import struct

import lmdb
import numpy as np
import pytest

from glyphlet.data.formats.lmdb import LmdbLines
from glyphlet.data.open import open_lines
from glyphlet.errors import ImageError, LabelError


def write(folder, numbers, count=None, *, labels=None, extra=None, image=b"image %d"):
    """An LMDB with a line for each number, as others write it."""
    environment = lmdb.open(str(folder), map_size=64 << 20)
    with environment.begin(write=True) as transaction:
        for number in numbers:
            transaction.put(b"image-%09d" % number, image % number)
            transaction.put(b"label-%09d" % number, f"text {number}".encode())
        for key, value in {**(labels or {}), **(extra or {})}.items():
            transaction.put(key, value)
        if count is not None:
            transaction.put(b"num-samples", str(count).encode())
    environment.close()
    return folder


def delete(folder, *keys):
    environment = lmdb.open(str(folder), map_size=64 << 20)
    with environment.begin(write=True) as transaction:
        for key in keys:
            assert transaction.delete(key)
    environment.close()


def contents(lines):
    return [(sample.source, sample.text) for sample in lines]


class TestNumbering:
    def test_from_one(self, tmp_path):
        with open_lines(write(tmp_path / "a", range(1, 4), 3)) as lines:
            assert lines.format == "lmdb"
            assert contents(lines) == [(b"image 1", "text 1"), (b"image 2", "text 2"), (b"image 3", "text 3")]
            assert lines.text(2) == "text 3"
            assert lines.origin(0) == f"{tmp_path / 'a'} image-000000001"
            assert lines.notes == []
            assert lines.sizes() is None
            assert not lines.grouped

    @pytest.mark.parametrize("count", [3, 2])
    def test_from_zero(self, tmp_path, count):
        # num-samples is the count, or (a writer that takes one off at its end) the last number
        with open_lines(write(tmp_path / "a", range(3), count)) as lines:
            assert contents(lines) == [(b"image 0", "text 0"), (b"image 1", "text 1"), (b"image 2", "text 2")]
            assert lines.origin(0).endswith("image-000000000")
            assert any("counted from 0" in note for note in lines.notes)

    @pytest.mark.parametrize(
        ("count", "length", "note"),
        [
            (None, 4, "it has no num-samples; 4 lines are there, up to image-000000004"),
            (0, 4, "num-samples is 0; 4 lines are there"),
            (7, 4, "num-samples is 7, but the last line is image-000000004: 4 lines are read"),
            (3, 3, "num-samples is 3, but there are lines up to image-000000004; 1 are not read"),
        ],
    )
    def test_wrong_count(self, tmp_path, count, length, note):
        with open_lines(write(tmp_path / "a", range(1, 5), count)) as lines:
            assert len(lines) == length
            assert note in lines.notes[0]
            assert len(lines.notes) == 1

    @pytest.mark.parametrize("count", ["many", "-1", ""])
    def test_count_that_is_no_number(self, tmp_path, count):
        write(tmp_path / "a", range(1, 3), count)
        with pytest.raises(LabelError, match="num-samples is b"):
            open_lines(tmp_path / "a")

    def test_other_keys_are_ignored(self, tmp_path):
        extra = {b"lexicon-000000001": b"x", b"wordlen-000000001": b"2", b"image-path": b"x", b"zzz": b"x"}
        with open_lines(write(tmp_path / "a", range(1, 3), 2, extra=extra)) as lines:
            assert [line.text for line in lines] == ["text 1", "text 2"]
            assert lines.notes == []


class TestHoles:
    def test_are_errors_by_key(self, tmp_path):
        write(tmp_path / "a", range(1, 6), 5)
        delete(tmp_path / "a", b"image-000000002", b"label-000000004", b"image-000000004")
        with open_lines(tmp_path / "a") as lines:
            assert lines.notes == ["2 of 5 lines lack an image", "1 of 5 lines lack a label"]
            assert len(lines) == 5
            assert lines[2].source == b"image 3"
            assert lines.text(1) == "text 2"
            with pytest.raises(ImageError, match="has no image-000000002"):
                lines.sample(1)
            with pytest.raises(LabelError, match="has no label-000000004"):
                lines.text(3)

    def test_label_that_is_not_utf8(self, tmp_path):
        write(tmp_path / "a", range(1, 3), 2, labels={b"label-000000002": "中文".encode("gbk")})
        with open_lines(tmp_path / "a") as lines:
            assert lines.text(0) == "text 1"
            with pytest.raises(LabelError, match="label-000000002 is not UTF-8"):
                lines.sample(1)


class TestPlaces:
    def test_the_file_for_its_folder(self, tmp_path):
        write(tmp_path / "a", range(1, 3), 2)
        with open_lines(tmp_path / "a" / "data.mdb") as lines:
            assert contents(lines) == [(b"image 1", "text 1"), (b"image 2", "text 2")]

    @pytest.mark.parametrize("name", ["a.mdb", "a.lmdb", "set"])
    def test_a_single_file(self, tmp_path, name):
        write(tmp_path / "a", range(1, 3), 2)
        os.rename(tmp_path / "a" / "data.mdb", tmp_path / name)
        with open_lines(tmp_path / name) as lines:
            assert lines.format == "lmdb"
            assert len(lines) == 2

    def test_a_folder_that_cannot_be_written(self, tmp_path):
        write(tmp_path / "a", range(1, 3), 2)
        (tmp_path / "a" / "lock.mdb").unlink()
        (tmp_path / "a").chmod(0o500)
        try:
            with open_lines(tmp_path / "a") as lines:
                assert lines.text(1) == "text 2"
            assert sorted(os.listdir(tmp_path / "a")) == ["data.mdb"]
        finally:
            (tmp_path / "a").chmod(0o700)

    def test_twice_in_one_process(self, tmp_path):
        write(tmp_path / "a", range(1, 3), 2)
        (tmp_path / "b").symlink_to(tmp_path / "a")
        with open_lines(tmp_path / "a") as first, open_lines(tmp_path / "b") as second:
            assert first[1].source == second[1].source == b"image 2"
            first.close()
            assert second.text(0) == "text 1"
            assert first.text(0) == "text 1"

    def test_opened_by_someone_else_here(self, tmp_path):
        write(tmp_path / "a", range(1, 3), 2)
        environment = lmdb.open(str(tmp_path / "a"))
        try:
            with pytest.raises(LabelError, match="cannot be opened: .* Next: close it"):
                open_lines(tmp_path / "a")
        finally:
            environment.close()

    def test_missing(self, tmp_path):
        with pytest.raises(LabelError, match="none cannot be read: No such file"):
            LmdbLines(str(tmp_path / "none"))


def read_in_child(lines, queue):
    queue.put([sample.text for sample in lines])


class TestProcesses:
    def test_pickles_as_its_settings(self, tmp_path):
        lines = open_lines(write(tmp_path / "a", range(2), 2))
        with lines:
            assert lines.text(0) == "text 0"
            data = pickle.dumps(lines)
            assert len(data) < 1500
        with pickle.loads(data) as again:
            assert contents(again) == [(b"image 0", "text 0"), (b"image 1", "text 1")]
            assert again.notes == lines.notes

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_fork_opens_it_anew(self, tmp_path):
        with open_lines(write(tmp_path / "a", range(1, 3), 2)) as lines:
            assert lines.text(0) == "text 1"
            context = multiprocessing.get_context("fork")
            queue = context.SimpleQueue()
            process = context.Process(target=read_in_child, args=(lines, queue))
            process.start()
            process.join(30)
            assert process.exitcode == 0
            assert queue.get() == ["text 1", "text 2"]
            assert lines.text(1) == "text 2"


def large(folder):
    """Lines with pages of their own."""
    write(folder, range(1, 400), 399, image=b"x" * 5000 + b"%06d")
    return folder / "data.mdb"


class TestDamage:
    @pytest.mark.parametrize("share", [0.999, 0.7, 0.3, 0.01])
    def test_cut_off(self, tmp_path, share):
        file = large(tmp_path / "a")
        size = file.stat().st_size
        os.truncate(file, int(size * share))
        with pytest.raises(LabelError, match=f"is cut off: it has {int(size * share):,} bytes of at least {size:,}"):
            open_lines(tmp_path / "a")

    @pytest.mark.parametrize("length", [0, 10, 100, 4095])
    def test_without_a_whole_head(self, tmp_path, length):
        file = large(tmp_path / "a")
        os.truncate(file, length)
        with pytest.raises(LabelError, match="is empty|is not an LMDB|is cut off"):
            open_lines(tmp_path / "a")

    def test_another_file(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "data.mdb").write_bytes(b"Standard Jet DB" * 1000)
        with pytest.raises(LabelError, match="a is not an LMDB"):
            open_lines(tmp_path / "a")

    def test_zeros_where_the_tree_begins(self, tmp_path):
        file = large(tmp_path / "a")
        with file.open("rb+") as data:
            size = file.stat().st_size
            data.seek(8192)
            data.write(bytes(size - 8192))
        with pytest.raises(LabelError, match="is damaged"):
            open_lines(tmp_path / "a")

    def test_last_page_that_was_never_needed(self, tmp_path):
        # LMDB does not write pages that were freed in the transaction that took them.
        file = large(tmp_path / "a")
        with file.open("rb+") as data:
            for offset in (16, 4096 + 16):
                data.seek(offset + 24 + 96)
                (last,) = struct.unpack("<Q", data.read(8))
                data.seek(offset + 24 + 96)
                data.write(struct.pack("<Q", last + 2 if last > 10 else last))
        with open_lines(tmp_path / "a") as lines:
            assert len(lines) == 399
            assert lines[398].source == b"x" * 5000 + b"000399"

    @pytest.mark.parametrize(("keys", "shown"), [({}, ""), ({b"a.png": b"x"}, "its keys begin with 'a.png'")])
    def test_without_lines(self, tmp_path, keys, shown):
        write(tmp_path / "a", [], extra=keys)
        with pytest.raises(LabelError, match=f"holds no lines.*{shown}"):
            open_lines(tmp_path / "a")


def test_every_line_in_any_order(tmp_path):
    write(tmp_path / "a", range(1, 2001), 2000)
    order = np.random.default_rng(0).permutation(2000)
    with open_lines(tmp_path / "a") as lines:
        assert [lines[int(i)].source for i in order] == [b"image %d" % (i + 1) for i in order]


@pytest.mark.parametrize("about", [b"no json", b"[1]", b"\xff"])
def test_a_note_that_is_not_ours_is_passed_over(tmp_path, about):
    environment = lmdb.open(str(tmp_path / "a.lmdb"), map_size=1 << 20)
    with environment.begin(write=True) as transaction:
        for key, value in (
            (b"num-samples", b"1"),
            (b"image-000000001", b"x"),
            (b"label-000000001", b"one"),
            (b"glyphlet-about", about),
        ):
            transaction.put(key, value)
    environment.close()
    with open_lines(tmp_path / "a.lmdb") as lines:
        assert (len(lines), lines.text(0), lines.grouped) == (1, "one", False)
