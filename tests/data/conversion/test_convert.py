"""Conversion: verified, in order, the same with any number of workers; killed, interrupted, without room, it goes on."""

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from glyphlet.data.conversion import convert as convert_module
from glyphlet.data.conversion import workers as workers_module
from glyphlet.data.conversion.convert import convert
from glyphlet.data.conversion.place import PART
from glyphlet.data.conversion.verify import verify
from glyphlet.data.lineset import ListedLines
from glyphlet.data.open import open_lines
from glyphlet.data.sample import Sample
from glyphlet.data.writers import WRITERS
from glyphlet.data.writers.lmdb import LmdbWriter
from glyphlet.errors import GlyphletError, ImageError, Interrupted, LabelError
from glyphlet.image import decode
from glyphlet.spec import SourceSpec

RESUMED = sorted(name for name, kind in WRITERS.items() if kind.resumable)


def png(seed=0, size=(12, 6)) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, size[::-1], np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    """A label file of 60 lines, `0` to `59`."""
    root = tmp_path / "source"
    (root / "images").mkdir(parents=True)
    for i in range(60):
        (root / "images" / f"{i}.png").write_bytes(png(i))
    (root / "labels.txt").write_text("".join(f"images/{i}.png\t{i}\n" for i in range(60)), encoding="utf-8")
    return root


@pytest.fixture
def small_commits(monkeypatch):
    """Commits every ten lines, in chunks of five."""
    monkeypatch.setattr(convert_module, "_COMMIT_LINES", 10)
    monkeypatch.setattr(workers_module._ChunkSize, "learn", lambda self, chunk: chunk)
    monkeypatch.setattr(workers_module._ChunkSize, "__init__", lambda self: setattr(self, "lines", 5))


def stop_after(count, error):
    """A progress function that fails once so many lines are read."""

    def progress(done, total):
        if done >= count:
            raise error

    return progress


def result(path, name="tsv"):
    dictionary = str(path / "dictionary.txt") if name == "indexed" else None
    place = path / WRITERS[name].list_name if name in ("tsv", "spaced", "indexed", "csv", "jsonl", "doctr") else path
    with open_lines(SourceSpec(path=str(place), format=name, dictionary=dictionary)) as lines:
        samples = [lines.sample(i) for i in range(len(lines))]
    return [(s.text, s.source if isinstance(s.source, bytes) else Path(s.source).read_bytes()) for s in samples]


def every(count=60):
    return [(str(i), png(i)) for i in range(count)]


