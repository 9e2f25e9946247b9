from __future__ import annotations

import datetime
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.spec import SynthSpec
from glyphlet.spec.texts import DatesText, NumbersText, PricesText, WordsText
from glyphlet.synth.corpus import open_corpus
from glyphlet.synth.fonts import Face
from glyphlet.synth.texts import FORMATS, Source, dates, format_date, numbers, prices, words

ASCII = Charset.named("ascii")
A, B = Face("a.ttf"), Face("b.ttf")


def take(source: Source, count: int = 500) -> list[str]:
    return [source(random.Random(i)) for i in range(count)]


def mixed(texts: list[dict[str, object]], charset: Charset = ASCII, count: int = 400, **values: object) -> list[str]:
    spec = SynthSpec.model_validate({"text": "mix", "texts": texts, **values})
    corpus = open_corpus(spec, charset, {A: frozenset(charset.text)})
    return [corpus.draw(random.Random(i))[0] for i in range(count)]


@pytest.mark.parametrize(
    ("style", "shape"),
    [
        ("integer", r"0|[1-9]\d{0,6}"),
        ("decimal", r"(0|[1-9]\d{0,6})\.\d{1,3}"),
        ("signed", r"[+-](0|[1-9]\d{0,6})(\.\d{1,3})?"),
        ("grouped", r"(0|[1-9]\d{0,2}(,\d{3})*)(\.\d{1,3})?"),
        ("percent", r"(0|[1-9]\d{0,6})(\.\d{1,3})? ?%"),
    ],
)
def test_numbers_of_each_style(style: str, shape: str):
    drawn = take(numbers(NumbersText.model_validate({"styles": [style]})))
    assert all(re.fullmatch(shape, text) for text in drawn)
    assert len(set(drawn)) > 300


def test_lengths_of_numbers_are_uniform_and_marks_are_followed():
    counts = Counter(len(text) for text in take(numbers(NumbersText(styles=["integer"], max_digits=4)), 2000))
    assert set(counts) == {1, 2, 3, 4}
    assert all(400 < n < 600 for n in counts.values())
    drawn = take(numbers(NumbersText(styles=["grouped"], marks=[",'"])))
    assert any(re.fullmatch(r"\d{1,3}('\d{3})+,\d+", text) for text in drawn)
    assert not any("." in text for text in drawn)


def test_prices():
    drawn = take(prices(PricesText(currencies=["€"], places=["after"], marks=[",."])))
    assert all(re.fullmatch(r"(0|[1-9]\d{0,4}|[1-9]\d?\.\d{3})(,\d\d)? ?€", text) for text in drawn)
    drawn = take(prices(PricesText(currencies=["USD"], places=["before"])))
    assert all(re.fullmatch(r"USD \d[\d,]*(\.\d\d)?", text) for text in drawn)


@pytest.mark.parametrize("locale", sorted(FORMATS))
def test_dates_of_a_language_are_those_of_the_calendar(locale: str):
    day = datetime.date(2024, 3, 5)
    expected = {format_date(form, day, 0, locale) for form in FORMATS[locale]}
    known = {
        "en": {"03/05/2024", "3/5/24", "05/03/2024", "March 5, 2024", "Mar 5, 2024", "5 March 2024", "2024-03-05"},
        "de": {"05.03.2024", "05.03.24", "5.3.2024", "5. März 2024"},
        "fr": {"05/03/2024", "05.03.24", "5 mars 2024"},
        "es": {"05/03/2024", "05-03-2024", "5 de marzo de 2024"},
        "it": {"05/03/2024", "05.03.2024", "5 marzo 2024"},
        "zh": {"2024年3月5日", "2024-03-05", "2024/03/05", "2024.03.05"},
    }
    assert expected == known[locale]


