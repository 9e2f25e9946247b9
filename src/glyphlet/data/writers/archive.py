"""One file: WebDataset tars, zip, Parquet.

A tar is only ever added to, so an unfinished one is cut at the last commit and gone on with. A zip and a Parquet file are
complete with their last bytes alone; an unfinished one is begun anew.
"""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from glyphlet.data.writers import Progress, Record, Writer, no_file, no_line, writes
from glyphlet.data.writers.folder import IN_A_FOLDER, _append, _close, _flush
from glyphlet.errors import GlyphletError

_BLOCK = tarfile.BLOCKSIZE


def _member(name: str, data: bytes) -> bytes:
    """A file as it stands in a tar."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % _BLOCK)


class _TarFile:
    """Adds to tars, one after the other when there are shards."""

    def __init__(self, part: Path, shard: int) -> None:
        self.part, self.shard = part, shard
        self.number = 0
        self.file: BinaryIO | None = None

    def path(self, number: int) -> Path:
        """The tar of this number."""
        return self.part / f"{number:06d}.tar" if self.shard else self.part

    def open(self, number: int, length: int) -> None:
        """Begin a tar, or go on after its first bytes."""
        self.number = number
        self.path(number).parent.mkdir(parents=True, exist_ok=True)
        self.file = _append(self.path(number), length)

    def end(self) -> None:
        """End the tar as tar does: two empty blocks, filled up to a record."""
        assert self.file is not None
        self.file.write(bytes(2 * _BLOCK))
        self.file.write(bytes(-self.file.tell() % tarfile.RECORDSIZE))
        _flush(self.file)
        self.file.close()
        self.file = None


@writes
class WebDatasetWriter(Writer):
    """000000001.jpg and 000000001.txt, beside each other in a tar."""

    name = "webdataset"
    about = "WebDataset: a tar (or a folder of tars) of 000000001.jpg, 000000001.txt"
    suffixes = (".tar",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.folder = bool(self.shard)  # type: ignore[misc]
        self._tar = _TarFile(self.part, self.shard)

    @staticmethod
    def refuses(text: str) -> str:
        """A text file holds one line."""
        return no_file(text)

    @classmethod
    def contents(cls) -> tuple[str, ...]:
        """Tars."""
        return ("*.tar",)

    def open(self, progress: Progress | None) -> None:
        """Begin, or cut the last tar to what was committed."""
        number, length = (progress["tar"], progress["bytes"]) if progress else (0, 0)
        self._tar.open(number, length)
        while self.shard and self._tar.path(number := number + 1).exists():
            self._tar.path(number).unlink()

    def add(self, record: Record) -> None:
        """Write the image and the text; a full tar is ended first."""
        if self.shard and (record.number - 1) // self.shard != self._tar.number:
            self._tar.end()
            self._tar.open((record.number - 1) // self.shard, 0)
        assert self._tar.file is not None
        key = f"{record.number:09d}"
        self._tar.file.write(_member(key + record.suffix, record.image) + _member(f"{key}.txt", record.text.encode()))

    def commit(self, progress: Progress) -> None:
        """Flush the tar, and note its length."""
        assert self._tar.file is not None
        _flush(self._tar.file)
        super().commit(progress)

    def _state(self) -> Progress:
        assert self._tar.file is not None
        return {"tar": self._tar.number, "bytes": self._tar.file.tell()}

    def finish(self) -> None:
        """End the last tar."""
        self._tar.end()
        self._forget()

    def close(self) -> None:
        """Close the tar."""
        _close(self._tar.file)
        self._tar.file = None


@writes
class ZipWriter(Writer):
    """A zip of what `tsv` writes as a folder."""

    name = "zip"
    about = "a zip of images/ and labels.txt of path<TAB>text"
    suffixes = (".zip",)
    folder = False
    resumable = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._zip: zipfile.ZipFile | None = None
        self._labels = tempfile.SpooledTemporaryFile(8 << 20)  # noqa: SIM115 - closed below

    @staticmethod
    def refuses(text: str) -> str:
        """A line of labels.txt holds anything but a line break."""
        return no_line(text)

    def open(self, progress: Progress | None) -> None:
        """Begin anew."""
        self._zip = zipfile.ZipFile(self.part, "w")

    def add(self, record: Record) -> None:
        """Store the image; it is compressed already."""
        folder = f"{(record.number - 1) // IN_A_FOLDER:03d}/" if self.lines > IN_A_FOLDER else ""
        name = f"images/{folder}{record.number:06d}{record.suffix}"
        assert self._zip is not None
        self._zip.writestr(zipfile.ZipInfo(name), record.image)
        self._labels.write(f"{name}\t{record.text}\n".encode())

    def finish(self) -> None:
        """Add labels.txt and the directory of the zip."""
        assert self._zip is not None
        self._labels.seek(0)
        info = zipfile.ZipInfo("labels.txt")
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(info, "w", force_zip64=True) as target:
            while piece := self._labels.read(1 << 20):
                target.write(piece)
        self._zip.close()
        self._zip = None
        with self.part.open("rb+") as file:
            _flush(file)
        self.close()

    def close(self) -> None:
        """Close the files without completing them."""
        self._labels.close()
        if self._zip is not None:
            if self._zip.fp is not None:
                _close(self._zip.fp)  # type: ignore[arg-type]
                self._zip.fp = None  # or it would write its directory now
            self._zip = None


@writes
class ParquetWriter(Writer):
    """Columns `image` (bytes of the file), `text`, `width`, `height`, `group`."""

    name = "parquet"
    about = "Parquet: image, text, width, height, group"
    suffixes = (".parquet",)
    folder = False
    resumable = False
    groups = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._records: list[Record] = []
        self._writer: Any = None
        self._schema: Any = None

    def open(self, progress: Progress | None) -> None:
        """Begin anew."""
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise GlyphletError(
                "Parquet needs the package pyarrow",
                allowed="pyarrow 15 or newer",
                next_step="pip install 'glyphlet[parquet]'",
            ) from error
        numbers = [("width", pa.int32()), ("height", pa.int32())]
        self._schema = pa.schema([("image", pa.binary()), ("text", pa.string()), *numbers, ("group", pa.string())])
        # Images are compressed already.
        self._writer = parquet.ParquetWriter(self.part, self._schema, compression={"image": "NONE", "text": "ZSTD"})

    def add(self, record: Record) -> None:
        """Keep a line until the next commit."""
        self._records.append(record)

    def commit(self, progress: Progress) -> None:
        """Write a row group."""
        import pyarrow as pa

        if not self._records:
            return
        columns = [[getattr(r, column.name) for r in self._records] for column in self._schema]
        columns[-1] = [group or None for group in columns[-1]]
        self._writer.write_table(pa.table(columns, schema=self._schema), row_group_size=len(self._records))
        self._records = []

    def finish(self) -> None:
        """Write the foot of the file."""
        self._writer.close()
        self._writer = None
        with self.part.open("rb+") as file:
            _flush(file)

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with contextlib.suppress(OSError):  # its foot does not fit; the file is begun anew in any case
                writer.close()