def tree(path):
    """All files below a path with their bytes."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): p.read_bytes() for p in files}


class TestVerify:
    def test_bytes_are_handed_on(self, tmp_path):
        data = png()
        (tmp_path / "a.wrong").write_bytes(data)
        assert verify(tmp_path / "a.wrong") == (data, ".png", 12, 6)
        assert verify(memoryview(data)) == (data, ".png", 12, 6)

    def test_size_is_the_upright_one(self):
        buffer = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (30, 10)).save(buffer, "JPEG", exif=exif)
        assert verify(buffer.getvalue())[1:] == (".jpg", 10, 30)

    @pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of a cut TIFF
    @pytest.mark.parametrize(
        ("format", "mode"),
        [
            *(("PNG", mode) for mode in ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]),
            *(("TIFF", mode) for mode in ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"]),
            *(("JPEG", mode) for mode in ["1", "L", "RGB", "CMYK"]),
        ],
    )
    @pytest.mark.parametrize("share", [1.0, 0.9, 0.5, 0.05])
    def test_accepts_what_decode_accepts(self, mode, format, share):
        buffer = io.BytesIO()
        Image.new(mode, (40, 20)).save(buffer, format)
        data = buffer.getvalue()[: int(len(buffer.getvalue()) * share)]
        try:
            shape = decode(data).shape
        except ImageError:
            shape = None
        if shape is None:
            with pytest.raises(ImageError):
                verify(data)
        else:
            assert verify(data)[2:] == (shape[1], shape[0])


class TestLines:
    def test_in_order(self, folder, tmp_path):
        done = convert(folder / "labels.txt", tmp_path / "a.lmdb")
        assert result(tmp_path / "a.lmdb", "lmdb") == every()
        assert (done.read, done.written, done.resumed, done.dropped, done.listed) == (60, 60, 0, Counter(), None)
        assert sorted(os.listdir(tmp_path)) == ["a.lmdb", "source"]

    @pytest.mark.parametrize("name", ["tsv", "webdataset"])
    def test_the_same_with_two_workers(self, folder, tmp_path, name, monkeypatch):
        monkeypatch.setattr(workers_module, "_FEW_LINES", 0)
        (folder / "images" / "7.png").write_bytes(b"broken")
        for workers in (1, 2):
            done = convert(folder, tmp_path / f"{workers}", to=name, workers=workers)
            assert done.dropped == {"image": 1}
        assert tree(tmp_path / "1") == tree(tmp_path / "2")
        assert (tmp_path / "1.dropped.txt").read_bytes() == (tmp_path / "2.dropped.txt").read_bytes()

    def test_progress(self, folder, tmp_path):
        seen = []
        convert(folder, tmp_path / "a.lmdb", progress=lambda done, total: seen.append((done, total)))
        assert seen[-1] == (60, 60)
        assert seen == sorted(seen)

    def test_the_map_grows(self, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.data.writers.lmdb._SMALLEST_MAP", 1 << 16)
        monkeypatch.setattr(convert_module, "_COMMIT_BYTES", 1 << 19)
        noise = [png(i, (400, 100)) for i in range(50)]
        convert(ListedLines([Sample(data, "x", "") for data in noise]), tmp_path / "a.lmdb")
        assert [image for _, image in result(tmp_path / "a.lmdb", "lmdb")] == noise
        assert (tmp_path / "a.lmdb" / "data.mdb").stat().st_blocks * 512 < 1.3 * sum(map(len, noise))

    def test_a_full_map_is_doubled(self, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.data.writers.lmdb._SMALLEST_MAP", 1 << 16)
        grown = []
        real = LmdbWriter._grow
        # Room is not made ahead: LMDB says that its map is full.
        monkeypatch.setattr(
            LmdbWriter,
            "_grow",
            lambda self, room: room and not grown.append(room) and len(grown) > 1 and real(self, room),
        )
        noise = [png(i, (400, 100)) for i in range(5)]
        convert(ListedLines([Sample(data, "x", "") for data in noise]), tmp_path / "a.lmdb")
        assert [image for _, image in result(tmp_path / "a.lmdb", "lmdb")] == noise
        assert len(grown) > 1


class TestDropped:
    def test_counted_and_listed(self, folder, tmp_path):
        (folder / "images" / "3.png").unlink()
        (folder / "images" / "4.png").write_bytes(png(4)[:-30])
        with (folder / "labels.txt").open("a", encoding="utf-8") as file:
            file.write("no tab\nimages/5.png\ta.b\nimages/5.png\ta/b\n")
        done = convert(folder / "labels.txt", tmp_path / "out", to="names")
        assert done.dropped == {"malformed": 1, "image": 2, "text": 1}
        assert (done.read, done.written) == (63, 59)
        listed = done.listed.read_text(encoding="utf-8").splitlines()
        assert done.listed == tmp_path / "out.dropped.txt"
        assert [line.split("\t")[0] for line in listed] == ["malformed", "image", "image", "text"]
        assert "labels.txt line 61 has no tab" in listed[0]
        assert listed[1].split("\t")[1] == f"{folder / 'labels.txt'} line 4"
        assert "3.png cannot be read: No such file" in listed[1]
        assert "4.png is damaged" in listed[2]
        assert "names cannot hold 'a/b', which holds '/'" in listed[3]

    def test_holes_of_an_lmdb(self, folder, tmp_path):
        convert(folder, tmp_path / "a.lmdb")
        environment = lmdb.open(str(tmp_path / "a.lmdb"), map_size=64 << 20)
        with environment.begin(write=True) as transaction:
            transaction.delete(b"image-000000002")
            transaction.delete(b"label-000000005")
        environment.close()
        done = convert(tmp_path / "a.lmdb", tmp_path / "b.lmdb")
        assert done.dropped == {"image": 1, "label": 1}
        assert result(tmp_path / "b.lmdb", "lmdb") == [line for i, line in enumerate(every()) if i not in (1, 4)]
        with open_lines(tmp_path / "b.lmdb") as lines:
            assert lines.notes == []
            assert lines.sizes().tolist() == [[12, 6]] * 58

    @pytest.mark.parametrize("damage", ["image", "text", "malformed"])
    def test_strict_stops(self, folder, tmp_path, damage):
        if damage == "image":
            (folder / "images" / "3.png").write_bytes(b"")
        else:
            (folder / "labels.txt").write_text(
                "images/1.png\ta\nimages/2.png" + ("\ta/b" if damage == "text" else "") + "\n", encoding="utf-8"
            )
        with pytest.raises(ImageError if damage == "image" else LabelError, match=r"3\.png|holds '/'|has no tab"):
            convert(folder / "labels.txt", tmp_path / "out", to="names", strict=True)
        assert not (tmp_path / "out").exists()

    def test_nothing_left(self, folder, tmp_path):
        for image in (folder / "images").iterdir():
            image.write_bytes(b"")
        with pytest.raises(LabelError, match="none of the 60 lines .* can be written: .*0.png is not an image"):
            convert(folder, tmp_path / "a.lmdb")
        assert sorted(os.listdir(tmp_path)) == ["a.lmdb.dropped.txt", "source"]


class TestPlaces:
    def test_an_older_set_is_kept(self, folder, tmp_path):
        convert(folder, tmp_path / "a.lmdb")
        before = tree(tmp_path / "a.lmdb")
        with pytest.raises(GlyphletError, match="a.lmdb exists.*--overwrite"):
            convert(folder, tmp_path / "a.lmdb")
        assert tree(tmp_path / "a.lmdb") == before

    @pytest.mark.parametrize(
        ("first", "second"), [("lmdb", "tsv"), ("tsv", "lmdb"), ("zip", "tsv"), ("tsv", "zip"), ("tsv", "tsv")]
    )
    def test_an_older_set_is_replaced(self, folder, tmp_path, first, second):
        convert(folder, tmp_path / "out", to=first)
        lines = ListedLines([Sample(png(), "new", "")])
        convert(lines, tmp_path / "out", to=second, overwrite=True)
        assert result(tmp_path / "out", second) == [("new", png())]
        assert sorted(os.listdir(tmp_path)) == ["out", "source"]

    def test_other_files_are_not_replaced(self, folder, tmp_path):
        convert(folder, tmp_path / "out")
        (tmp_path / "out" / "thesis.tex").write_text("years of work")
        with pytest.raises(GlyphletError, match=r"out holds 'thesis.tex'"):
            convert(folder, tmp_path / "out", overwrite=True)
        assert (tmp_path / "out" / "thesis.tex").exists()

    def test_an_empty_folder_is_no_set(self, folder, tmp_path):
        (tmp_path / "out").mkdir()
        assert convert(folder, tmp_path / "out").written == 60

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_never_over_or_into_the_source(self, folder, tmp_path, overwrite, monkeypatch):
        before = tree(folder)
        (tmp_path / "link").symlink_to(folder)
        monkeypatch.chdir(tmp_path)
        for source, destination in [
            (folder, folder),
            (folder, folder / "a.lmdb"),
            (folder, tmp_path / "link" / "deep" / "a.lmdb"),
            (folder / "labels.txt", folder),
            (folder / "labels.txt", "source/labels.txt"),
            (SourceSpec(path=str(folder / "labels.txt"), images=str(folder)), folder / "images"),
        ]:
            with pytest.raises(GlyphletError, match="is where the source|is inside the source"):
                convert(source, destination, to="tsv", overwrite=overwrite)
        assert tree(folder) == before

    def test_beside_the_label_file_is_fine(self, folder):
        assert convert(folder / "labels.txt", folder / "a.lmdb").written == 60

    def test_images_elsewhere_are_not_deleted(self, folder, tmp_path):
        convert(folder, tmp_path / "out")
        (tmp_path / "list.txt").write_text(f"{tmp_path}/out/images/000001.png\tx\n", encoding="utf-8")
        with pytest.raises(GlyphletError, match="out is where the source"):
            convert(tmp_path / "list.txt", tmp_path / "out", overwrite=True)

    def test_a_list_needs_a_folder(self, folder, tmp_path, monkeypatch):
        (tmp_path / "empty").mkdir()
        monkeypatch.chdir(tmp_path / "empty")
        with pytest.raises(GlyphletError, match="is no name"):
            convert(folder, ".")
        with pytest.raises(GlyphletError, match=r"x.csv needs a folder of its own.*lines/x.csv"):
            convert(folder, "x.csv")

    def test_two_at_once(self, folder, tmp_path):
        pytest.importorskip("fcntl")

        def again(done, total):
            with pytest.raises(GlyphletError, match=r"another conversion is writing .*a.lmdb"):
                convert(folder, tmp_path / "a.lmdb")

        assert convert(folder, tmp_path / "a.lmdb", progress=again).written == 60

    def test_shards_of_other_formats(self, folder, tmp_path):
        with pytest.raises(GlyphletError, match="lmdb is not written in shards"):
            convert(folder, tmp_path / "a.lmdb", shard=5)


@pytest.mark.usefixtures("small_commits")
class TestResume:
    @pytest.mark.parametrize(("name", "shard"), [*((name, 0) for name in RESUMED), ("webdataset", 7)])
    def test_goes_on_and_equals_one_run(self, folder, tmp_path, name, shard):
        (folder / "images" / "2.png").write_bytes(b"broken")
        (folder / "images" / "40.png").write_bytes(b"broken")
        convert(folder, tmp_path / "whole", to=name, shard=shard)
        with pytest.raises(RuntimeError):
            convert(folder, tmp_path / "out", to=name, shard=shard, progress=stop_after(35, RuntimeError()))
        assert not (tmp_path / "out").exists()
        done = convert(folder, tmp_path / "out", to=name, shard=shard)
        assert (done.resumed, done.read, done.written) == (30, 60, 58)
        assert done.dropped == {"image": 2}
        if name == "lmdb":
            assert result(tmp_path / "out", name) == result(tmp_path / "whole", name)
            with open_lines(tmp_path / "out") as lines:
                assert len(lines.sizes()) == 58
        else:
            assert tree(tmp_path / "out") == tree(tmp_path / "whole")
        assert len(done.listed.read_text().splitlines()) == 2
        expected = ["out", "out.dropped.txt", "source", "whole", "whole.dropped.txt"]
        assert sorted(os.listdir(tmp_path)) == expected

    @pytest.mark.parametrize("name", ["zip", "parquet"])
    def test_begins_anew(self, folder, tmp_path, name):
        with pytest.raises(RuntimeError):
            convert(folder, tmp_path / "out", to=name, progress=stop_after(35, RuntimeError()))
        done = convert(folder, tmp_path / "out", to=name)
        assert done.resumed == 0
        assert result(tmp_path / "out", name) == every()
        assert sorted(os.listdir(tmp_path)) == ["out", "source"]

    def test_of_another_source(self, folder, tmp_path):
        with pytest.raises(RuntimeError):
            convert(folder / "labels.txt", tmp_path / "a.lmdb", progress=stop_after(35, RuntimeError()))
        with (folder / "labels.txt").open("a", encoding="utf-8") as file:
            file.write("images/1.png\tlast\n")
        with pytest.raises(GlyphletError, match="unfinished conversion of another source.*--overwrite"):
            convert(folder / "labels.txt", tmp_path / "a.lmdb")
        done = convert(folder / "labels.txt", tmp_path / "a.lmdb", overwrite=True)
        assert (done.resumed, done.written) == (0, 61)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_stopped(self, folder, tmp_path, number):
        before = signal.getsignal(number)

        def press(done, total):
            if done == 30:
                signal.raise_signal(number)

        with pytest.raises(
            Interrupted, match="of 60 lines, 30 were read, 30 are done in .* it goes on there"
        ) as stopped:
            convert(folder, tmp_path / "a.lmdb", progress=press)
        assert signal.getsignal(number) == before
        assert stopped.value.exit_code == 128 + number
        assert convert(folder, tmp_path / "a.lmdb").resumed == 30
        assert result(tmp_path / "a.lmdb", "lmdb") == every()


PROGRAM = """
import sys
from glyphlet.data.conversion import convert as module, workers
from glyphlet.errors import GlyphletError

