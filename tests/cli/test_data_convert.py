"""`glyphlet data convert` as a shell runs it."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from glyphlet.data.open import open_lines
from glyphlet.data.writers.lmdb import LmdbWriter

COMMAND = Path(sys.executable).with_name("glyphlet")


def texts(path):
    with open_lines(path) as lines:
        return [line.text for line in lines]


class TestConvert:
    def test_to_lmdb_and_back(self, glyphlet, digits, tmp_path):
        expected = texts(digits)
        done = glyphlet("data", "convert", digits, tmp_path / "a.lmdb", "--workers", 1)
        assert done.code == 0
        assert re.search(r"a\.lmdb: lmdb, 40 lines read, 40 written, 0 dropped; [\d.]+ s, [\d,]+ lines/s\n", done.out)
        assert texts(tmp_path / "a.lmdb") == expected
        assert glyphlet("data", "convert", tmp_path / "a.lmdb", tmp_path / "out" / "x.csv", "--workers", 1).code == 0
        assert texts(tmp_path / "out" / "x.csv") == expected

    def test_settings_of_the_source(self, glyphlet, tmp_path):
        Image.new("L", (20, 9)).save(tmp_path / "p1_a.png")
        (tmp_path / "list").write_text("file;words\np1_a.png;1.50\n")
        options = ["--format", "csv", "--delimiter", ";", "--image-column", "file", "--text-column", "words"]
        options += ["--group", r"^(p\d+)_", "--workers", 1]
        assert glyphlet("data", "convert", tmp_path / "list", tmp_path / "a.lmdb", *options).code == 0
        with open_lines(tmp_path / "a.lmdb") as lines:
            assert lines.text(0) == "1.50"
            assert lines.group(0) == "p1"

    def test_dropped_lines(self, glyphlet, digits, tmp_path):
        lines = digits.read_text(encoding="utf-8").splitlines()
        rows = [f"{digits.parent}/{line}" for line in lines[:5]]
        (tmp_path / "list.txt").write_text("\n".join([*rows, "gone.png\tx", "no tab"]) + "\n", encoding="utf-8")
        done = glyphlet("data", "convert", tmp_path / "list.txt", tmp_path / "a.lmdb", "--workers", 1)
        assert done.code == 1
        assert "7 lines read, 5 written, 2 dropped (malformed 1, image 1)" in done.out
        assert done.err == f"glyphlet: lines were dropped; {tmp_path}/a.lmdb.dropped.txt names each\n"
        listed = (tmp_path / "a.lmdb.dropped.txt").read_text(encoding="utf-8").splitlines()
        assert len(listed) == 2
        assert "list.txt line 6" in listed[1]

    def test_strict(self, glyphlet, tmp_path):
        (tmp_path / "list.txt").write_text("gone.png\tx\n", encoding="utf-8")
        done = glyphlet("data", "convert", tmp_path / "list.txt", tmp_path / "a.lmdb", "--strict", "--workers", 1)
        done.refused("list.txt line 1", "gone.png cannot be read")

    def test_refused(self, glyphlet, digits, tmp_path):
        glyphlet("data", "convert", tmp_path / "no.txt", tmp_path / "a.lmdb").refused("no.txt cannot be read")
        glyphlet("data", "convert", digits, tmp_path / "a.xyz").refused("a.xyz does not say which format")
        glyphlet("data", "convert", digits, tmp_path / "a", "--to", "lmbd").refused("did you mean 'lmdb'?")
        glyphlet("data", "convert", digits, digits.parent, "--overwrite").refused("is where the source")
        (tmp_path / "a.lmdb").write_text("x")
        glyphlet("data", "convert", digits, tmp_path / "a.lmdb").refused("a.lmdb exists", "--overwrite")
        assert (tmp_path / "a.lmdb").read_text() == "x"

    def test_full_disk(self, glyphlet, digits, tmp_path, monkeypatch):
        def full(self, items, delete=None):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patched:
            patched.setattr(LmdbWriter, "_put", full)
            glyphlet("data", "convert", digits, tmp_path / "a.lmdb", "--workers", 1).refused("the disk is full")
        assert glyphlet("data", "convert", digits, tmp_path / "a.lmdb", "--workers", 1).code == 0
        assert len(texts(tmp_path / "a.lmdb")) == 40


@pytest.mark.skipif(sys.platform != "linux", reason="sends signals")
def test_ctrl_c_reaches_all_processes_and_one_sentence_is_said(digits, tmp_path):
    rows = [f"{digits.parent}/{line}" for line in digits.read_text(encoding="utf-8").splitlines()]
    (tmp_path / "list.txt").write_text("\n".join(rows * 2000) + "\n", encoding="utf-8")
    command = [COMMAND, "data", "convert", "list.txt", "a.lmdb", "--workers", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    part = tmp_path / "a.lmdb.glyphlet-part" / "data.mdb"
    while not part.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    time.sleep(0.1)  # the workers are starting
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.fullmatch(
        r"glyphlet: interrupted: of 80,000 lines, ([\d,]+) were read, \1 are done in .* it goes on there\.\n", error
    )
    assert "Traceback" not in error
