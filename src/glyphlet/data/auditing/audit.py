"""Look through labelled lines before they cost a night: what `glyphlet data check` finds.

    found = audit(open_lines("train.txt"), Rules(charset=Charset.named("digits")), test=open_lines("test.txt"))
    found.count("error")
    found["too_long"].examples[0].origin

Texts are read once, images are decoded once (all, or a seeded sample), and what is kept of a line is a few numbers, so
that a million lines need no more than some hundred bytes each. What a model does with a width comes as a value, so this
module needs no model. `data.check` is the training's own, quicker look at what it cannot use.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.data.auditing import labeltext, shape
from glyphlet.data.auditing.findings import Example, Finding, Notebook, placed, text_of
from glyphlet.data.auditing.imagepass import ImagePass
from glyphlet.data.auditing.labelpass import LabelPass
from glyphlet.data.auditing.linemeasure import BAD, FILES, MODES, READ, UNSEEN
from glyphlet.data.auditing.rules import Progress, Rules
from glyphlet.data.lineset import LineSet
from glyphlet.errors import LabelError

Bars = list[tuple[str, int]]
"""A histogram: names of bars and their counts."""


@dataclass
class Audit:
    """What was found.

    Args:
        name: of the lines.
        lines: how many there are.
        findings: the gravest first.
        figures: numbers about the set, by what they are called.
        histograms: bars by title.
        notes: what was recognised in the sources and should be known.
        measures: of each image; see `linemeasure.MEASURES`.
        test_name, test_lines: of the set that it was compared with, if any.
        seconds: how long it took.
        images: how many images were decoded, test images not counted.
    """

    name: str
    lines: int
    findings: list[Finding]
    figures: dict[str, str]
    histograms: dict[str, Bars]
    notes: list[str]
    measures: NDArray[np.void]
    test_name: str = ""
    test_lines: int = 0
    seconds: float = 0.0
    images: int = 0

    def count(self, severity: str) -> int:
        """How many kinds of findings have this severity."""
        return sum(finding.kind.severity == severity for finding in self.findings)

    def __contains__(self, kind: str) -> bool:
        return any(finding.kind.name == kind for finding in self.findings)

    def __getitem__(self, kind: str) -> Finding:
        """The finding of a kind; raises `KeyError` when there is none."""
        for finding in self.findings:
            if finding.kind.name == kind:
                return finding
        raise KeyError(kind)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name, "lines": self.lines, "images": self.images,
            "test": {"name": self.test_name, "lines": self.test_lines} if self.test_name else None,
            "errors": self.count("error"), "warnings": self.count("warning"), "notes": self.notes,
            "figures": self.figures, "findings": [finding.as_dict() for finding in self.findings],
            "histograms": {title: [list(bar) for bar in bars] for title, bars in self.histograms.items()},
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


def audit(
    lines: LineSet,
    rules: Rules | None = None,
    *,
    test: LineSet | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Audit:
    """Look through a set of lines.

    Args:
        lines: the set, opened leniently so that malformed lines of label files are in its `problems`.
        rules: what it is checked against.
        test: lines that must not be in the set: those that a model will be measured with.
        progress: called now and then.

    Raises:
        LabelError: there are no lines at all.
    """
    if not len(lines) and not lines.problems:
        raise LabelError(f"{lines.name} holds no lines", allowed="one line or more", next_step="check the path")
    rules = rules or Rules()
    started = time.perf_counter()
    book = Notebook(lines, test, rules.examples)
    for error in lines.problems:
        where, what = placed(error.problem)
        book.found.add("malformed", Example(-1, where, "", "; ".join(filter(None, (what, error.next_step)))))
    for _ in range(lines.malformed - len(lines.problems)):  # those that no problem describes
        book.found.count("malformed", -1)
    labels = LabelPass(book, rules)
    labels.run(progress)
    images = ImagePass(book, rules, labels)
    notes, compared = list(lines.notes), {}
    if test is not None:
        texts = [text_of(test, i) for i in range(len(test))]
        compared["Test texts that also occur here"] = labels.compare(test, texts)
        images.load_test(test, texts, progress)
        if images.bad_test:
            notes.append(f"{images.bad_test} images of {test.name} cannot be read: check the test set by itself, too")
    images.run(progress)
    looked = int((images.measures["state"] != UNSEEN).sum())
    if looked < len(lines):
        notes.append(f"a sample of {looked:,} of {len(lines):,} images was decoded; labels were all read")
    return Audit(
        lines.name, len(lines), book.found.all(), _figures(labels, images) | compared, _histograms(labels, images),
        notes, images.measures, test.name if test is not None else "", len(test) if test is not None else 0,
        time.perf_counter() - started, looked,
    )  # fmt: skip


def _figures(labels: LabelPass, images: ImagePass) -> dict[str, str]:
    """Numbers about a set, by what they are called."""
    state = images.measures["state"]
    figures = {
        "Lines": f"{len(state):,}",
        "Characters": f"{sum(labels.counts.values()):,} of {len(labels.counts):,} kinds",
        "Images": f"{int(((state != UNSEEN) & (state != BAD)).sum()):,} decoded, {int((state == BAD).sum()):,} unreadable",
    }
    for name, key in (("Height", "height"), ("Width", "width")):
        values = images.measures[key][state == READ]
        if len(values):
            low, middle, high = (int(v) for v in np.percentile(values, (0, 50, 100)))
            figures[name] = f"{low:,} px" if low == high else f"{low:,} to {high:,} px, median {middle:,}"
    return figures


def _histograms(labels: LabelPass, images: ImagePass) -> dict[str, Bars]:
    read = images.measures[images.measures["state"] == READ]
    files = Counter(zip(read["format"].tolist(), read["mode"].tolist(), strict=True))
    dark = int(read["dark_ink"].sum())
    ink = [("dark ink", dark), ("light ink", len(read) - dark)]
    made: dict[str, Bars] = {
        "Characters in a label": shape.bars(labels.lengths[labels.lengths > 0], whole=True, log=True),
        "Image height in pixels": shape.bars(read["height"], whole=True, log=True),
        "Image width in pixels": shape.bars(read["width"], whole=True, log=True),
        "Width divided by height": shape.bars(read["width"] / np.maximum(1, read["height"]), log=True),
        "Scripts and kinds of characters": labels.kinds(),
        "Image files": [(f"{FILES[f]} {MODES[m]}", n) for (f, m), n in files.most_common()] + [b for b in ink if b[1]],
        "Most frequent characters": [
            (labeltext.shown(c) if c != " " else "space", n) for c, n in labels.counts.most_common(40)
        ],
    }
    return {title: bars for title, bars in made.items() if bars}


__all__ = ["Audit", "Bars", "Progress", "Rules", "audit"]
