"""The second pass of an audit: each image once, alone, against its label, against the others and against the test images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.auditing import labeltext, shape
from glyphlet.data.auditing.findings import Notebook, text_of
from glyphlet.data.auditing.labelpass import LabelPass
from glyphlet.data.auditing.linemeasure import MEASURES, READ, Block, measure_lines
from glyphlet.data.auditing.nearduplicates import Index, Small
from glyphlet.data.auditing.rules import Progress, Rules
from glyphlet.data.lineset import LineSet


class ImagePass:
    """Decodes images.

    Args:
        book: where findings go.
        rules: what the images are checked against.
        labels: what is known of the labels.

    Attributes:
        measures: of each image; see `linemeasure.MEASURES`.
        bad_test: how many test images cannot be read.
    """

    def __init__(self, book: Notebook, rules: Rules, labels: LabelPass) -> None:
        self.book, self.rules, self.labels = book, rules, labels
        self.measures: NDArray[np.void] = np.zeros(len(book.lines), MEASURES)
        self.bad_test = 0
        self._index: Index | None = None
        self._digests: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._members: NDArray[np.int64] = np.zeros(0, np.int64)

    def _chosen(self, lines: LineSet) -> NDArray[np.int64]:
        """The lines whose images are decoded."""
        if self.rules.sample is None or self.rules.sample >= len(lines):
            return np.arange(len(lines))
        return np.sort(np.random.default_rng(self.rules.seed).choice(len(lines), self.rules.sample, replace=False))

    def load_test(self, test: LineSet, texts: list[str], progress: Progress) -> None:
        """Measure the test images, and keep what others are compared by."""
        chosen = self._chosen(test)
        digests, members = [], []
        smalls: list[Small | None] = []
        done = 0
        for block in measure_lines(test, chosen, keep_small=self.rules.near, workers=self.rules.workers):
            good = block.measures["state"] == READ
            digests.append(block.measures["digest"][good])
            members.append(block.indices[good])
            smalls += block.smalls
            self.bad_test += len(block.problems)
            done += len(block.indices)
            progress("decoding test images", done, len(chosen))
        every = np.concatenate([*digests, np.zeros(0, np.uint64)])
        order = np.argsort(every, kind="stable")
        self._digests = every[order]
        self._members = np.concatenate([*members, np.zeros(0, np.int64)])[order]
        if self.rules.near:
            self._index = Index(smalls, [texts[i] for i in chosen], chosen)

    def run(self, progress: Progress) -> None:
        """Decode the images, and compare them with the test images while they are at hand."""
        chosen = self._chosen(self.book.lines)
        near, done = self._index is not None, 0
        for block in measure_lines(self.book.lines, chosen, keep_small=near, workers=self.rules.workers):
            self.measures[block.indices] = block.measures
            for number, problem in block.problems.items():
                if (index := int(block.indices[number])) not in self.labels.malformed:
                    self.book.note("unreadable", index, problem)
            self._near(block, self._leaks(block))
            done += len(block.indices)
            progress("decoding images", done, len(chosen))
        self._copies()
        self._sizes()
        self._steps()

    def _leaks(self, block: Block) -> NDArray[np.bool_]:
        """Which images of a block are test images, pixel by pixel."""
        if not len(self._digests):
            return np.zeros(len(block.indices), bool)
        wanted = block.measures["digest"]
        at = np.searchsorted(self._digests, wanted).clip(0, len(self._digests) - 1)
        equal: NDArray[np.bool_] = (self._digests[at] == wanted) & (block.measures["state"] == READ)
        for number in np.flatnonzero(equal):
            index, other = int(block.indices[number]), int(self._members[at[number]])
            self.book.pair("leak", index, other, self._agree(index, other), in_test=True)
        return equal

    def _near(self, block: Block, equal: NDArray[np.bool_]) -> None:
        """Which of the others are nearly test images."""
        if self._index is None:
            return
        rest = [
            (int(block.indices[i]), found) for i, found in enumerate(block.smalls) if found is not None and not equal[i]
        ]
        near = self._index.near([(found, text_of(self.book.lines, index)) for index, found in rest])
        for number, other, alike in sorted(near):
            index = rest[number][0]
            detail = f"agreement {alike:.2f}, {self._agree(index, other)}"
            self.book.pair("near_leak", index, other, detail, in_test=True)

    def _agree(self, index: int, other: int) -> str:
        assert self.book.test is not None
        same = text_of(self.book.lines, index) == text_of(self.book.test, other)
        return "same label" if same else "another label"

    def _copies(self) -> None:
        """Equal images within the set."""
        # An empty label is a finding of its own; it contradicts another only when it is meant.
        labelled = (self.labels.units > 0) | (self.rules.empty == "keep")
        read = np.flatnonzero((self.measures["state"] == READ) & labelled)
        digests = self.measures["digest"][read]
        order = np.argsort(digests, kind="stable")
        cuts = np.flatnonzero(np.diff(digests[order])) + 1
        groups = [np.sort(read[g]) for g in np.split(order, cuts) if len(g) > 1]
        for members in sorted(groups, key=lambda g: int(g[0])):
            self._group(members.tolist())

    def _group(self, members: list[int]) -> None:
        """Lines of the same image: copies, or a contradiction."""
        texts = [labeltext.cleaned(text_of(self.book.lines, i)) for i in members]
        kinds = list(dict.fromkeys(map(labeltext.shown, texts)))
        if len(kinds) == 1:
            for index in members[1:]:
                self.book.pair("duplicate", index, members[0], f"{len(members)} copies")
            return
        words = " / ".join(kinds[:4]) + (f" / {len(kinds) - 4} more" if len(kinds) > 4 else "")
        different = next(i for i, text in zip(members, texts, strict=True) if text != texts[0])
        for index, text in zip(members, texts, strict=True):
            self.book.pair("contradiction", index, members[0] if text != texts[0] else different, words)

    def _sizes(self) -> None:
        """Images that are odd by themselves, or for the length of their label."""
        measures, labels = self.measures, self.labels
        read = measures["state"] == READ
        height, width = measures["height"].astype(np.float64), measures["width"].astype(np.float64)
        for kind, mask in (
            ("tiny", height < shape.TINY),
            ("large", (height > shape.HIGH) | (height * width > shape.MANY)),
            ("exif", measures["turned"]),
        ):
            for index in np.flatnonzero(mask & read):
                self.book.note(kind, int(index), _size(measures[index]))
        blank = read & (measures["contrast"] < shape.FAINT) & (labels.lengths > 0)
        for index in np.flatnonzero(blank):
            self.book.note("blank", int(index), f"{measures[index]['contrast']} grey values between dark and light")
        aspect = np.divide(width, height, out=np.ones_like(width), where=read)
        odd = shape.suspects(aspect, labels.units, labels.lengths, read & (labels.units > 0) & ~blank)
        for kind, members in odd.items():
            for line in members:
                each = f"{aspect[line] / max(1, labels.units[line]):.2f} times its height for each character"
                self.book.note(kind, line, f"{_size(measures[line])}, {each}")

    def _steps(self) -> None:
        """Images that are too wide for the model, and labels that need more time steps than their image has."""
        geometry, steps, needed = self.rules.geometry, self.rules.steps, self.labels.needed
        read = np.flatnonzero(self.measures["state"] == READ)
        rows = self.measures[read]
        scaled = geometry.scaled_widths(rows["width"], rows["height"])
        step = geometry.width_step  # as Geometry.padded_width, for all lines at once
        padded = -(-np.maximum(scaled, geometry.min_width) // step) * step
        wide = scaled > geometry.max_width
        for at in np.flatnonzero(wide):
            detail = f"{_size(rows[at])}: {scaled[at]} wide at height {geometry.height}, {geometry.max_width} allowed"
            self.book.note("too_wide", int(read[at]), detail)
        widths, which = np.unique(padded, return_inverse=True)
        given = np.array([steps(int(w)) for w in widths], np.int64)[which] if len(widths) else padded
        long = np.flatnonzero(~wide & (needed[read] > given))
        for at in long:
            self.book.note(
                "too_long", int(read[at]), self._would_do(int(needed[read[at]]), int(padded[at]), int(given[at]))
            )
        if len(long) and self.rules.most:
            note = f"a max_length of {int(needed[read[long]].max()) - 1} would do for all of them"
            self.book.found.of("too_long").note = f"{note} ({self.rules.model})"
        elif len(long):
            worst = int((padded[long] // needed[read[long]]).min())
            note = f"a time step every {_pixels(worst)} would do for all of them"
            if not worst:
                hopeless = int((padded[long] < needed[read[long]]).sum())
                note = f"{hopeless:,} of them have more characters than pixels at this height: no stride would do"
            self.book.found.of("too_long").note = f"{note} ({self.rules.model})"

    def _would_do(self, need: int, padded: int, given: int) -> str:
        """What a label that is too long would need."""
        if self.rules.most:
            return f"has {need - 1} characters, the model writes {self.rules.most}"
        geometry, stride = self.rules.geometry, padded // need
        width = shape.width_for(need, self.rules.steps, geometry)
        would = f"a width of {width}" if width else "no allowed width"
        would += f", or a time step every {_pixels(stride)}" if stride else ""
        return f"needs {need} steps, its {padded} pixels at height {geometry.height} give {given}; {would} would do"


def _pixels(count: int) -> str:
    return f"{count} pixel{'s' * (count != 1)}"


def _size(row: Any) -> str:
    return f"{row['width']} x {row['height']} pixels"


__all__ = ["ImagePass"]
