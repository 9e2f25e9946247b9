"""The recipes for the data set-ups of the five systems run, each on a small set in its own format."""

import io

import lmdb
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from glyphlet.charset import Charset
from glyphlet.job import run
from glyphlet.runtime.reader import Reader
from glyphlet.spec import SynthSpec, load_recipe
from glyphlet.synth.render import RenderedSet
from support import TINY

LINES = 40


def images(charset: str, count: int = LINES, **spec) -> list[tuple[bytes, str]]:
    """Rendered lines as the bytes of image files, with their texts."""
    found = []
    for line in RenderedSet(SynthSpec(count=count, min_length=2, max_length=3, **spec), Charset.from_text(charset)):
        file = io.BytesIO()
        line.image.save(file, "PNG")
        found.append((file.getvalue(), line.text))
    return found


def write_lmdb(path, lines, first):
    with lmdb.open(str(path), map_size=1 << 24) as env, env.begin(write=True) as txn:
        txn.put(b"num-samples", str(len(lines)).encode())
        for number, (data, text) in enumerate(lines, first):
            txn.put(b"image-%09d" % number, data)
            txn.put(b"label-%09d" % number, text.encode())


def write_files(folder, lines):
    folder.mkdir(parents=True)
    for number, (data, _) in enumerate(lines):
        (folder / f"{number}.png").write_bytes(data)
    return [(f"{number}.png", text) for number, (_, text) in enumerate(lines)]


def crnn_lmdb(data):
    write_lmdb(data / "train.lmdb", images("abcXYZ019"), 1)
    write_lmdb(data / "val.lmdb", images("abcXYZ019", 8, seed=1), 1)


def crnn_model_lmdb(data):
    write_lmdb(data / "train.lmdb", images("abcXYZ019"), 0)  # as its converter numbers them
    write_lmdb(data / "val.lmdb", images("abcXYZ019", 8, seed=1), 0)


def chinese_crnn_360cc(data):
    rows = write_files(data / "360cc" / "images", images("ABC"))
    (data / "360cc" / "char_std_5990.txt").write_bytes("blank\nA\n中\nB\nC\n".encode("gbk"))
    index = {"A": 1, "B": 3, "C": 4}
    text = "".join(f"{name} {' '.join(str(index[c]) for c in label)}\n" for name, label in rows)
    for name in ("train.txt", "test.txt"):
        (data / "360cc" / name).write_text(text)


def lightweight_ocr_lines(data):
    rows = write_files(data / "lines", images("ABC"))
    wide = str.maketrans("ABC", "ＡＢＣ")
    text = "".join(f"lines/{name}\t{label.translate(wide)}\n" for name, label in rows)
    (data / "train_list.txt").write_text(text, encoding="utf-8")


def cells_csv(data):
    rows = write_files(data / "training_set", images("0123.-"))
    text = "".join(f"{name};{label}\n" for name, label in [("filename", "value"), *rows])
    (data / "training_set_values.txt").write_text(text)
    random = np.random.default_rng(0)
    digits = np.zeros((20, 28, 28), np.uint8)
    digits[:, 6:22, 10:18] = random.integers(100, 256, (20, 16, 8))
    labels = np.arange(20) % 10
    np.savez(data / "mnist.npz", x_train=digits, y_train=labels, x_test=digits, y_test=labels)


SETS = {
    "crnn-lmdb": (crnn_lmdb, "abcxyz019"),
    "crnn-model-lmdb": (crnn_model_lmdb, "019XYZabc"),
    "chinese-crnn-360cc": (chinese_crnn_360cc, "ABC"),
    "lightweight-ocr-lines": (lightweight_ocr_lines, "ABC"),
    "cells-csv": (cells_csv, "0123456789.-"),
}
WHOLE_CHARSETS = ("crnn-lmdb",)
"""Recipes whose charset is larger than what the small set shows."""


@pytest.mark.parametrize("name", SETS)
def test_it_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    make, charset = SETS[name]
    make(tmp_path / "data")
    recipe = load_recipe(name, [*TINY, "train.epochs=1", "train.workers=0"])
    if recipe.data.train[-1:] and isinstance(recipe.data.train[-1], SynthSpec):
        values = recipe.dump()
        values["data"]["train"][-1]["count"] = 20
        recipe = type(recipe).model_validate(values)
    console = Console(record=True, width=200, file=io.StringIO())
    job = run(recipe, tmp_path / "runs", console)
    found = Reader(job.model).metadata.charset
    assert set(charset) <= set(found.text)
    assert name in WHOLE_CHARSETS or set(found.text) == set(charset)
    text = console.export_text()
    assert ("0" in text and "image-000000000" in text) == (name == "crnn-model-lmdb")
    trained = {"cells-csv": 32, "lightweight-ocr-lines": 32}.get(name, 40)
    assert f"{trained} training" in text


def test_every_image_is_used_of_a_database_that_is_numbered_from_0(tmp_path):
    from glyphlet.data.open import open_lines

    lines = images("abc")
    write_lmdb(tmp_path / "train.lmdb", lines, 0)
    opened = open_lines(tmp_path / "train.lmdb")
    assert [(sample.source, sample.text) for sample in opened] == lines
    assert Image.open(io.BytesIO(opened[0].source)).size[1] == 30
