"""Check lines before a training, so that nothing fails or is dropped in silence in the middle of it.

Four things make a line useless: an image that cannot be read, an empty label, a character that the model does not have,
and a label with more characters than the image has time steps, or than the model can write. Each is reported once for a
whole set, with counts and examples. What the model does with a width comes in as a value, so this module needs no model.

What is kept of a line is its number and its width: ten million checked lines are 120 MB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glyphlet.charset import describe, unknown_report
from glyphlet.codec import Codec
from glyphlet.data.lineset import LineSet, ListedLines
from glyphlet.data.sample import Sample
from glyphlet.errors import AlignmentError, CharsetError, GlyphletError, ImageError, LabelError
from glyphlet.image import Geometry, ImageSource, decode, name_of

Policy = Literal["error", "drop"]
EmptyPolicy = Literal["error", "drop", "keep"]
_EXAMPLES = 100  # more than anyone reads, and no weight even when every line of ten million is at fault
_CHUNK = 4096


@dataclass(frozen=True)
class CheckedLine:
    """A line that can be trained on or measured with.

    Args:
        lines: the set that it is in.
        index: its number there.
        text: its text in the normal form of the charset.
        labels: the classes of the text.
        padded_width: the width of its array, in pixels.
    """

    lines: LineSet
    index: int
    text: str
    labels: list[int]
    padded_width: int

    @property
    def sample(self) -> Sample:
        """The line with its image."""
        return self.lines.sample(self.index)

    @property
    def origin(self) -> str:
        """Where it comes from, for messages."""
        return self.lines.origin(self.index)


class CheckedLines(Sequence[CheckedLine]):
    """Lines that passed the check, by number; texts and images are read when they are asked for.

    Args:
        source: the set that they are in.
        codec: the classes of the model.
        indices: their numbers in the set, int64 (N,).
        widths: their padded widths in pixels, int32 (N,).
        weights: how often each is seen in an epoch, float32 (N,); None is once.
    """

    def __init__(
        self,
        source: LineSet,
        codec: Codec,
        indices: NDArray[np.int64],
        widths: NDArray[np.int32],
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        self.source = source
        self.codec = codec
        self.indices = indices
        self.widths = widths
        self.weights = weights

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> CheckedLine:  # type: ignore[override]  # one line at a time, no slices
        number = int(self.indices[index])
        text = self.codec.charset.normalize(self.source.text(number))
        return CheckedLine(self.source, number, text, self.codec.encode(text), int(self.widths[index]))

    def __iter__(self) -> Iterator[CheckedLine]:
        return (self[i] for i in range(len(self)))

    def some(self, most: int) -> CheckedLines:
        """At most so many of the lines, evenly spread."""
        if len(self) <= most:
            return self
        chosen = np.linspace(0, len(self) - 1, most).astype(np.int64)
        weights = None if self.weights is None else self.weights[chosen]
        return CheckedLines(self.source, self.codec, self.indices[chosen], self.widths[chosen], weights)

    def sources(self) -> list[ImageSource]:
        """The images of all lines, which are then in memory."""
        return [line.sample.source for line in self]


@dataclass
class Findings:
    """Lines with one kind of problem: how many, and the first of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """One more."""
        self.count += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(example)

    def __str__(self) -> str:
        return "; ".join(self.examples[:3]) + ("; and more" if self.count > 3 else "")


@dataclass
class CheckReport:
    """What was found in one set of lines."""

    name: str
    lines: int = 0
    most: int = 0
    """The most characters that the model writes; 0 where the width of the image decides."""
    longest: int = 0
    """The characters of the longest label that is too long for it."""
    unknown: Counter[str] = field(default_factory=Counter)
    unknown_lines: Findings = field(default_factory=Findings)
    unalignable: Findings = field(default_factory=Findings)
    unreadable: Findings = field(default_factory=Findings)
    empty: Findings = field(default_factory=Findings)

    def messages(self) -> list[str]:
        """One sentence for each kind of problem; empty when there is none."""
        room = f"a model that writes {self.most} characters" if self.most else "their image"
        kinds = (
            ("images cannot be read", self.unreadable),
            ("labels are empty", self.empty),
            ("lines hold characters outside the charset", self.unknown_lines),
            (f"labels are too long for {room}", self.unalignable),
        )
        found = [f"{self.name}: {f.count} of {self.lines} {what}: {f}" for what, f in kinds if f.count]
        if self.unknown:
            found.append(unknown_report(self.unknown, self.name))
        return found


def _width(lines: LineSet, index: int, geometry: Geometry) -> int | str:
    """The padded width of a line, or what is wrong with its image."""
    try:
        sample = lines.sample(index)
        height, width = decode(sample.source, geometry.channels).shape[:2]
    except ImageError as error:
        return f"{error.problem} ({lines.origin(index)})"
    scaled = geometry.scaled_width(width, height)
    if scaled > geometry.max_width:
        return f"{name_of(sample.source)} is {scaled} pixels wide at height {geometry.height} ({lines.origin(index)})"
    return geometry.padded_width(scaled)


