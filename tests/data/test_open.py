"""One function opens every format, joins several sources, and says what is wrong with a path."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from glyphlet.data.formats import FORMATS
from glyphlet.data.mix import JoinedLines
from glyphlet.data.open import open_lines
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec


@pytest.fixture
def three(tmp_path):
    for name, count in (("a", 3), ("b", 2), ("c", 1)):
        (tmp_path / f"{name}.txt").write_text("".join(f"{i}.png\t{name}{i}\n" for i in range(count)), encoding="utf-8")
    return [str(tmp_path / f"{name}.txt") for name in "abc"]


def test_sources_are_joined_in_order_with_weights(three):
    a, b, c = three
    lines = open_lines([a, SourceSpec(path=b, weight=2.5), SourceSpec(path=c, group="folder")])
    assert isinstance(lines, JoinedLines)
    assert [lines.text(i) for i in range(6)] == ["a0", "a1", "a2", "b0", "b1", "c0"]
    assert lines.weights().tolist() == [1, 1, 1, 2.5, 2.5, 1]
    assert lines.origin(4) == f"{b} line 2"
    assert lines[5].text == "c0"
    assert lines.grouped
    assert lines.sizes() is None
    again = pickle.loads(pickle.dumps(lines))
    assert again.text(4) == "b1"
    np.testing.assert_array_equal(again.weights(), lines.weights())


def test_equal_weights_are_no_weights(three):
    assert open_lines(three).weights() is None


def test_notes_and_problems_of_every_source_are_kept(three, tmp_path):
    (tmp_path / "bad.txt").write_text("x\n0.png\ty\n", encoding="utf-8")
    (tmp_path / "n.txt").write_text("a.png 1 2\n", encoding="utf-8")
    lines = open_lines([three[0], tmp_path / "bad.txt", tmp_path / "n.txt"], lenient=True)
    assert [p.problem.rpartition("/")[2] for p in lines.problems] == ["bad.txt line 1 has no tab: 'x'"]
    assert lines.notes[0].startswith(f"{tmp_path / 'n.txt'}: all texts are numbers")
    with pytest.raises(LabelError, match="bad.txt line 1 has no tab"):
        open_lines([three[0], tmp_path / "bad.txt"])


def test_no_source():
    with pytest.raises(LabelError, match="no source of lines"):
        open_lines([])


def test_a_misspelt_path_names_the_nearest(tmp_path):
    (tmp_path / "labels.txt").write_text("a\tb\n", encoding="utf-8")
    with pytest.raises(LabelError, match=r"lables.txt cannot be read: No such file.*did you mean 'labels.txt'"):
        open_lines(tmp_path / "lables.txt")


@pytest.mark.parametrize("name", ["model.onnx", "line.png", "net.pth"])
def test_a_model_or_an_image_is_no_label_file(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    for spec in (SourceSpec(path=str(tmp_path / name)), SourceSpec(path=str(tmp_path / name), format="tsv")):
        with pytest.raises(LabelError, match=f"{name} is given where a label file is needed"):
            open_lines(spec)


def test_a_misspelt_format(three):
    with pytest.raises(LabelError, match=r"no format named 'spacd' \(did you mean 'spaced'\?\)"):
        open_lines(SourceSpec(path=three[0], format="spacd"))


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("x.txt", b"a.png\tb c\n", "tsv"),
        ("x.txt", b"a.png b c\n", "spaced"),
        ("x.txt", b"filename;value\na.png;1\n", "csv"),
        ("x.tsv", b"path\ttext\na.png\t1\n", "csv"),
        ("x.txt", b'{"image": "a.png", "text": "b"}\n', "jsonl"),
        ("x.json", b'{"image": "a.png", "text": "b"}\n', "jsonl"),
        ("x.json", b'{"Bild": "a.png", "Lesung": "b"}\n{"Bild": "b.png", "Lesung": "b"}\n', "jsonl"),
        ("x.json", b'{"a.png": "b"}', "doctr"),
        ("x.json", b'{\n"a.png": "b"\n}', "doctr"),
        ("x.txt", "a.png b".encode("utf-16"), "spaced"),
    ],
)
def test_formats_are_found_by_the_first_lines(tmp_path, name, content, format):
    (tmp_path / name).write_bytes(content)
    fields = {"image_column": "Bild", "text_column": "Lesung"} if b"Bild" in content else {}
    lines = open_lines(SourceSpec(path=str(tmp_path / name), **fields))
    assert lines.format == format
    assert lines.text(0)[0] in "b1"


def test_looking_never_raises(tmp_path):
    (tmp_path / "file").write_bytes(b"\xff\xfe\x00" + bytes(range(256)) * 4)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for form in FORMATS.values():
        for path in (
            tmp_path / "file",
            tmp_path / "empty",
            tmp_path / "folder",
            tmp_path / "none",
            tmp_path / "file" / "x",
        ):
            assert form.looks(path) in (True, False)
        assert form.about


def test_empty_texts_are_lines(tmp_path):
    (tmp_path / "l.txt").write_text("a.png\t\nb.png\tx\n", encoding="utf-8")
    assert [open_lines(tmp_path / "l.txt").text(i) for i in (0, 1)] == ["", "x"]


def test_the_page_has_every_format():
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    assert [name for name in FORMATS if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("format", ["auto", "tsv", "csv", "jsonl", "doctr"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, format):
    os.mkfifo(tmp_path / "labels.txt")
    with pytest.raises(LabelError, match=r"labels.txt (cannot be read: it is a pipe|is no file and no folder)"):
        open_lines(SourceSpec(path=str(tmp_path / "labels.txt"), format=format))


def test_a_dangling_link_is_not_proposed_as_itself(tmp_path):
    (tmp_path / "labels.txt").symlink_to("nowhere")
    with pytest.raises(LabelError) as caught:
        open_lines(tmp_path / "labels.txt")
    assert caught.value.next_step == "check the path"
