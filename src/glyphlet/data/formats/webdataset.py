"""WebDataset: tar archives in which members of the same stem are one line: `7.jpg` and `7.txt`, `.gt.txt`, `.json` or `.cls`.

WebDataset streams its shards and so has no order but theirs. Here the headers are read once, and a line is then two reads
at known places, in any order. The stem of a member is its path up to the first dot of its name, as WebDataset has it.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.files.content import Content
from glyphlet.data.files.entries import one_line, small_text, some
from glyphlet.data.files.folder import is_image, is_litter
from glyphlet.data.files.names import Names
from glyphlet.data.files.sniff import TEXT_COLUMNS
from glyphlet.data.files.tar import members, tar_content
from glyphlet.data.files.textlines import SourceLines
from glyphlet.data.formats import reads
from glyphlet.data.formats.jsonl import Records
from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.errors import ImageError, LabelError
from glyphlet.spec import SourceSpec

_TEXTS = ("txt", "gt.txt", "json", "cls")
"""Where a text is looked for, the best place first."""
_LARGEST = 1 << 28
_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


class _Part:
    """What is known of a line so far."""

    __slots__ = ("image", "kind", "text")

    def __init__(self) -> None:
        self.image: tuple[int, int] | None = None
        self.text: tuple[int, int] | None = None
        self.kind = len(_TEXTS)

    def add(self, name: str, extension: str, place: int, size: int) -> None:
        kind = _TEXTS.index(extension) if extension in _TEXTS else len(_TEXTS)
        if kind < self.kind:
            self.text, self.kind = (place, size), kind
        elif is_image(name) and self.image is None:
            self.image = place, size


class TarLines(SourceLines):
    """Lines in one or several tar archives.

    Args:
        spec: the source.
        shards: the archives.
    """

    def __init__(self, spec: SourceSpec, shards: list[Path]) -> None:
        super().__init__(spec, "webdataset")
        self._records = Records(spec)
        self._contents: list[Content] = []
        self._lonely: list[str] = []
        places = array("q")
        self._stems = Names(self._indexed(shards, places))
        # Shard, kind of text, place and size of the image, place and size of the text.
        self._places = np.frombuffer(places, np.int64).reshape(-1, 6) if places else np.zeros((0, 6), np.int64)
        if not len(self) and not self.problems:
            raise LabelError(
                f"{spec.path} holds no labels: no image and text of the same stem",
                allowed=f"members such as 7.jpg and 7.txt; texts may be {', '.join('.' + t for t in _TEXTS)}",
                next_step="list it with `tar -t`, and see what it holds",
            )
        if self._lonely:
            self.notes.append(
                f"{len(self._lonely)} stems have an image or a text only, and are left out: {some(self._lonely)}"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        if any(type(content) is Content for content in self._contents):
            return super().__reduce__()  # unpacked in memory: unpacked again rather than sent
        return _with_index, (self.spec, self._contents, self._places, self._stems)

    def _indexed(self, shards: list[Path], places: array[int]) -> Iterator[str]:
        for number, path in enumerate(shards):
            content = tar_content(path)
            if type(content) is Content:
                self.notes.append(f"{path.name} is compressed and is held in memory; unpack it to save that")
            self._contents.append(content)
            complete = 0
            try:
                for stem, part in self._lines(content):
                    assert part.image is not None
                    assert part.text is not None
                    places.extend((number, part.kind, *part.image, *part.text))
                    complete += 1
                    yield stem
            except LabelError as error:
                if "cut off" not in error.problem and "damaged" not in error.problem:
                    raise  # what must not be in an archive spoils all of it
                problem = f"{error.problem}; {complete:,} complete lines stand before it"
                self.problems.append(LabelError(problem, allowed=error.allowed, next_step=error.next_step))

    def _lines(self, content: Content) -> Iterator[tuple[str, _Part]]:
        """The complete lines of an archive. Members of a line mostly follow each other; those that do not are waited for."""
        waiting: dict[str, _Part] = {}
        current, part = "", _Part()
        broken: LabelError | None = None
        iterator = members(content)
        while True:
            try:
                name, place, size = next(iterator, ("", 0, 0))
            except LabelError as error:
                name, place, size, broken = "", 0, 0, error
            base = posixpath.basename(name)
            if name and is_litter(base):
                continue
            first, _, extension = base.partition(".")
            stem = posixpath.join(posixpath.dirname(name), first)
            if stem != current or not name:
                if part.image and part.text:
                    yield current, part
                elif part.image or part.text:
                    waiting[current] = part
                current, part = stem, waiting.pop(stem) if stem in waiting else _Part()
            if not name:
                break
            part.add(name, extension.lower(), place, size)
        self._lonely += [f"{content.name} {stem}" for stem in waiting]
        if broken is not None:
            raise broken

    def __len__(self) -> int:
        return len(self._stems)

    def origin(self, index: int) -> str:
        """The archive and the stem."""
        return f"{self._contents[int(self._places[index, 0])].name} {self._stems[index]}"

    def image_name(self, index: int) -> str:
        """The stem."""
        return self._stems[index]

    def text(self, index: int) -> str:
        """The label of a line."""
        shard, kind, _, _, place, size = self._places[index].tolist()
        origin = f"{self.origin(index)}.{_TEXTS[kind]}"
        content = Content(self._contents[shard].exactly(place, size), origin)
        if _TEXTS[kind] != "json":
            return one_line(content, self.spec.encoding)
        try:
            return self._records.text(small_text(content, self.spec.encoding))
        except ValueError as error:
            raise LabelError(
                f"{origin} {error}",
                allowed=f"a JSON object with one of {', '.join(TEXT_COLUMNS)}",
                next_step="set text_column to the name of its field",
            ) from error

    def sample(self, index: int) -> Sample:
        """A line with the bytes of its image."""
        shard, _, place, size, _, _ = self._places[index].tolist()
        if size > _LARGEST:
            raise ImageError(
                f"the image of {self.origin(index)} has {size:,} bytes",
                allowed=f"images of {_LARGEST:,} bytes at most",
                next_step="see what is in it",
            )
        return Sample(self._contents[shard].exactly(place, size), self.text(index), self.origin(index))

    def close(self) -> None:
        """Close the archives."""
        for content in self._contents:
            content.close()


def _with_index(spec: SourceSpec, contents: list[Content], places: NDArray[np.int64], stems: Names) -> TarLines:
    """Archives in another process, with the index that was made here: no second pass over all their headers."""
    lines = TarLines.__new__(TarLines)
    SourceLines.__init__(lines, spec, "webdataset")
    lines._records, lines._lonely = Records(spec), []
    lines._contents, lines._places, lines._stems = contents, places, stems
    return lines


def shards_of(path: str) -> list[Path]:
    """The archives that a path means: itself, those in a folder, or those of a pattern such as `train-{000..010}.tar`.

    Raises:
        LabelError: some are missing, or the pattern is none.
    """
    if Path(path).is_dir():
        found = sorted(p for p in Path(path).iterdir() if _is_tar_name(p.name))
        if not found:
            raise LabelError(f"{path} holds no tar archives", allowed="files named .tar", next_step="check the path")
        return found
    if not _BRACES.search(path) or Path(path).exists():
        return [Path(path)]
    pieces = _BRACES.split(path)
    ranges = [
        [f"{n:0{len(first)}d}" for n in range(int(first), int(last) + 1)]
        for first, last in zip(pieces[1::3], pieces[2::3], strict=True)
    ]
    fixed = pieces[0::3]
    shards = [
        Path("".join(itertools.chain(*itertools.zip_longest(fixed, numbers, fillvalue=""))))
        for numbers in itertools.product(*ranges)
    ]
    missing = [str(shard) for shard in shards if not shard.is_file()]
    if missing or not shards:
        raise LabelError(
            f"{len(missing)} of the {len(shards)} archives of {path} do not exist: {some(missing)}",
            allowed="a pattern such as train-{000..010}.tar whose archives are all there",
            next_step="correct the numbers, or fetch the missing ones",
        )
    return shards


def _is_tar_name(name: str) -> bool:
    return name.lower().endswith((".tar", ".tar.gz", ".tgz")) and not name.startswith(".")


def _looks(path: Path) -> bool:
    if path.is_dir():
        try:
            return any(_is_tar_name(entry.name) for entry in itertools.islice(path.iterdir(), 1000))
        except OSError:
            return False
    if not path.is_file():
        return bool(_BRACES.search(str(path))) and _is_tar_name(path.name)
    if _is_tar_name(path.name):
        return True
    try:
        with path.open("rb") as file:
            return file.read(265)[257:262] == b"ustar"
    except OSError:
        return False


@reads("tar archives of WebDataset: a file, a folder, or shards-{000..010}.tar", looks=_looks, rank=25)
def webdataset(spec: SourceSpec) -> LineSet:
    """WebDataset archives."""
    return TarLines(spec, shards_of(spec.path))
