import os

import pytest

from glyphlet.files import replace_file


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a"
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a"
    replace_file(path, b"one")

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]
