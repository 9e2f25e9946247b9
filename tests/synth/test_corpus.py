from __future__ import annotations

import itertools
import random
import string
from collections import Counter
from pathlib import Path

import pytest

from glyphlet.charset import Charset
from glyphlet.errors import RecipeError
from glyphlet.spec import SynthSpec
from glyphlet.synth.corpus import Corpus, open_corpus
from glyphlet.synth.fonts import Face

ASCII = Charset.named("ascii")
A, B = Face("a.ttf"), Face("b.ttf")


def texts(corpus: Corpus, count: int = 400) -> list[str]:
    return [corpus.draw(random.Random(i))[0] for i in range(count)]


def corpus_of(charset: Charset, **values: object) -> Corpus:
    return open_corpus(SynthSpec.model_validate(values), charset, {A: frozenset(charset.text)})


def file_corpus(tmp_path: Path, text: str, charset: Charset = ASCII, **values: object) -> Corpus:
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    return corpus_of(charset, text="file", text_file=str(path), **values)


def test_lengths_and_characters_are_uniform():
    drawn = texts(corpus_of(Charset.named("digits"), min_length=2, max_length=5), 2000)
    lengths = Counter(map(len, drawn))
    assert set(lengths) == {2, 3, 4, 5}
    assert all(400 < n < 600 for n in lengths.values())
    characters = Counter("".join(drawn))
    assert set(characters) == set(string.digits)
    assert all(600 < n < 800 for n in characters.values())


def test_random_may_be_limited_to_another_charset():
    corpus = corpus_of(ASCII, text="mix", texts=[{"kind": "random", "charset": "digits", "max_length": 5}])
    assert set("".join(texts(corpus))) == set(string.digits)
    with pytest.raises(RecipeError, match="charset 'digits', of which no character is in the recipe's charset"):
        corpus_of(Charset.from_text("ab"), text="mix", texts=[{"kind": "random", "charset": "digits"}])
    with pytest.raises(RecipeError, match="charset is 'digit'. Allowed: one of alphanumeric, "):
        SynthSpec.model_validate({"text": "mix", "texts": [{"kind": "random", "charset": "digit"}]})


def test_spaces_stand_alone_and_inside():
    drawn = texts(corpus_of(Charset.from_text("ab \u3000"), min_length=1, max_length=8))
    assert any(" " in text for text in drawn)
    assert all(text == " ".join(text.replace("\u3000", " ").split()) for text in drawn if "\u3000" not in text)
    assert not any(a.isspace() and b.isspace() for text in drawn for a, b in itertools.pairwise(text))
    assert not any(text[0].isspace() or text[-1].isspace() for text in drawn)


def test_every_line_has_a_font_that_covers_it():
    covered = {A: frozenset("abcd"), B: frozenset("cdxy")}
    corpus = open_corpus(SynthSpec(), Charset.from_text("abcdxy"), covered)
    drawn = [corpus.draw(random.Random(i)) for i in range(500)]
    assert all(covered[face].issuperset(text) for text, face in drawn)
    assert {face for _, face in drawn} == {A, B}
    assert set("".join(text for text, _ in drawn)) == set("abcdxy")


def test_characters_that_no_font_covers_are_counted_and_listed():
    charset = Charset.from_text("ab中文")
    covered = {A: frozenset("a"), B: frozenset("b")}
    with pytest.raises(
        RecipeError, match=r"2 of 4 characters .* none of the 2 fonts: '中' \(U\+4E2D .*'文'.*uncovered"
    ):
        open_corpus(SynthSpec(), charset, covered)
    with pytest.warns(UserWarning, match=r"2 of 4 characters .*left out") as caught:
        corpus = open_corpus(SynthSpec(uncovered="drop"), charset, covered)
    assert len(caught) == 1
    assert set("".join(texts(corpus))) == {"a", "b"}


def test_a_font_that_covers_nothing_is_named():
    with pytest.warns(UserWarning, match=r"1 of 2 fonts have no character of the charset: b\.ttf") as caught:
        open_corpus(SynthSpec(), Charset.from_text("a"), {A: frozenset("a"), B: frozenset()})
    assert len(caught) == 1


