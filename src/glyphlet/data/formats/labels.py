"""Label files: `path<TAB>text`, `path text`, and indices into a list of characters."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.files.content import FileContent
from glyphlet.data.files.encoding import named_codec, text_in
from glyphlet.data.files.folder import is_image
from glyphlet.data.files.sniff import IMAGE_THEN_SPACE, is_kind
from glyphlet.data.files.textfile import Form, Piece
from glyphlet.data.files.textlines import Cells, Located, TextLines, located
from glyphlet.data.formats import reads
from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError
from glyphlet.spec import SourceSpec

_TAB, _SPACE = 9, 32
_COMPLETE = "complete or remove the line"


def tsv_lines(spec: SourceSpec, at: Located) -> TextLines:
    """Lines of `path<TAB>text`. The text is all after the first tab, as it is: spaces at its ends count."""
    form = Form("lines of path<TAB>text in UTF-8", _no_tab, _why_no_tab)
    return TextLines(spec, "tsv", at, form, _tab_cells)


def _no_tab(piece: Piece) -> NDArray[np.bool_]:
    tabs = piece.first(_TAB)
    bad: NDArray[np.bool_] = (tabs == piece.ends) | (tabs == piece.starts)
    return bad


def _why_no_tab(line: str) -> tuple[str, str]:
    if "\t" in line:
        return f"has no path: {line[:60]!r}", _COMPLETE
    if IMAGE_THEN_SPACE.match(line):
        return (
            f"has no tab: {line[:60]!r}",
            "put one tab between the image path and its text, or name the format: spaced",
        )
    return f"has no tab: {line[:60]!r}", "put one tab between the image path and its text"


def _tab_cells(line: str) -> Cells:
    image, _, text = line.partition("\t")
    return Cells(image, text)


@reads("path<TAB>text, one line a line", looks=lambda path: path.is_file(), rank=90)
def tsv(spec: SourceSpec) -> LineSet:
    """A label file of `path<TAB>text`."""
    return tsv_lines(spec, located(spec))


def spaced_lines(spec: SourceSpec, at: Located) -> TextLines:
    """Lines of `path text`: all after the first spaces is the text, spaces included.

    A path may hold spaces itself when it ends in the suffix of an image.
    """
    form = Form("lines of an image path, spaces, and its text", _no_space, _why_no_space)
    lines = TextLines(spec, "spaced", at, form, _spaced_cells)
    some = [lines.text(i) for i in range(min(100, len(lines)))]
    if some and all(re.fullmatch(r"\d+( \d+)+", text) for text in some):
        lines.notes.append("all texts are numbers: if they are indices of characters, name the dictionary")
    return lines


def _no_space(piece: Piece) -> NDArray[np.bool_]:
    gaps = np.minimum(piece.first(_SPACE), piece.first(_TAB))
    bad: NDArray[np.bool_] = (gaps == piece.ends) | (gaps == piece.starts)
    return bad


def _why_no_space(line: str) -> tuple[str, str]:
    if line.startswith((" ", "\t")):
        return f"has no path: it starts with a space: {line[:60]!r}", _COMPLETE
    return f"has no space: {line[:60]!r}", "put a space between the image path and its text"


def _spaced_cells(line: str) -> Cells:
    first = re.match(r"([^ \t]+)[ \t]+", line)
    match = first if first is not None and is_image(first[1]) else IMAGE_THEN_SPACE.match(line) or first
    if match is None:
        raise ValueError(f"no space in {line!r}")
    return Cells(match[1], line[match.end() :])


@reads("path text, where the text may hold spaces", looks=lambda path: is_kind(path, "spaced"), rank=80)
def spaced(spec: SourceSpec) -> LineSet:
    """A label file of `path text`."""
    return spaced_lines(spec, located(spec))


_INDICES = re.compile(r"(.*?)((?:[ \t]+\d+)*)[ \t]*")
_BLANKS = ("blank", "ctcblank", "ctc_blank", "pad", "-blank-")


def read_dictionary(path: str, encoding: str = "auto") -> tuple[list[str], list[str]]:
    """A list of characters, one a line, by index.

    Without a name the encoding is UTF-8, or else GB18030, which holds GBK. GBK itself has no characters for some codes
    that are in such lists; they become private-use characters, and are counted in the notes.

    Args:
        path: the file.
        encoding: its encoding, or `auto`.

    Returns:
        The characters; the first is empty where it is the name of the blank. And what should be known about them.

    Raises:
        LabelError: the file cannot be read or decoded.
    """
    content, codec, skip = text_in(FileContent(path), encoding)
    data = content.exactly(skip, content.size - skip)
    content.close()
    notes = []
    if encoding != "auto" and named_codec(encoding, "dictionary_encoding") in ("gbk", "gb2312"):
        codec = "gb18030"
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        try:
            if encoding != "auto":
                raise
            text = data.decode("gb18030")
            notes.append(f"the dictionary {path} is no UTF-8 and is read as GB18030")
        except UnicodeDecodeError as error:
            number = data.count(b"\n", 0, error.start) + 1
            raise LabelError(
                f"{path} line {number} is not {codec.upper()}",
                allowed="a list of characters, one a line, in UTF-8, GBK or GB18030",
                next_step="set dictionary_encoding to the encoding that it was written in",
            ) from error
    entries = [line.rstrip("\r") for line in text.split("\n")]
    if entries and not entries[-1]:
        entries.pop()
    if entries and entries[0].strip("<>[]# ").lower() in _BLANKS:
        entries[0] = ""
    private = [i for i, entry in enumerate(entries) if any(unicodedata.category(c) == "Co" for c in entry)]
    if private:
        some = ", ".join(f"line {i + 1} U+{ord(entries[i][0]):04X}" for i in private[:6])
        notes.append(
            f"{len(private)} entries of the dictionary are private-use characters, which fonts do not have ({some})"
        )
    return entries, notes


def indexed_lines(spec: SourceSpec, at: Located) -> TextLines:
    """Lines of `name i1 .. iN`: indices into a dictionary whose first line has index 0, often the blank."""
    if spec.dictionary is None:
        raise LabelError(
            f"the format of {spec.path} is indexed, and no dictionary is named",
            allowed="dictionary: a file of characters, one a line; index 0 is its first line",
            next_step="name the dictionary that the indices were made with",
        )
    entries, notes = read_dictionary(spec.dictionary, spec.dictionary_encoding)
    reader = _Indices(spec.dictionary, entries)
    form = Form("lines of an image path and indices, separated by spaces", reader.bad, reader.why)
    lines = TextLines(spec, "indexed", at, form, reader.cells)
    lines.notes += notes
    return lines


class _Indices:
    def __init__(self, path: str, entries: list[str]) -> None:
        self.path = path
        self.entries = entries
        self.valid = {str(i).encode() for i, entry in enumerate(entries) if entry}

    def bad(self, piece: Piece) -> NDArray[np.bool_]:
        found = np.zeros(len(piece.starts), bool)
        for row, line in zip(range(len(found)), piece.data.split(b"\n"), strict=False):
            words = line.split()
            # A name with spaces, or a number such as 007, is rare; `why` looks again.
            if line[:1] in (b" ", b"\t") or not self.valid.issuperset(words[1:]):
                found[row] = bool(self.why(piece.text(row))[0])
        return found

    def why(self, line: str) -> tuple[str, str]:
        name, indices = self.parts(line)
        if not name:
            return f"has no path: {line[:60]!r}", _COMPLETE
        if re.search(r"[ \t]", name) and not is_image(name):
            word = name.split()[-1]
            return f"has {word!r} where an index is needed: {line[:60]!r}", "write indices of the dictionary"
        for index in indices:
            if index >= len(self.entries):
                return (
                    f"has index {index}, and {self.path} has {len(self.entries)} lines, 0 to {len(self.entries) - 1}",
                    "name the dictionary that the labels were made with; if indices count from 1, put a line `blank` at its top",
                )
            if not self.entries[index]:
                what = "the blank, which is no character" if index == 0 else "an empty line of the dictionary"
                return f"has index {index}, {what}", "correct the label, or the dictionary"
        return "", ""

    def parts(self, line: str) -> tuple[str, list[int]]:
        match = _INDICES.fullmatch(line)
        return (match[1], [int(word) for word in match[2].split()]) if match else (line, [])

    def cells(self, line: str) -> Cells:
        name, indices = self.parts(line)
        return Cells(name, "".join(self.entries[i] for i in indices))


@reads("name i1 .. iN, with a dictionary of characters (360CC)", looks=lambda path: False, rank=85)
def indexed(spec: SourceSpec) -> LineSet:
    """A label file of indices."""
    return indexed_lines(spec, located(spec))
