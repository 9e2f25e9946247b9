"""Write the lines of a set that are in order, with their labels cleaned: `glyphlet data check --fix`.

Nothing is changed in place. The cleaned list names the same images; beside it stands a list of every line that was dropped
or changed, and why. Checking the cleaned list with the same settings finds no errors.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glyphlet.charset import normalize
from glyphlet.data.auditing import labeltext
from glyphlet.data.auditing.audit import Audit, Rules
from glyphlet.data.auditing.findings import KINDS, placed
from glyphlet.data.auditing.linemeasure import READ
from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.errors import LabelError
from glyphlet.files import replace_file

_AGAIN = ("charset", "too_long")
"""Kinds that a cleaned text may be free of: they are looked for again."""


class CleanedLines(LineSet):
    """A part of a set, some of its texts replaced: what `--fix` keeps.

    Args:
        lines: the set.
        indices: which lines, ascending.
        texts: new texts, by the number of the line in `lines`.
    """

    def __init__(self, lines: LineSet, indices: NDArray[np.int64], texts: dict[int, str]) -> None:
        super().__init__(lines.name, lines.format)
        self._lines, self._indices, self._texts = lines, indices, texts

    def __len__(self) -> int:
        return len(self._indices)

    def text(self, index: int) -> str:
        """The cleaned label of a line."""
        inner = int(self._indices[index])
        return self._texts[inner] if inner in self._texts else self._lines.text(inner)

    def origin(self, index: int) -> str:
        """Where a line comes from."""
        return self._lines.origin(int(self._indices[index]))

    def sample(self, index: int) -> Sample:
        """A line with its image and its cleaned label."""
        sample = self._lines.sample(int(self._indices[index]))
        return Sample(sample.source, self.text(index), sample.origin)

    def path(self, index: int) -> Path | None:
        """The image file of a line, where images are files."""
        return self._lines.path(int(self._indices[index]))

    def group(self, index: int) -> str:
        """What a line belongs to."""
        return self._lines.group(int(self._indices[index]))

    @property
    def grouped(self) -> bool:
        """Whether lines have groups."""
        return self._lines.grouped


@dataclass
class Repair:
    """What a repair does.

    Args:
        lines: what is kept, cleaned.
        dropped: why each line that is left out is, by its number.
        changed: why the label of a line was changed, by its number.
        unparsed: malformed lines of label files, which have no number; the first ten thousand of a file.
        malformed: how many there are.
    """

    lines: CleanedLines
    dropped: dict[int, str]
    changed: dict[int, str]
    unparsed: list[str] = field(default_factory=list)
    malformed: int = 0

    def counts(self) -> Counter[str]:
        """How many lines were dropped, by the kind of finding."""
        counts = Counter(self.dropped.values())
        counts["malformed"] += self.malformed
        return +counts


def repair(lines: LineSet, found: Audit, rules: Rules, drop: Iterable[str] = ()) -> Repair:
    """Decide what is kept, changed and dropped.

    Args:
        lines: the set that was audited.
        found: what was found.
        rules: what it was checked against.
        drop: kinds of findings whose lines are dropped, beyond those that always are.

    Raises:
        LabelError: a kind is unknown, or is not about lines.
    """
    drop = tuple(drop)
    for name in drop:
        if name not in KINDS:
            raise LabelError(
                f"--drop is {name!r}", allowed=", ".join(KINDS), next_step="name kinds of findings as --json does"
            )
    dropped: dict[int, str] = {}
    candidates: set[int] = set()
    for finding in found.findings:
        kind = finding.kind
        if kind.name in drop or (kind.repair == "drop" and kind.name not in _AGAIN):
            for index in finding.lines:
                if index >= 0:
                    dropped.setdefault(index, kind.name)
        elif kind.repair == "clean" or kind.name in _AGAIN:
            candidates.update(finding.lines)
    changed: dict[int, str] = {}
    texts: dict[int, str] = {}
    for index in sorted(candidates - dropped.keys()):
        text = lines.text(index)
        new = labeltext.cleaned(text)
        before, after = _useless(text, index, found, rules), _useless(new, index, found, rules)
        if after and before:
            dropped[index] = after
        elif new != text and not after:
            texts[index] = new
            changed[index] = ", ".join(kind for kind, _ in labeltext.problems(text))
    kept = np.setdiff1d(np.arange(len(lines)), np.array(sorted(dropped), np.int64), assume_unique=True)
    # From the set itself: a finding keeps a few examples only.
    unparsed = [f"{error.problem} {error.next_step}".strip() for error in lines.problems]
    return Repair(CleanedLines(lines, kept, texts), dropped, changed, unparsed, lines.malformed)


def _useless(text: str, index: int, found: Audit, rules: Rules) -> str:
    """Why a line could not be trained on with this text; empty when it could."""
    if not text:
        return "empty"
    charset = rules.charset
    text = charset.normalize(text) if charset else normalize(text)
    if charset is not None and any(c not in charset for c in text):
        return "charset"
    row = found.measures[index]
    if row["state"] == READ:
        geometry = rules.geometry
        padded = geometry.padded_width(geometry.scaled_width(int(row["width"]), int(row["height"])))
        if rules.needed(text) > rules.steps(padded):
            return "too_long"
    return ""


def changes_beside(out: Path) -> Path:
    """The list of what was dropped and changed that belongs to a cleaned list."""
    return out.with_name(f"{out.stem}.changes.tsv")


def is_list(out: Path) -> bool:
    """Whether a target is a list that names images, and not a set that holds them."""
    return out.suffix.lower() in (".txt", ".tsv")


def refuse_sources(out: Path, sources: Sequence[str | Path], overwrite: bool = False) -> None:
    """Refuse to write over anything that is read, or over an older file.

    Raises:
        LabelError: the target is a source, or exists and must not be replaced.
    """
    for path in (out, changes_beside(out)):
        for source in sources:
            same = os.path.exists(path) and os.path.exists(source) and os.path.samefile(path, source)
            if same or os.path.abspath(path) == os.path.abspath(source):
                raise LabelError(
                    f"--fix would overwrite {path}, which is read", allowed="a new file", next_step="give another name"
                )
        if path.exists() and not overwrite:
            raise LabelError(f"{path} exists", allowed="a new file", next_step="give another name, or add --overwrite")
    if (is_list(out) and out.is_dir()) or not out.parent.is_dir():
        raise LabelError(
            f"--fix cannot write {out}", allowed="a file in a folder that exists", next_step="check the path"
        )


def write_list(done: Repair, source: LineSet, out: Path, absolute: bool = False) -> tuple[Path, int]:
    """Write the cleaned lines as `path<TAB>text`, and the list of changes beside it. Both appear complete or not at all.

    Args:
        done: what to write.
        source: the set as it was.
        out: the label file to write.
        absolute: write absolute paths instead of paths relative to the folder of `out`.

    Returns:
        The list of changes, and how many lines were written.

    Raises:
        LabelError: an image is not a file, so a list cannot name it; nothing was written.
        OSError: it cannot be written.
    """
    _some(done)
    folder = os.path.realpath(out.parent)
    entries: list[str] = []
    for index in range(len(done.lines)):
        path = done.lines.path(index)
        if path is None:
            raise LabelError(
                f"{done.lines.origin(index)} is not in a file of its own, so a list cannot name it",
                allowed="--fix for sets whose images are files",
                next_step="write a set that holds its images: --fix clean.lmdb",
            )
        real = os.path.join(os.path.realpath(path.parent), path.name)
        entries.append(f"{real if absolute else os.path.relpath(real, folder)}\t{done.lines.text(index)}\n")
        if any(c in entries[-1][:-1].replace("\t", "", 1) for c in "\t\n"):
            raise LabelError(
                f"{done.lines.origin(index)} has a tab or a line break in its image's path",
                allowed="paths that a label file can hold",
                next_step="rename the image",
            )
    changes = changes_beside(out)
    part = changes.with_name(changes.name + ".part")
    try:
        replace_file(part, _changes_text(done, source))
        replace_file(out, "".join(entries).encode("utf-8", "surrogateescape"))
        part.replace(changes)
    finally:
        part.unlink(missing_ok=True)
    return changes, len(entries)


def _some(done: Repair) -> None:
    """Refuse to write nothing."""
    if not len(done.lines):
        kinds = ", ".join(f"{kind} {n:,}" for kind, n in done.counts().most_common())
        raise LabelError(
            f"no line is left, so nothing was written (dropped: {kinds})",
            allowed="one line or more",
            next_step="see the findings",
        )


def write_set(done: Repair, source: LineSet, out: Path, workers: int = 1, overwrite: bool = False) -> tuple[Path, int]:
    """Write the cleaned lines with their images, in the format that the name of `out` says, and the list of changes.

    Args:
        done: what to write.
        source: the set as it was.
        out: as `data.convert.convert` takes it: `clean.lmdb`, `clean.tar`, a folder.
        workers: processes.
        overwrite: replace an older set.

    Returns:
        The list of changes, and how many lines were written.

    Raises:
        GlyphletError: it cannot be written there.
    """
    from glyphlet.data.conversion.convert import convert

    _some(done)
    written = convert(done.lines, out, workers=workers, overwrite=overwrite).written
    changes = changes_beside(out)
    replace_file(changes, _changes_text(done, source))
    return changes, written


def _changes_text(done: Repair, source: LineSet) -> bytes:
    return "".join(f"{row}\n" for row in _changes(done, source)).encode("utf-8", "surrogateescape")


def _changes(done: Repair, source: LineSet) -> Iterator[str]:
    """The rows of the list of changes: where, what, why, before, after."""
    yield "line\taction\treason\tbefore\tafter"
    for problem in done.unparsed:
        where, what = placed(problem)
        yield f"{labeltext.shown(where)}\tdropped\tmalformed\t{labeltext.shown(what)}\t"
    for index in sorted(done.dropped.keys() | done.changed.keys()):
        try:
            before = labeltext.shown(source.text(index))
        except LabelError:
            before = ""
        origin = source.origin(index)
        if index in done.dropped:
            yield f"{origin}\tdropped\t{done.dropped[index]}\t{before}\t"
        else:
            yield f"{origin}\tchanged\t{done.changed[index]}\t{before}\t{labeltext.cleaned(source.text(index))}"


__all__ = ["CleanedLines", "Repair", "changes_beside", "is_list", "refuse_sources", "repair", "write_list", "write_set"]