def test_nothing_to_draw_is_an_error_even_when_dropping():
    with pytest.raises(RecipeError, match="1 of 1 characters"):
        open_corpus(SynthSpec(uncovered="drop"), Charset.from_text("中"), {A: frozenset()})
    with pytest.raises(RecipeError, match="nothing but spaces"):
        open_corpus(SynthSpec(), Charset.from_text(" "), {A: frozenset(" ")})


def test_excerpts_are_whole_words(tmp_path: Path):
    words = "the quick brown fox jumps over a lazy dog"
    drawn = texts(
        file_corpus(tmp_path, f"\ufeff{words}\r\n\n  {words.replace(' ', '   ')}\t\n", min_length=3, max_length=12)
    )
    assert all(3 <= len(text) <= 12 and f" {text} " in f" {words} " for text in drawn)
    assert {"the", "quick brown", "lazy dog"} <= set(drawn)


def test_a_word_longer_than_allowed_is_cut(tmp_path: Path):
    drawn = texts(file_corpus(tmp_path, "extraordinarily", min_length=4, max_length=6))
    assert all(4 <= len(text) <= 6 and text in "extraordinarily" for text in drawn)
    assert len(set(drawn)) > 10


def test_scripts_without_spaces_are_cut_anywhere_but_before_punctuation(tmp_path: Path):
    line = "今天天气很好，我们一起去公园散步。北京很大"
    drawn = texts(file_corpus(tmp_path, line, Charset.from_labels([line]), min_length=2, max_length=5))
    assert all(2 <= len(text) <= 5 and text in line and text[0] not in "，。" for text in drawn)
    assert {len(text) for text in drawn} == {2, 3, 4, 5}
    assert len({text[0] for text in drawn}) > 12


def test_characters_outside_the_charset_end_a_text_and_are_reported_once(tmp_path: Path):
    with pytest.warns(UserWarning, match=r"1 characters are not in the charset: 'é' .* 2 times") as caught:
        corpus = file_corpus(tmp_path, "one caf\u0065\u0301 two\nthré four", min_length=2, max_length=9)
    assert len(caught) == 1
    assert set(texts(corpus)) <= {"one", "caf", "one caf", "two", "thr", "four"}


def test_a_charset_without_the_space_gives_single_words(tmp_path: Path):
    with pytest.warns(UserWarning, match="' ' "):
        corpus = file_corpus(tmp_path, "abc def", Charset.from_text("abcdef"), min_length=1, max_length=9)
    assert set(texts(corpus)) == {"abc", "def"}


def test_an_excerpt_goes_to_a_font_that_covers_all_of_it(tmp_path: Path):
    (tmp_path / "t.txt").write_text("ab xy\nax", encoding="utf-8")
    spec = SynthSpec(text="file", text_file=str(tmp_path / "t.txt"), min_length=2, max_length=2)
    corpus = open_corpus(spec, Charset.from_text("abxy "), {A: frozenset("ab "), B: frozenset("xy ")})
    assert {corpus.draw(random.Random(i)) for i in range(100)} == {("ab", A), ("xy", B)}


def test_text_file_errors(tmp_path: Path):
    with pytest.raises(RecipeError, match="text_file is not set"):
        corpus_of(ASCII, text="file")
    with pytest.raises(RecipeError, match=r"none\.txt cannot be read: No such file"):
        corpus_of(ASCII, text="file", text_file=str(tmp_path / "none.txt"))
    (tmp_path / "latin1.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(RecipeError, match=r"is not UTF-8 \(byte 3\)"):
        corpus_of(ASCII, text="file", text_file=str(tmp_path / "latin1.txt"))
    with pytest.raises(RecipeError, match="gives no text of 9 to 9 characters"):
        file_corpus(tmp_path, "short\nwords", min_length=9, max_length=9)


def test_a_file_without_a_place_of_the_right_length(tmp_path: Path):
    # "ab cd": every excerpt of 3 would begin or end with the space.
    with pytest.raises(RecipeError, match="gives no text of 3 to 3"):
        file_corpus(tmp_path, "ab cd", min_length=3, max_length=3).draw(random.Random(1))
