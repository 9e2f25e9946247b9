"""How a CTC model is read when not greedily: with a beam, under a pattern, with a lexicon, with a language model.

Decoding        what is asked for; it knows no model
BeamDecoder     the same for the classes of one model; it is called as `greedy.decode` is
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glyphlet.codec import Codec, CTCCodec
from glyphlet.decode.align import align
from glyphlet.decode.automaton import Automaton, anything
from glyphlet.decode.beam import Candidate, search
from glyphlet.decode.confidence import log_probabilities
from glyphlet.decode.fusion import Fusion
from glyphlet.decode.greedy import best_paths, runs, span
from glyphlet.decode.lexicon import lexicon_automaton
from glyphlet.decode.named import NAMED, named_automaton
from glyphlet.decode.ngram import NGrams
from glyphlet.decode.pattern import MAX_STATES, compile_pattern
from glyphlet.decode.reading import Character, Reading
from glyphlet.decode.steps import MARGIN, Floats, Steps, thin
from glyphlet.errors import RecipeError
from glyphlet.image import Line

Check = Callable[[str], bool]
CHECKED_WIDTH = 64
"""The beam is at least this wide where texts are proposed to a check."""
_LEAST_MARGIN, _LEAST_THRESHOLD = 1e-250, 1e-6
_MORE_THAN_HALF = np.log(0.5)


@dataclass(frozen=True)
class Decoding:
    """How lines are read.

    Args:
        beam: how many texts are followed at once.
        pattern: a regular expression that the whole text must match, or the name of a pattern (`named.NAMED`); empty for none.
        check: of the texts that are found, best first, the first that it returns true for is read.
        lexicon: the lines that there can be: a text file with one entry a line, or the entries.
        words: a line is entries of the lexicon with single spaces between them, not one entry.
        lm: a language model, or its file, written by `glyphlet lm`.
        lm_weight: times the logarithm of its probability.
        length_bonus: what each character adds to the logarithm under a language model.
        threshold: classes with a posterior of at most this are left out at a step, unless a legal text needs them; 0 leaves
            nothing out.
        max_states: states that the automaton of a regular expression may have; fewer make sure that it is compiled quickly.

    Raises:
        RecipeError: a value is out of range, or both a pattern and a lexicon are given.
    """

    beam: int = 8
    pattern: str = ""
    check: Check | None = None
    lexicon: str | Path | Sequence[str] | None = None
    words: bool = False
    lm: str | Path | NGrams | None = None
    lm_weight: float = 0.5
    length_bonus: float = 0.0
    threshold: float = 1e-3
    max_states: int = MAX_STATES

    def __post_init__(self) -> None:
        if isinstance(self.beam, bool) or not isinstance(self.beam, int) or not 1 <= self.beam <= 10_000:
            raise _refusal(f"beam is {self.beam!r}", "a whole number from 1 to 10,000", "set it to 8")
        if not 0 <= self.threshold < 1:
            raise _refusal(f"threshold is {self.threshold!r}", "0 or more, below 1", "leave it at 0.001")
        if not 0 <= self.lm_weight <= 100:
            raise _refusal(f"the weight of the language model is {self.lm_weight!r}", "0 to 100", "begin with 0.5")
        if not -100 <= self.length_bonus <= 100:
            raise _refusal(f"the length bonus is {self.length_bonus!r}", "-100 to 100", "begin with 0")
        if self.pattern and self.lexicon is not None:
            raise _refusal("both a pattern and a lexicon are given", "one of them", "leave one out")
        if self.words and self.lexicon is None:
            raise _refusal("words of a lexicon are asked for, but there is no lexicon", "both", "give a lexicon")

    def for_codec(self, codec: Codec, model: str = "the model") -> BeamDecoder:
        """The decoder for the classes of one model.

        Args:
            codec: of the model.
            model: how messages call it.

        Raises:
            RecipeError: the model is not a CTC model, or nothing legal can be written with its characters.
            GlyphletError: a file is missing, damaged or empty.
        """
        if not isinstance(codec, CTCCodec):
            raise _refusal(
                f"{model} writes character after character (head {codec.kind!r}), and a beam, patterns, lexicons and "
                "language models are for CTC",
                "a model with the head ctc",
                "read without them, or train a model with the head ctc",
            )
        return BeamDecoder(self, codec)


class BeamDecoder:
    """Reads the output of one CTC model as a `Decoding` says; called with what `greedy.decode` is called with."""

    def __init__(self, decoding: Decoding, codec: CTCCodec) -> None:
        self.decoding, self.codec = decoding, codec
        self.automaton, self.check, self.what = _legal(decoding, codec)
        self.margin = MARGIN if decoding.threshold else 0.0
        self.signs = (codec.blank_sign, *codec.charset.characters)
        self.width = max(decoding.beam, CHECKED_WIDTH) if self.check else decoding.beam
        self.fusion: Fusion | None = None
        if decoding.lm is not None:
            model = decoding.lm if isinstance(decoding.lm, NGrams) else NGrams.load(decoding.lm)
            self.fusion = Fusion(model.over(codec.charset), decoding.lm_weight, decoding.length_bonus)

    def __call__(
        self,
        logits: NDArray[Any],
        codec: CTCCodec,
        lines: Sequence[Line],
        time_stride: int,
        sources: Sequence[str],
    ) -> list[Reading]:
        """Read a batch of lines; see `greedy.decode`.

        A greedy text that is legal and more probable than all others together is the answer without a search.
        """
        paths, best, normalizers = best_paths(logits)
        labels = [[run.label for run, _ in line] for line in runs(paths, best)]
        totals = np.full(len(labels), -np.inf)
        sure = [number for number, found in enumerate(labels) if self.fusion is None and self._legal(found)]
        if sure:
            totals[sure] = log_probabilities(logits[sure], [labels[n] for n in sure], normalizers[sure])
        changed, reasons = [], [""] * len(labels)
        for number in np.flatnonzero(totals <= _MORE_THAN_HALF).tolist():
            found, times, reasons[number] = self._searched(logits[number], normalizers[number], len(labels[number]))
            if list(found) != labels[number] or np.isneginf(totals[number]):
                changed.append(number)
            if list(found) != labels[number] and not reasons[number]:
                labels[number] = list(found)
                paths[number] = align(logits[number], normalizers[number], found, times)
                best[number] = np.exp(logits[number, np.arange(logits.shape[1]), paths[number]] - normalizers[number])
        if changed:
            totals[changed] = log_probabilities(
                logits[changed], [labels[number] for number in changed], normalizers[changed]
            )
        readings = []
        values = zip(paths, runs(paths, best), lines, np.exp(totals).tolist(), sources, reasons, strict=True)
        for path, line_runs, line, confidence, source, reason in values:
            raw = "".join([self.signs[label] for label in path.tolist()])
            if reason:
                readings.append(Reading("", 0.0, (), raw, source, reason))
                continue
            characters = tuple(
                Character(self.signs[run.label], sure, *span(run, line, time_stride)) for run, sure in line_runs
            )
            text = "".join(character.char for character in characters)
            readings.append(Reading(text, confidence, characters, raw, source))
        return readings

    def _legal(self, labels: Sequence[int]) -> bool:
        return self.automaton.accepts(labels) and (self.check is None or self.check(self._text(labels)))

    def _text(self, labels: Sequence[int]) -> str:
        return "".join([self.signs[label] for label in labels])

    def _searched(
        self, logits: NDArray[Any], normalizers: Floats, length: int
    ) -> tuple[tuple[int, ...], NDArray[np.intp], str]:
        """The text of a line as classes, the steps it was found in, and why there is none; `length` is that of the greedy text."""
        if self.automaton.need[0] > len(logits):
            least = int(self.automaton.need[0])
            return (
                (),
                np.arange(0),
                f"{self.what} needs at least {least} time steps, and the line has {len(logits)}",
            )
        for whole in (False, True):  # the busy steps of a line are nearly always enough
            few = (self.decoding.threshold, self.width, self.margin)
            steps, found = self._candidates(logits, normalizers, whole, *few)
            if found and self._doubtful(found[0], length):
                # What was dropped on the way for being so much less probable may be better than what was found.
                margin = max(math.exp(found[0].score) / 10, _LEAST_MARGIN)
                more = (max(margin, _LEAST_THRESHOLD), self.width, margin)
                steps, found = self._candidates(logits, normalizers, whole, *more)
            for candidate in found:
                if self.check is None or self.check(self._text(candidate.labels)):
                    return candidate.labels, steps.times, ""
            if found:
                return (), steps.times, f"none of the {len(found)} most probable texts of {self.what} passes its check"
        raise AssertionError("no legal text was found, though one fits")

    def _doubtful(self, found: Candidate, length: int) -> bool:
        """Whether a text is as improbable as what was dropped, and yet so long as what stands there: another line is no use to look at
        again. Where texts are only proposed to a check, there are many of them anyway.
        """
        improbable = self.margin > 0 and found.score < math.log(self.margin)
        alike = abs(len(found.labels) - length) <= max(3, length // 4)
        return improbable and alike and self.fusion is None and self.check is None

    def _candidates(
        self, logits: NDArray[Any], normalizers: Floats, whole: bool, threshold: float, width: int, margin: float
    ) -> tuple[Steps, list[Candidate]]:
        steps = thin(logits, normalizers, self.automaton, threshold, whole, margin)
        return steps, search(steps, self.automaton, width, self.fusion, margin)


def _refusal(problem: str, allowed: str, next_step: str) -> RecipeError:
    return RecipeError(problem, allowed=allowed, next_step=next_step)


def _legal(decoding: Decoding, codec: CTCCodec) -> tuple[Automaton, Check | None, str]:
    """The legal texts, what they must pass beside, and what messages call them."""
    charset = codec.charset
    if decoding.lexicon is not None:
        return (
            lexicon_automaton(decoding.lexicon, charset, decoding.words),
            decoding.check,
            "the shortest line of the lexicon",
        )
    what = f"the pattern {decoding.pattern!r}"
    if decoding.pattern in NAMED:
        own = NAMED[decoding.pattern].check
        return named_automaton(decoding.pattern, charset), _both(own, decoding.check), what
    if decoding.pattern:
        return compile_pattern(decoding.pattern, charset, decoding.max_states), decoding.check, what
    return anything(codec.classes), decoding.check, "the line"


def _both(one: Check | None, other: Check | None) -> Check | None:
    if one is None or other is None:
        return one or other
    return lambda text: one(text) and other(text)


__all__ = ["CHECKED_WIDTH", "BeamDecoder", "Decoding"]
