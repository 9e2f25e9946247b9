"""Where rendered texts come from, one small section a kind; a recipe lists several and mixes them by weight.

text: mix
texts:
  - {kind: pattern, pattern: '[A-Z]{2}\\d{6}', weight: 2}
  - {kind: file, path: novel.txt, min_length: 5, max_length: 30}
  - {kind: prices, currencies: ['€']}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from glyphlet.charset import NAMED
from glyphlet.errors import RecipeError
from glyphlet.registry import nearest
from glyphlet.spec.parts import Strict

Weight = Annotated[float, Field(gt=0, le=1e6)]
Marks = Annotated[str, Field(min_length=1, max_length=2)]
Case = Literal["as_is", "lower", "upper", "title"]
LOCALES = ("en", "de", "fr", "es", "it", "zh")


class _Span(Strict):
    """A number of something between two bounds."""

    min_length: int | None = Field(None, ge=1)
    """Fewest characters; by default that of the whole set."""
    max_length: int | None = Field(None, ge=1)
    """Most characters; by default that of the whole set."""
    weight: Weight = 1.0
    """How often texts of this source are drawn, relative to the others."""

    @field_validator("max_length")
    @classmethod
    def _in_order(cls, value: int | None, info: ValidationInfo) -> int | None:
        return _at_least(value, info.data.get("min_length"), "min_length")


def _at_least(value: int | None, low: int | None, name: str) -> int | None:
    if value is not None and low is not None and value < low:
        raise ValueError(f"at least {name}, which is {low}")
    return value


class RandomText(_Span):
    """Characters of the charset, each with the same chance, so that rare ones are as frequent as common ones."""

    kind: Literal["random"] = "random"
    charset: str | None = None
    """The name of another charset: only characters that it has, too, are drawn."""

    @field_validator("charset")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in NAMED:
            raise ValueError(f"one of {', '.join(sorted(NAMED))}")
        return value


class FileText(_Span):
    """Excerpts of a text file, at word boundaries where the lengths allow it."""

    kind: Literal["file"] = "file"
    path: str
    """A UTF-8 text."""


class WordsText(Strict):
    """Words of a list, joined by spaces."""

    kind: Literal["words"] = "words"
    path: str | None = None
    """A UTF-8 file with one word (or phrase) a line."""
    words: list[str] = []
    """Words that are written into the recipe; they join those of the file."""
    min_words: int = Field(1, ge=1)
    max_words: int = Field(3, ge=1, le=1000)
    case: list[Case] = Field(["as_is"], min_length=1)
    """One is taken for each text."""
    weight: Weight = 1.0

    @field_validator("max_words")
    @classmethod
    def _in_order(cls, value: int, info: ValidationInfo) -> int:
        _at_least(value, info.data.get("min_words"), "min_words")
        return value


class PatternText(Strict):
    """Texts that a regular expression matches."""

    kind: Literal["pattern"] = "pattern"
    pattern: str = Field(min_length=1)
    max_repeat: int = Field(8, ge=1, le=1000)
    """What `*`, `+` and `{2,}` may repeat at most."""
    weight: Weight = 1.0


class NumbersText(Strict):
    """Numbers: 7, 48, -3.50, 12,345.6, 80 %."""

    kind: Literal["numbers"] = "numbers"
    styles: list[Literal["integer", "decimal", "signed", "grouped", "percent"]] = Field(
        ["integer", "decimal", "signed", "grouped"], min_length=1
    )
    """One is taken for each text. `signed` has a sign before an integer or decimal, `grouped` has thousands separators."""
    max_digits: int = Field(7, ge=1, le=30)
    """Most digits before the decimal mark."""
    max_decimals: int = Field(3, ge=1, le=12)
    marks: list[Marks] = Field([".,"], min_length=1)
    """The decimal mark, then the thousands separator: `.,` is 1,234.5 and `,.` is 1.234,5."""
    weight: Weight = 1.0


class DatesText(Strict):
    """Dates."""

    kind: Literal["dates"] = "dates"
    locales: list[Literal["en", "de", "fr", "es", "it", "zh"]] = Field(["en"], min_length=1)
    """Usual formats and month names of these languages."""
    formats: list[str] = []
    """Formats instead of those of the locales: %d %m %Y %y %B %b %e (day without zero) %n (month without zero) %H %M %S."""
    first_year: int = Field(1950, ge=1, le=9999)
    last_year: int = Field(2049, ge=1, le=9999)
    weight: Weight = 1.0

    @field_validator("last_year")
    @classmethod
    def _in_order(cls, value: int, info: ValidationInfo) -> int:
        _at_least(value, info.data.get("first_year"), "first_year")
        return value


class PricesText(Strict):
    """Prices: $12.50, 1.299,00 €, EUR 7."""

    kind: Literal["prices"] = "prices"
    currencies: list[str] = Field(["$", "€", "£", "¥", "USD", "EUR"], min_length=1)
    places: list[Literal["before", "after"]] = Field(["before", "after"], min_length=1)
    """Where the currency stands."""
    max_digits: int = Field(5, ge=1, le=15)
    marks: list[Marks] = Field([".,"], min_length=1)
    """As of `numbers`."""
    weight: Weight = 1.0


class JoinText(Strict):
    """Pieces of other sources beside each other: mixed scripts in one line."""

    kind: Literal["join"] = "join"
    parts: list[TextSpec] = Field(min_length=1)
    """Each piece is drawn from one of these, by weight."""
    min_parts: int = Field(2, ge=1)
    max_parts: int = Field(4, ge=1, le=100)
    separators: list[str] = Field([" "], min_length=1)
    """What stands between two pieces, one of these each time; an empty one is nothing."""
    weight: Weight = 1.0

    @field_validator("max_parts")
    @classmethod
    def _in_order(cls, value: int, info: ValidationInfo) -> int:
        _at_least(value, info.data.get("min_parts"), "min_parts")
        return value

    @field_validator("parts", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        return text_specs(value, "parts")


TextSpec = Annotated[
    RandomText | FileText | WordsText | PatternText | NumbersText | DatesText | PricesText | JoinText,
    Field(discriminator="kind"),
]
JoinText.model_rebuild()

KINDS: dict[str, type[Strict]] = {
    "random": RandomText, "file": FileText, "words": WordsText, "pattern": PatternText,
    "numbers": NumbersText, "dates": DatesText, "prices": PricesText, "join": JoinText,
}  # fmt: skip
"""Every kind of text by its name."""


def text_specs(values: Any, where: str) -> Any:
    """A list of plain values as sections; anything but a list is left for pydantic to refuse.

    Raises:
        RecipeError: an entry has no known kind, an unknown setting, or a value that is not allowed.
    """
    if not isinstance(values, list):
        return values
    return [_text_spec(value, f"{where}[{number}]") for number, value in enumerate(values)]


def _text_spec(value: Any, where: str) -> Any:
    if isinstance(value, Strict):
        return value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        close = nearest(kind, list(KINDS)) if isinstance(kind, str) else ""
        raise RecipeError(
            f"{where} has no known kind: {value!r}{close}",
            allowed=f"kind: {', '.join(KINDS)}",
            next_step="give it a kind: {kind: words, path: words.txt}",
        )
    try:
        return KINDS[kind].model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = [name for name in KINDS[kind].model_fields if name != "kind"]
        if first["type"] == "extra_forbidden":
            problem, allowed = f"{where} ({kind}) has no setting {key}{nearest(key, known)}", ", ".join(known)
        elif first["type"] == "missing":
            problem, allowed = f"{where} ({kind}): {key} is missing", ", ".join(known)
        else:
            problem = f"{where} ({kind}): {key} is {first['input']!r}"
            allowed = first["msg"].removeprefix("Value error, ")
        raise RecipeError(problem, allowed=allowed, next_step="correct the recipe") from error