def test_dates_lie_between_the_years_and_formats_are_followed():
    drawn = take(dates(DatesText(formats=["%Y-%m-%d %H:%M:%S %%"], first_year=1999, last_year=2001)))
    parsed = [datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S %%") for text in drawn]
    assert {p.year for p in parsed} == {1999, 2000, 2001}
    with pytest.raises(RecipeError, match=r"'%Q' has %Q"):
        dates(DatesText(formats=["%Q"]))
    with pytest.raises(RecipeError, match="date format '5%'"):
        dates(DatesText(formats=["5%"]))


def test_words_of_a_file_and_of_the_recipe(tmp_path: Path):
    (tmp_path / "w.txt").write_text("\ufeffred\n\ngreen \nünder\n", encoding="utf-8")
    spec = WordsText(
        path=str(tmp_path / "w.txt"), words=["Blue"], min_words=2, max_words=3, case=["lower", "upper", "title"]
    )
    source, dropped = words(spec, ASCII, [frozenset(ASCII.text)])
    assert dropped == 1
    drawn = take(source)
    assert {len(text.split(" ")) for text in drawn} == {2, 3}
    assert set(" ".join(drawn).split(" ")) == {
        c(w) for w in ("red", "green", "blue") for c in (str, str.upper, str.title)
    }


def test_words_without_a_space_in_the_charset():
    source, _ = words(WordsText(words=["a", "b"]), Charset.from_text("ab"), [frozenset("ab")])
    assert set(take(source)) == {"a", "b"}
    with pytest.raises(RecipeError, match="several words without a space"):
        words(WordsText(words=["a"], min_words=2), Charset.from_text("ab"), [frozenset("ab")])
    with pytest.raises(RecipeError, match="of 1 words gives no word"):
        words(WordsText(words=["c"]), Charset.from_text("ab"), [frozenset("ab")])
    with pytest.raises(RecipeError, match=r"path none\.txt cannot be read"):
        words(WordsText(path="none.txt"), ASCII, [frozenset("ab")])


def test_a_mix_follows_the_weights():
    counts = Counter(
        mixed([{"kind": "pattern", "pattern": "a"}, {"kind": "pattern", "pattern": "b", "weight": 3}], count=2000)
    )
    assert 400 < counts["a"] < 600
    assert counts["a"] + counts["b"] == 2000


def test_lengths_of_a_source_and_of_the_set():
    drawn = mixed([{"kind": "random", "min_length": 2, "max_length": 3}], min_length=7, max_length=9)
    assert {len(text) for text in drawn} == {2, 3}
    assert {len(text) for text in mixed([{"kind": "random"}], min_length=7, max_length=9)} == {7, 8, 9}
    assert {len(text) for text in mixed([{"kind": "random", "max_length": 2}])} == {2}


def test_pieces_are_joined():
    parts = [{"kind": "pattern", "pattern": "[ab]"}, {"kind": "pattern", "pattern": r"\d"}]
    drawn = mixed([{"kind": "join", "parts": parts, "min_parts": 2, "max_parts": 3, "separators": ["-", ""]}])
    assert all(re.fullmatch(r"[ab\d](-?[ab\d]){1,2}", text) for text in drawn)
    assert {len(re.sub("-", "", text)) for text in drawn} == {2, 3}


@pytest.mark.parametrize("kind", ["numbers", "dates", "prices"])
def test_short_forms(kind: str):
    spec = SynthSpec.model_validate({"text": kind})
    with pytest.warns(UserWarning, match=r"prices: texts with .*'€'") if kind == "prices" else _nothing():
        corpus = open_corpus(spec, ASCII, {A: frozenset(ASCII.text)})
    drawn = [corpus.draw(random.Random(i))[0] for i in range(300)]
    assert all(any(c.isdigit() for c in text) and set(text) <= set(ASCII.text) for text in drawn)


class _nothing:
    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


def test_a_source_that_never_fits_names_the_characters():
    with pytest.raises(RecipeError, match=r"dates gives no text that can be drawn; .*'年'"):
        mixed([{"kind": "dates", "locales": ["zh"], "formats": ["%Y年"]}])


def test_text_goes_to_a_font_that_covers_it():
    spec = SynthSpec.model_validate(
        {"text": "mix", "texts": [{"kind": "words", "words": ["ab", "cd", "ac"], "max_words": 1}]}
    )
    with pytest.warns(UserWarning, match="1 words have characters that no font can draw"):
        corpus = open_corpus(spec, Charset.from_text("abcd"), {A: frozenset("ab"), B: frozenset("cd")})
    assert {corpus.draw(random.Random(i)) for i in range(100)} == {("ab", A), ("cd", B)}


def test_word_lists_and_files_must_be_named():
    for kind in ("words", "file"):
        with pytest.raises(RecipeError, match=f"text is '{kind}', but text_file is not set"):
            open_corpus(SynthSpec.model_validate({"text": kind}), ASCII, {A: frozenset(ASCII.text)})
