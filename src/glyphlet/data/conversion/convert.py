"""Labelled lines from any format into any other: `glyphlet data convert`.

    convert("train.txt", "train.lmdb", workers=2)

Every image is decoded before it is written, and its bytes are then copied as they are. The lines are read and verified by
`workers` processes in chunks, and written by this one in the order of the source, so that the result does not depend on
their number. What is written stands under a name that ends in `.glyphlet-part` until it is complete; a conversion that was
killed, interrupted or ran out of space goes on there when it is started again.

With more than one worker, a script that calls `convert` needs `if __name__ == "__main__":` around it, as `multiprocessing`
asks for.
"""

from __future__ import annotations

import errno
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glyphlet.data.conversion.place import Place
from glyphlet.data.conversion.workers import Dropped, Line, Stop, outcomes
from glyphlet.data.lineset import LineSet
from glyphlet.data.open import Source, open_lines, source_spec
from glyphlet.data.writers import Record, Writer, writer_for
from glyphlet.errors import GlyphletError, ImageError, Interrupted, LabelError

_COMMIT_BYTES = 32 << 20
_COMMIT_LINES = 16_384


@dataclass
class Conversion:
    """What a conversion did.

    Args:
        path: the finished set.
        format: its format.
        read: lines of the source, malformed ones included.
        written: lines of the result.
        dropped: lines left out, by kind: `malformed`, `image` (missing or damaged), `label` (missing or damaged),
            `text` (the format cannot hold it).
        resumed: lines that an earlier, unfinished conversion had read already.
        seconds: how long it took.
        listed: the file that names each line left out, and why; None when there are none.
        notes: what the user should know.
    """

    path: Path
    format: str
    read: int = 0
    written: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    seconds: float = 0.0
    listed: Path | None = None
    notes: list[str] = field(default_factory=list)


