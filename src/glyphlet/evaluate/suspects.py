"""Lines whose labels are likely wrong: the model is sure of another text, and thinks the label far less probable.

The rank of a line is the logarithm of how many times more probable the model thinks its reading than the label, for each
edit between the two. A line that is badly misread contradicts its label in many places and in none of them strongly; a
wrong label contradicts the image strongly where it is wrong. `benchmarks/label_errors.py` compares this rank with
confidence and others on labels that were spoilt on purpose.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from glyphlet.codec import CTCCodec
from glyphlet.data.lineset import LineSet
from glyphlet.data.sample import Sample
from glyphlet.decode.confidence import log_probabilities
from glyphlet.errors import ImageError, LabelError
from glyphlet.evaluate.aligned import aligned
from glyphlet.evaluate.scores import Evaluation, LineResult
from glyphlet.image import prepare
from glyphlet.runtime.reader import Reader

SURE = 0.5
"""A reading of at most this confidence accuses no label."""
TIMES = 100.0
"""Nor does one that is less than so many times as probable as the label for each edit between the two."""
CTC_RULE = (
    f"The model gives its reading a confidence above {100 * SURE:.0f} %, and each difference of the label makes it at least "
    f"{TIMES:.0f} times less probable. The strongest contradiction for each difference comes first."
)
PLAIN_RULE = (
    f"The model gives its reading a confidence above {100 * SURE:.0f} %; ordered by confidence. A model of this kind does not "
    "say how probable a label is."
)


@dataclass(frozen=True)
class Suspect:
    """A line whose label is likely wrong.

    Args:
        result: what was read.
        edits: the differences between reading and label.
        ratio: the logarithm of how many times more probable the reading is than the label; None where the model cannot
            say.
    """

    result: LineResult
    edits: int = 1
    ratio: float | None = None

    @property
    def rank(self) -> float:
        """The greater, the likelier the label is wrong."""
        return self.result.confidence if self.ratio is None else self.ratio / self.edits

    @property
    def remark(self) -> str:
        """The ratio for people."""
        if self.ratio is None:
            return ""
        times = f"{math.exp(self.ratio):,.0f}" if self.ratio < math.log(1e6) else "over a million"
        return f"{times} times as probable as the label"


@dataclass(frozen=True)
class Suspects:
    """The likely label errors of an evaluation.

    Args:
        found: the likeliest first.
        rule: how they were found, in words.
        unwritable: wrong lines whose labels the model cannot write; they are not among `found`.
    """

    found: tuple[Suspect, ...]
    rule: str
    unwritable: int


def suspects(reader: Reader, evaluation: Evaluation, lines: LineSet | Sequence[Sample]) -> Suspects:
    """Find the lines whose labels are likely wrong.

    Args:
        reader: the model that read them.
        evaluation: what came of it.
        lines: the lines that were read, in the same order.
    """
    charset = reader.metadata.charset
    sure = [result for result in evaluation.errors() if result.confidence > SURE]
    writable = [result for result in sure if all(char in charset for char in result.truth)]
    if isinstance(reader.metadata.codec, CTCCodec):
        found = [s for result in writable if (s := _suspect(reader, evaluation, result, lines)) is not None]
        accused = [s for s in found if s.rank >= math.log(TIMES)]
        rule = CTC_RULE
    else:
        accused = [Suspect(result, evaluation.edits(result)) for result in writable]
        rule = PLAIN_RULE
    accused.sort(key=lambda s: (s.rank, s.result.confidence), reverse=True)
    return Suspects(tuple(accused), rule, len(sure) - len(writable))


def _suspect(
    reader: Reader, evaluation: Evaluation, result: LineResult, lines: LineSet | Sequence[Sample]
) -> Suspect | None:
    """A line with its ratio; None where the image has gone away since it was read."""
    with contextlib.suppress(ImageError, LabelError):
        ratio = _ratio(reader, result, lines[result.number], evaluation.ignore_case)
        return Suspect(result, evaluation.edits(result), ratio)
    return None


def _ratio(reader: Reader, result: LineResult, sample: Sample, ignore_case: bool) -> float:
    """The logarithm of how many times more probable the reading is than the label, infinite for an impossible label."""
    codec = reader.metadata.codec
    logits = reader.logits([prepare(sample.source, reader.metadata.geometry)]).repeat(2, axis=0)
    label = _in_case_of(result.text, result.truth) if ignore_case else result.truth
    read, true = log_probabilities(logits, [codec.encode(result.text), codec.encode(label)]).tolist()
    return math.inf if math.isinf(true) else read - true


def _in_case_of(read: str, truth: str) -> str:
    """The label with the case of the reading where case is all that differs, since case does not count."""
    pairs = aligned(read, truth, ignore_case=True)
    whole = all(pair.read and pair.truth for pair in pairs if pair.same)  # no character folds to two
    return "".join(pair.read if pair.same else pair.truth for pair in pairs) if whole else truth


__all__ = ["CTC_RULE", "PLAIN_RULE", "SURE", "TIMES", "Suspect", "Suspects", "suspects"]
