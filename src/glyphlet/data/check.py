"""Check lines before a training, so that nothing fails or is dropped in silence in the middle of it.

Three things make a line useless: an image that cannot be read, a character that the model does not have, and a label
with more characters than the image has time steps. Each is reported once for a whole set, with counts and examples.
What the model does with a width comes in as a value, so this module needs no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from glyphlet.charset import describe, unknown_report
from glyphlet.codec import CTCCodec, min_steps
from glyphlet.data.sample import Sample
from glyphlet.errors import AlignmentError, CharsetError, ImageError
from glyphlet.image import Geometry, decode, name_of

Policy = Literal["error", "drop"]


@dataclass(frozen=True)
class CheckedLine:
    """A line that can be trained on or measured with.

    Args:
        sample: the line.
        text: its text in the normal form of the charset.
        labels: the classes of the text.
        padded_width: the width of its array, in pixels.
    """

    sample: Sample
    text: str
    labels: list[int]
    padded_width: int


@dataclass
class CheckReport:
    """What was found in one set of lines."""

    name: str
    lines: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    unknown_lines: list[str] = field(default_factory=list)
    unalignable: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def messages(self) -> list[str]:
        """One sentence for each kind of problem; empty when there is none."""
        found = []
        for what, examples in (
            ("images cannot be read", self.unreadable),
            ("lines hold characters outside the charset", self.unknown_lines),
            ("labels are too long for their image", self.unalignable),
        ):
            if examples:
                found.append(f"{self.name}: {len(examples)} of {self.lines} {what}: {_some(examples)}")
        if self.unknown:
            found.append(unknown_report(self.unknown, self.name))
        return found


def _some(examples: Sequence[str]) -> str:
    return "; ".join(examples[:3]) + ("; and more" if len(examples) > 3 else "")


def _width(sample: Sample, geometry: Geometry) -> int | str:
    """The padded width of a line, or what is wrong with its image."""
    try:
        height, width = decode(sample.source, geometry.channels).shape[:2]
    except ImageError as error:
        return f"{error.problem} ({sample.origin})"
    scaled = geometry.scaled_width(width, height)
    if scaled > geometry.max_width:
        return f"{name_of(sample.source)} is {scaled} pixels wide at height {geometry.height} ({sample.origin})"
    return geometry.padded_width(scaled)


def check_lines(
    samples: Sequence[Sample],
    codec: CTCCodec,
    geometry: Geometry,
    steps: Callable[[int], int],
    name: str = "training lines",
) -> tuple[list[CheckedLine], CheckReport]:
    """Sort out the lines that cannot be used.

    Every image is decoded once, because damage behind its header shows only then.

    Args:
        samples: the lines.
        codec: the classes of the model.
        geometry: the image shape of the model.
        steps: time steps for a padded width.
        name: what to call the set in messages.

    Returns:
        The usable lines in order, and what is wrong with the others.
    """
    report = CheckReport(name, len(samples))
    with ThreadPoolExecutor() as pool:  # Pillow lets other threads run while it decodes
        widths = list(pool.map(lambda sample: _width(sample, geometry), samples, chunksize=64))
    usable = []
    for sample, width in zip(samples, widths, strict=True):
        if isinstance(width, str):
            report.unreadable.append(width)
            continue
        text = codec.charset.normalize(sample.text)
        unknown = Counter(char for char in text if char not in codec.charset)
        if unknown:
            report.unknown += unknown
            report.unknown_lines.append(f"{text!r} has {describe(next(iter(unknown)))} ({sample.origin})")
            continue
        labels = codec.encode(text)
        if min_steps(labels) > steps(width):
            report.unalignable.append(
                f"{text!r} needs {min_steps(labels)} steps, its image of {width} pixels gives {steps(width)} ({sample.origin})"
            )
            continue
        usable.append(CheckedLine(sample, text, labels, width))
    return usable, report


def enforce(report: CheckReport, unknown: Policy, unalignable: Policy, unreadable: Policy) -> None:
    """Raise for the first kind of problem whose policy is `error`.

    Raises:
        ImageError, CharsetError, AlignmentError: with all counts, and how to go on without these lines.
    """
    kinds = (
        (report.unreadable, unreadable, ImageError, "unreadable", "images that Pillow can open"),
        (report.unknown_lines, unknown, CharsetError, "unknown", "characters of the charset"),
        (report.unalignable, unalignable, AlignmentError, "unalignable", "at least one time step for each character, and one more between equal neighbours"),
    )  # fmt: skip
    for examples, policy, error, key, allowed in kinds:
        if examples and policy == "error":
            problem = next(m for m in report.messages() if _some(examples) in m)
            if report.unknown and error is CharsetError:
                problem += ". " + unknown_report(report.unknown, "in all")
            raise error(problem, allowed=allowed, next_step=f"mend them, or leave them out with --set data.{key}=drop")
