"""Label files of `path<TAB>text`, UTF-8, one line a line.

The path is relative to the folder of the label file. The text is everything after the first tab, kept as it is: inner,
leading and trailing spaces count. A byte order mark, Windows line ends and a missing last newline are accepted.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from glyphlet.data.sample import Sample
from glyphlet.errors import LabelError

_FORM = "lines of path<TAB>text in UTF-8"


def read_label_file(path: str | Path) -> list[Sample]:
    """The samples of one label file.

    Raises:
        LabelError: the file cannot be read, is empty, or a line is malformed (its number is named).
    """
    path = Path(path)
    if path.suffix.lower() in (".onnx", ".pt", ".pth", ".png", ".jpg", ".jpeg"):
        raise LabelError(
            f"{path} is given where a label file is needed", allowed=_FORM, next_step="name one model, then label files"
        )
    samples = []
    for number, line in enumerate(_lines(path), 1):
        if not line:
            continue
        name, tab, text = line.partition("\t")
        if not tab:
            raise LabelError(
                f"{path} line {number} has no tab: {line[:60]!r}",
                allowed=_FORM,
                next_step="put one tab between the image path and its text",
            )
        if not name or not text:
            missing = "text" if name else "path"
            raise LabelError(
                f"{path} line {number} has no {missing}: {line[:60]!r}",
                allowed=_FORM,
                next_step="complete or remove the line",
            )
        samples.append(Sample(path.parent / name, text, f"{path} line {number}"))
    if not samples:
        raise LabelError(f"{path} holds no labels", allowed=_FORM, next_step="write one line for each image")
    return samples


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabelError(
            f"the label file {path} cannot be read: {error.strerror}", allowed=_FORM, next_step="check the path"
        ) from error
    try:
        # Not splitlines(): it would also split at characters that may stand in a text, such as U+2028.
        return [line.rstrip("\r") for line in content.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise LabelError(
            f"{path} line {number} is not UTF-8",
            allowed=_FORM,
            next_step=f"convert it in its folder, a Chinese one with `iconv -f GB18030 -t UTF-8 {shlex.quote(path.name)} > utf8.txt`",
        ) from error


def read_label_files(paths: Sequence[str | Path]) -> list[Sample]:
    """The samples of several label files, in order."""
    return [sample for path in paths for sample in read_label_file(path)]
