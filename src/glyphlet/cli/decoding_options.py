"""The options with which a verb is told how lines are decoded, and the `Decoding` that they make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from glyphlet.decode.decoding import Decoding

Pattern = Annotated[
    str | None,
    typer.Option(
        help="A regular expression for the whole line, or a name: luhn, iban, iso6346, mrz-td3 and other MRZ lines, date, date-us."
    ),
]
Lexicon = Annotated[Path | None, typer.Option(help="Text file: each line of it is a line that there can be.")]
LexiconWords = Annotated[
    bool, typer.Option("--lexicon-words", help="A line is entries of the lexicon with single spaces between them.")
]
LanguageModel = Annotated[Path | None, typer.Option(help="Language model, written by `glyphlet lm`.")]
LanguageModelWeight = Annotated[
    float | None, typer.Option(help="How much the language model counts; 0.5 by default.", show_default=False)
]
LanguageModelBonus = Annotated[
    float | None,
    typer.Option(help="What each character adds to the logarithm, beside --lm; 0 by default.", show_default=False),
]
Beam = Annotated[
    int | None, typer.Option(help="Texts that are followed at once; 8 with a pattern, a lexicon or a language model.")
]


@dataclass(frozen=True)
class DecodingOptions:
    """What was given for these options; None where an option was left out."""

    pattern: str | None = None
    lexicon: Path | None = None
    lexicon_words: bool = False
    lm: Path | None = None
    lm_weight: float | None = None
    lm_bonus: float | None = None
    beam: int | None = None

    def decoding(self) -> Decoding | None:
        """How lines are decoded; None is greedily, and imports nothing.

        Raises:
            GlyphletError: a weight is given without a language model, or a value is out of range.
        """
        given = self._given()
        if not given:
            return None
        from glyphlet.decode.decoding import Decoding

        return Decoding(**given)

    def _given(self) -> dict[str, Any]:
        """The arguments of a `Decoding`."""
        from glyphlet.errors import GlyphletError

        if self.lm is None and (self.lm_weight is not None or self.lm_bonus is not None):
            raise GlyphletError(
                "--lm-weight or --lm-bonus is given without a language model",
                allowed="both of them with --lm",
                next_step="make one with glyphlet lm text.txt -o text.lm, and give it with --lm",
            )
        weights = {"lm_weight": self.lm_weight, "length_bonus": self.lm_bonus}
        asked = {"pattern": self.pattern, "lexicon": self.lexicon, "lm": self.lm, "beam": self.beam, **weights}
        given: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
        return {**given, "words": True} if self.lexicon_words else given

    def told(self) -> str:
        """The options as they are written in a shell, for a report."""
        written: list[tuple[str, object]] = [
            ("--pattern", self.pattern),
            ("--lexicon", self.lexicon),
            ("--lm", self.lm),
        ]
        written += [("--lm-weight", self.lm_weight), ("--lm-bonus", self.lm_bonus), ("--beam", self.beam)]
        parts = [f"{name} {value}" for name, value in written if value is not None]
        return " ".join([*parts, "--lexicon-words"] if self.lexicon_words else parts)


__all__ = [
    "Beam",
    "DecodingOptions",
    "LanguageModel",
    "LanguageModelBonus",
    "LanguageModelWeight",
    "Lexicon",
    "LexiconWords",
    "Pattern",
]
