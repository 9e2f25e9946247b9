"""LMDB with the field's keys, in a map that grows with what is written.

Lines are put in large transactions, each of which is on the disk when it is committed, together with the note of how far
the conversion is; a kill leaves the last one. The image keys of a transaction come first, then its labels: within each
range keys only ever follow the last one, which LMDB packs tightly. Beside the lines stand the sizes of the verified
images, a piece for each transaction, so that a training need not decode everything before its first step.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np

from glyphlet.data.files.lmdbfile import ABOUT, COUNT, PROGRESS, SIZES, group_key, image_key, label_key, library
from glyphlet.data.writers import Progress, Record, Writer, writes

_SMALLEST_MAP = 64 << 20


@writes
class LmdbWriter(Writer):
    """A folder with data.mdb."""

    name = "lmdb"
    about = "LMDB: num-samples, image-000000001, label-000000001, and the image sizes"
    suffixes = (".lmdb", ".mdb")
    groups = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._environment: Any = None
        self._records: list[Record] = []
        self._bytes = 0
        self._grouped = False

    @classmethod
    def contents(cls) -> tuple[str, ...]:
        """The files of an LMDB."""
        return "data.mdb", "lock.mdb"

    def _open(self) -> Any:
        if self._environment is None:
            self.part.mkdir(parents=True, exist_ok=True)
            file = self.part / "data.mdb"
            size = max(_SMALLEST_MAP, file.stat().st_size * 2 if file.exists() else 0)
            # No lock file: convert keeps a second process away, and a killed one leaves nothing behind.
            self._environment = library().open(str(self.part), map_size=size, lock=False, readahead=False)
        return self._environment

    def progress(self) -> Progress | None:
        """What was noted with the last transaction."""
        if not (self.part / "data.mdb").is_file():
            return None
        try:
            with self._open().begin() as transaction:
                found = json.loads(transaction.get(PROGRESS) or b"null")
        except (library().Error, ValueError):
            self.close()
            return None
        return found if isinstance(found, dict) else None

    def clear(self) -> None:
        """Remove an unfinished set."""
        self.close()
        super().clear()

    def open(self, progress: Progress | None) -> None:
        """Begin, or go on after the last transaction."""
        self._grouped = bool((progress or {}).get("grouped"))
        try:
            self._open()
        except library().Error as error:
            raise self._failed(error) from error

    def add(self, record: Record) -> None:
        """Keep a line until the next commit."""
        self._records.append(record)
        self._bytes += len(record.image) + len(record.text) + 256
        self._grouped = self._grouped or bool(record.group)

    def commit(self, progress: Progress) -> None:
        """Put all lines since the last commit in one transaction."""
        self._put([*self._items(), (PROGRESS, json.dumps(progress | {"grouped": self._grouped}).encode())])
        self._records, self._bytes = [], 0

    def _items(self) -> Iterator[tuple[bytes, bytes]]:
        records = self._records
        if not records:
            return
        sizes = np.array([(r.width, r.height) for r in records], "<i4")
        yield SIZES + b"%09d" % (records[0].number - 1), sizes.tobytes()
        yield from ((group_key(r.number), r.group.encode()) for r in records if r.group)
        yield from ((image_key(r.number), r.image) for r in records)
        yield from ((label_key(r.number), r.text.encode()) for r in records)

    def _put(self, items: list[tuple[bytes, bytes]], delete: bytes | None = None) -> None:
        environment, lmdb = self._open(), library()
        self._grow(2 * self._bytes)
        while True:
            try:
                with environment.begin(write=True) as transaction:
                    if delete is not None:
                        transaction.delete(delete)
                    with transaction.cursor() as cursor:
                        cursor.putmulti(items)
                return
            except lmdb.MapFullError:
                self._grow(environment.info()["map_size"])
            except lmdb.Error as error:
                raise self._failed(error) from error

    def _grow(self, room: int) -> None:
        """Have room for so many bytes more, by doubling the map."""
        info = self._environment.info()
        size = info["map_size"]
        needed = (info["last_pgno"] + 1) * self._environment.stat()["psize"] + room + (1 << 20)
        while size < needed:
            size *= 2
        if size > info["map_size"]:
            self._environment.set_mapsize(size)

    def _failed(self, error: Exception) -> OSError:
        """LMDB says `Input/output error` for a full disk: it wrote less than it wanted to."""
        free = shutil.disk_usage(self.part).free
        if getattr(error, "code", None) == errno.ENOSPC or free < 2 * self._bytes + (1 << 20):
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.part))
        return OSError(errno.EIO, str(error), str(self.part))

    def finish(self) -> None:
        """Write num-samples, remove the note."""
        with self._open().begin() as transaction:
            noted = json.loads(transaction.get(PROGRESS))
        about = {"version": 1, "lines": noted["written"], "groups": self._grouped}
        self._put([(ABOUT, json.dumps(about).encode()), (COUNT, b"%d" % noted["written"])], delete=PROGRESS)
        self._environment.sync(True)
        self.close()
        (self.part / "lock.mdb").unlink(missing_ok=True)

    def close(self) -> None:
        """Close the environment; lines after the last commit are not in it."""
        if self._environment is not None:
            self._environment.close()
            self._environment = None