module._COMMIT_LINES, workers._CHUNK_LINES = 20, 10

def tell(done, total):
    print(done, flush=True)

if __name__ == "__main__":
    if len(sys.argv) > 5:
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]),) * 2)
    try:
        module.convert(sys.argv[1], sys.argv[2], to=sys.argv[3], workers=int(sys.argv[4]), progress=tell)
    except GlyphletError as error:
        sys.exit(str(error))
"""


def started(tmp_path, *arguments):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(tmp_path / "program.py"), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform != "linux", reason="uses /proc and limits of Linux")
class TestTheProcess:
    @pytest.mark.parametrize(("name", "workers"), [("lmdb", 1), ("lmdb", 2), ("webdataset", 1)])
    def test_killed(self, folder, tmp_path, name, workers):
        rows = [f"images/{i % 60}.png\t{i}\n" for i in range(4000)]
        (folder / "labels.txt").write_text("".join(rows), encoding="utf-8")
        with started(tmp_path, folder / "labels.txt", tmp_path / "out", name, workers) as process:
            for line in process.stdout:
                if int(line) > 200:
                    break
            children = _children(process.pid)
            process.kill()
            process.communicate()
        done = convert(folder / "labels.txt", tmp_path / "out", to=name)
        assert 100 <= done.resumed < 4000
        images = [png(i) for i in range(60)]
        assert result(tmp_path / "out", name) == [(str(i), images[i % 60]) for i in range(4000)]
        assert len(children) >= (workers if workers > 1 else 0)
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline, "a worker outlived its parent"
            time.sleep(0.05)

    @pytest.mark.parametrize("name", ["lmdb", "tsv", "webdataset", "zip", "parquet"])
    def test_a_file_that_may_not_grow(self, folder, tmp_path, name):
        for i in range(60):
            (folder / "images" / f"{i}.png").write_bytes(png(i, (100, 50)))  # 5 kB
        limit = 4000 if name == "tsv" else 260_000
        with started(tmp_path, folder, tmp_path / "out", name, 1, limit) as process:
            _, error = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Next: " in error
        assert "Traceback" not in error
        assert not (tmp_path / "out").exists()
        done = convert(folder, tmp_path / "out", to=name)
        assert result(tmp_path / "out", name) == [(str(i), png(i, (100, 50))) for i in range(60)]
        if name in ("lmdb", "webdataset"):
            assert done.resumed == 26


def _children(process):
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            found.append(int(status.parent.name))
    return found


@pytest.mark.usefixtures("small_commits")
class TestFullDisk:
    @pytest.mark.parametrize("name", RESUMED)
    def test_goes_on_when_there_is_room(self, folder, tmp_path, name, monkeypatch):
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        kind = WRITERS[name]
        real = kind.commit
        calls = []

        def commit(self, progress):
            calls.append(progress)
            if len(calls) == 4:
                raise full
            real(self, progress)

        monkeypatch.setattr(kind, "commit", commit)
        with pytest.raises(
            GlyphletError,
            match="the disk is full: of 60 lines, 30 were read, 20 are done in .*make room and run the same",
        ):
            convert(folder, tmp_path / "out", to=name)
        assert not (tmp_path / "out").exists()
        done = convert(folder, tmp_path / "out", to=name)
        assert done.resumed == 20
        assert sorted(result(tmp_path / "out", name)) == sorted(every())

    def test_lmdb_says_input_output_error(self, folder, tmp_path, monkeypatch):
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100))
        monkeypatch.setattr(LmdbWriter, "_items", lambda self: [(b"", b"")])  # LMDB refuses an empty key
        with pytest.raises(GlyphletError, match="the disk is full"):
            convert(folder, tmp_path / "a.lmdb")

    def test_while_the_last_bytes_are_written(self, folder, tmp_path, monkeypatch):
        def finish(self):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patched:
            patched.setattr(LmdbWriter, "finish", finish)
            with pytest.raises(GlyphletError, match="the disk is full"):
                convert(folder, tmp_path / "a.lmdb")
        assert (tmp_path / f"a.lmdb{PART}").is_dir()
        assert convert(folder, tmp_path / "a.lmdb").resumed == 60
        assert result(tmp_path / "a.lmdb", "lmdb") == every()

    def test_a_place_that_cannot_be_made(self, folder, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(GlyphletError, match="cannot be written"):
            convert(folder, tmp_path / "file" / "a.lmdb")


class TestHostileFiles:
    def test_images_that_are_pipes_devices_loops_or_no_names(self, folder, tmp_path):
        """Each is a dropped line; none is waited for, and none ends the conversion."""
        os.mkfifo(folder / "pipe.png")
        (folder / "loop.png").symlink_to("loop.png")
        names = ["loop.png", "pipe.png", "/dev/zero", "nul\0.png", "images", "images/1.png", "loop.png"]
        (folder / "labels.txt").write_text("".join(f"{name}\t{i}\n" for i, name in enumerate(names)))
        done = convert(folder / "labels.txt", tmp_path / "a.lmdb")
        assert (done.read, done.written, done.dropped) == (7, 1, Counter(image=6))
        listed = done.listed.read_text().splitlines()
        assert [int(line.split("\t")[1].split()[-1]) for line in listed] == [1, 2, 3, 4, 5, 7]
        with open_lines(tmp_path / "a.lmdb") as lines:
            assert (len(lines), lines.text(0)) == (1, "5")

    def test_malformed_lines_are_counted_beyond_those_that_are_described(self, folder, tmp_path, monkeypatch):
        monkeypatch.setattr("glyphlet.data.files.textfile.MAX_PROBLEMS", 10)
        with (folder / "labels.txt").open("a") as file:
            file.write("no tab\n" * 25)
        done = convert(folder / "labels.txt", tmp_path / "a.tar")
        assert (done.read, done.written, done.dropped) == (85, 60, Counter(malformed=25))
        assert done.listed.read_text().splitlines()[-1].endswith("has 15 more malformed lines")