def convert(
    source: Source | LineSet,
    destination: str | os.PathLike[str],
    *,
    to: str | None = None,
    workers: int = 1,
    overwrite: bool = False,
    strict: bool = False,
    shard: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """Write labelled lines in another format.

    Args:
        source: lines of any format: a path, a `SourceSpec`, or an opened set.
        destination: the file or folder to write; its name says the format: `train.lmdb`, `train.tar`, a folder.
        to: the name of the format, when the destination's name does not say it.
        workers: processes that read and verify; 1 does it in this process.
        overwrite: replace an older set, or an unfinished one of another source.
        strict: stop at the first line that cannot be written, instead of leaving it out.
        shard: lines in a tar; 0 for one tar.
        progress: called with (lines read, lines in all) after each chunk.

    Raises:
        GlyphletError: nothing can be written there, the disk is full, or no line could be used.
        LabelError, ImageError: the source cannot be opened; with `strict`, the first bad line.
        Interrupted: Ctrl-C came; the same call goes on.
    """
    begin = time.perf_counter()
    target = Path(destination)
    kind = writer_for(target, to)
    if shard and kind.name != "webdataset":
        raise GlyphletError(
            f"{kind.name} is not written in shards", allowed="webdataset", next_step="leave the shard size out"
        )
    opened = source if isinstance(source, LineSet) else open_lines(source, lenient=not strict)
    spec = None if isinstance(source, LineSet) else source_spec(source)
    place = Place(target, kind, shard, overwrite)
    try:
        place.check(opened, spec)
        with place:
            job = _Job(opened, place.writer(len(opened)), place, strict)
            result = job.run(place.signature(opened, spec), workers, progress)
    finally:
        opened.close()
    result.seconds = time.perf_counter() - begin
    return result


class _Job:
    """One conversion: the writer, what it has done, and where it stands."""

    def __init__(self, lines: LineSet, writer: Writer, place: Place, strict: bool) -> None:
        self.lines = lines
        self.writer = writer
        self.place = place
        self.strict = strict
        self.signature: dict[str, Any] = {}
        self.next = self.committed = 0
        self.first = ""
        self.result = Conversion(place.target, writer.name, len(lines) + lines.malformed)
        self.result.notes += lines.notes
        if lines.grouped and not writer.groups:
            self.result.notes.append(f"{writer.name} keeps no groups: they are left behind")

    def run(self, signature: dict[str, Any], workers: int, progress: Callable[[int, int], None] | None) -> Conversion:
        """Write all lines, from where an earlier run stopped, and give the set its name."""
        self.signature = signature
        try:
            with Stop() as stop:
                return self._run(stop, workers, progress)
        except BrokenProcessPool as error:
            raise GlyphletError(
                f"a process that reads {self.lines.name} was ended by the system: {self._kept()}",
                allowed="enough memory, and files that do not change while they are read",
                next_step="run the same command again, with fewer workers if memory ran out",
            ) from error
        except OSError as error:
            raise self._cannot_write(error) from error
        finally:
            self.writer.close()
            self.place.close_list()

    def _run(self, stop: Stop, workers: int, progress: Callable[[int, int], None] | None) -> Conversion:
        self._begin()
        uncommitted = lines = 0
        for end, chunk in outcomes(self.lines, self.writer, self.next, workers):
            uncommitted += sum(self._take(outcome) for outcome in chunk)
            lines += len(chunk)
            self.next = end
            if progress:
                progress(end, len(self.lines))
            stopped = stop.signal
            if uncommitted >= _COMMIT_BYTES or lines >= _COMMIT_LINES or stopped:
                self._commit()
                uncommitted = lines = 0
            if stopped:
                raise self._interrupted(stopped)
        self._commit()
        return self._finish()

    def _finish(self) -> Conversion:
        result = self.result
        self.place.close_list()
        if not result.written:
            self.writer.close()
            self.place.discard()
            raise LabelError(
                f"none of the {result.read} lines of {self.lines.name} can be written: {self.first}",
                allowed="lines with an image and a text",
                next_step="correct the source, or name its format and settings",
            )
        self.writer.finish()
        result.listed = self.place.finish()
        return result

    def _begin(self) -> None:
        earlier = self.place.earlier(self.writer, self.signature)
        if earlier:
            self.next = self.committed = self.result.resumed = earlier["next"]
            self.result.written = earlier["written"]
            self.result.dropped.update(earlier["dropped"])
        self.place.open_list(earlier["list_bytes"] if earlier else 0)
        self.writer.open(earlier)
        if not earlier:
            for error in self.lines.problems:
                self._drop(Dropped("", "malformed", error.problem))
            if self.lines.malformed:
                self.result.dropped["malformed"] = self.lines.malformed  # more than are described, perhaps
        self._commit()  # from now on it is known whose the unfinished set is

    def _take(self, outcome: Line | Dropped) -> int:
        """Write a line or note why not; returns its bytes."""
        if isinstance(outcome, Dropped):
            self._drop(outcome)
            return 0
        self.result.written += 1
        self.writer.add(Record(self.result.written, *outcome))
        return len(outcome.image)

    def _drop(self, dropped: Dropped) -> None:
        where = f"{dropped.origin}: " if dropped.origin and dropped.origin not in dropped.problem else ""
        self.first = self.first or where + dropped.problem
        if self.strict:
            self._commit()
            error = ImageError if dropped.kind == "image" else LabelError
            raise error(
                where + dropped.problem,
                allowed=f"lines that {self.writer.name} can hold, with images that decode",
                next_step="correct it and begin anew with --overwrite; or go on without --strict, which leaves it out",
            )
        self.result.dropped[dropped.kind] += 1
        self.place.note(f"{dropped.kind}\t{dropped.origin}\t{dropped.problem}")

    def _commit(self) -> None:
        self.writer.commit(
            {
                "signature": self.signature,
                "next": self.next,
                "written": self.result.written,
                "dropped": dict(self.result.dropped),
                "list_bytes": self.place.flush_list(),
            }
        )
        self.committed = self.next

    def _kept(self) -> str:
        kept = f"of {len(self.lines):,} lines, {self.next:,} were read"
        return f"{kept}, {self.committed:,} are done in {self.place.part}" if self.writer.resumable else kept

    def _again(self) -> str:
        return "it goes on there" if self.writer.resumable else f"an unfinished {self.writer.name} is begun anew"

    def _interrupted(self, number: int) -> Interrupted:
        return Interrupted(
            f"interrupted: {self._kept()}", number, next_step=f"run the same command again; {self._again()}"
        )

    def _cannot_write(self, error: OSError) -> GlyphletError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            what = "a file would be larger than is allowed here" if error.errno == errno.EFBIG else "the disk is full"
            return GlyphletError(
                f"{what}: {self._kept()}",
                allowed="about as much free space as the images take, and twice as much for small ones in an LMDB",
                next_step=f"make room and run the same command again; {self._again()}",
            )
        return GlyphletError(
            f"{self.place.part} cannot be written: {error.strerror or error}; {self._kept()}",
            allowed="a place that you may write to, with room (a quota, a limit of file sizes)",
            next_step=f"check it and run the same command again; {self._again()}",
        )