def _known_width(lines: LineSet, index: int, size: NDArray[np.int32], geometry: Geometry) -> int | str:
    """The same from a size that was measured before."""
    if size.min() < 1:
        return f"no image ({lines.origin(index)})"
    scaled = geometry.scaled_width(int(size[0]), int(size[1]))
    if scaled > geometry.max_width:
        return f"an image is {scaled} pixels wide at height {geometry.height} ({lines.origin(index)})"
    return geometry.padded_width(scaled)


def _widths(lines: LineSet, indices: NDArray[np.int64], geometry: Geometry) -> Iterator[int | str]:
    """The padded width of each line, in order, or what is wrong with its image."""
    sizes = lines.sizes()
    if sizes is not None:
        yield from (_known_width(lines, int(i), sizes[i], geometry) for i in indices)
        return
    with ThreadPoolExecutor() as pool:  # Pillow lets other threads run while it decodes
        for start in range(0, len(indices), _CHUNK):
            part = indices[start : start + _CHUNK]
            yield from pool.map(lambda i: _width(lines, int(i), geometry), part, chunksize=64)


def check_lines(
    lines: LineSet | Sequence[Sample],
    codec: Codec,
    geometry: Geometry,
    steps: Callable[[int], int],
    name: str = "training lines",
    *,
    indices: NDArray[np.int64] | None = None,
    weights: NDArray[np.float32] | None = None,
    empty: EmptyPolicy = "error",
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[CheckedLines, CheckReport]:
    """Sort out the lines that cannot be used.

    Every image is decoded once, because damage behind its header shows only then; a set that keeps the sizes of images
    that were verified before (an LMDB that `glyphlet data convert` wrote) is trusted.

    Args:
        lines: the lines.
        codec: the classes of the model.
        geometry: the image shape of the model.
        steps: time steps for a padded width.
        name: what to call the set in messages.
        indices: which lines of the set to check, int64 (N,); all by default.
        weights: how often each line of the set is seen in an epoch, float32 (len(lines),).
        empty: whether lines without text are kept, as examples of images with nothing to read.
        progress: called with the number of lines that are done.

    Returns:
        The usable lines in order, and what is wrong with the others.
    """
    lines = lines if isinstance(lines, LineSet) else ListedLines(lines)
    indices = np.arange(len(lines)) if indices is None else indices
    report = CheckReport(name, len(indices))
    charset = codec.charset
    good = np.zeros(len(indices), bool)
    widths = np.zeros(len(indices), np.int32)
    for done, (index, width) in enumerate(zip(indices.tolist(), _widths(lines, indices, geometry), strict=True)):
        if done % _CHUNK == 0:
            progress(done)
        if isinstance(width, str):
            report.unreadable.add(width)
            continue
        try:
            text = charset.normalize(lines.text(index))
        except GlyphletError as error:
            report.unreadable.add(f"{error.problem} ({lines.origin(index)})")
            continue
        if not text and empty != "keep":
            report.empty.add(lines.origin(index))
            continue
        unknown = Counter(char for char in text if char not in charset)
        if unknown:
            report.unknown += unknown
            report.unknown_lines.add(f"{text!r} has {describe(next(iter(unknown)))} ({lines.origin(index)})")
            continue
        needed, given = codec.min_steps(codec.encode(text)), steps(width)
        if needed > given:
            if codec.kind == "ctc":
                why = f"needs {needed} steps, its image of {width} pixels gives {given}"
            else:  # one step for each character, and one for the stop
                why = f"has {needed - 1} characters"
                report.most, report.longest = given - 1, max(report.longest, needed - 1)
            report.unalignable.add(f"{text!r} {why} ({lines.origin(index)})")
            continue
        good[done], widths[done] = True, width
    progress(len(indices))
    kept = indices[good]
    return CheckedLines(lines, codec, kept, widths[good], None if weights is None else weights[kept]), report


def enforce(
    report: CheckReport, unknown: Policy, unalignable: Policy, unreadable: Policy, empty: EmptyPolicy = "error"
) -> None:
    """Raise for the first kind of problem whose policy is `error`.

    Raises:
        ImageError, LabelError, CharsetError, AlignmentError: with all counts, and how to go on without these lines.
    """
    fits, longer = "at least one time step for each character, and one more between equal neighbours", ""
    if report.most:
        fits, longer = f"at most {report.most} characters", f"set model.head.max_length to {report.longest} or more, "
    kinds = (
        (report.unreadable, unreadable, ImageError, "unreadable", "images that Pillow can open"),
        (report.empty, empty, LabelError, "empty", "a text for each image; lines of nothing to read are kept with data.empty=keep"),
        (report.unknown_lines, unknown, CharsetError, "unknown", "characters of the charset"),
        (report.unalignable, unalignable, AlignmentError, "unalignable", fits),
    )  # fmt: skip
    for findings, policy, error, key, allowed in kinds:
        if findings.count and policy == "error":
            problem = next(m for m in report.messages() if str(findings) in m)
            if report.unknown and error is CharsetError:
                problem += ". " + unknown_report(report.unknown, "in all")
            mend = f"{longer if findings is report.unalignable else ''}mend them, or leave them out with"
            raise error(problem, allowed=allowed, next_step=f"{mend} --set data.{key}=drop")
