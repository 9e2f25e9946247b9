"""Parquet: tables of images (bytes, or bytes and path as Hugging Face writes them, or paths) and texts.

A Parquet file is read by row groups; the last few are kept, so that reading in order decodes each once. Reading at random
decodes a whole row group for a line: convert to LMDB for that.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from glyphlet.data.files.folder import DiskFolder
from glyphlet.data.files.sniff import IMAGE_COLUMNS, TEXT_COLUMNS
from glyphlet.data.files.textlines import SourceLines
from glyphlet.data.files.zipfolder import open_folder
from glyphlet.data.formats import reads
from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.errors import ImageError, LabelError
from glyphlet.spec import SourceSpec

_KEPT = 64 << 20  # bytes of decoded row groups; one is kept whatever its size
_LARGE = 256 << 20


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise LabelError(
            "Parquet files are read by pyarrow, which is not installed",
            allowed="an installation with the extra parquet",
            next_step="pip install 'glyphlet[parquet]'",
        ) from error
    return parquet


class ParquetLines(SourceLines):
    """Lines of Parquet files.

    Args:
        spec: the source.
        paths: the files.
    """

    def __init__(self, spec: SourceSpec, paths: list[Path]) -> None:
        super().__init__(spec, "parquet")
        self._paths = paths
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str], Any] = OrderedDict()
        self._files: dict[int, Any] = {}
        groups, ends = [], []
        for number in range(len(paths)):
            metadata = self._file(number).metadata
            groups += [(number, group) for group in range(metadata.num_row_groups)]
            ends += [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._groups = groups
        self._ends = np.cumsum(ends, dtype=np.int64)
        self._image, self._text_name, self._group_name = self._columns(self._file(0).schema_arrow)
        root = Path(spec.path)
        self._folder = open_folder(spec.images) if spec.images else DiskFolder(root if root.is_dir() else root.parent)
        if not len(self):
            raise LabelError(f"{spec.path} holds no labels", allowed="rows", next_step="see how it was written")
        self._remark()

    def _file(self, number: int) -> Any:
        if number not in self._files:
            path = self._paths[number]
            parquet = _pyarrow()
            try:
                self._files[number] = parquet.ParquetFile(path)
            except OSError as error:
                raise self._broken(path, str(error.strerror or error)) from error
            except ValueError as error:  # pyarrow.ArrowInvalid
                raise self._broken(path, f"it is no Parquet file, or cut off ({str(error).splitlines()[0]})") from error
        return self._files[number]

    def _broken(self, path: Path, why: str) -> LabelError:
        return LabelError(
            f"{path} cannot be read: {why.rstrip('.')}",
            allowed="whole Parquet files",
            next_step="download or write it again",
        )

    def _columns(self, schema: Any) -> tuple[str, str, str | None]:
        wanted = (self.spec.image_column, self.spec.text_column, self.spec.group_column)
        image = _column(schema.names, wanted[0], IMAGE_COLUMNS)
        text = _column(schema.names, wanted[1], TEXT_COLUMNS)
        group = _column(schema.names, wanted[2], ()) if wanted[2] else None
        if image is None or text is None or (wanted[2] and group is None):
            raise LabelError(
                f"{self.name} has no columns for images and texts; it has {', '.join(schema.names)}",
                allowed=f"images: {', '.join(IMAGE_COLUMNS)}; texts: {', '.join(TEXT_COLUMNS)}; or names of your own",
                next_step="set image_column and text_column",
            )
        kind = str(schema.field(text).type)
        if not kind.startswith(
            ("string", "large_string", "dictionary<values=string", "int", "uint", "float", "double", "decimal")
        ):
            raise LabelError(
                f"column {text!r} of {self.name} has type {kind}",
                allowed="texts",
                next_step="set text_column to another",
            )
        if kind.startswith(("float", "double")):
            self.notes.append(f"texts were written as numbers of type {kind}: 1.50 has become 1.5")
        return image, text, group

    def _remark(self) -> None:
        metadata = self._file(0).metadata
        largest = max(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
        if largest > _LARGE:
            self.notes.append(
                f"a row group has {largest >> 20} MB and is decoded as a whole: convert the lines, to read them at random"
            )

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def _value(self, index: int, column: str) -> Any:
        number = int(np.searchsorted(self._ends, index, "right"))
        row = index - (int(self._ends[number - 1]) if number else 0)
        return self._decoded(number, column)[row].as_py()

    def _decoded(self, number: int, column: str) -> Any:
        key = number, column
        with self._lock:  # a file is read by one thread at a time
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            shard, group = self._groups[number]
            try:
                table = self._file(shard).read_row_group(group, columns=[column], use_threads=False)
            except (OSError, ValueError) as error:
                raise self._broken(self._paths[shard], f"row group {group}: {str(error).splitlines()[0]}") from error
            self._kept[key] = table.column(0)
            while len(self._kept) > 1 and sum(values.nbytes for values in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]

    def text(self, index: int) -> str:
        """The label of a line; numbers are written out."""
        value = self._value(index, self._text_name)
        if value is None:
            raise LabelError(
                f"{self.origin(index)} has no text (null)", allowed="a text, or an empty one", next_step="label it"
            )
        return value if isinstance(value, str) else str(value)

    def origin(self, index: int) -> str:
        """The file and the number of the row in it, from 1."""
        number = int(np.searchsorted(self._ends, index, "right"))
        shard = self._groups[number][0]
        first = next(i for i, (s, _) in enumerate(self._groups) if s == shard)
        return f"{self._paths[shard]} row {index + 1 - (int(self._ends[first - 1]) if first else 0)}"

    def image_name(self, index: int) -> str:
        """The path of a line's image, where the file names one."""
        value = self._value(index, self._image)
        if isinstance(value, dict):
            value = value.get("path")
        return value if isinstance(value, str) else ""

    def path(self, index: int) -> Path | None:
        """The image file of a line, where the file holds paths."""
        value = self._value(index, self._image)
        if isinstance(value, dict) and value.get("bytes") is None:
            value = value.get("path")
        return self._folder.path(value) if isinstance(value, str) else None

    def sample(self, index: int) -> Sample:
        """A line with its image."""
        value = self._value(index, self._image)
        if isinstance(value, dict):
            value = value.get("bytes") if value.get("bytes") is not None else value.get("path")
        if isinstance(value, str):
            value = self._folder.image(value)
        if not isinstance(value, bytes | Path):
            raise ImageError(
                f"{self.origin(index)} has no image in column {self._image!r}",
                allowed="bytes of an image file, a path, or both as Hugging Face writes them",
                next_step="leave the row out, or set image_column to another",
            )
        return Sample(value, self.text(index), self.origin(index))

    def group(self, index: int) -> str:
        """The group of a line."""
        if self._group_name is None:
            return super().group(index)
        value = self._value(index, self._group_name)
        return "" if value is None else str(value)

    def close(self) -> None:
        """Close the files and forget what was decoded."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()
            self._kept.clear()


def _column(names: list[str], wanted: str | None, usual: tuple[str, ...]) -> str | None:
    lower = {name.lower(): name for name in names}
    return next((lower[name.lower()] for name in ((wanted,) if wanted else usual) if name.lower() in lower), None)


def _looks(path: Path) -> bool:
    if path.is_dir():
        return bool(_in(path))
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(4) == b"PAR1" or path.suffix.lower() == ".parquet"
    except OSError:
        return False


def _in(folder: Path) -> list[Path]:
    """The Parquet files of a folder, or of its folder `data`, as the Hugging Face hub has them."""
    for place in (folder, folder / "data"):
        try:
            found = sorted(p for p in place.iterdir() if p.suffix.lower() == ".parquet" and not p.name.startswith("."))
        except OSError:
            continue
        if found:
            return found
    return []


@reads("Parquet files with images and texts (Hugging Face)", looks=_looks, rank=30)
def parquet(spec: SourceSpec) -> LineSet:
    """A Parquet file, or a folder of them."""
    path = Path(spec.path)
    paths = _in(path) if path.is_dir() else [path]
    if not paths:
        raise LabelError(f"{path} holds no Parquet files", allowed="files named .parquet", next_step="check the path")
    return ParquetLines(spec, paths)
