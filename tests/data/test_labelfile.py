import pytest

from glyphlet.data.labelfile import read_label_file, read_label_files
from glyphlet.errors import LabelError


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"a.png\t12\nb.png\t34\n", ["12", "34"]),
        (b"a.png\t12", ["12"]),
        (b"\xef\xbb\xbfa.png\t12\r\n\r\nb.png\t3 4 \r\n", ["12", "3 4 "]),
        ("a.png\té\u2028x\ty\n".encode(), ["é\u2028x\ty"]),
    ],
)
def test_texts_are_kept_as_written(tmp_path, content, texts):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    samples = read_label_file(path)
    assert [s.text for s in samples] == texts
    assert samples[0].source == tmp_path / "a.png"
    assert samples[0].origin == f"{path} line 1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no labels"),
        (b"\n\n", "holds no labels"),
        (b"a.png 12\n", "line 1 has no tab"),
        (b"a.png\t1\nb.png\t\n", "line 2 has no text"),
        (b"\t12\n", "line 1 has no path"),
        ("a.png\t1\nb.png\t好\n".encode("gb18030"), "line 2 is not UTF-8"),
    ],
)
def test_malformed_lines_are_named(tmp_path, content, message):
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(LabelError, match=message):
        read_label_file(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LabelError, match=r"none\.txt cannot be read: No such file"):
        read_label_file(tmp_path / "none.txt")


def test_several_files_are_read_in_order(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.txt").write_text(f"x.png\t{name}\n")
    assert [s.text for s in read_label_files([tmp_path / "b.txt", tmp_path / "a.txt"])] == ["b", "a"]
