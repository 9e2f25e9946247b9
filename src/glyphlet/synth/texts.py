"""Texts that are made up: words of a list, numbers, dates and prices. Each source is a function of random numbers alone."""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.spec.texts import DatesText, NumbersText, PricesText, WordsText

Source = Callable[[random.Random], str]

_CASES: dict[str, Callable[[str], str]] = {
    "as_is": str,
    "lower": str.lower,
    "upper": str.upper,
    "title": lambda text: " ".join(word[:1].upper() + word[1:].lower() for word in text.split(" ")),
}


def read_lines(path: str | None, charset: Charset, setting: str = "text_file") -> list[str]:
    """The lines of a text file, normalised, with single spaces.

    Raises:
        RecipeError: there is no path, or the file cannot be read or is not UTF-8.
    """
    problem = f"text is 'file', but {setting} is not set"
    try:
        if path is not None:
            text = charset.normalize(Path(path).read_text(encoding="utf-8-sig"))
            return [" ".join(line.split()) for line in text.splitlines()]
    except OSError as error:
        problem = f"{setting} {path} cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        problem = f"{setting} {path} is not UTF-8 (byte {error.start})"
    raise RecipeError(problem, allowed="a text file in UTF-8", next_step=f"set {setting} to the path of one")


def words(spec: WordsText, charset: Charset, covered: Sequence[frozenset[str]]) -> tuple[Source, int]:
    """A source of words, and how many of the list are left out because no font has all of their characters.

    Args:
        spec: the settings.
        charset: how texts are normalised.
        covered: the characters of each font.

    Raises:
        RecipeError: the list cannot be read, or no word of it can be drawn.
    """
    lines = read_lines(spec.path, charset, "path") if spec.path is not None else []
    listed = [word for word in (*lines, *(charset.normalize(word).strip() for word in spec.words)) if word]
    usable = [word for word in listed if any(known.issuperset(word) for known in covered)]
    spaced = any(" " in known for known in covered)
    if not usable or (spec.min_words > 1 and not spaced):
        reason = "gives no word that one font can draw" if not usable else "asks for several words without a space"
        raise RecipeError(
            f"the word list {spec.path or ''}".rstrip() + f" of {len(listed)} words {reason}",
            allowed="words in characters of the charset that one font covers, and a space for more than one",
            next_step="give another list (path or words), or change the charset or the fonts",
        )
    most = spec.max_words if spaced else 1

    def source(rng: random.Random) -> str:
        text = " ".join([rng.choice(usable) for _ in range(rng.randint(spec.min_words, most))])
        return _CASES[rng.choice(spec.case)](text)

    return source, len(listed) - len(usable)


def _digits(rng: random.Random, most: int) -> str:
    """A whole number of 1 to `most` digits, each length with the same chance, without zeros in front."""
    length = rng.randint(1, most)
    low = 10 ** (length - 1) if length > 1 else 0
    return str(rng.randrange(low, 10**length))


def _grouped(digits: str, mark: str) -> str:
    head = len(digits) % 3
    groups = [digits[:head]] if head else []
    return mark.join([*groups, *(digits[i : i + 3] for i in range(head, len(digits), 3))])


def numbers(spec: NumbersText) -> Source:
    """A source of numbers."""

    def source(rng: random.Random) -> str:
        style, marks = rng.choice(spec.styles), rng.choice(spec.marks)
        whole = _digits(rng, spec.max_digits)
        if style == "grouped":
            whole = _grouped(whole, marks[1:])
        if style == "decimal" or (style != "integer" and rng.random() < 0.5):
            decimals = rng.randint(1, spec.max_decimals)
            whole += marks[0] + "".join(rng.choices("0123456789", k=decimals))
        if style == "signed":
            return rng.choice("+--") + whole
        return whole + rng.choice(("%", " %")) if style == "percent" else whole

    return source


def prices(spec: PricesText) -> Source:
    """A source of prices."""

    def source(rng: random.Random) -> str:
        marks, currency, place = rng.choice(spec.marks), rng.choice(spec.currencies), rng.choice(spec.places)
        digits = _digits(rng, spec.max_digits)
        amount = _grouped(digits, marks[1:]) if rng.random() < 0.5 else digits
        if rng.random() < 0.8:
            amount += marks[0] + rng.choice((f"{rng.randrange(100):02d}", "00", "99", "50", "95"))
        if place == "after":
            return f"{amount} {currency}" if rng.random() < 0.7 or currency.isalpha() else amount + currency
        return f"{currency} {amount}" if currency.isalpha() or rng.random() < 0.2 else currency + amount

    return source


FORMATS: dict[str, tuple[str, ...]] = {
    "en": ("%m/%d/%Y", "%n/%e/%y", "%d/%m/%Y", "%B %e, %Y", "%b %e, %Y", "%e %B %Y", "%Y-%m-%d"),
    "de": ("%d.%m.%Y", "%d.%m.%y", "%e.%n.%Y", "%e. %B %Y"),
    "fr": ("%d/%m/%Y", "%d.%m.%y", "%e %B %Y"),
    "es": ("%d/%m/%Y", "%d-%m-%Y", "%e de %B de %Y"),
    "it": ("%d/%m/%Y", "%d.%m.%Y", "%e %B %Y"),
    "zh": ("%Y年%n月%e日", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"),
}
"""Usual formats of dates by language."""
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "zh": "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月",
}
_DIRECTIVE = re.compile("%(.?)", re.DOTALL)
_KNOWN = "dmYyBbenHMS%"


def dates(spec: DatesText) -> Source:
    """A source of dates.

    Raises:
        RecipeError: a format has a directive that is not known.
    """
    for form in spec.formats:
        unknown = [name for name in _DIRECTIVE.findall(form) if not name or name not in _KNOWN]
        if unknown:
            raise RecipeError(
                f"date format {form!r} has %{unknown[0]}",
                allowed="%d %m %Y %y %B %b %e %n %H %M %S, and %% for a percent sign",
                next_step="correct texts in the recipe",
            )
    first, last = datetime.date(spec.first_year, 1, 1).toordinal(), datetime.date(spec.last_year, 12, 31).toordinal()

    def source(rng: random.Random) -> str:
        locale = rng.choice(spec.locales)
        form = rng.choice(spec.formats or FORMATS[locale])
        day = datetime.date.fromordinal(rng.randint(first, last))
        return format_date(form, day, rng.randrange(86400), locale)

    return source


def format_date(form: str, day: datetime.date, second: int, locale: str) -> str:
    """A date and a second of the day in a format; the same on every machine, whatever its locale.

    >>> format_date("%e. %B %y, %H:%M", datetime.date(2024, 3, 5), 3661, "de")
    '5. März 24, 01:01'
    """
    month = _MONTHS[locale].split()[day.month - 1]
    values = {
        "d": f"{day.day:02d}", "m": f"{day.month:02d}", "Y": f"{day.year:04d}", "y": f"{day.year % 100:02d}", "B": month,
        "b": month[:3] if locale != "zh" else month, "e": str(day.day), "n": str(day.month), "%": "%",
        "H": f"{second // 3600:02d}", "M": f"{second // 60 % 60:02d}", "S": f"{second % 60:02d}",
    }  # fmt: skip
    return _DIRECTIVE.sub(lambda match: values[match[1]], form)
