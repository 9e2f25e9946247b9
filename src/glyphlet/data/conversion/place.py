"""Where a conversion writes: the unfinished set beside its destination, its lock, the list of what was left out.

train.lmdb.glyphlet-part     until it is complete
train.lmdb                   afterwards
train.lmdb.dropped.txt       kind<TAB>origin<TAB>problem of each line that was left out
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from fnmatch import fnmatch
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from glyphlet.data.lineset import LineSet
from glyphlet.data.writers import WRITERS, Progress, Writer
from glyphlet.errors import GlyphletError, LabelError
from glyphlet.spec import SourceSpec

PART = ".glyphlet-part"
LIST = ".dropped.txt"
LISTS = (".txt", ".tsv", ".csv", ".jsonl", ".json")
"""A destination that ends so is the list in a folder of images."""
_OLD = ".glyphlet-old"


def _resolved(path: str | Path) -> Path:
    """A path without links; a loop of links, or a name with a NUL, stays as it is."""
    return Path(os.path.realpath(path)) if "\0" not in str(path) else Path(path)


def _digest(lines: LineSet) -> str:
    """What tells a set from another of as many lines: where they come from, and their texts."""
    digest = hashlib.blake2b(digest_size=16)
    for index in range(len(lines)):
        try:
            text = lines.text(index)
        except LabelError as error:
            text = error.problem
        digest.update(f"{lines.origin(index)}\0{text}\0".encode(errors="surrogatepass"))
    return digest.hexdigest()


class Place:
    """A destination.

    Args:
        target: the file or folder that the set will be; or the list in a folder: `out/labels.csv`.
        kind: its format.
        shard: as `Writer`.
        overwrite: whether something else that is there may be replaced.
    """

    def __init__(self, target: Path, kind: type[Writer], shard: int, overwrite: bool) -> None:
        self.list_name = ""
        if kind.list_name and target.suffix.lower() in LISTS:
            target, self.list_name = target.parent, target.name
        if not target.name or target.name == "..":
            raise self._no_name(target)
        self.target = target
        self.kind = kind
        self.shard = shard
        self.overwrite = overwrite
        self.part = target.with_name(target.name + PART)
        self._list_path = target.with_name(target.name + LIST)
        self._list: BinaryIO | None = None
        self._lock: int | None = None
        self._folder = kind.folder and not (kind.name == "webdataset" and not shard)

    def _no_name(self, target: Path) -> GlyphletError:
        if self.list_name:
            return GlyphletError(
                f"{self.list_name} needs a folder of its own, for the images beside it",
                allowed=f"a new folder: lines/{self.list_name}",
                next_step="name one",
            )
        return GlyphletError(f"{target} is no name for a set of lines", allowed="a new name", next_step="give one")

    # Before

    def check(self, lines: LineSet, spec: SourceSpec | None) -> None:
        """Refuse a destination that is in the way of the source or of other files.

        Raises:
            GlyphletError: it is.
        """
        named = [lines.name] if spec is None else [spec.path, spec.images, spec.dictionary]
        sources = [_resolved(path) for path in named if path]
        sources += [_resolved(path) for index in {0, len(lines) - 1} if len(lines) and (path := lines.path(index))]
        target = _resolved(self.target)
        for source in sources:
            if target == source or target in source.parents:
                raise self._refused(f"is where the source {source} is")
            if source in target.parents and source.is_dir():
                raise self._refused(f"is inside the source {source}")
        if not os.path.lexists(self.target) or (self.target.is_dir() and not any(self.target.iterdir())):
            return
        if not self.overwrite:
            raise GlyphletError(
                f"{'the folder ' if self.list_name else ''}{self.target} exists",
                allowed="a new name",
                next_step="give another name, or replace it with --overwrite",
            )
        other = self._foreign()
        if other:
            raise GlyphletError(
                f"{self.target} holds {other}, which no set of lines does",
                allowed="with --overwrite: a file, or a folder with nothing but a set of lines",
                next_step="give another name, or move the folder away yourself",
            )

    def _refused(self, problem: str) -> GlyphletError:
        return GlyphletError(
            f"the destination {self.target} {problem}",
            allowed="a place beside the source",
            next_step="give another destination",
        )

    def _foreign(self) -> str:
        """Something in a folder that is to be replaced, and that is not part of a set."""
        if not self.target.is_dir():
            return ""
        if self.target.is_symlink():
            return "a link to a folder"
        names = sorted(os.listdir(self.target))
        loose = ("pairs", "names")  # their files could be anybody's photos
        kinds = [kind for name, kind in WRITERS.items() if kind is self.kind or name not in loose]
        known = [(*kind.contents(), self.list_name) for kind in kinds]
        odd = [[n for n in names if not any(fnmatch(n, pattern) for pattern in patterns)] for patterns in known]
        fewest = min(odd, key=len)
        return repr(fewest[0]) if fewest else ""

    def signature(self, lines: LineSet, spec: SourceSpec | None) -> dict[str, Any]:
        """What must be the same for a conversion to go on."""
        found: dict[str, Any] = {"to": self.kind.name, "shard": self.shard, "lines": len(lines), "name": lines.name}
        found |= {"problems": len(lines.problems), "list": self.list_name}
        if spec is None:  # a set that was opened by the caller, or cleaned: only what it says tells it from another
            return found | {"texts": _digest(lines)}
        found["source"] = spec.model_dump(exclude={"weight"})
        stamps = []
        for name in (spec.path, spec.dictionary):
            path = Path(name) if name else None
            if path and (path / "data.mdb").is_file():
                path = path / "data.mdb"
            if path and path.exists():
                status = path.stat()
                stamps.append([status.st_mtime_ns, status.st_size])
        return found | {"stamps": stamps}

    # While

    def __enter__(self) -> Self:
        try:
            self.part.parent.mkdir(parents=True, exist_ok=True)
            if self._folder:
                if self.part.is_file():
                    self.part.unlink()
                self.part.mkdir(exist_ok=True)
            else:
                if self.part.is_dir():
                    shutil.rmtree(self.part)
                self.part.open("ab").close()
            self._claim()
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise GlyphletError(
                f"{self.part} cannot be written: {error.strerror or error}",
                allowed="a place that you may write to",
                next_step="make room" if full else "check the path and its rights",
            ) from error
        return self

    def _claim(self) -> None:
        """Keep a second conversion away; the system lets go of the lock when this process ends in any way."""
        try:
            import fcntl
        except ImportError:  # Windows
            return
        self._lock = os.open(self.part, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise GlyphletError(
                f"another conversion is writing {self.target}",
                allowed="one at a time",
                next_step="wait for it, or give another name",
            ) from error
        except OSError:  # a file system without locks
            return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_list()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def writer(self, lines: int) -> Writer:
        """The writer of the unfinished set."""
        return self.kind(self.part, lines, self.shard, self.list_name)

    def earlier(self, writer: Writer, signature: dict[str, Any]) -> Progress | None:
        """Where an unfinished conversion of the same source stands; anything else there is cleared.

        Raises:
            GlyphletError: it is of another source, and may not be replaced.
        """
        found = writer.progress()
        if found and found.get("signature") == signature:
            return found
        if found and not self.overwrite:
            raise GlyphletError(
                f"{self.part} is an unfinished conversion of another source, or its source or settings have changed since",
                allowed="the command that it was begun with",
                next_step="run that command again, remove it, or begin anew with --overwrite",
            )
        writer.clear()
        return None

    # What is left out

    def open_list(self, length: int) -> None:
        """Begin the list of lines left out, or go on with it after so many bytes."""
        self._list = open(self._list_path, "r+b" if self._list_path.exists() else "w+b")  # noqa: SIM115
        self._list.truncate(length)
        self._list.seek(length)

    def note(self, line: str) -> None:
        """Add a line to it."""
        assert self._list is not None
        self._list.write(line.replace("\n", " ").encode(errors="backslashreplace") + b"\n")

    def flush_list(self) -> int:
        """Write it out; returns its length."""
        assert self._list is not None
        self._list.flush()
        return self._list.tell()

    def close_list(self) -> None:
        """Close it; an empty one is removed."""
        if self._list is None:
            return
        file, self._list = self._list, None
        try:
            file.close()
        except OSError:  # a full disk; what was committed counts
            file.close()
        if self._list_path.stat().st_size == 0:
            self._list_path.unlink()

    # After

    def finish(self) -> Path | None:
        """Give the finished set its name; returns the list of what was left out, when there is one."""
        old = self.target.with_name(self.target.name + _OLD)
        if self.target.is_dir() and not self.target.is_symlink():
            if old.exists():
                shutil.rmtree(old)
            self.target.rename(old)
        elif self._folder and os.path.lexists(self.target):
            self.target.unlink()
        self.part.replace(self.target)
        if old.is_dir():
            shutil.rmtree(old)
        return self._list_path if self._list_path.exists() else None

    def discard(self) -> None:
        """Remove the unfinished set, in which there is nothing."""
        if self._folder:
            shutil.rmtree(self.part, ignore_errors=True)
        else:
            self.part.unlink(missing_ok=True)
        self.part.with_name(self.part.name + ".json").unlink(missing_ok=True)
