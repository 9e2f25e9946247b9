"""Result files, the order of the worst lines, and the tables of the terminal."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from glyphlet.errors import GlyphletError, LabelError
from glyphlet.evaluate.scores import (
    Evaluation,
    LineResult,
    confusion_table,
    percent,
    table,
    visible,
    write_results,
    write_whole,
)
from glyphlet.metrics import score


def printed(made: Table) -> str:
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115 - closed below
    with console.file:
        console.print(made)
        return console.export_text()


def test_worst_lines_are_most_edited_then_most_confident() -> None:
    results = [
        LineResult("right.png", "abc", "abc", 0.99),
        LineResult("doubtful.png", "abc", "abx", 0.2),
        LineResult("sure.png", "abc", "xbc", 0.9),
        LineResult("lost.png", "abc", "", 0.1),
    ]
    evaluation = Evaluation.of(results)
    assert evaluation.results == tuple(results)
    assert [r.path for r in evaluation.worst()] == ["lost.png", "sure.png", "doubtful.png"]
    assert [r.path for r in evaluation.worst(1)] == ["lost.png"]
    assert evaluation.results[3].edits == 3
    assert evaluation.scores.cer == 5 / 12


def test_evaluation_of_nothing_is_refused() -> None:
    with pytest.raises(LabelError, match="0 lines"):
        Evaluation.of([])


def test_case_is_ignored_on_request() -> None:
    results = [LineResult("a", "A", "a", 1.0)]
    assert Evaluation.of(results).worst() == results
    assert Evaluation.of(results, ignore_case=True).scores.word_accuracy == 1
    assert Evaluation.of(results, ignore_case=True).worst() == []


def test_results_are_a_label_file(tmp_path: Path) -> None:
    target = tmp_path / "read.txt"
    target.write_text("old")
    write_results(target, [LineResult("a b.png", "", " é ", 0.5), LineResult("c.png", "x", "", 0.5)])
    assert target.read_bytes() == "a b.png\t é \nc.png\t\n".encode()
    assert os.listdir(tmp_path) == ["read.txt"]


@pytest.mark.parametrize(("path", "text"), [("a\tb", ""), ("a", "b\nc"), ("a", "b\r"), ("caf\udce9.png", "")])
def test_what_would_break_a_label_file_is_refused(tmp_path: Path, path: str, text: str) -> None:
    with pytest.raises(LabelError, match="cannot stand in a label file"):
        write_results(tmp_path / "read.txt", [LineResult(path, "", text, 1.0)])
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "read.txt"
    target.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GlyphletError, match=r"read\.txt cannot be written: No space left on device"):
        write_whole(target, "new")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["read.txt"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(GlyphletError, match="No such file or directory"):
        write_whole(tmp_path / "none" / "read.txt", "")


@pytest.mark.parametrize(
    ("char", "shown"),
    [("", "(none)"), (" ", "·"), ("a", "a"), ("\u200b", "U+200B"), ("\u0301", "◌\u0301"), ("\u3000", "U+3000")],
)
def test_every_character_can_be_seen(char: str, shown: str) -> None:
    assert visible(char) == shown


def test_table_holds_values_and_intervals() -> None:
    text = printed(table(score(["abc"] * 9 + ["abx"], ["abc"] * 10)))
    assert "90.00 %" in text
    assert "59.58 to 98.21 %" in text  # Wilson for 9 of 10
    assert "3.33 %" in text
    assert percent(1 / 30) == "3.33 %"


def test_confusions_are_not_taken_for_markup() -> None:
    scores = score(["/b]", "[", "x"], ["[b]", "]", "y"])
    text = printed(confusion_table(scores, count=2))
    assert "Confusions, 2 of 3" in text
    assert [line.split() for line in text.splitlines() if "│" in line] == [
        ["│", "[", "│", "/", "│", "1", "│"],
        ["│", "]", "│", "[", "│", "1", "│"],
    ]
